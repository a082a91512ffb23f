"""Every form of time that a platform sends, and what is none."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.schemas.notation import format_time, parse_time, time_or_none


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2020-10-02T15:01:23.045123456Z", datetime(2020, 10, 2, 15, 1, 23, 45123, UTC)),
        ("2020-10-02T17:01:23+02:00", datetime(2020, 10, 2, 15, 1, 23, 0, UTC)),
        (1738056000, datetime(2025, 1, 28, 9, 20, tzinfo=UTC)),
        ("1727853575", datetime(2024, 10, 2, 7, 19, 35, tzinfo=UTC)),
        ("2024-11-15 16:46:31 UTC", datetime(2024, 11, 15, 16, 46, 31, tzinfo=UTC)),
        (datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)),
    ],
)
def test_each_form_of_time_is_read(given: object, expected: datetime) -> None:
    assert parse_time(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        "SEND_TIME",
        "",
        None,
        True,
        [],
        {},
        10**30,
        "9" * 400,
        "2020-10-02T15:01:23",
        "0001-01-01T00:00:00+14:00",
        1.5,
    ],
)
def test_what_is_no_time_is_told(given: object) -> None:
    with pytest.raises(ValueError, match="not a time"):
        parse_time(given)
    assert time_or_none(given) is None


def test_written_times_sort_as_text() -> None:
    early, late = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, 0, 0, 0, 1, UTC)
    assert format_time(early) == "2025-01-01T00:00:00.000000Z" < format_time(late)


def test_both_moments_of_a_repeated_hour_are_written_as_they_are() -> None:
    first = datetime(2025, 10, 26, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert format_time(first) == "2025-10-26T00:30:00.000000Z"
    assert format_time(first.replace(fold=1)) == "2025-10-26T01:30:00.000000Z"
