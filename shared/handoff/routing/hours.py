"""Business hours, in the desk's own time zone: whether it is open at a moment, and when it opens
next.

A moment is compared with moments, never clock times with clock times: on the day on which clocks
change an hour comes twice or not at all. What begins or ends in a missing hour does so an hour
later by the new clock; what names an hour that comes twice begins with the first and ends with the
second.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOOK_AHEAD = 400  # days; beyond that a desk counts as closed for good
_RANGE = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")

Span = tuple[datetime, datetime]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError) as error:  # OSError: the name of a folder
        raise ValueError(
            "there is no such time zone; give one like Europe/Berlin or Asia/Jakarta"
        ) from error
    except KeyError as error:
        raise ValueError(
            f"there is no time zone {name}; give one like Europe/Berlin or Asia/Jakarta"
        ) from error
    return name


def _range(text: str) -> str:
    found = _RANGE.fullmatch(text)
    begins, ends = text[:5], text[6:]
    if not found or (ends.startswith("24") and ends != "24:00") or begins == ends:
        raise ValueError("give times like 09:00-17:00, up to 24:00; 22:00-06:00 ends the next day")
    return text


Range = Annotated[str, AfterValidator(_range)]


class Hours(BaseModel):
    """The week as it usually is; a range that ends before it begins ends the next day."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True
    )

    time_zone: Annotated[str, AfterValidator(_zone)]
    mon: tuple[Range, ...] = ()
    tue: tuple[Range, ...] = ()
    wed: tuple[Range, ...] = ()
    thu: tuple[Range, ...] = ()
    fri: tuple[Range, ...] = ()
    sat: tuple[Range, ...] = ()
    sun: tuple[Range, ...] = ()

    @model_validator(mode="after")
    def _ever_open(self) -> Self:
        if not any(self.week.values()):
            raise ValueError(
                "give at least one day its times, or leave hours out: then it is always open"
            )
        return self

    @property
    def week(self) -> Mapping[str, tuple[str, ...]]:
        return {day: getattr(self, day) for day in WEEKDAYS}

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def is_open(self, now: datetime, holidays: frozenset[date]) -> bool:
        today = now.astimezone(self.zone).date()
        days = (today - timedelta(days=1), today)  # the night before may reach into today
        return any(
            begins <= now < ends for day in days for begins, ends in self._spans(day, holidays)
        )

    def next_opening(self, now: datetime, holidays: frozenset[date]) -> datetime | None:
        """Returns the next moment at which it opens, in its own time zone; None where that is
        too far off.
        """
        today = now.astimezone(self.zone).date()
        for ahead in range(LOOK_AHEAD):
            begins = [
                span[0]
                for span in self._spans(today + timedelta(days=ahead), holidays)
                if span[0] > now
            ]
            if begins:
                return min(begins).astimezone(self.zone)
        return None

    def _spans(self, day: date, holidays: frozenset[date]) -> Iterator[Span]:
        """Yields when it is open, as moments, from what begins on `day`. A holiday takes what
        begins on it.
        """
        if day in holidays:
            return
        for written in self.week[WEEKDAYS[day.weekday()]]:
            begins, ends = written.split("-")
            later = day + timedelta(days=1) if ends <= begins else day
            span = (
                self._moment(day, begins),
                max(self._moment(later, ends, fold) for fold in (0, 1)),
            )
            if span[0] < span[1]:  # else all of it lies in the missing hour
                yield span

    def _moment(self, day: date, clock: str, fold: int = 0) -> datetime:
        hour, minute = map(int, clock.split(":"))
        if hour == 24:
            day, hour = day + timedelta(days=1), 0
        return datetime.combine(day, time(hour, minute, fold=fold), self.zone).astimezone(UTC)
