"""Counts: measures added up by cell.

A cell has every dimension by which a report may be broken down.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from shared.measures.bins import bin_of
from shared.schemas.commands import Command, Record
from shared.schemas.measures import Measure, Name
from shared.schemas.texts import shortened
from shared.values import frozen

# Time zone offsets are multiples of a quarter of an hour, so local hours consist of whole quarters.
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
# bytes of an agent's name in a Firestore field path, which may have 1,500 in all
LONGEST_NAME = 1200


class Tally(StrEnum):
    """The kind of a count.

    - COUNTED: counted when the event was processed.
    - ERASED: copies of counts of erased conversations, whose journal is gone.
    - CORRECTED: the differences that recounts have found. Reports add them to COUNTED.
    """

    COUNTED = "counts"
    ERASED = "erased"
    CORRECTED = "corrected"


_NAMES = frozenset(Name)
SHOWN = (Tally.COUNTED, Tally.CORRECTED)


@frozen
class Cell:
    """`quarter` is the beginning of the quarter of an hour in UTC.

    `bin` is -1 if the measure has neither seconds nor a size. `of` is as in Measure.
    """

    quarter: datetime
    channel: str
    desk: str
    agent: str
    name: Name
    bin: int = -1
    tally: Tally = Tally.COUNTED
    of: str = ""

    @property
    def key(self) -> str:
        """The name and `of`, as the stores keep them in one text."""
        return f"{self.name.value}:{self.of}" if self.of else self.name.value


@frozen
class Count:
    """The number of one cell."""

    cell: Cell
    number: int


def name_in(key: str) -> tuple[Name, str] | None:
    """Returns the name and `of` that a store kept as `key`, None for a name of a newer version."""
    name, _, of = key.partition(":")
    return (Name(name), of) if name in _NAMES else None


def counts(measures: Iterable[Measure]) -> list[Count]:
    """Returns the measures added up, each cell once."""
    return added(Count(_cell(measure), measure.number) for measure in measures)


def counts_of(commands: Iterable[Command]) -> list[Count]:
    """Returns the counts of the Record commands among `commands`."""
    records = (command for command in commands if isinstance(command, Record))
    return counts(measure for record in records for measure in record.counted)


def in_tally(many: Iterable[Count], tally: Tally) -> list[Count]:
    """Returns the same counts in another tally."""
    return [replace(one, cell=replace(one.cell, tally=tally)) for one in many]


def added(many: Iterable[Count]) -> list[Count]:
    """Returns the sum for each cell. Sums of zero are left out."""
    total: Counter[Cell] = Counter()
    for one in many:
        total[one.cell] += one.number
    return [Count(cell, number) for cell, number in total.items() if number]


def difference(wanted: Iterable[Count], present: Iterable[Count]) -> list[Count]:
    """Returns what must be added to `present` to get `wanted`."""
    return added([*wanted, *(Count(one.cell, -one.number) for one in present)])


def quarter_of(time: datetime) -> datetime:
    """Returns the beginning of the quarter of an hour, in UTC."""
    utc = time.astimezone(UTC)
    return utc.replace(minute=utc.minute // 15 * 15, second=0, microsecond=0)


def day_of(time: datetime) -> datetime:
    """Returns the beginning of the UTC day, by which the stores keep counts."""
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _cell(measure: Measure) -> Cell:
    value = measure.size if measure.seconds is None else measure.seconds
    return Cell(
        quarter_of(measure.at),
        measure.channel,
        measure.desk,
        _kept(measure.agent),
        measure.name,
        -1 if value is None else bin_of(value),
        of=measure.of,
    )


def _kept(name: str) -> str:
    """Returns a name that every store can keep.

    A name that is too long is cut and gets a hash that distinguishes it.
    """
    mark = f"… {sha256(name.encode()).hexdigest()[:12]}"
    return shortened(name, LONGEST_NAME, mark, size=_bytes)


def _bytes(name: str) -> int:
    written = json.dumps(name, ensure_ascii=False)
    return len(written.encode()) + written.count("\\") + written.count("`")
