"""Measures as they are added up: a cell, which is everything that a report may be broken down
by, and how many.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from shared.measures.bins import bin_of
from shared.schemas.commands import Command, Record
from shared.schemas.measures import Measure, Name
from shared.schemas.texts import shortened

# every time zone's offset is a multiple of it, so a local hour is always whole
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
# bytes of an agent's name as it stands in a path of Firestore, which takes 1,500 for all of it
LONGEST_NAME = 1200


class Tally(StrEnum):
    """What was counted as it happened; copies of what conversations had counted that were erased,
    whose journal can no longer say it; and what recounts add to the first, so that it is right.
    """

    COUNTED = "counts"
    ERASED = "erased"
    CORRECTED = "corrected"


SHOWN = (Tally.COUNTED, Tally.CORRECTED)


@dataclass(frozen=True, slots=True)
class Cell:
    """`quarter` is the beginning, in UTC; `bin` is -1 where nothing is timed."""

    quarter: datetime
    channel: str
    desk: str
    agent: str
    name: Name
    bin: int = -1
    tally: Tally = Tally.COUNTED


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


def in_tally(many: Iterable[Count], tally: Tally) -> list[Count]:
    """Returns the same in that tally."""
    return [replace(one, cell=replace(one.cell, tally=tally)) for one in many]


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


def day_of(time: datetime) -> datetime:
    """Returns the beginning of the day of UTC, in which the stores keep what was counted."""
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _cell(measure: Measure) -> Cell:
    first = -1 if measure.seconds is None else bin_of(measure.seconds)
    return Cell(
        quarter_of(measure.at),
        measure.channel,
        measure.desk,
        _kept(measure.agent),
        measure.name,
        first,
    )


def _kept(name: str) -> str:
    """Returns a name that every store can keep: one that takes too much is cut, and told from
    others by a hash.
    """
    mark = f"… {sha256(name.encode()).hexdigest()[:12]}"
    return shortened(name, LONGEST_NAME, mark, size=_bytes)


def _bytes(name: str) -> int:
    written = json.dumps(name, ensure_ascii=False)
    return len(written.encode()) + written.count("\\") + written.count("`")
