"""Baton's documents and queries as Firestore messages: names, fields, filters and cursors.

All functions are pure. Messages are dictionaries that protocol buffer constructors accept.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from shared.errors import BadRequest
from shared.schemas.devices import Device
from shared.schemas.journal import JournalEntry
from shared.schemas.notation import format_time, parse_time, sha256
from shared.schemas.people import Presence
from shared.stores.documents import (
    ConversationDocument,
    from_device,
    from_entry,
    from_person,
    shard,
)
from shared.stores.firestore.rpc import Message

MOST_AT_ONCE = 30  # values of one ARRAY_CONTAINS_ANY
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEGMENT = r"[A-Za-z0-9~:=+%-][A-Za-z0-9~:=+%_.-]{0,1499}"
_AS_IT_IS = re.compile("[A-Za-z0-9:=+~-][A-Za-z0-9:=+~_.-]*")
_NAME = re.compile(rf"conversations/{_SEGMENT}(/journal/{_SEGMENT})?|people/[0-9a-f]{{64}}")


def conversation_path(conversation: str) -> str:
    """Returns the path of the conversation's document, relative to the database's root."""
    return f"conversations/{_segment(conversation)}"


def entry_path(conversation: str, entry: str) -> str:
    """Returns the path of the entry's document, relative to the database's root."""
    return f"conversations/{_segment(conversation)}/journal/{_segment(entry)}"


def person_path(person: str) -> str:
    """Returns the path of the person's document. Names of documents occur in Google's logs, so it
    has no e-mail address in it.
    """
    return f"people/{sha256(person)}"


def device_path(conversation: str) -> str:
    """Returns the path of the document of what the customer's device tells."""
    return f"devices/{_segment(conversation)}"


def conversation_of(name: str) -> str:
    """Returns the conversation that a document belongs to: its own document, or one of its
    journal.
    """
    return unquote(name.partition("/documents/")[2].split("/")[1])


def _segment(native: str) -> str:
    """Returns `native` percent-encoded as one path segment.

    Its first character is encoded as well if Firestore reserves names that begin with it.
    """
    if _AS_IT_IS.fullmatch(native):  # nearly every id; to quote takes ten times as long
        return native
    encoded = quote(native, safe=":=+~")
    return f"%{ord(encoded[0]):02X}{encoded[1:]}" if encoded[:1] in ("_", ".") else encoded


def conversation_fields(
    conversation: str, document: ConversationDocument, expire_at: datetime
) -> Message:
    """Returns the fields of the conversation's document."""
    since = document.waiting_since
    fields = {
        "phase": {"string_value": document.phase},
        "waiting_since": timestamp(since) if since else {"null_value": 0},
        "expire_at": timestamp(expire_at),
        "body": {"string_value": document.body},
    }
    _add_due(fields, conversation, document.due_at)
    return fields


def entry_fields(entry: JournalEntry, expire_at: datetime) -> Message:
    """Returns the fields of the entry's document. Raises TooLarge."""
    document = from_entry(entry)
    fields = {
        "time": timestamp(document.time),
        "seq": integer(document.seq),
        "expire_at": timestamp(expire_at),
        "body": {"string_value": document.body},
    }
    if document.pending_seq is not None:
        fields["pending_seq"] = integer(document.pending_seq)
    if document.natives:  # most entries send nothing
        keys = [{"string_value": one} for one in document.natives]
        fields["natives"] = {"array_value": {"values": keys}}
    _add_due(fields, entry.conversation, document.due_at)
    return fields


def person_fields(person: Presence, expire_at: datetime | None) -> Message:
    """Returns the fields of the person's document. Raises TooLarge."""
    document = from_person(person)
    return {
        **({} if document.due_at is None else {"due_at": timestamp(document.due_at)}),
        **({} if expire_at is None else {"expire_at": timestamp(expire_at)}),
        "body": {"string_value": document.body},
    }


def device_fields(device: Device, expire_at: datetime) -> Message:
    """Returns the fields of the device's document. Raises TooLarge."""
    return {
        "expire_at": timestamp(expire_at),
        "body": {"string_value": from_device(device)},
    }


def natives_of(document: Any) -> list[str]:
    """Returns the keys of the messages that an entry sent, as its document has them."""
    return [one.string_value for one in document.fields["natives"].array_value.values]


def _add_due(fields: dict[str, Message], conversation: str, due_at: datetime | None) -> None:
    """Adds the indexed fields for `due_at`, none if it is None: a missing field costs no index
    entry.
    """
    if due_at is not None:
        fields["due_at"] = timestamp(due_at)
        fields["shard"] = integer(shard(conversation))


def integer(value: int) -> Message:
    return {"integer_value": value}


def timestamp(value: datetime) -> Message:
    since = value - EPOCH
    seconds = since.days * 86400 + since.seconds
    return {"timestamp_value": {"seconds": seconds, "nanos": since.microseconds * 1000}}


def create(name: str, fields: Message) -> Message:
    """Returns a write that fails if the document exists."""
    return {"update": {"name": name, "fields": fields}, "current_document": {"exists": False}}


def replace(name: str, fields: Message, token: object) -> Message:
    """Returns a write of the whole document if its update time still is `token`.

    Fields that are not given are removed.
    """
    return {"update": {"name": name, "fields": fields}, "current_document": {"update_time": token}}


def touch(name: str, expire_at: datetime) -> Message:
    """Returns a write of `expire_at` alone to a document that exists."""
    fields = {"expire_at": timestamp(expire_at)}
    mask = {"field_paths": ["expire_at"]}
    return {
        "update": {"name": name, "fields": fields},
        "update_mask": mask,
        "current_document": {"exists": True},
    }


def where(field: str, operator: str, value: Message) -> Message:
    """Returns a filter on one field. `operator` is the name of a Firestore operator."""
    return {"field_filter": {"field": {"field_path": field}, "op": operator, "value": value}}


def find(
    collection: str,
    filters: Sequence[Message],
    order: Sequence[str],
    limit: int,
    start: Sequence[Message] = (),
    *,
    direction: str = "ASCENDING",
) -> dict[str, Any]:
    """Returns a query sorted by `order`, then by name.

    `start` is the position (see `read_cursor`) after which the results begin.
    """
    fields = [*order, "__name__"]
    query: dict[str, Any] = {
        "from_": [{"collection_id": collection}],
        "where": {"composite_filter": {"op": "AND", "filters": filters}} if filters else None,
        "order_by": [{"field": {"field_path": field}, "direction": direction} for field in fields],
        "limit": {"value": limit},
    }
    return {**query, "start_at": {"values": start, "before": False}} if start else query


def find_by_natives(natives: Sequence[str]) -> dict[str, Any]:
    """Returns a query for the journal entries, of any conversation, with any of these keys, the
    latest first. There may be MOST_AT_ONCE keys.
    """
    order = [{"field": {"field_path": "time"}, "direction": "DESCENDING"}]
    values = [{"string_value": one} for one in natives]
    return {
        "from_": [{"collection_id": "journal", "all_descendants": True}],
        "where": where("natives", "ARRAY_CONTAINS_ANY", {"array_value": {"values": values}}),
        "order_by": order,
    }


def write_cursor(document: Any, order: Sequence[str]) -> str:
    """Returns the cursor of a document's position in that order."""
    values = (document.fields[field] for field in order)
    return " ".join([*map(_text, values), document.name.partition("/documents/")[2]])


def read_cursor(cursor: str | None, order: Sequence[str], root: str) -> list[Message]:
    """Returns the position of a cursor, an empty list for None. Raises BadRequest."""
    if cursor is None:
        return []
    *values, name = cursor.split(" ")
    try:
        if len(values) != len(order) or not _NAME.fullmatch(name):
            raise ValueError
        return [*map(_value, order, values), {"reference_value": f"{root}/{name}"}]
    except (ValueError, OverflowError) as error:
        raise BadRequest("invalid-cursor", "The cursor is invalid; start without one.") from error


def _text(value: Any) -> str:
    kind = value.WhichOneof("value_type")
    if kind == "null_value":
        return "-"
    return str(value.integer_value) if kind == "integer_value" else format_time(moment(value))


def _value(field: str, text: str) -> Message:
    """Returns the value of a field in a cursor.

    Raises ValueError if the text is not a value of that field.
    """
    if field == "seq":
        if not (text.isascii() and text.isdecimal() and len(text) < 19):
            raise ValueError
        return integer(int(text))
    return {"null_value": 0} if text == "-" else timestamp(parse_time(text))


def moment(value: Any) -> datetime:
    """Returns a timestamp value as a datetime in UTC."""
    stamp = value.timestamp_value
    return EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)


def wait_position(document: Any) -> tuple[datetime, list[str]]:
    """Returns a sort key: `waiting_since`, none first, then the name by segments."""
    since = document.fields["waiting_since"]
    waits = since.WhichOneof("value_type") == "timestamp_value"
    return moment(since) if waits else EPOCH, document.name.split("/")


def due_position(document: Any) -> tuple[datetime, list[str]]:
    """Returns a sort key: `due_at`, then the name by segments, which is Firestore's own order."""
    return moment(document.fields["due_at"]), document.name.split("/")
