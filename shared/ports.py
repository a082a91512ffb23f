"""What the services need of the outside; adapters in `stores` and `transports` give it, tests may give their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from shared.handoff.policy import Policy
from shared.platforms.base import Platform
from shared.schemas.conversation import Conversation
from shared.schemas.exchange import Answer, Call
from shared.schemas.journal import JournalEntry

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[T]):
    """A stored value and the store's own token of that state, the precondition of the next write."""

    value: T
    token: object


@dataclass(frozen=True, slots=True)
class Commit:
    """Written whole or not at all: entries are created first, conversations only if their token still stands.

    A token of None creates the conversation.
    """

    entries: Sequence[JournalEntry]
    conversations: Sequence[Snapshot[Conversation]] = field(default=())


class PreconditionFailed(Exception):
    """Something that the commit relied on has changed; nothing was written. It does not say what: read the entry."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: list[T]
    cursor: str | None


class ConversationStore(Protocol):
    """State, journal and outbox. Every method may raise Unavailable; `commit` and `update` raise PreconditionFailed.

    Pages go on behind their last item wherever it stands now, so an item that stays due does not hold up the rest; a
    page may be shorter than its limit, even empty, and have a cursor.
    """

    async def load(self, conversation: str, *, fresh: bool = True) -> Snapshot[Conversation] | None:
        """Returns the conversation; a copy of this instance's own last commit or read will do unless `fresh`."""

    async def commit(self, commit: Commit) -> list[Snapshot[Conversation]]:
        """Returns the conversations as written, with their new tokens. Raises TooLarge for what no document holds."""

    async def entry(self, conversation: str, entry: str) -> Snapshot[JournalEntry] | None: ...

    async def update(self, entry: Snapshot[JournalEntry]) -> Snapshot[JournalEntry]:
        """Replaces an entry if its token still stands and returns it with the new one."""

    async def pending(self, conversation: str, after: int, limit: int) -> list[Snapshot[JournalEntry]]:
        """Returns the entries beyond sequence `after` that delivery must look at, in sequence."""

    async def pending_count(self, conversation: str) -> int: ...

    async def queue(self, phase: str, cursor: str | None, limit: int) -> Page[Conversation]:
        """Returns conversations of a phase, longest wait first. Raises BadRequest for a cursor it never gave."""

    async def journal(self, conversation: str, cursor: str | None, limit: int) -> Page[Snapshot[JournalEntry]]:
        """Returns the journal, oldest first. Raises BadRequest for a cursor it never gave."""

    async def latest(self, conversation: str, limit: int) -> list[Snapshot[JournalEntry]]:
        """Returns the last entries of the journal, newest first."""

    async def due_conversations(self, now: datetime, cursor: str | None, limit: int) -> Page[str]:
        """Returns the conversations whose `due_at` has passed, longest due first."""

    async def due_entries(self, now: datetime, cursor: str | None, limit: int) -> Page[str]:
        """Returns the conversations (with repetitions) of entries whose `due_at` has passed."""


class Publisher(Protocol):
    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        """Returns once the topic has it. Raises Unavailable."""


class Sender(Protocol):
    async def send(self, call: Call) -> Answer | None:
        """Returns the answer, or None where it is unknown whether the call arrived."""


class Clock(Protocol):
    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The plain webhook of each audience (BOT, HUMAN) that has one, and the key that signs what goes there."""

    urls: Mapping[str, str] = field(default_factory=dict)
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Ports:
    """What a use case works with."""

    store: ConversationStore
    publisher: Publisher
    sender: Sender
    clock: Clock
    policy: Policy
    platforms: Mapping[str, Platform]
    webhooks: Webhooks = Webhooks()
