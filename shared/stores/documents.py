"""How a model is stored, the same in every store: as fields what is queried, the rest as one
JSON string.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from pydantic import ValidationError

from shared.errors import TooLarge, Unreadable
from shared.logs import log
from shared.ports import Page
from shared.schemas.base import Ours
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.journal import JournalEntry
from shared.schemas.times import Time

SHARDS = 16
_NOT_IN_LINE = "QUEUED elsewhere"
BODY_LIMIT = 1_000_000  # bytes; Firestore takes 1 MiB a document, names and queried fields included


def shard(conversation: str) -> int:
    """Returns 0 to 15: spreads the index on `due_at`, whose range would take only some 500
    writes a second.
    """
    return crc32(conversation.encode()) % SHARDS


def is_in_no_line(conversation: Conversation) -> bool:
    """Returns whether somebody waits here for the people of a platform that delivers by itself: not
    in Baton's queue.

    Its document names another phase than its body, so that the queue's query never reads it. Older
    versions wrote the same phase, so what the query finds is looked at as well.
    """
    return conversation.tracked and conversation.phase is Phase.QUEUED


@dataclass(frozen=True, slots=True)
class ConversationDocument:
    phase: str
    version: int
    waiting_since: Time | None
    due_at: datetime | None
    body: str


@dataclass(frozen=True, slots=True)
class EntryDocument:
    seq: int
    time: datetime
    pending_seq: int | None
    due_at: datetime | None
    body: str


def from_conversation(conversation: Conversation) -> ConversationDocument:
    """Returns what is stored. Raises TooLarge."""
    return ConversationDocument(
        phase=_NOT_IN_LINE if is_in_no_line(conversation) else conversation.phase.value,
        version=conversation.version,
        waiting_since=conversation.waiting_since,
        due_at=conversation.due_at,
        body=_body(conversation),
    )


def from_entry(entry: JournalEntry) -> EntryDocument:
    """Returns what is stored. Raises TooLarge."""
    return EntryDocument(
        seq=entry.seq,
        time=entry.time,
        pending_seq=entry.pending_seq,
        due_at=entry.due_at,
        body=_body(entry),
    )


def _body(model: Ours) -> str:
    body = model.model_dump_json(exclude_none=True)
    if len(body) > BODY_LIMIT // 4 and len(body.encode()) > BODY_LIMIT:
        raise TooLarge(
            "too-large-to-store",
            f"This takes more than the {BODY_LIMIT} bytes that one record may have.",
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


def to_page(bodies: Iterable[str | bytes], cursor: str | None) -> Page[Conversation]:
    """Returns a page of many customers' conversations. Those that cannot be read are only counted,
    so that one of them does not spoil the list.
    """
    items, unreadable = list[Conversation](), 0
    for body in bodies:
        try:
            items.append(to_conversation(body))
        except Unreadable:
            unreadable += 1
    return Page(items, cursor, unreadable)


def _unreadable(error: ValidationError) -> Unreadable:
    """Returns the error for a document. The log names the fields, and no value."""
    fields = {str(one["loc"][0]) for one in error.errors(include_input=False) if one["loc"]}
    wrong = ", ".join(sorted(fields))
    log("ERROR", "a stored document cannot be read", model=error.title, fields=wrong)
    return Unreadable()
