"""What the reports count, as Firestore's messages: documents of a day and shard, whose numbers are only ever added to.

counts/{day}.{shard}   expire_at, counts: {quarter of the day: {[channel, desk, agent]: {name: {bin: number}}}},
                       erased: the same of conversations that were erased

An increment needs no read and meets no conflict; the shard, by conversation, keeps one document from taking all writes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from shared.reports.counts import QUARTER, Cell, Count
from shared.schemas.measures import Name
from shared.stores import firestore_forms as forms
from shared.stores.firestore_rpc import Message

COLLECTION = "counts"
DAY = timedelta(days=1)
AT_ONCE = 200  # increments in one write; Firestore takes 500 of them in a commit


def writes(root: str, counts: Sequence[Count], shard: int, kept: timedelta) -> Iterator[Message]:
    """Yields what adds the counts, one write for each document (in parts, where it is a lot)."""
    ordered = sorted(counts, key=lambda one: one.cell.quarter)
    for day, group in groupby(ordered, key=lambda one: _day(one.cell.quarter)):
        of_day = list(group)
        for start in range(0, len(of_day), AT_ONCE):
            yield _write(f"{root}/{COLLECTION}/{day:%Y-%m-%d}.{shard:02}", day + kept, of_day[start : start + AT_ONCE])


def query(root: str, since: datetime, until: datetime) -> dict[str, Any]:
    """Returns a query for all documents with quarters from `since` until before `until`, by name."""
    first, behind = _day(since), _day(until - QUARTER) + DAY
    filters = [
        forms.where("__name__", "GREATER_THAN_OR_EQUAL", _reference(root, first)),
        forms.where("__name__", "LESS_THAN", _reference(root, behind)),
    ]
    found = forms.find(COLLECTION, filters, (), 1)
    del found["limit"]
    return found


def read(document: Any, erased: bool) -> Iterator[Count]:
    """Yields what a document holds."""
    day = datetime.strptime(document.name.rpartition("/")[2].partition(".")[0], "%Y-%m-%d").replace(tzinfo=UTC)
    for quarter, cells in _fields(document.fields["erased" if erased else "counts"]).items():
        for who, names in _fields(cells).items():
            channel, desk, agent = json.loads(who)
            for name, bins in _fields(names).items():
                for first, number in _fields(bins).items():
                    cell = Cell(day + int(quarter) * QUARTER, channel, desk, agent, Name(name), int(first), erased)
                    yield Count(cell, number.integer_value)


def _write(name: str, expire_at: datetime, counts: Sequence[Count]) -> Message:
    return {
        "update": {"name": name, "fields": {"expire_at": forms.timestamp(expire_at)}},
        "update_mask": {"field_paths": ["expire_at"]},
        "update_transforms": [
            {"field_path": _path(one.cell), "increment": forms.integer(one.number)} for one in counts
        ],
    }


def _path(cell: Cell) -> str:
    who = json.dumps([cell.channel, cell.desk, cell.agent], ensure_ascii=False, separators=(",", ":"))
    quarter = (cell.quarter - _day(cell.quarter)) // QUARTER
    return ".".join(
        ["erased" if cell.erased else "counts", *map(_quoted, (str(quarter), who, cell.name.value, str(cell.bin)))]
    )


def _quoted(segment: str) -> str:
    """Returns a field's name as any text may stand in a path.

    https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1#google.firestore.v1.Document
    """
    escaped = segment.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _fields(value: Any) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = value.map_value.fields
    return fields


def _reference(root: str, day: datetime) -> Message:
    return {"reference_value": f"{root}/{COLLECTION}/{day:%Y-%m-%d}"}


def _day(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
