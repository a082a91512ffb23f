"""Measures as they are added up: a cell, which is everything that a report may be broken down by, and how many."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from shared.reports.bins import bin_of
from shared.schemas.commands import Command, Record
from shared.schemas.measures import Measure, Name

QUARTER = timedelta(minutes=15)  # every time zone's offset is a multiple of it, so a local hour is always whole


@dataclass(frozen=True, slots=True)
class Cell:
    """`quarter` is the beginning, in UTC; `bin` is -1 where nothing is timed.

    `erased` are copies of what conversations had counted that were erased: their journal can no longer say it.
    """

    quarter: datetime
    channel: str
    desk: str
    agent: str
    name: Name
    bin: int = -1
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    cell: Cell
    number: int


def counts(measures: Iterable[Measure]) -> list[Count]:
    """Returns the measures added up, each cell once."""
    return added(Count(_cell(measure), measure.number) for measure in measures)


def counts_of(commands: Iterable[Command]) -> list[Count]:
    """Returns what the records among these commands measured."""
    records = (command for command in commands if isinstance(command, Record))
    return counts(measure for record in records for measure in record.measures)


def as_erased(many: Iterable[Count], *, erased: bool = True) -> list[Count]:
    """Returns the same as copies of what was erased, or what such copies are of."""
    return [replace(one, cell=replace(one.cell, erased=erased)) for one in many]


def added(many: Iterable[Count]) -> list[Count]:
    """Returns each cell once, without those that come to nothing."""
    total: Counter[Cell] = Counter()
    for one in many:
        total[one.cell] += one.number
    return [Count(cell, number) for cell, number in total.items() if number]


def difference(wanted: Iterable[Count], present: Iterable[Count]) -> list[Count]:
    """Returns what must be added to `present` to make it `wanted`."""
    return added([*wanted, *(Count(one.cell, -one.number) for one in present)])


def quarter_of(time: datetime) -> datetime:
    """Returns the beginning of the quarter of an hour, in UTC."""
    utc = time.astimezone(UTC)
    return utc.replace(minute=utc.minute // 15 * 15, second=0, microsecond=0)


def _cell(measure: Measure) -> Cell:
    first = -1 if measure.seconds is None else bin_of(measure.seconds)
    return Cell(quarter_of(measure.at), measure.channel, measure.desk, measure.agent, measure.name, first)
