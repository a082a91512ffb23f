"""A queue whose own assistant speaks with the customer before one of its people does."""

from collections.abc import Sequence

import pytest

from shared.platforms.base import Deflected
from shared.schemas import events, own_events
from shared.schemas.commands import Publish
from shared.schemas.conversation import AwaitedReply, Phase
from shared.schemas.variables import Audience
from tests.unit.talk import Talk
from tests.unit.test_desks import CALLED, CHAT, HOURS, SUNDAY, called, closed, in_line

FAILED = ("handoff.failed", "the desk's assistant had answered, and the chat has ended")


def assisted() -> Talk:
    talk = in_line()
    talk.bot("I am Vera", source=CHAT)
    return talk


def heard(talk: Talk) -> Sequence[object]:
    """Returns who was sent each of the customer's messages, after their first."""
    return [
        one.body["audience"]
        for one in talk.done
        if isinstance(one, Publish) and "audience" in one.body
    ][1:]


def test_the_customers_words_go_to_who_answers_them_and_to_no_second_bot() -> None:
    talk = in_line()
    talk.user("hello?")
    talk.bot("I am Vera", source=CHAT)
    talk.user("hi Vera")
    talk.user("queue")
    assert heard(talk) == [["BOT", "HUMAN"], ["HUMAN"], ["HUMAN"]]
    assert called(talk)[1:] == [("say", "hello?"), ("say", "hi Vera"), ("say", "queue")]
    assert talk.shown == ["I am Vera"]


def test_who_is_being_answered_does_not_wait() -> None:
    talk = in_line()
    first = talk.conversation.timer
    assert first is not None
    for _ in range(10):
        talk.now += talk.policy.unclaimed_after / 2
        talk.bot("and then?", source=CHAT)
    timer = talk.conversation.timer
    assert timer is not None
    assert (timer.n, timer.due_at) == (1, talk.now + talk.policy.unclaimed_after)
    talk.take(own_events.UnclaimedTimeout(**talk.common(), armed=first.armed, n=1))
    assert (talk.phase, talk.told) == (Phase.QUEUED, [("handoff.requested", "asked")])


def test_a_chat_that_ends_when_the_desks_assistant_has_answered_leads_back_to_the_bot() -> None:
    talk = assisted()
    talk.ends(CHAT)
    assert (talk.phase, talk.told[1:]) == (Phase.BOT, [FAILED])
    assert talk.shown == ["I am Vera", "You are back with the assistant."]
    talk.user("thanks")
    assert (heard(talk), talk.conversation.called) == ([["BOT"]], None)


def test_a_deflection_still_says_that_no_human_is_available() -> None:
    talk = assisted()
    talk.take(Deflected(**talk.common(source=CHAT), reason="after_hours"))
    assert talk.told[1:] == [("handoff.failed", "after_hours")]
    assert talk.shown[-1].startswith("Sorry, nobody is available")


def test_an_assistant_that_falls_silent_leaves_a_customer_who_waits() -> None:
    talk = assisted()
    for _ in range(4):
        talk.timeout()
    assert [kind for kind, _ in talk.told[1:]] == ["handoff.unclaimed"] * 3 + ["handoff.failed"]
    assert [one.split(".")[0] for one in talk.shown[1:]] == [
        "Everyone is busy right now",
        "Sorry, nobody is available right now",
    ]


def test_after_its_handoff_the_assistant_is_kept_from_the_customer_and_the_next_is_not() -> None:
    talk = assisted()
    talk.ends(CHAT)
    shown = len(talk.shown)
    talk.bot("still there?", source=CHAT)
    assert len(talk.shown) == shown
    talk.wants_human()
    talk.user("hello?")
    assert heard(talk)[-1] == ["BOT", "HUMAN"]


def test_a_human_of_the_desk_takes_over_from_its_assistant() -> None:
    talk = assisted()
    talk.joins(source=CHAT)
    talk.user("hi Jane")
    talk.leaves(source=CHAT)
    talk.user("and now?")
    assert heard(talk) == [["HUMAN"], ["BOT"]]


@pytest.mark.parametrize("source", ["ccai:chat-9", None])
def test_another_bots_words_change_nothing_of_who_is_told(source: str | None) -> None:
    talk = in_line()
    talk.bot("beep", **({"source": source} if source else {"fact": False}))
    talk.user("hello?")
    assert heard(talk) == [["BOT", "HUMAN"]]


def test_who_has_unsubscribed_is_not_answered() -> None:
    talk = in_line()
    talk.take(events.Unsubscribed(**talk.common(), said="STOP"))
    timer = talk.conversation.timer
    talk.bot("I am Vera", source=CHAT)
    assert (talk.conversation.timer, talk.shown) == (timer, [])


def test_who_waits_for_the_opening_waits_for_it_though_the_assistant_answers() -> None:
    talk = closed(CALLED.model_copy(update={"hours": HOURS, "outside": "wait"}))
    talk.wants_human()
    talk.conversation = talk.conversation.model_copy(
        update={"called": assisted().conversation.called}
    )
    opens = talk.conversation.opens_at
    talk.bot("I am Vera", source=CHAT)
    assert opens is not None
    assert talk.conversation.opens_at == opens


def test_what_another_bot_had_asked_for_is_not_captured_from_what_the_assistant_is_told() -> None:
    talk = in_line()
    until = SUNDAY + talk.policy.give_up_after
    awaited = AwaitedReply(key="order", audiences=(Audience.EVENT,), until=until)
    talk.take(events.VariablesCaptured(**talk.common(), awaited=awaited))
    talk.bot("I am Vera", source=CHAT)
    talk.user("hi Vera")
    talk.ends(CHAT)
    talk.user("A1")
    assert talk.conversation.variables == ()
