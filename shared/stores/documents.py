"""The stored form of models, the same in every store: fields that are queried, and the rest as
one JSON string.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zlib import crc32

from pydantic import ValidationError

from shared.errors import TooLarge, Unreadable
from shared.logs import log
from shared.ports import Page, Watched
from shared.schemas.base import Ours
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.devices import Device
from shared.schemas.journal import JournalEntry
from shared.schemas.notation import Time
from shared.schemas.people import Presence
from shared.values import frozen

SHARDS = 16
_QUEUED = Phase.QUEUED  # a member of an enumeration is slow to read from its class
_NOT_IN_LINE = "QUEUED elsewhere"
DEVICE_KEPT = timedelta(days=1)
BODY_LIMIT = 1_000_000  # bytes; a Firestore document holds 1 MiB with its name and fields


def shard(conversation: str) -> int:
    """Returns a number from 0 to 15 for the index on `due_at`.

    Firestore takes about 500 writes a second in one index range; shards spread them over 16 ranges.
    """
    return crc32(conversation.encode()) % SHARDS


def is_in_no_line(conversation: Conversation) -> bool:
    """Returns whether the customer waits for agents of a platform that delivers messages itself.

    Such a conversation is not in Baton's queue.

    Its document has another phase than its body, so the queue's query does not find it. Older
    versions stored the same phase in both, so query results are filtered with this function as
    well.
    """
    return conversation.tracked and conversation.phase is _QUEUED


@frozen
class ConversationDocument:
    """A conversation's queried fields, and the whole of it as JSON in `body`."""

    phase: str
    version: int
    waiting_since: Time | None
    due_at: datetime | None
    body: str


@frozen
class EntryDocument:
    """A journal entry's queried fields, and the whole of it as JSON in `body`."""

    seq: int
    time: datetime
    pending_seq: int | None
    due_at: datetime | None
    natives: tuple[str, ...]
    body: str


@frozen
class PersonDocument:
    """A person's queried field, and what they do now as JSON in `body`."""

    version: int
    due_at: datetime | None
    body: str


def from_conversation(conversation: Conversation) -> ConversationDocument:
    """Returns the stored form. Raises TooLarge."""
    in_line = not (is_in_no_line(conversation) or conversation.leads_to)
    return ConversationDocument(
        phase=str(conversation.phase) if in_line else _NOT_IN_LINE,
        version=conversation.version,
        waiting_since=conversation.waiting_since,
        due_at=conversation.due_at,
        body=_body(conversation),
    )


def from_entry(entry: JournalEntry) -> EntryDocument:
    """Returns the stored form. Raises TooLarge."""
    return EntryDocument(
        seq=entry.seq,
        time=entry.time,
        pending_seq=entry.pending_seq,
        due_at=entry.due_at,
        natives=entry.natives,
        body=_body(entry),
    )


def from_person(person: Presence) -> PersonDocument:
    """Returns the stored form. Raises TooLarge."""
    return PersonDocument(version=person.version, due_at=person.due_at, body=_body(person))


def from_device(device: Device) -> str:
    """Returns the stored form. Raises TooLarge."""
    return _body(device)


def _body(model: Ours) -> str:
    body = model.model_dump_json(exclude_none=True)
    # A character has at most 4 bytes in UTF-8, so short bodies need not be encoded here.
    if len(body) > BODY_LIMIT // 4 and len(body.encode()) > BODY_LIMIT:
        raise TooLarge(
            "too-large-to-store",
            f"This takes more than the {BODY_LIMIT} bytes that one document may have.",
        )
    return body


def to_conversation(body: str | bytes) -> Conversation:
    """Returns a stored conversation. Raises Unreadable."""
    try:
        return Conversation.model_validate_json(body)
    except ValidationError as error:
        raise _unreadable(error) from None


def to_entry(body: str | bytes) -> JournalEntry:
    """Returns a stored journal entry. Raises Unreadable."""
    try:
        return JournalEntry.model_validate_json(body)
    except ValidationError as error:
        raise _unreadable(error) from None


def to_person(body: str | bytes) -> Presence:
    """Returns what a stored person does now. Raises Unreadable."""
    try:
        return Presence.model_validate_json(body)
    except ValidationError as error:
        raise _unreadable(error) from None


def to_device(body: str | bytes) -> Device:
    """Returns what a stored device has told. Raises Unreadable."""
    try:
        return Device.model_validate_json(body)
    except ValidationError as error:
        raise _unreadable(error) from None


def to_page(bodies: Iterable[str | bytes], cursor: str | None) -> Page[Conversation]:
    """Returns a page of many customers' conversations. Those that cannot be read are only counted,
    so that one of them does not spoil the list.
    """
    items, unreadable = list[Conversation](), 0
    for body in bodies:
        try:
            one = to_conversation(body)
            if not one.is_only_a_name:
                items.append(one)
        except Unreadable:
            unreadable += 1
    return Page(items, cursor, unreadable)


def to_watched(person: str | None, conversations: Iterable[str], devices: Iterable[str]) -> Watched:
    """Returns what somebody who watches sees of these bodies. Conversations that cannot be read are
    left out.
    """
    found = to_page(conversations, None).items
    told = map(to_device, devices)
    return Watched(
        None if person is None else to_person(person),
        {one.id: one for one in found},
        {one.id: one for one in told},
    )


def to_list(bodies: Iterable[str]) -> list[Conversation]:
    """Returns those of the conversations of a phase that are in its list."""
    return [one for one in to_page(bodies, None).items if not is_in_no_line(one)]


def _unreadable(error: ValidationError) -> Unreadable:
    """Returns the error for a document. The log names the fields, and no value."""
    fields = {str(one["loc"][0]) for one in error.errors(include_input=False) if one["loc"]}
    wrong = ", ".join(sorted(fields))
    log("ERROR", "a stored document cannot be read", model=error.title, fields=wrong)
    return Unreadable()
