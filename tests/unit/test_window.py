"""Limits to writing: the channel's window, and customers who have unsubscribed."""

from datetime import timedelta
from typing import Any

import pytest

from infra.local.oracle import violations
from shared.handoff.machine import decide
from shared.handoff.policy import WINDOW_MARGIN, Policy
from shared.schemas import events, own_events
from shared.schemas.commands import Publish, SendMessage
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.journal import Verdict
from tests.unit.talk import CHANNEL, DESK, NOW, Talk, human

NOBODY = (
    "Sorry, nobody is available right now. You can keep chatting "
    "here, and ask for a person again at any time."
)


def closed(**policy: Any) -> Talk:
    talk = Talk(**policy)
    talk.user()
    talk.now += timedelta(hours=24, seconds=1)
    return talk


@pytest.mark.parametrize("who", ["bot", "human"])
def test_a_request_outside_the_window_is_refused_and_the_team_is_notified(who: str) -> None:
    talk = closed()
    if who == "human":
        talk.joins()
    before = talk.conversation
    ask = talk.bot if who == "bot" else talk.says
    refused = ask("hello", fact=False, id="m1")
    assert refused.refusal is not None
    assert (refused.refusal.code, refused.reason) == (409, "outside-window")
    assert "until they write again" in refused.refusal.message
    assert talk.told[-1] == ("delivery.failed", "outside-window")
    (told,) = refused.commands
    assert isinstance(told, Publish)
    assert told.body["message_id"] == "m1"
    assert refused.conversation == before.model_copy(update={"version": before.version + 1})
    assert talk.shown == []


def test_the_window_closes_a_minute_early_so_that_what_is_accepted_arrives() -> None:
    talk = closed()
    talk.now = NOW + timedelta(hours=24) - WINDOW_MARGIN
    assert talk.bot("hello", fact=False).refusal is None
    talk.now += timedelta(seconds=1)
    assert talk.bot("hello", fact=False).reason == "outside-window"


def test_a_fact_outside_the_window_is_not_sent_and_the_team_is_notified() -> None:
    talk = closed()
    fact = talk.says("typed at the desk", source=DESK)
    assert (fact.verdict, fact.reason, talk.conversation.phase) == (
        Verdict.ACCEPTED,
        "outside-window",
        Phase.HUMAN,
    )
    assert talk.shown == []
    assert talk.told[-1] == ("delivery.failed", "outside-window")
    assert talk.bot("the desk's AI", source=DESK).commands == ()
    assert talk.conversation.first_response_seconds is None


def test_batons_own_notices_outside_the_window_are_not_sent() -> None:
    talk = closed()
    for act in (talk.desk_wants_human, talk.fails, talk.joins, talk.leaves, talk.joins, talk.idle):
        act()
    assert talk.shown == []
    assert "delivery.failed" not in [kind for kind, _ in talk.told]


def test_a_human_who_joined_outside_the_window_is_introduced_when_they_speak_inside_it() -> None:
    talk = closed()
    talk.joins()
    talk.joins("Sam")
    talk.user()
    talk.says("hello", fact=False, id="m1", keeps_id=True)
    talk.leaves("Sam")
    talk.leaves()
    assert talk.shown == [
        "Jane joined the conversation.",
        "Jane: hello",
        "Jane has left. You are talking with our automated assistant again.",
    ]
    assert violations(talk.labelled("Jane", "Sam"), ["hello"]) == []
    said = [one for one in talk.done if isinstance(one, SendMessage)]
    assert [one.id for one in said] == ["m1"]


def test_what_the_own_app_showed_outside_the_window_has_arrived_and_its_human_is_known() -> None:
    talk = closed()
    typed = talk.says("good morning", delivered=True)
    assert (typed.reason, [kind for kind, _ in talk.told]) == (None, ["handoff.joined"])
    talk.idle()
    talk.user()
    assert talk.shown == ["Jane has left. You are talking with our automated assistant again."]


def test_of_a_human_who_left_outside_the_window_the_customer_hears_when_they_write_again() -> None:
    talk = Talk()
    talk.user()
    talk.joins()
    talk.joins("Sam")
    talk.now += timedelta(hours=25)
    talk.idle()
    assert len(talk.shown) == 2
    talk.user()
    talk.bot("hello again", fact=False)
    talk.user()
    assert talk.shown[2:] == [
        "Jane left the conversation.",
        "Sam has left. You are talking with our automated assistant again.",
        "hello again",
    ]
    assert violations(talk.labelled("Jane", "Sam")) == []


def test_a_human_who_came_back_outside_the_window_is_shown_to_have_left_and_then_joined() -> None:
    talk = Talk()
    talk.user()
    talk.joins()
    talk.now += timedelta(hours=25)
    talk.leaves()
    talk.joins()
    talk.user()
    talk.says("hello")
    assert talk.shown[1:] == [
        "Jane left the conversation.",
        "Jane joined the conversation.",
        "Jane: hello",
    ]


def test_the_last_human_whom_the_customer_knows_hands_back() -> None:
    talk = Talk()
    talk.user()
    talk.joins()
    talk.now += timedelta(hours=25)
    talk.joins("Sam")
    talk.user()
    talk.idle()
    assert talk.shown[1:] == ["Jane has left. You are talking with our automated assistant again."]


def test_the_first_words_of_a_customer_reach_the_bot() -> None:
    told, _counted = Talk().user().commands
    assert isinstance(told, Publish)
    assert told.topic == "baton-user-messages"


@pytest.mark.parametrize("own_act", ["wants_human", "user"])
def test_what_the_customer_does_opens_the_window_and_what_a_desk_echoes_does_not(
    own_act: str,
) -> None:
    talk = closed()
    talk.user(source=DESK)
    assert talk.bot(fact=False).reason == "outside-window"
    getattr(talk, own_act)()
    assert talk.bot(fact=False).refusal is None
    assert talk.conversation.last_message_id == f"e{talk.count - 1}"


def test_an_old_message_that_comes_late_does_not_open_the_window() -> None:
    talk = closed()
    talk.user(occurred_at=NOW + timedelta(seconds=1) + WINDOW_MARGIN)
    assert talk.bot(fact=False).refusal is None
    talk.user(occurred_at=NOW)
    talk.now += timedelta(seconds=2)
    assert talk.bot(fact=False).reason == "outside-window"


def test_that_no_human_came_is_said_when_they_write_again_unless_one_has_come_since() -> None:
    talk = closed()
    talk.desk_wants_human()
    talk.fails()
    assert talk.shown == []
    talk.user()
    talk.user()
    assert talk.shown == [NOBODY]
    talk = closed()
    talk.desk_wants_human()
    talk.fails()
    talk.desk_wants_human()
    talk.user()
    assert talk.shown == []


def test_who_stays_and_has_never_spoken_is_introduced_before_the_other_leaves() -> None:
    talk = Talk()
    talk.user()
    talk.joins()
    talk.now += timedelta(hours=25)
    talk.joins("Sam")
    talk.user()
    talk.leaves()
    talk.leaves("Sam")
    assert talk.shown[1:] == [
        "Sam joined the conversation.",
        "Jane left the conversation.",
        "Sam has left. You are talking with our automated assistant again.",
    ]
    assert violations(talk.labelled("Jane", "Sam")) == []


def test_who_types_in_the_channels_own_app_gives_way_to_a_human_who_claims() -> None:
    talk = Talk()
    talk.user()
    talk.says("hi from the app", None, delivered=True)
    claimed = talk.take(
        events.Claim(**talk.common(), fact=False, key="k1", representative=human("Jane"))
    )
    assert claimed.refusal is None
    assert [one.representative.name for one in talk.conversation.humans] == ["Jane"]
    assert talk.shown == ["Jane joined the conversation."]
    other = talk.take(
        events.Claim(**talk.common(), fact=False, key="k2", representative=human("Sam"))
    )
    assert other.reason == "held"


def test_whose_joining_was_lost_is_introduced_with_their_next_words() -> None:
    talk = Talk()
    talk.user()
    talk.joins()
    [frame] = [one.frame for one in talk.conversation.humans]
    talk.take(own_events.JoinedLost(**talk.common(), frame=frame))
    talk.says("Hello")
    talk.says("Still me")
    assert talk.shown == ["Jane joined the conversation."] * 2 + ["Jane: Hello", "Jane: Still me"]


# Unsubscribing.


def unsubscribed() -> Talk:
    talk = Talk()
    talk.user()
    talk.now += timedelta(minutes=1)
    talk.take(events.Unsubscribed(**talk.common(), said="STOP"))
    return talk


def test_an_unsubscribing_that_comes_late_changes_nothing() -> None:
    talk = Talk()
    talk.user()
    talk.take(
        events.Unsubscribed(**talk.common(occurred_at=NOW - timedelta(minutes=1)), said="STOP")
    )
    assert talk.bot(fact=False).refusal is None


def test_a_keyword_in_any_language_that_comes_with_it_is_not_news() -> None:
    talk = unsubscribed()
    talk.user("PARA JÁ", occurred_at=talk.now + timedelta(seconds=1))
    assert talk.bot(fact=False).reason == "unsubscribed"
    talk.now += timedelta(minutes=1)
    talk.user("hello again")
    assert talk.bot(fact=False).refusal is None


def test_a_customer_who_has_unsubscribed_hears_humans_and_no_bot() -> None:
    talk = unsubscribed()
    assert talk.bot(fact=False).reason == "unsubscribed"
    assert talk.bot(source=DESK).verdict is Verdict.SUPPRESSED
    talk.desk_wants_human()
    talk.fails()
    assert talk.shown == []
    talk.says("may I help?", source=DESK)
    assert talk.bot("bye", source=DESK, human_needed=False).reason == "unsubscribed"
    assert talk.shown == [
        "Jane joined the conversation.",
        "Jane: may I help?",
        "Jane has left. You are talking with our automated assistant again.",
    ]


def test_no_bot_is_told_the_word_and_the_journal_keeps_it() -> None:
    word = events.Unsubscribed(id="1", source=CHANNEL, actor="test", said="STOP")
    assert Talk().take(word).commands == ()
    assert word.text == "STOP"


@pytest.mark.parametrize("how", ["subscribed", "user"])
def test_it_ends_when_they_say_so_or_write_again(how: str) -> None:
    talk = unsubscribed()
    talk.now += timedelta(minutes=1)
    talk.user() if how == "user" else talk.take(events.Subscribed(**talk.common()))
    assert talk.bot(fact=False).refusal is None


def test_what_was_written_before_it_and_comes_late_does_not_end_it() -> None:
    talk = unsubscribed()
    talk.user(occurred_at=NOW + timedelta(seconds=30))
    talk.take(events.Subscribed(**talk.common(occurred_at=NOW)))
    assert talk.bot(fact=False).reason == "unsubscribed"


@pytest.mark.parametrize("phase", Phase)
def test_what_the_platform_could_not_deliver_is_told_to_the_team_with_its_id(phase: Phase) -> None:
    conversation = Conversation(id=CHANNEL, address="p0", phase=phase)
    event = events.Undelivered(id="1", source=CHANNEL, actor="test", message="m1", reason="expired")
    (told,) = decide(conversation, event, NOW, Policy()).commands
    assert isinstance(told, Publish)
    assert (told.body["type"], told.body["message_id"], told.body["reason"]) == (
        "delivery.failed",
        "m1",
        "expired",
    )
