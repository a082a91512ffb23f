"""Business hours count in the desk's own time zone, also on the days on which its clocks change."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.handoff.routing.hours import WEEKDAYS, Hours
from tests.property.effort import effort

NOBODY: frozenset[date] = frozenset()
BERLIN = Hours(time_zone="Europe/Berlin", mon=("09:00-12:00", "13:00-17:00"), fri=("22:00-02:30",))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-03-02T09:00+01:00", True),
        ("2026-03-02T08:59:59+01:00", False),
        ("2026-03-02T12:00+01:00", False),
        ("2026-03-02T16:59:59+01:00", True),
        ("2026-03-02T17:00+01:00", False),
        ("2026-03-03T10:00+01:00", False),
        ("2026-03-30T09:00+02:00", True),
        ("2026-03-30T08:30+02:00", False),
        ("2026-03-07T01:00+01:00", True),
        ("2026-03-07T02:30+01:00", False),
        ("2026-03-06T21:59+01:00", False),
    ],
)
def test_it_is_open_from_the_first_moment_to_the_last(moment: str, is_open: bool) -> None:
    assert BERLIN.is_open(at(moment), NOBODY) is is_open


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-01T12:00+00:00", "2026-03-02T09:00+01:00"),
        ("2026-03-02T12:30+01:00", "2026-03-02T13:00+01:00"),
        ("2026-03-02T17:00+01:00", "2026-03-06T22:00+01:00"),
        ("2026-03-28T12:00+01:00", "2026-03-30T09:00+02:00"),
        ("2026-10-24T12:00+02:00", "2026-10-26T09:00+01:00"),
    ],
)
def test_the_next_opening_is_said_in_the_desks_own_time(now: str, opens: str) -> None:
    found = BERLIN.next_opening(at(now), NOBODY)
    assert found == at(opens)
    assert found is not None
    assert found.isoformat(timespec="minutes") == opens


def test_on_a_holiday_it_does_not_open() -> None:
    off = frozenset({date(2026, 3, 2)})
    assert not BERLIN.is_open(at("2026-03-02T10:00+01:00"), off)
    assert BERLIN.next_opening(at("2026-03-01T12:00+01:00"), off) == at("2026-03-06T22:00+01:00")


def test_a_night_that_begins_before_a_holiday_ends_as_usual() -> None:
    assert BERLIN.is_open(at("2026-03-07T01:00+01:00"), frozenset({date(2026, 3, 7)}))


def test_where_every_day_is_a_holiday_no_opening_is_promised() -> None:
    every = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(800))
    assert BERLIN.next_opening(at("2026-03-01T12:00+01:00"), every) is None


@pytest.mark.parametrize(
    ("day", "span", "hours"),
    [
        ("2026-03-29", "01:00-04:00", 2),  # 02:00 to 03:00 is missing
        ("2026-10-25", "01:00-04:00", 4),  # and comes twice
        ("2026-10-25", "02:00-03:00", 2),
        ("2026-10-25", "02:30-02:45", 1.25),  # from the first 02:30 to the second 02:45
        ("2026-03-29", "02:30-03:30", 0),  # it begins when it ends
        ("2026-03-29", "01:00-02:30", 1.5),  # to 03:30 by the new clock
        ("2026-03-29", "02:15-02:45", 0.5),
    ],
)
def test_the_day_on_which_clocks_change_has_another_length(
    day: str, span: str, hours: float
) -> None:
    desk = Hours(time_zone="Europe/Berlin", sun=(span,))
    midnight = at(f"{day}T00:00+01:00")
    minutes = [midnight + timedelta(minutes=n) for n in range(60 * 26)]
    assert sum(desk.is_open(one, NOBODY) for one in minutes) == hours * 60


def test_a_day_may_be_open_to_its_end() -> None:
    desk = Hours(time_zone="Asia/Jakarta", **dict.fromkeys(WEEKDAYS, ("00:00-24:00",)))
    assert all(
        desk.is_open(at("2026-03-01T00:00+07:00") + timedelta(minutes=n), NOBODY)
        for n in range(0, 9000, 7)
    )


zones = st.sampled_from(
    ("Europe/Berlin", "America/Sao_Paulo", "Asia/Jakarta", "Australia/Lord_Howe", "Asia/Kathmandu")
)
ranges = st.sampled_from(
    ("09:00-17:00", "00:00-24:00", "22:00-06:00", "01:30-02:30", "23:00-00:30")
)
moments = st.integers(0, 400 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@pytest.mark.soak
@effort(200)
@given(zones, st.dictionaries(st.sampled_from(WEEKDAYS), st.tuples(ranges), min_size=1), moments)
def test_it_is_open_at_the_opening_it_names_and_closed_until_then(
    zone: str, week: dict[str, Any], now: datetime
) -> None:
    desk = Hours(time_zone=zone, **week)
    opens = desk.next_opening(now, NOBODY)
    assert opens is not None
    assert opens > now
    assert desk.is_open(opens, NOBODY)
    if desk.is_open(now, NOBODY):
        return
    before = [now + (opens - now) * part / 8 for part in range(8)]
    assert not any(desk.is_open(one, NOBODY) for one in before)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"time_zone": "Europe/Atlantis", "mon": ["09:00-17:00"]}, "Europe/Atlantis"),
        ({"time_zone": "../etc", "mon": ["09:00-17:00"]}, "time_zone"),
        ({"time_zone": "Europe", "mon": ["09:00-17:00"]}, "time_zone"),
        ({"time_zone": "", "mon": ["09:00-17:00"]}, "time_zone"),
        ({"mon": ["09:00-17:00"]}, "time_zone"),
        ({"time_zone": "UTC"}, "at least one day"),
        ({"time_zone": "UTC", "mon": []}, "at least one day"),
        ({"time_zone": "UTC", "mon": ["9-17"]}, "mon.0"),
        ({"time_zone": "UTC", "mon": ["09:00-24:30"]}, "mon.0"),
        ({"time_zone": "UTC", "mon": ["25:00-26:00"]}, "mon.0"),
        ({"time_zone": "UTC", "mon": ["09:00-09:00"]}, "mon.0"),
        ({"time_zone": "UTC", "monday": ["09:00-17:00"]}, "monday"),
    ],
)
def test_wrong_hours_are_refused_by_name(wrong: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Hours.model_validate(wrong)
    assert where in str(caught.value)
