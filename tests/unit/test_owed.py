"""A notice that no human is available and that could not be sent: it is sent once, when the
customer writes again, if it is still true.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.handoff.notices import BUILT_IN
from shared.handoff.routing.desk import Desk
from shared.handoff.routing.hours import Hours
from shared.schemas.conversation import Phase
from tests.unit.test_identity import HERE, THERE, Moving

WEEK: dict[str, Any] = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-17:00",))
HOURS = Hours(time_zone="Asia/Jakarta", **WEEK)
OPENS = datetime(2026, 3, 9, 2, tzinfo=UTC)  # Monday, 09:00 in Jakarta
FRIDAY = datetime(2026, 3, 6, 12, tzinfo=UTC)  # closed since 17:00
NOBODY, CLOSED, IN_LINE = (
    BUILT_IN["en"]["nobody"],
    "Sorry, nobody is here right now.",
    "You are in line",
)
MINUTE = timedelta(minutes=1)


def unheard(outside: str = "fail") -> Moving:
    """The bot asks for a human on a channel whose window has closed, while the desk is closed."""
    talk = Moving(desks=(Desk(name="day", hours=HOURS, outside=outside),))
    talk.now = FRIDAY
    talk.wants_human(fact=False)
    assert talk.shown == []
    return talk


@pytest.mark.parametrize("channel", [HERE, THERE])
@pytest.mark.parametrize(("outside", "words"), [("fail", CLOSED), ("wait", IN_LINE)])
def test_it_is_said_once_where_the_customer_writes_again(
    channel: str, outside: str, words: str
) -> None:
    talk = unheard(outside)
    talk.now += MINUTE
    for where in (channel, HERE, THERE):
        talk.user("hello?", source=where)
        talk.now += MINUTE
    (said,) = talk.shown
    assert talk.shown_in(channel) == [said]
    assert words in said
    assert "Monday, 2026-03-09, at 09:00" in said


def test_after_the_opening_the_customer_is_not_told_the_opening_time() -> None:
    talk = unheard()
    talk.now = OPENS + MINUTE
    talk.user("hello?")
    assert talk.shown == [NOBODY]


def test_who_is_still_in_line_after_the_opening_is_told_nothing_of_it() -> None:
    talk = unheard("wait")
    talk.now = OPENS
    talk.timeout()
    talk.user("hello?")
    assert (talk.phase, talk.shown) == (Phase.QUEUED, [])


@pytest.mark.parametrize("outside", ["fail", "wait"])
def test_who_asks_again_when_they_write_hears_it_once(outside: str) -> None:
    talk = unheard(outside)
    talk.now += MINUTE
    talk.wants_human()
    talk.user("hello?")
    assert len(talk.shown) == 1


def test_a_human_who_came_is_the_better_answer() -> None:
    """Before, the customer was informed that no human was available when that human left."""
    talk = Moving()
    talk.wants_human()
    talk.now += timedelta(hours=25)
    talk.fails()
    assert talk.conversation.owed == "nobody"
    talk.joins()
    talk.user("hello?")
    talk.says("I am Jane")
    talk.leaves()
    assert NOBODY not in talk.shown
    assert talk.faults() == []


def test_a_channel_that_hears_none_of_batons_words_hears_none_of_these() -> None:
    talk = Moving(notices_off=frozenset({"second"}))
    talk.wants_human()
    talk.now += timedelta(hours=25)
    talk.fails()
    talk.user("hello?", source=THERE)
    assert talk.shown == []
