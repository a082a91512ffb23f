"""Counts of the reports as Firestore documents, one for each day and shard.

counts/{day}.{shard}   expire_at,
                       counts: {quarter: {[channel, desk, agent]: {name[:of]: {bin: number}}}},
                       journal_until: when the first journal entry behind these counts expires,
                       in seconds since 1970
counts/{day}.e{shard}  erased: the same, of conversations that were erased
counts/{day}.c{shard}  corrected: the same, read_at: the time of what a recount read; a later one
                       replaces it

Counts are only incremented. An increment needs no read and causes no conflict. There are more
shards under load (see `buckets`), so that no document takes all writes.

Counts of erased conversations and corrections are sharded by their cell. So they find room wherever
the counts did, also on a day whose documents are full. A document whose corrections have become
empty is kept for its `read_at`.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.measures.counts import DAY, QUARTER, Cell, Count, Tally, day_of, in_tally, name_in
from shared.stores.documents import shard as shard_of
from shared.stores.firestore import messages as forms
from shared.stores.firestore.rpc import Message

COLLECTION = "counts"
_MARKS = {Tally.ERASED: "e", Tally.CORRECTED: "c"}
AT_ONCE = 200  # increments in one write; Firestore's limit is 500 in a commit


def writes(
    root: str, counts: Sequence[Count], shard: int, kept: timedelta, journal_until: datetime
) -> list[Message]:
    """Returns the writes that add the counts: one for each document, or several if it has many
    counts.
    """
    until = forms.integer(int(journal_until.timestamp()))
    return [
        _write(name, day_of(of_one[0].cell.quarter) + kept, until, of_one[start : start + AT_ONCE])
        for name, of_one in _by_document(root, counts, shard).items()
        for start in range(0, len(of_one), AT_ONCE)
    ]


def corrections(
    root: str, wanted: Sequence[Count], present: Iterable[Any], kept: timedelta, read_at: datetime
) -> list[Message]:
    """Returns the writes that replace the corrections by `wanted`.

    Documents whose `read_at` is later than this reading are left out. Each write has the
    precondition that its document still is as in `present`.
    """
    held = {document.name: document for document in present}
    documents = _by_document(root, in_tally(wanted, Tally.CORRECTED))
    return [
        _correction(name, held.get(name), documents.get(name, []), kept, read_at)
        for name in {**held, **documents}
        if name not in held or _is_older(held[name], documents.get(name, []), read_at)
    ]


def query(root: str, since: datetime, until: datetime) -> dict[str, Any]:
    """Returns a query for all documents with quarters from `since` until before `until`, ordered
    by name.
    """
    first, behind = day_of(since), day_of(until - QUARTER) + DAY
    filters = [
        forms.where("__name__", "GREATER_THAN_OR_EQUAL", _reference(root, first)),
        forms.where("__name__", "LESS_THAN", _reference(root, behind)),
    ]
    found = forms.find(COLLECTION, filters, (), 1)
    del found["limit"]
    return found


def read(document: Any, tallies: Collection[Tally]) -> Iterator[Count]:
    """Yields the counts of a document in these tallies. Zeros are left out."""
    day = day_named(document)
    for tally in tallies:
        for quarter, cells in _fields(document.fields[tally.value]).items():
            for who, names in _fields(cells).items():
                channel, desk, agent = json.loads(who)
                at = day + int(quarter) * QUARTER
                for key, bins in _fields(names).items():
                    known = name_in(key)
                    if known is None:
                        continue
                    for first, number in _fields(bins).items():
                        where = (at, channel, desk, agent)
                        cell = Cell(*where, known[0], int(first), tally, known[1])
                        if number.integer_value:
                            yield Count(cell, number.integer_value)


def holds_corrections(document: Any) -> bool:
    """Returns whether this document holds corrections."""
    return f".{_MARKS[Tally.CORRECTED]}" in _own_name(document.name)


def day_named(document: Any) -> datetime:
    """Returns the UTC day in the document's name."""
    return _day_in(document.name)


def journal_end(document: Any) -> datetime | None:
    """Returns when the first journal entry behind these counts expires, or None if the document
    has no counts.
    """
    if "journal_until" not in document.fields:
        return None
    return datetime.fromtimestamp(document.fields["journal_until"].integer_value, UTC)


def _by_document(root: str, counts: Iterable[Count], shard: int = 0) -> Mapping[str, list[Count]]:
    """Returns the counts by document name.

    `shard` is for counts; the other tallies have their own shards.
    """
    found: defaultdict[str, list[Count]] = defaultdict(list)
    for one in counts:
        found[_name(root, one.cell, shard)].append(one)
    return found


def _write(
    name: str, expire_at: datetime, journal_until: Message, counts: Sequence[Count]
) -> Message:
    """Returns a write that increments the counts.

    Firestore keeps the smallest `journal_until` it has got.
    """
    added = [
        {"field_path": ".".join(_path(one.cell)), "increment": forms.integer(one.number)}
        for one in counts
    ]
    return {
        "update": {"name": name, "fields": {"expire_at": forms.timestamp(expire_at)}},
        "update_mask": {"field_paths": ["expire_at"]},
        "update_transforms": [{"field_path": "journal_until", "minimum": journal_until}, *added],
    }


def _is_older(document: Any, wanted: Sequence[Count], read_at: datetime) -> bool:
    """Returns whether a document of corrections must be replaced.

    That is so if it comes from an earlier reading, or from the same reading with other counts. A
    repeated recount of the same reading writes nothing.
    """
    then = forms.moment(document.fields["read_at"])
    return then < read_at or (
        then == read_at and set(read(document, (Tally.CORRECTED,))) != set(wanted)
    )


def _correction(
    name: str, held: Any | None, counts: Sequence[Count], kept: timedelta, read_at: datetime
) -> Message:
    expire_at = forms.timestamp(_day_in(name) + kept)
    fields = {"expire_at": expire_at, "read_at": forms.timestamp(read_at), **_tree(counts)}
    return (
        forms.create(name, fields)
        if held is None
        else forms.replace(name, fields, held.update_time)
    )


def _tree(counts: Sequence[Count]) -> dict[str, Message]:
    tree = _branch()
    for one in counts:
        *way, leaf = _keys(one.cell)
        place = tree
        for step in way:
            place = place[step]
        place[leaf] = one.number
    return _map(tree)


def _branch() -> defaultdict[str, Any]:
    return defaultdict(_branch)


def _map(tree: Mapping[str, Any]) -> dict[str, Message]:
    return {
        key: {"map_value": {"fields": _map(value)}}
        if isinstance(value, dict)
        else forms.integer(value)
        for key, value in tree.items()
    }


def _name(root: str, cell: Cell, shard: int) -> str:
    mark = _MARKS.get(cell.tally, "")
    part = shard_of(" ".join(_keys(cell))) if mark else shard
    return f"{root}/{COLLECTION}/{day_of(cell.quarter):%Y-%m-%d}.{mark}{part:02}"


def _keys(cell: Cell) -> tuple[str, ...]:
    """Returns the path of a cell's number within the document."""
    who = json.dumps(
        [cell.channel, cell.desk, cell.agent], ensure_ascii=False, separators=(",", ":")
    )
    quarter = (cell.quarter - day_of(cell.quarter)) // QUARTER
    return cell.tally.value, str(quarter), who, cell.key, str(cell.bin)


def _path(cell: Cell) -> tuple[str, ...]:
    tally, *way = _keys(cell)
    return tally, *map(_quoted, way)


def _quoted(segment: str) -> str:
    """Returns a field's name quoted for a field path, in which any text may then occur.

    https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1#google.firestore.v1.Document
    """
    escaped = segment.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _day_in(name: str) -> datetime:
    return datetime.strptime(_own_name(name).partition(".")[0], "%Y-%m-%d").replace(tzinfo=UTC)


def _own_name(name: str) -> str:
    return name.rpartition("/")[2]


def _fields(value: Any) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = value.map_value.fields
    return fields


def _reference(root: str, day: datetime) -> Message:
    return {"reference_value": f"{root}/{COLLECTION}/{day:%Y-%m-%d}"}
