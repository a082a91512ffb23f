"""What the bot receives after a human has left, through the machine alone."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.handoff.effects.state import LINE_LIMIT, LINES_KEPT
from shared.handoff.machine import decide
from shared.handoff.policy import Policy
from shared.schemas import events, own_events
from shared.schemas.commands import Post, Publish
from shared.schemas.content import Content
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.representative import Representative, RepresentativeType

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ID, DESK = "business_messages:3333", "csku:conv_1"
JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane")
SAM = JANE.model_copy(update={"display_name": "Sam"})
AI = Representative(representative_type=RepresentativeType.BOT, display_name="AI")
POLICY = Policy(webhooks=frozenset({"BOT", "HUMAN"}))


class Talk:
    def __init__(self, **conversation: Any) -> None:
        self.conversation = Conversation(id=ID, address="3333", **conversation)
        self.bodies: list[dict[str, Any]] = []

    def happens(self, kind: type[events.Event], **more: Any) -> None:
        number = self.conversation.version
        event = kind.model_validate({"id": f"e{number}", "source": ID, "actor": "test", **more})
        decision = decide(self.conversation, event, NOW + timedelta(seconds=number), POLICY)
        assert decision.refusal is None
        self.conversation = decision.conversation
        self.bodies = [
            command.body for command in decision.commands if isinstance(command, Publish | Post)
        ]

    def customer(self, text: str) -> None:
        self.happens(events.UserMessage, form={"message": {"text": text}}, said=text)

    def human(self, who: Representative, text: str) -> None:
        self.happens(events.HumanMessage, representative=who, content=Content(text=text))


def test_the_topic_and_the_bots_own_webhook_carry_it_once_and_the_desks_never() -> None:
    talk = Talk()
    talk.human(JANE, "Hello")
    talk.happens(events.HumanLeft, representative=JANE)
    talk.happens(events.HumanRequested, reason="again")
    talk.customer("me again")
    topic, bot, desk = talk.bodies
    assert topic["handoff"] == bot["handoff"]
    assert "handoff" not in desk
    talk.customer("anybody?")
    assert not any("handoff" in body for body in talk.bodies)


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        ((events.HumanLeft, {"representative": JANE, "reason": "solved"}), "solved"),
        ((events.HumanLeft, {"representative": JANE}), "the person left"),
        ((own_events.HumanIdleTimeout, {"armed": 1, "n": 1}), "the person went quiet"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_why_the_human_left(ends: tuple[type[events.Event], dict[str, Any]], reason: str) -> None:
    talk = Talk()
    talk.human(JANE, "Hello")
    talk.happens(ends[0], **ends[1])
    assert talk.conversation.phase is Phase.BOT
    assert talk.conversation.handback is not None
    assert talk.conversation.handback.reason == reason


def test_a_desk_whose_own_assistant_takes_over_is_a_reason_too() -> None:
    talk = Talk(links=(DESK,))
    talk.happens(
        events.HumanMessage, source=DESK, representative=JANE, content=Content(text="Hello")
    )
    talk.happens(
        events.BotMessage,
        source=DESK,
        representative=AI,
        content=Content(text="I take over"),
        human_needed=False,
    )
    handback = talk.conversation.handback
    assert handback is not None
    assert (handback.reason, [line.by for line in handback.said]) == (
        "the desk's own assistant took over",
        ["Jane", "AI"],
    )


def test_everyone_who_was_there_at_the_end_is_named_and_what_a_bot_was_refused_is_not() -> None:
    talk = Talk()
    talk.human(JANE, "Hello")
    talk.happens(events.HumanJoined, representative=SAM)
    talk.happens(
        events.BotMessage, source=DESK, representative=AI, content=Content(text="suppressed")
    )
    talk.happens(events.HumanLeft, representative=JANE)
    talk.customer("so?")
    talk.human(SAM, "Yes")
    talk.happens(events.HumanLeft, representative=SAM)
    handback = talk.conversation.handback
    assert handback is not None
    assert handback.representatives == ("Sam",)
    assert [(line.by, line.text) for line in handback.said] == [
        ("Jane", "Hello"),
        (None, "so?"),
        ("Sam", "Yes"),
    ]


def test_only_the_last_words_are_kept_and_no_more_than_the_beginning_of_each() -> None:
    talk = Talk()
    talk.human(JANE, "first")
    for number in range(LINES_KEPT):
        talk.customer(f"{number} " + "x" * 1000)
    assert len(talk.conversation.said) == LINES_KEPT
    assert talk.conversation.said[0].text.startswith("0 ")
    assert {len(line.text) for line in talk.conversation.said} == {LINE_LIMIT}


def test_a_human_who_comes_before_the_bot_was_told_begins_again() -> None:
    talk = Talk()
    talk.human(JANE, "Hello")
    talk.happens(events.HumanLeft, representative=JANE)
    talk.human(SAM, "I go on")
    assert talk.conversation.handback is None
    assert [line.text for line in talk.conversation.said] == ["I go on"]


def test_nothing_is_remembered_where_no_bot_of_ours_speaks() -> None:
    talk = Talk(tracked=True)
    talk.human(JANE, "Hello")
    talk.happens(events.HumanLeft, representative=JANE)
    assert (talk.conversation.said, talk.conversation.handback) == ((), None)


def test_a_bot_gets_nothing_that_a_newer_version_has_stored_with_it() -> None:
    talk = Talk()
    talk.human(JANE, "Hello")
    talk.happens(events.HumanLeft, representative=JANE)
    stored = json.loads(talk.conversation.model_dump_json())
    stored["handback"] |= {"x_newer": 1, "said": [{"by": "Jane", "text": "Hello", "x_newer": 1}]}
    talk.conversation = Conversation.model_validate_json(json.dumps(stored))
    talk.customer("me again")
    assert talk.bodies[0]["handoff"]["said"] == [{"by": "Jane", "text": "Hello"}]
    assert "x_newer" not in json.dumps(talk.bodies)
