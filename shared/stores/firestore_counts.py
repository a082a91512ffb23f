"""What the reports count, as Firestore's messages: documents of a day and shard, whose numbers are only ever added to.

counts/{day}.{shard}   expire_at, counts: {quarter of the day: {[channel, desk, agent]: {name: {bin: number}}}},
                       erased: the same of conversations that were erased, journal_until: when the first of what was
                       counted here is journalled no longer, in seconds since 1970
counts/{day}.c{shard}  expire_at, corrected: the same; a recount replaces it

An increment needs no read and meets no conflict; the shard, by conversation, keeps one document from taking all writes.
Corrections are spread by what they correct, over as many documents: they find room wherever the counts did.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from shared.reports.counts import DAY, QUARTER, Cell, Count, Tally, day_of, in_tally
from shared.schemas.measures import Name
from shared.stores import firestore_forms as forms
from shared.stores.documents import shard
from shared.stores.firestore_rpc import Message

COLLECTION = "counts"
AT_ONCE = 200  # increments in one write; Firestore takes 500 of them in a commit


def writes(root: str, counts: Sequence[Count], shard: int, kept: timedelta, journal_until: datetime) -> list[Message]:
    """Returns what adds the counts, one write for each document (in parts, where it is a lot)."""
    until = forms.integer(int(journal_until.timestamp()))
    return [
        _write(f"{root}/{COLLECTION}/{day:%Y-%m-%d}.{shard:02}", day + kept, until, of_day[start : start + AT_ONCE])
        for day, of_day in _by_day(counts)
        for start in range(0, len(of_day), AT_ONCE)
    ]


def corrections(root: str, wanted: Sequence[Count], present: Iterable[Any], kept: timedelta) -> list[Message]:
    """Returns what makes the documents of corrections hold what is wanted, a write for each that does not."""
    held = {document.name: list(read(document, (Tally.CORRECTED,))) for document in present}
    documents: defaultdict[str, list[Count]] = defaultdict(list)
    for one in in_tally(wanted, Tally.CORRECTED):
        documents[_correction_name(root, one.cell)].append(one)
    names = [name for name in {**held, **documents} if set(held.get(name, ())) != set(documents[name])]
    return [_replace(name, documents[name], kept) if documents[name] else {"delete": name} for name in names]


def query(root: str, since: datetime, until: datetime) -> dict[str, Any]:
    """Returns a query for all documents with quarters from `since` until before `until`, by name."""
    first, behind = day_of(since), day_of(until - QUARTER) + DAY
    filters = [
        forms.where("__name__", "GREATER_THAN_OR_EQUAL", _reference(root, first)),
        forms.where("__name__", "LESS_THAN", _reference(root, behind)),
    ]
    found = forms.find(COLLECTION, filters, (), 1)
    del found["limit"]
    return found


def read(document: Any, tallies: Collection[Tally]) -> Iterator[Count]:
    """Yields what a document holds in these tallies, but no zeros."""
    day = day_named(document)
    for tally in tallies:
        for quarter, cells in _fields(document.fields[tally.value]).items():
            for who, names in _fields(cells).items():
                channel, desk, agent = json.loads(who)
                for name, bins in _fields(names).items():
                    for first, number in _fields(bins).items():
                        cell = Cell(day + int(quarter) * QUARTER, channel, desk, agent, Name(name), int(first), tally)
                        if number.integer_value:
                            yield Count(cell, number.integer_value)


def holds_corrections(document: Any) -> bool:
    return ".c" in _own_name(document)


def day_named(document: Any) -> datetime:
    return datetime.strptime(_own_name(document).partition(".")[0], "%Y-%m-%d").replace(tzinfo=UTC)


def journal_end(document: Any) -> datetime | None:
    """Returns until when all that is counted there is journalled, None where it counts nothing."""
    if "journal_until" not in document.fields:
        return None
    return datetime.fromtimestamp(document.fields["journal_until"].integer_value, UTC)


def _by_day(counts: Sequence[Count]) -> Iterator[tuple[datetime, list[Count]]]:
    ordered = sorted(counts, key=lambda one: one.cell.quarter)
    for day, group in groupby(ordered, key=lambda one: day_of(one.cell.quarter)):
        yield day, list(group)


def _write(name: str, expire_at: datetime, journal_until: Message, counts: Sequence[Count]) -> Message:
    """Firestore keeps the least of all `journal_until` that it is given."""
    added = [{"field_path": ".".join(_path(one.cell)), "increment": forms.integer(one.number)} for one in counts]
    return {
        "update": {"name": name, "fields": {"expire_at": forms.timestamp(expire_at)}},
        "update_mask": {"field_paths": ["expire_at"]},
        "update_transforms": [{"field_path": "journal_until", "minimum": journal_until}, *added],
    }


def _replace(name: str, counts: Sequence[Count], kept: timedelta) -> Message:
    tree = _branch()
    for one in counts:
        *way, leaf = _keys(one.cell)
        place = tree
        for step in way:
            place = place[step]
        place[leaf] = one.number
    expire_at = day_of(counts[0].cell.quarter) + kept
    return {"update": {"name": name, "fields": {"expire_at": forms.timestamp(expire_at), **_map(tree)}}}


def _branch() -> defaultdict[str, Any]:
    return defaultdict(_branch)


def _map(tree: Mapping[str, Any]) -> dict[str, Message]:
    return {
        key: {"map_value": {"fields": _map(value)}} if isinstance(value, dict) else forms.integer(value)
        for key, value in tree.items()
    }


def _correction_name(root: str, cell: Cell) -> str:
    return f"{root}/{COLLECTION}/{day_of(cell.quarter):%Y-%m-%d}.c{shard(' '.join(_keys(cell))):02}"


def _keys(cell: Cell) -> tuple[str, ...]:
    """Returns where a cell's number stands, from the document down."""
    who = json.dumps([cell.channel, cell.desk, cell.agent], ensure_ascii=False, separators=(",", ":"))
    quarter = (cell.quarter - day_of(cell.quarter)) // QUARTER
    return cell.tally.value, str(quarter), who, cell.name.value, str(cell.bin)


def _path(cell: Cell) -> tuple[str, ...]:
    tally, *way = _keys(cell)
    return tally, *map(_quoted, way)


def _quoted(segment: str) -> str:
    """Returns a field's name as any text may stand in a path.

    https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1#google.firestore.v1.Document
    """
    escaped = segment.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _own_name(document: Any) -> str:
    return str(document.name.rpartition("/")[2])


def _fields(value: Any) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = value.map_value.fields
    return fields


def _reference(root: str, day: datetime) -> Message:
    return {"reference_value": f"{root}/{COLLECTION}/{day:%Y-%m-%d}"}
