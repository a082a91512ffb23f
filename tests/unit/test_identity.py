"""One customer on two channels: they are spoken to where they wrote last, and each channel
shows whole frames.
"""

from datetime import timedelta
from typing import Any

import pytest

from infra.local.oracle import as_labelled, violations
from shared.handoff.channels import all_of, joined, parted
from shared.schemas import events
from shared.schemas.commands import SendEvent, SendMessage
from shared.schemas.conversation import Channel, Conversation, Phase
from shared.schemas.journal import Verdict
from shared.schemas.notifications import USER_MESSAGES
from tests.unit.talk import NOW, PLAIN, Talk

HERE, THERE = "plain:p0", "second:s0"


class Moving(Talk):
    """The customer is on `plain:p0`, and `second:s0` is the same customer's."""

    def __init__(self, **policy: Any) -> None:
        super().__init__(
            capabilities={
                "plain": PLAIN,
                "second": PLAIN.model_copy(update={"window_hours": None}),
            },
            **policy,
        )
        self.user()
        self.conversation = joined(self.conversation, Conversation(id=THERE, address="s0"))

    def shown_in(self, channel: str) -> list[str]:
        to_customer = [one for one in self.done if isinstance(one, SendMessage | SendEvent)]
        return [_words(one) for one in to_customer if one.shown_in(self.conversation.id) == channel]

    def faults(self) -> list[str]:
        return [fault for channel in (HERE, THERE) for fault in self._faults(channel)]

    def _faults(self, channel: str) -> list[str]:
        rows = enumerate(self.shown_in(channel))
        shown = [
            {"seq": n, "id": str(n), "side": "business", "kind": "message", "body": {"text": one}}
            for n, one in rows
        ]
        return violations(as_labelled(shown, ["Jane", "Sam"]))


def _words(command: SendMessage | SendEvent) -> str:
    return (command.content.text if isinstance(command, SendMessage) else command.text) or ""


def moving_in_her_frame() -> Moving:
    talk = Moving()
    talk.joins()
    talk.says("hello")
    talk.user("I am here now", source=THERE)
    return talk


def test_who_moves_in_the_middle_of_a_frame_keeps_it() -> None:
    talk = moving_in_her_frame()
    talk.says("I see you there")
    assert talk.bot(fact=False).reason == "human-present"
    talk.leaves()
    talk.bot("anything else?")
    assert talk.shown_in(HERE) == ["Jane joined the conversation.", "Jane: hello"]
    assert talk.shown_in(THERE) == [
        "Jane joined the conversation.",
        "Jane: I see you there",
        "Jane has left. You are talking with our automated assistant again.",
        "anything else?",
    ]
    assert talk.faults() == []


def test_who_comes_back_after_she_left_is_told_so_before_the_bot_speaks() -> None:
    talk = moving_in_her_frame()
    talk.leaves()
    talk.user("back here")
    talk.bot("hello again")
    assert talk.shown_in(THERE) == []
    assert talk.shown_in(HERE)[2:] == [
        "Jane has left. You are talking with our automated assistant again.",
        "hello again",
    ]
    assert talk.faults() == []


def test_who_comes_back_while_she_is_there_finds_her_there() -> None:
    talk = moving_in_her_frame()
    talk.says("there")
    talk.user("back here")
    talk.says("here")
    talk.leaves()
    assert talk.shown_in(HERE)[1:] == ["Jane: hello", "Jane: here", BACK]
    talk.user("and there", source=THERE)
    talk.bot("hi")
    assert talk.shown_in(THERE)[2:] == [BACK, "hi"]
    assert talk.faults() == []


BACK = "Jane has left. You are talking with our automated assistant again."


def test_who_came_back_under_the_same_name_meanwhile_is_still_there() -> None:
    talk = moving_in_her_frame()
    talk.leaves()
    talk.joins()
    talk.user("back here")
    talk.says("here")
    assert talk.shown_in(HERE)[1:] == ["Jane: hello", "Jane: here"]
    assert talk.faults() == []


def test_where_only_an_unknown_human_stays_they_are_introduced_first() -> None:
    talk = Moving()
    talk.joins()
    talk.joins("Sam")
    talk.user("there", source=THERE)
    talk.says("hi")
    talk.leaves()
    assert talk.shown_in(THERE)[2:] == [
        "Sam joined the conversation.",
        "Jane left the conversation.",
    ]
    talk.leaves("Sam")
    talk.bot("hello")
    assert talk.shown_in(THERE)[4:] == [
        "Sam has left. You are talking with our automated assistant again.",
        "hello",
    ]
    assert talk.faults() == []


def test_words_that_come_late_do_not_move_the_customer_back() -> None:
    talk = Moving()
    talk.now += timedelta(minutes=1)
    talk.user("new", source=THERE)
    talk.user("old", occurred_at=NOW + timedelta(seconds=30))
    assert talk.conversation.channel == THERE
    assert {one.id: one.last_user_at for one in all_of(talk.conversation)} == {
        THERE: talk.now,
        HERE: NOW + timedelta(seconds=30),
    }


def test_words_of_the_same_second_keep_the_order_of_arrival() -> None:
    """WhatsApp counts in whole seconds, RCS does not."""
    talk = Moving()
    talk.user("a", occurred_at=NOW + timedelta(microseconds=700_000))
    talk.now += timedelta(seconds=1)
    talk.user("b", source=THERE, occurred_at=NOW)
    assert talk.conversation.channel == THERE


def test_the_window_is_that_of_the_channel_in_use() -> None:
    talk = Moving()
    talk.user("new", source=THERE)
    talk.now += timedelta(hours=25)
    assert talk.bot(fact=False).refusal is None
    talk.user("back")
    talk.now += timedelta(hours=25)
    assert talk.bot(fact=False).reason == "outside-window"


def test_unsubscribing_counts_where_it_was_said_and_does_not_move_the_customer() -> None:
    talk = Moving()
    talk.now += timedelta(minutes=1)
    talk.take(events.Unsubscribed(**talk.common(source=THERE)))
    assert talk.conversation.channel == HERE
    assert talk.bot(fact=False).refusal is None
    talk.take(events.Unsubscribed(**talk.common()))
    assert talk.bot(fact=False).reason == "unsubscribed"
    talk.now += timedelta(minutes=1)
    talk.user("there", source=THERE)
    assert talk.bot(fact=False).refusal is None
    talk.user("here")
    assert talk.bot(fact=False).refusal is None


def test_a_desks_echo_does_not_move_the_customer() -> None:
    talk = Moving()
    assert talk.user("echo", source="csku:d0").verdict is Verdict.ECHO
    assert talk.conversation.channel == HERE


def test_their_words_reach_bot_or_desk_from_either_channel() -> None:
    talk = Moving()
    talk.user("there", source=THERE)
    assert [one.topic for one in talk.done if hasattr(one, "topic")] == [USER_MESSAGES] * 2


def test_asking_for_a_human_moves_the_customer_and_its_answer_comes_there() -> None:
    talk = Moving()
    talk.take(events.HumanRequested(**talk.common(source=THERE), reason="asked"))
    talk.fails()
    assert talk.phase is Phase.BOT
    assert len(talk.shown_in(THERE)) == 1
    assert talk.shown_in(HERE) == []


def test_what_the_business_app_shows_on_one_channel_is_no_frame_on_the_other() -> None:
    talk = Moving()
    talk.user("there", source=THERE)
    talk.says("typed on the phone", source=HERE, delivered=True)
    assert talk.shown_in(THERE) == ["Jane joined the conversation."]
    talk.says("from the desk")
    talk.leaves()
    assert talk.shown_in(HERE) == []
    assert talk.faults() == []


def test_apart_again_each_channel_knows_who_it_showed() -> None:
    talk = moving_in_her_frame()
    talk.says("there")
    remains, gone = parted(talk.conversation, THERE)
    assert gone is not None
    assert (gone.id, [human.representative.name for human in gone.shown]) == (THERE, ["Jane"])
    assert (remains.channel, remains.address, remains.elsewhere) == (HERE, "p0", ())
    assert [human.told for human in remains.humans] == [True]


@pytest.mark.parametrize(("written", "used"), [(1, THERE), (-1, HERE), (None, HERE)])
def test_joined_they_are_spoken_to_where_they_wrote_last(written: int | None, used: str) -> None:
    at = None if written is None else NOW + timedelta(minutes=written)
    talk = Talk()
    talk.user()
    both = joined(talk.conversation, Conversation(id=THERE, address="s0", last_user_at=at))
    assert both.channel == used
    assert {one.id for one in all_of(both)} == {HERE, THERE}
    assert isinstance(both.elsewhere[0], Channel)
