"""What peers get wrong around a handoff, each as one story, and the clock that counts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.handoff.machine import decide
from shared.handoff.policy import Policy
from shared.handoff.routing.desk import Desk
from shared.handoff.routing.hours import Hours
from shared.measures.bins import bin_of, percentile, value_of
from shared.measures.definitions import TRANSFER_GAP
from shared.schemas.commands import Record
from shared.schemas.content import Content
from shared.schemas.conversation import Conversation
from shared.schemas.events import (
    BotMessage,
    Claim,
    Event,
    HandoffFailed,
    HumanJoined,
    HumanLeft,
    HumanMessage,
    HumanRequested,
    Unsubscribed,
    UserMessage,
)
from shared.schemas.measures import Measure, Moment
from shared.schemas.own_events import HumanIdleTimeout
from shared.schemas.representative import Representative, RepresentativeType

C, DESK = "business_messages:3333", "csku:conv_1"
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday
AFTERNOON = Desk(
    name="day", hours=Hours(time_zone="UTC", mon=("14:00-17:00",), tue=("14:00-17:00",))
)
MINUTE, DAY = 60.0, 86400.0


class Story:
    """One conversation, event by event; `measures` is the result."""

    def __init__(self, *desks: Desk) -> None:
        self.policy = Policy(desks=desks)
        self.conversation = Conversation(id=C, address="3333", links=(DESK,))
        self.now = BEGIN
        self.measures: list[Measure] = []
        self._n = 0

    def take(self, kind: type[Event], after: float = 0, **more: Any) -> None:
        self.now += timedelta(seconds=after)
        self._n += 1
        common = {"id": str(self._n), "source": C, "actor": "story", **more}
        decision = decide(self.conversation, kind(**common), self.now, self.policy)
        self.conversation = decision.conversation
        records = [command for command in decision.commands if isinstance(command, Record)]
        self.measures += [measure for record in records for measure in record.measures]

    def customer(self, after: float = 0, **more: Any) -> None:
        self.take(UserMessage, after, form={}, **more)

    def asks(self, after: float = 0, **more: Any) -> None:
        self.take(HumanRequested, after, reason="asked", **more)

    def bot(self, after: float = 0, **more: Any) -> None:
        who = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
        self.take(
            BotMessage,
            after,
            **{"representative": who, "content": Content(text="beep"), "fact": False, **more},
        )

    def human(self, kind: type[Event], after: float = 0, name: str = "Jane", **more: Any) -> None:
        who = Representative(representative_type=RepresentativeType.HUMAN, display_name=name)
        words = {"content": Content(text="hi")} if kind is HumanMessage else {}
        given: dict[str, Any] = {"fact": False, "key": "desk", **more}
        self.take(kind, after, representative=who, **words, **given)

    def seconds(self, name: str) -> list[float | None]:
        return [one.seconds for one in self.measures if one.name == name]

    def count(self, name: str) -> int:
        return sum(one.number for one in self.measures if one.name == name)

    def outcomes(self) -> dict[str, int]:
        names = (
            "requested",
            "unasked",
            "joined",
            "left",
            "returned",
            "failed",
            "closed",
            "expired",
            "turn",
            "answered",
            "unanswered",
        )
        return {
            name: count for name in (*names, "responded", "silent") if (count := self.count(name))
        }


@pytest.fixture
def story() -> Story:
    return Story()


def test_the_clock_starts_at_the_request_and_not_at_the_conversation(story: Story) -> None:
    story.customer()
    story.bot(5)
    story.asks(5 * DAY)
    story.human(Claim, 5 * MINUTE)
    story.human(HumanMessage, 5 * MINUTE)
    assert story.seconds("waiting") == [5 * MINUTE]
    assert story.seconds("first_response") == [10 * MINUTE]
    assert story.seconds("response") == [], "what the bot had answered waits for nobody"


def test_a_bots_words_are_no_response_of_a_human(story: Story) -> None:
    story.asks()
    story.bot(1)
    story.customer(1)
    story.bot(1)
    assert (story.seconds("first_response"), story.seconds("response")) == ([], [])
    story.human(Claim, 57)
    assert story.seconds("first_response") == [], "nor is joining"
    story.human(HumanMessage, 60)
    assert (story.seconds("first_response"), story.seconds("response")) == ([120], [118])


def test_several_messages_are_one_turn_timed_from_the_first_and_answered_once(story: Story) -> None:
    story.human(Claim)
    for _ in range(3):
        story.customer(10)
    story.human(HumanMessage, 10)
    story.human(HumanMessage, 10)
    story.customer(10)
    story.human(HumanMessage, 7)
    assert (story.count("turn"), story.seconds("response")) == (2, [30, 7])


def test_a_second_request_while_one_waits_or_a_human_is_there_is_none(story: Story) -> None:
    story.asks()
    story.asks(10)
    story.human(Claim, 10)
    story.asks(10)
    assert (story.count("requested"), story.seconds("waiting")) == (1, [20])


def test_a_human_who_answers_without_having_joined_has_joined_with_it(story: Story) -> None:
    story.asks()
    story.human(HumanMessage, 30, source=DESK, fact=True, key=None)
    (waiting,) = (one for one in story.measures if one.name == "waiting")
    assert (waiting.channel, waiting.desk, waiting.agent, waiting.seconds) == (
        "business_messages",
        "api",
        "Jane",
        30,
    )
    assert story.seconds("first_response") == [30]


def test_a_refused_message_measures_nothing(story: Story) -> None:
    story.asks()
    story.human(HumanMessage, 10)  # not joined
    assert [one.name for one in story.measures] == ["requested"]


@pytest.mark.parametrize(("said", "responses"), [(-1, []), (5, [30])])
def test_late_words_answer_what_had_been_asked_when_they_were_said(
    story: Story, said: float, responses: list[float]
) -> None:
    story.asks()
    story.human(HumanJoined, 20, fact=True)
    story.human(
        HumanMessage, 10, name="Sam", fact=True, occurred_at=BEGIN + timedelta(seconds=said)
    )
    assert (story.seconds("first_response"), story.count("frame")) == (responses, 1)
    assert story.count("joined") == 1, "the frame in which late words are shown is nobody's joining"


def test_late_words_answer_what_was_open_when_the_handoff_ended(story: Story) -> None:
    story.asks()
    story.human(HumanJoined, 10, source=DESK, fact=True, key=None)
    story.customer(10)
    story.human(HumanLeft, 40, source=DESK, fact=True, key=None)  # 60 s after the request
    without = story.outcomes()
    assert (without["silent"], without["unanswered"]) == (1, 1)
    story.human(
        HumanMessage,
        30,
        source=DESK,
        fact=True,
        key=None,
        occurred_at=story.now - timedelta(seconds=20),
    )
    assert story.outcomes() == dict.fromkeys(
        ("requested", "joined", "left", "turn", "answered", "responded"), 1
    )
    assert (story.seconds("response"), story.seconds("first_response")) == ([70], [90])
    story.human(
        HumanMessage,
        5,
        source=DESK,
        fact=True,
        key=None,
        occurred_at=story.now - timedelta(seconds=45),
    )
    assert story.seconds("response") == [70], "once"


def test_late_words_do_not_change_how_a_handoff_ended(story: Story) -> None:
    """A human spoke while the customer waited, and the report came after the wait had timed out."""
    story.asks()
    story.bot(20, source=DESK, fact=True)
    story.take(HandoffFailed, 10, reason="nobody")
    story.human(
        HumanMessage,
        10,
        source=DESK,
        fact=True,
        key=None,
        occurred_at=BEGIN + timedelta(seconds=15),
    )
    assert (story.count("failed"), story.count("joined"), story.count("silent")) == (1, 0, 0)
    assert story.seconds("first_response") == [40]


def test_a_colleague_who_comes_after_a_gap_goes_on_with_the_same_handoff(story: Story) -> None:
    story.asks()
    story.human(Claim, 10)
    story.human(HumanMessage, 10)
    story.customer(10)
    story.human(HumanLeft, 10)
    story.human(Claim, TRANSFER_GAP.total_seconds(), name="Bob")
    story.human(HumanMessage, 10, name="Bob")
    story.human(HumanLeft, 10, name="Bob")
    names = ("requested", "joined", "left", "turn", "answered", "responded")
    assert story.outcomes() == dict.fromkeys(names, 1)
    assert story.seconds("response") == [320]
    assert (story.seconds("handling"), story.seconds("waiting")) == ([30, 20], [10])


def test_what_the_customer_says_in_the_gap_is_a_turn_only_if_a_colleague_goes_on() -> None:
    for goes_on in (True, False):
        story = Story()
        story.human(Claim)
        story.human(HumanLeft, 10)
        story.customer(10)
        story.customer(10)
        story.human(Claim, 10 if goes_on else TRANSFER_GAP.total_seconds(), name="Bob")
        story.human(HumanMessage, 10, name="Bob")
        assert (story.count("unasked"), story.count("turn")) == ((1, 1) if goes_on else (2, 0))
        assert story.seconds("response") == ([30] if goes_on else [])


@pytest.mark.parametrize(
    "between", ["the bot spoke", "the gap is over", "the human went quiet", "it was asked for"]
)
def test_what_is_no_transfer_is_another_handoff(story: Story, between: str) -> None:
    story.asks()
    story.human(Claim, 10)
    if between == "the human went quiet":
        timer = story.conversation.timer
        assert timer is not None
        story.take(HumanIdleTimeout, 10, armed=timer.armed, n=timer.n)
    else:
        story.human(HumanLeft, 10)
    if between == "the bot spoke":
        story.bot(10)
    if between == "it was asked for":
        story.asks(10)
    story.human(
        Claim, TRANSFER_GAP.total_seconds() + 1 if between == "the gap is over" else 1, name="Bob"
    )
    assert (story.count("joined"), story.count("silent")) == (2, 1)


def test_a_bot_whom_the_customer_did_not_hear_has_not_spoken(story: Story) -> None:
    story.take(Unsubscribed)
    story.human(Claim)
    story.human(HumanLeft, 10)
    story.bot(10, fact=True)
    story.human(Claim, 10, name="Bob")
    assert story.count("joined") == 1


def test_an_echo_of_the_customers_words_is_no_turn(story: Story) -> None:
    story.human(Claim)
    story.customer(5, source=DESK)
    assert story.count("turn") == story.count("conversation") == 0


def test_a_desk_that_leaves_while_others_stay_has_been_there_as_long_as_it_was(
    story: Story,
) -> None:
    story.human(Claim)
    story.human(HumanJoined, 10, name="Ada", source=DESK, fact=True, key=None)
    story.bot(50, source=DESK, fact=True, human_needed=False)
    assert story.seconds("handling") == [50]
    assert story.count("left") == 0
    story.human(HumanLeft, 40)
    assert (story.seconds("handling"), story.count("left")) == ([50, 100], 1)


def test_a_conversation_ends_with_a_day_of_silence(story: Story) -> None:
    for after in (0, DAY - 1, DAY - 1, DAY):
        story.customer(after)
        story.asks()
        story.human(Claim)
        story.human(HumanLeft)
    assert (story.count("conversation"), story.count("handed_off"), story.count("requested")) == (
        2,
        2,
        4,
    )


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ((C, 0, None), (C, 600, None), 600),
        # both by the desk's clock: its late webhook lengthens nothing
        ((DESK, 500, 0), (DESK, 600, 60), 60),
        ((DESK, 500, 0), (C, 600, 590), 100),  # by two clocks: ours
        ((DESK, 500, 500), (DESK, 600, 60), 100),  # one end has no time of its own
        ((C, 0, None), (DESK, 600, 60), 600),
        ((DESK, 500, 100), (DESK, 600, 60), 0),
    ],
)
def test_which_clock_counts(start: Any, end: Any, seconds: float) -> None:
    def moment(source: str, accepted: int, occurred: int | None) -> Moment:
        at = None if occurred is None else BEGIN + timedelta(seconds=occurred)
        return Moment(
            source=source, accepted_at=BEGIN + timedelta(seconds=accepted), occurred_at=at
        )

    assert moment(*start).seconds_until(moment(*end)) == seconds


def test_a_bin_is_near_all_that_is_in_it() -> None:
    for seconds in [*range(1, 5000), *range(5000, 10**7, 997)]:
        value = value_of(bin_of(seconds))
        assert abs(value - seconds) <= (0 if seconds < 128 else seconds / 128)
        assert bin_of(seconds - 1) <= bin_of(seconds)
    assert (bin_of(-3), bin_of(0.4), bin_of(0.6)) == (0, 0, 1)


def test_a_percentile_is_the_nearest_rank() -> None:
    assert percentile({}, 50) is None
    assert percentile({5: 1}, 50) == percentile({5: 1}, 90) == 5
    assert [
        percentile(dict.fromkeys(range(1, 11), 1), share) for share in (10, 50, 90, 91, 100)
    ] == [1, 5, 9, 10, 10]
    assert percentile({1: 9, 100: 1, 50: 0}, 90) == 1


def test_who_asks_for_a_human_before_they_have_said_a_word_is_handed_off_with_their_first() -> None:
    story = Story()
    story.asks()
    story.customer(after=5)
    story.customer(after=5)
    names = [measure.name.value for measure in story.measures]
    assert (names.count("conversation"), names.count("handed_off")) == (1, 1)


def test_a_conversation_that_begins_in_the_gap_is_handed_off_where_a_colleague_goes_on(
    story: Story,
) -> None:
    story.customer()
    story.human(Claim, 1)
    story.human(HumanMessage, DAY + 1)
    story.human(HumanLeft, 5)
    story.customer(60)
    assert (story.count("conversation"), story.count("handed_off")) == (2, 1)
    story.human(Claim, 60, name="Bob")
    assert (story.count("joined"), story.count("handed_off")) == (1, 2)
    story.customer(60)
    assert (story.count("conversation"), story.count("handed_off")) == (2, 2)


def test_who_asks_a_closed_desk_has_asked_and_it_failed_at_once() -> None:
    story = Story(AFTERNOON)
    story.customer()
    story.asks(10)
    begun, *_, requested, handed_off, silent, closed = story.measures
    assert [one.name for one in (requested, handed_off, silent, closed)] == [
        "requested", "handed_off", "silent", "closed",
    ]  # fmt: skip
    assert {one.at for one in (requested, silent, closed)} == {BEGIN + timedelta(seconds=10)}
    assert {one.desk for one in (requested, silent, closed)} == {"day"}
    assert (handed_off.at, handed_off.channel) == (begun.at, "business_messages")
    story.customer(10)
    assert story.count("turn") == 0, "the bot is to answer it"


def test_a_desks_own_ai_that_asks_with_every_message_counts_as_often_as_the_team_is_notified() -> (
    None
):
    story = Story(AFTERNOON)
    for _ in range(5):
        story.customer(MINUTE)
        story.asks(1, source=DESK)
    assert story.outcomes() == {"requested": 1, "closed": 1, "silent": 1}
    story.asks(DAY)
    assert story.outcomes() == {"requested": 2, "closed": 2, "silent": 2}
    story.asks(5 * 3600)
    assert story.outcomes() == {"requested": 3, "closed": 2, "silent": 2}, "it is open now"


def test_who_comes_though_the_desk_is_closed_comes_unasked_and_answers_no_request() -> None:
    story = Story(AFTERNOON)
    story.asks()
    story.human(Claim, 10)
    story.human(HumanMessage, 10)
    story.human(HumanLeft, 10)
    assert story.outcomes() == dict.fromkeys(
        ("requested", "closed", "silent", "unasked", "joined", "left"), 1
    )
    assert story.seconds("first_response") == []
