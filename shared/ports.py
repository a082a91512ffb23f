"""What the services need of the outside; adapters in `stores` and `transports` give it, tests
may give their own.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from shared.circuits import Circuits
from shared.handoff.policy import Policy
from shared.measures.counts import SHOWN, Count, Tally
from shared.platforms.base import Platform
from shared.platforms.desk import Desks
from shared.schemas.conversation import Conversation
from shared.schemas.http import Answer, Call
from shared.schemas.journal import JournalEntry
from shared.schemas.team import Team

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[T]):
    """A stored value and the store's own token of that state, the precondition of the next
    write.
    """

    value: T
    token: object


@dataclass(frozen=True, slots=True)
class Commit:
    """Written whole or not at all: entries are created first, conversations only if their token
    still stands.

    A token of None creates the conversation.
    """

    entries: Sequence[JournalEntry]
    conversations: Sequence[Snapshot[Conversation]] = field(default=())


class PreconditionFailed(Exception):
    """Something that the commit relied on has changed; nothing was written. It does not say
    what: read the entry.
    """


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`unreadable`: how many more documents stand here that this version cannot read."""

    items: list[T]
    cursor: str | None
    unreadable: int = 0


class ConversationStore(Protocol):
    """State, journal and outbox. Every method may raise Unavailable; `commit` and `update` raise
    PreconditionFailed.

    Pages go on behind their last item wherever it stands now, so an item that stays due does not
    hold up the rest; a page may be shorter than its limit, even empty, and have a cursor.
    """

    async def load(self, conversation: str, *, fresh: bool = True) -> Snapshot[Conversation] | None:
        """Returns the conversation; a copy of this instance's own last commit or read will do
        unless `fresh`.
        """

    async def commit(self, commit: Commit) -> list[Snapshot[Conversation]]:
        """Returns the conversations as written, with their new tokens. Raises TooLarge for what
        no document holds.
        """

    async def entry(self, conversation: str, entry: str) -> Snapshot[JournalEntry] | None: ...

    async def update(
        self, entry: Snapshot[JournalEntry], counts: Sequence[Count] = ()
    ) -> Snapshot[JournalEntry]:
        """Replaces an entry if its token still stands, adds `counts` with it, and returns it with
        the new token.

        Raises TooLarge where the reports cannot hold the counts; then nothing was written.
        """

    async def update_together(
        self, entries: Sequence[Snapshot[JournalEntry]]
    ) -> list[Snapshot[JournalEntry]]:
        """Replaces these entries, all of them or none, if every token still stands; returns
        them with new tokens.
        """

    async def pending(
        self, conversation: str, after: int, limit: int
    ) -> list[Snapshot[JournalEntry]]:
        """Returns the entries beyond sequence `after` that delivery must look at, in sequence."""

    async def pending_count(self, conversation: str) -> int: ...

    async def queue(self, phase: str, cursor: str | None, limit: int) -> Page[Conversation]:
        """Returns conversations of a phase, longest wait first. Raises BadRequest for a cursor it
        never gave.

        In QUEUED there is no conversation that is only tracked: its customer waits for other people
        than Baton's.
        """

    async def journal(
        self, conversation: str, cursor: str | None, limit: int, *, expired: bool = False
    ) -> Page[Snapshot[JournalEntry]]:
        """Returns the journal in sequence, which is the order in which events were accepted
        whatever the clocks said.

        Entries of one sequence (the markers of an event, what was asked of the built-in bot because
        of it) come by their time, then by their id. With `expired` it has also what has expired and
        is not deleted yet. Raises BadRequest for a cursor it never gave.
        """

    async def latest(self, conversation: str, limit: int) -> list[Snapshot[JournalEntry]]:
        """Returns the last entries of the journal in sequence, the last one first."""

    async def due_conversations(self, now: datetime, cursor: str | None, limit: int) -> Page[str]:
        """Returns the conversations whose `due_at` has passed, longest due first."""

    async def due_entries(self, now: datetime, cursor: str | None, limit: int) -> Page[str]:
        """Returns the conversations (with repetitions) of entries whose `due_at` has passed."""

    async def conversations(self, cursor: str | None, limit: int) -> Page[Conversation]:
        """Returns every conversation, in an order that stays. Raises BadRequest for a cursor it
        never gave.
        """

    async def counted(
        self, since: datetime, until: datetime, tallies: Collection[Tally] = SHOWN
    ) -> list[Count]:
        """Returns what these tallies hold of the quarters of an hour from `since` until before
        `until`; by default what reports show. Cells may repeat.
        """

    async def correct(
        self, since: datetime, until: datetime, corrections: Sequence[Count], read_at: datetime
    ) -> None:
        """Makes these all that is corrected of the whole days of UTC from `since` until before
        `until`, but for what was corrected by what was read later than `read_at`: repeated, or
        begun and not ended, it does no harm. Raises PreconditionFailed.
        """

    async def journal_ends(self, since: datetime, until: datetime) -> Mapping[datetime, datetime]:
        """Returns, for days of UTC, when the first of what was counted on them is journalled no
        longer, if ever.
        """

    async def scrub(self) -> bool:
        """Returns True once no file of the store holds what was replaced, False while that
        cannot be done.
        """

    def frozen(self) -> AbstractAsyncContextManager["ConversationStore"]:
        """Returns the store as it stood at one moment not long ago; only its reads may be used."""


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
    """The plain webhook of each audience (BOT, HUMAN) that has one, and the key that signs what
    goes there.
    """

    urls: Mapping[str, str] = field(default_factory=dict)
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CrmRecord:
    """Where comments go: `url` with placeholders in its path or query, the method, and what
    proves the caller.
    """

    url: str = field(repr=False)
    method: str = "POST"
    secrets: tuple[str, ...] = field(default=(), repr=False)
    authorization: str | None = field(default=None, repr=False)


NO_DESKS, NO_TEAM = Desks(), Team()


@dataclass(frozen=True, slots=True)
class Ports:
    """What a use case works with. `streams`: what is measured is published as well, for whoever
    reports elsewhere. `circuits`: which targets are down, as far as this instance knows.
    """

    store: ConversationStore
    publisher: Publisher
    sender: Sender
    clock: Clock
    policy: Policy
    platforms: Mapping[str, Platform]
    webhooks: Webhooks = Webhooks()
    crm: CrmRecord | None = None
    desks: Desks = NO_DESKS
    team: Team = NO_TEAM
    streams: bool = False
    circuits: Circuits = field(default_factory=Circuits)
