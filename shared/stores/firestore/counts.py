"""What the reports count, as Firestore's messages: documents of a day and shard, whose numbers are
only ever added to.

counts/{day}.{shard}   expire_at,
                       counts: {quarter: {[channel, desk, agent]: {name: {bin: number}}}},
                       journal_until: when the first journal entry of what was counted here expires,
                       in seconds since 1970
counts/{day}.e{shard}  erased: the same, of conversations that were erased
counts/{day}.c{shard}  corrected: the same, read_at: the time of what a recount read; a later one
                       replaces it

An increment needs no read and meets no conflict; the shard, by conversation, keeps one document
from taking all writes. Copies of what was erased and corrections are spread by what is counted,
over as many documents: they find room wherever the counts did, also on a day that is full. A
correction that has come to nothing stays as long, for its `read_at`.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.measures.counts import DAY, QUARTER, Cell, Count, Tally, day_of, in_tally
from shared.schemas.measures import Name
from shared.stores.documents import shard as shard_of
from shared.stores.firestore import messages as forms
from shared.stores.firestore.rpc import Message

COLLECTION = "counts"
_MARKS = {Tally.ERASED: "e", Tally.CORRECTED: "c"}
AT_ONCE = 200  # increments in one write; Firestore takes 500 of them in a commit


def writes(
    root: str, counts: Sequence[Count], shard: int, kept: timedelta, journal_until: datetime
) -> list[Message]:
    """Returns what adds the counts, one write for each document (in parts, where it is a lot)."""
    until = forms.integer(int(journal_until.timestamp()))
    return [
        _write(name, day_of(of_one[0].cell.quarter) + kept, until, of_one[start : start + AT_ONCE])
        for name, of_one in _by_document(root, counts, shard).items()
        for start in range(0, len(of_one), AT_ONCE)
    ]


def corrections(
    root: str, wanted: Sequence[Count], present: Iterable[Any], kept: timedelta, read_at: datetime
) -> list[Message]:
    """Returns what makes the documents of corrections hold what is wanted, a write for each that is
    not of a later reading. It is made only if the document still is as it was present.
    """
    held = {document.name: document for document in present}
    documents = _by_document(root, in_tally(wanted, Tally.CORRECTED))
    return [
        _correction(name, held.get(name), documents.get(name, []), kept, read_at)
        for name in {**held, **documents}
        if name not in held or _is_older(held[name], documents.get(name, []), read_at)
    ]


def query(root: str, since: datetime, until: datetime) -> dict[str, Any]:
    """Returns a query for all documents with quarters from `since` until before `until`, by
    name.
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
    """Yields what a document holds in these tallies, but no zeros."""
    day = day_named(document)
    for tally in tallies:
        for quarter, cells in _fields(document.fields[tally.value]).items():
            for who, names in _fields(cells).items():
                channel, desk, agent = json.loads(who)
                for name, bins in _fields(names).items():
                    for first, number in _fields(bins).items():
                        cell = Cell(
                            day + int(quarter) * QUARTER,
                            channel,
                            desk,
                            agent,
                            Name(name),
                            int(first),
                            tally,
                        )
                        if number.integer_value:
                            yield Count(cell, number.integer_value)


def holds_corrections(document: Any) -> bool:
    return f".{_MARKS[Tally.CORRECTED]}" in _own_name(document.name)


def day_named(document: Any) -> datetime:
    return _day_in(document.name)


def journal_end(document: Any) -> datetime | None:
    """Returns until when all that is counted there is journalled, None where it counts nothing."""
    if "journal_until" not in document.fields:
        return None
    return datetime.fromtimestamp(document.fields["journal_until"].integer_value, UTC)


def _by_document(root: str, counts: Iterable[Count], shard: int = 0) -> Mapping[str, list[Count]]:
    """`shard` is that of what is counted; copies and corrections have their own."""
    found: defaultdict[str, list[Count]] = defaultdict(list)
    for one in counts:
        found[_name(root, one.cell, shard)].append(one)
    return found


def _write(
    name: str, expire_at: datetime, journal_until: Message, counts: Sequence[Count]
) -> Message:
    """Firestore keeps the least of all `journal_until` that it is given."""
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
    """Returns whether what this reading wants is to replace a document of corrections; it is done
    already where a recount of that very reading has done it.
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
    """Returns where a cell's number stands, from the document down."""
    who = json.dumps(
        [cell.channel, cell.desk, cell.agent], ensure_ascii=False, separators=(",", ":")
    )
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


def _day_in(name: str) -> datetime:
    return datetime.strptime(_own_name(name).partition(".")[0], "%Y-%m-%d").replace(tzinfo=UTC)


def _own_name(name: str) -> str:
    return name.rpartition("/")[2]


def _fields(value: Any) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = value.map_value.fields
    return fields


def _reference(root: str, day: datetime) -> Message:
    return {"reference_value": f"{root}/{COLLECTION}/{day:%Y-%m-%d}"}
