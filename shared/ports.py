"""The interfaces that use cases depend on.

`stores` and `transports` implement them; tests may bring their own implementations.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from shared.circuits import Circuits
from shared.handoff.policy import Policy
from shared.measures.counts import SHOWN, Count, Tally
from shared.media_links import MediaLinks
from shared.platforms.base import Platform, Profile
from shared.schemas.canned import Canned
from shared.schemas.conversation import Conversation
from shared.schemas.devices import Device
from shared.schemas.http import Answer, Call
from shared.schemas.journal import JournalEntry
from shared.schemas.people import Person, Presence
from shared.schemas.team import Team
from shared.values import frozen

if TYPE_CHECKING:  # most events need no desk, and a start takes 6 ms less without their interfaces
    from shared.platforms.desk import ChatDesk, FlagDesk

T = TypeVar("T")


@frozen
class Snapshot(Generic[T]):
    """A stored value and the store's token of that state.

    The next write passes the token as its precondition.
    """

    value: T
    token: object


@frozen
class Commit:
    """One atomic write. It creates the entries, and writes the conversations and people.

    It fails if an entry exists, or if a token of a conversation, of a person or of an entry in
    `updates` is outdated. A token of None means that the document must not exist yet.
    """

    entries: Sequence[JournalEntry]
    conversations: Sequence[Snapshot[Conversation]] = field(default=())
    updates: Sequence[Snapshot[JournalEntry]] = field(default=())
    people: Sequence[Snapshot[Presence]] = field(default=())


@frozen
class Written:
    """What a commit created or wrote of conversations, with the new tokens, in the order of the
    commit.
    """

    entries: list[Snapshot[JournalEntry]]
    conversations: list[Snapshot[Conversation]]


class PreconditionFailed(Exception):
    """A precondition of the commit did not hold; nothing was written.

    The error does not say which one. The caller reads the journal entry to find out.
    """


@frozen
class Page(Generic[T]):
    """A part of a list. `cursor` asks for the next page; None means that this is the last one.

    `unreadable` counts the documents that this version cannot read and leaves out.
    """

    items: list[T]
    cursor: str | None
    unreadable: int = 0


@frozen
class Watched:
    """What somebody who watches the store sees at one moment: what a person does now, and by the
    ids of these conversations, them and the customers' devices.
    """

    person: Presence | None
    conversations: Mapping[str, Conversation]
    devices: Mapping[str, Device] = field(default_factory=dict)


class ConversationStore(Protocol):
    """State, journal and outbox.

    Every method may raise Unavailable; what writes under a token may raise PreconditionFailed.

    A page starts after the position of the last item of the page before it, so an item that stays
    due does not block the others. A page may be shorter than its limit, even empty, and still have
    a cursor.
    """

    async def load(self, conversation: str, *, fresh: bool = True) -> Snapshot[Conversation] | None:
        """Returns the conversation, or None if there is none.

        Unless `fresh`, the result may be this instance's copy of its own last commit or read.
        """

    def copy_called(self, name: str) -> Snapshot[Conversation] | None:
        """Returns this instance's copy of the conversation that lists this name, if it has one."""

    async def commit(self, commit: Commit) -> Written:
        """Returns the new entries and the conversations as written.

        Raises TooLarge if a document would exceed the store's limit.
        """

    async def entry(self, conversation: str, entry: str) -> Snapshot[JournalEntry] | None:
        """Returns the journal entry, or None if there is none."""

    async def sent_as(self, native: str) -> Snapshot[JournalEntry] | None:
        """Returns the latest entry of any conversation that has this key among its `natives`."""

    async def update(
        self, entry: Snapshot[JournalEntry], counts: Sequence[Count] = ()
    ) -> Snapshot[JournalEntry]:
        """Replaces an entry if its token is current, and adds `counts` in the same write.

        Returns the entry with its new token.

        Raises TooLarge if the reports cannot hold the counts; then nothing was written.
        """

    async def update_together(
        self, entries: Sequence[Snapshot[JournalEntry]]
    ) -> list[Snapshot[JournalEntry]]:
        """Replaces these entries in one atomic write if every token is current.

        Returns them with their new tokens.
        """

    async def pending(
        self, conversation: str, after: int, limit: int
    ) -> list[Snapshot[JournalEntry]]:
        """Returns the pending entries with a sequence above `after`, in sequence."""

    async def pending_count(self, conversation: str) -> int:
        """Returns the number of pending entries of the conversation."""

    async def queue(self, phase: str, cursor: str | None, limit: int) -> Page[Conversation]:
        """Returns the conversations of a phase, longest wait first.

        Raises BadRequest for an invalid cursor.

        A tracked conversation is never in QUEUED here: its customer waits for the agents of another
        platform.
        """

    async def journal(
        self, conversation: str, cursor: str | None, limit: int, *, expired: bool = False
    ) -> Page[Snapshot[JournalEntry]]:
        """Returns the journal in sequence, which is the order of acceptance and independent of
        clocks.

        Entries of one sequence are sorted by time, then by id. They are the markers of an event and
        the requests to the built-in bot that followed from it. With `expired` the result includes
        entries that have expired and are not deleted yet. Raises BadRequest for an invalid cursor.
        """

    async def journal_back(
        self, conversation: str, cursor: str | None, limit: int
    ) -> Page[Snapshot[JournalEntry]]:
        """Returns the journal from its end, the latest entry first. Entries of one sequence come in
        any order.

        Raises BadRequest for an invalid cursor.
        """

    async def latest(self, conversation: str, limit: int) -> list[Snapshot[JournalEntry]]:
        """Returns the last `limit` entries of the journal, the latest first."""

    async def due_conversations(self, now: datetime, cursor: str | None, limit: int) -> Page[str]:
        """Returns the ids of conversations whose `due_at` has passed, the earliest first."""

    async def due_entries(self, now: datetime, cursor: str | None, limit: int) -> Page[str]:
        """Returns the conversations of entries whose `due_at` has passed.

        An id may occur more than once.
        """

    async def conversations(self, cursor: str | None, limit: int) -> Page[Conversation]:
        """Returns all conversations in a stable order. Raises BadRequest for an invalid cursor."""

    async def people(self, ids: Collection[str]) -> Mapping[str, Snapshot[Presence]]:
        """Returns, by id, what these people do now; those of whom nothing is stored are left out.
        It is never a copy.
        """

    async def due_people(
        self, now: datetime, cursor: str | None, limit: int
    ) -> Page[Snapshot[Presence]]:
        """Returns the people whose `due_at` has passed, the earliest first."""

    def watch_person(
        self, person: str, conversations: Collection[str]
    ) -> AsyncGenerator[Watched, None]:
        """Yields a person, and these conversations with their customers' devices, at once, and
        again after each change of them, also one that another instance makes.

        It may yield the same again, and may end: then the caller watches again. Raises Unavailable.
        """

    def watch_phase(self, phase: str, limit: int) -> AsyncGenerator[list[Conversation], None]:
        """Yields the first `limit` conversations of a phase, longest wait first, as `watch_person`
        does.
        """

    async def device(self, conversation: str) -> Snapshot[Device] | None:
        """Returns what the customer's device has told lately, None where nothing is kept."""

    async def keep_device(self, device: Snapshot[Device], now: datetime) -> None:
        """Replaces what a customer's device has told, if the token is current. It is kept for a
        day.
        """

    async def forget_device(self, conversation: str) -> None:
        """Deletes what the customer's device has told."""

    async def counted(
        self, since: datetime, until: datetime, tallies: Collection[Tally] = SHOWN
    ) -> list[Count]:
        """Returns the counts of these tallies for the quarters of an hour from `since` until
        before `until`. The default tallies are those that reports show. A cell may occur more
        than once.
        """

    async def correct(
        self, since: datetime, until: datetime, corrections: Sequence[Count], read_at: datetime
    ) -> None:
        """Replaces all corrections of the whole UTC days from `since` until before `until`.

        A correction whose `read_at` is later than this one is kept, so a repeated or interrupted
        recount does no harm. Raises PreconditionFailed.
        """

    async def journal_ends(self, since: datetime, until: datetime) -> Mapping[datetime, datetime]:
        """Returns, by UTC day, when the first journal entry behind that day's counts expires.

        Days whose entries never expire are left out.
        """

    async def scrub(self) -> bool:
        """Returns True if no file of the store holds replaced data any more, False if that
        cannot be done now.
        """

    def frozen(self) -> AbstractAsyncContextManager["ConversationStore"]:
        """Returns a read-only view of the store at one recent moment."""


class Publisher(Protocol):
    """Publishes messages to topics."""

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        """Returns when the topic has accepted the message. Raises Unavailable."""


class Sender(Protocol):
    """Makes HTTP calls to platforms and webhooks."""

    async def send(self, call: Call) -> Answer | None:
        """Returns the answer, or None if it is unknown whether the call arrived.

        Raises Unavailable if it did not arrive.
        """


@frozen
class Opened:
    """A file while it is being read. Header names are in lower case. `status` is 200, or 206 for
    the part of it that was asked for; 416 has no such part.
    """

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


class SignIn(Protocol):
    """Knows by an ID token who signs in. `terms` names who may: a session that began under other
    terms has ended.
    """

    client_id: str
    terms: str

    async def email(self, credential: str) -> str:
        """Returns the e-mail address of the person, in lower case.

        Raises Unauthenticated, Forbidden for a person who may not sign in, Unavailable.
        """


class Fetcher(Protocol):
    """Fetches files from platforms."""

    def open(self, call: Call, hosts: Collection[str]) -> AbstractAsyncContextManager[Opened]:
        """Opens the answer to a call, and follows redirects. Its chunks are read as they come.

        Nothing is fetched from a host that `hosts` does not name (see HasMedia.media_hosts), nor
        from an address that is not public. Raises Refused for such a host, NotFound if the file is
        gone, Unavailable if it cannot be fetched now.
        """


class MediaStore(Protocol):
    """Keeps files, by names such as `a/b/c`."""

    async def put(self, name: str, mime_type: str, chunks: AsyncIterator[bytes]) -> None:
        """Returns when the whole file is kept. Nothing is kept if `chunks` raises. Raises
        Unavailable.
        """

    def open(self, name: str, part: str | None) -> AbstractAsyncContextManager[Opened]:
        """Opens a file, or the part of it that a Range header names.

        Raises NotFound, Unavailable.
        """

    async def delete(self, prefix: str) -> None:
        """Deletes all files whose names begin with `prefix`. Raises Unavailable."""


class Clock(Protocol):
    """The source of the current time."""

    def now(self) -> datetime:
        """Returns the current time in UTC."""


@frozen
class Webhooks:
    """The webhook URL of each audience (BOT, HUMAN) that has one, and the key that signs the
    requests.
    """

    urls: Mapping[str, str] = field(default_factory=dict)
    key: str | None = field(default=None, repr=False)


@frozen
class CrmRecord:
    """Where comments are written: a `url` with placeholders in its path or query, the method,
    and the caller's credentials.
    """

    url: str = field(repr=False)
    method: str = "POST"
    secrets: tuple[str, ...] = field(default=(), repr=False)
    authorization: str | None = field(default=None, repr=False)


class Hand(Protocol):
    """What one request has accepted and delivers itself, before it answers."""

    async def take(self, before: Conversation, entry: JournalEntry) -> JournalEntry:
        """Returns the entry in the form in which it is committed: commands that this request will
        deliver say so. `before` is its conversation as it was read.
        """

    def keep(self, entry: JournalEntry, token: object) -> bool:
        """Keeps an entry, as it was before `take`, once it is committed. Returns whether it will
        deliver something of it.
        """

    async def deliver(self) -> Collection[str]:
        """Delivers what it keeps, for a bounded time. Returns the conversations of which nothing
        is left to deliver.
        """


class InPlace(Protocol):
    """Delivery by the instance that accepted an event."""

    def hand(self, ports: "Ports") -> Hand:
        """Returns the empty hand of one request."""


@frozen
class PublishedKeys:
    """The keys that a platform publishes, as it answered at `asked_at`."""

    answer: Answer
    asked_at: datetime
    good_until: datetime


@frozen
class Desks:
    """The desks that must be called, by the name of their platform."""

    chats: Mapping[str, "ChatDesk"] = field(default_factory=dict)
    flags: Mapping[str, "FlagDesk"] = field(default_factory=dict)


NO_DESKS, NO_TEAM = Desks(), Team()
Profiles = dict[tuple[str, str], tuple[Profile, datetime]]


@frozen
class Ports:
    """What a use case works with.

    `streams`: measurements are also published to a topic, for reports made outside of Baton.
    `circuits`: this instance's circuit breakers. `profiles`: who the people of desks are, by
    platform and the platform's own id, and until when this instance need not ask again.
    `looked_at`: when this instance has looked a desk's chat through. `keys`: what platforms publish
    to prove their requests, by address. `in_place`: what this function delivers itself, None for
    nothing. `early_wake_ups`: the queue allows a wake-up that comes before its commit.
    `media_links`, `media` and `media_store` make links to files, fetch them from platforms,
    and keep them; None where that is not set up. `people`: those of `BATON_AGENTS`, by their ids.
    `page_open_for`: how long after its last word a page of theirs counts as open.
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
    canned: Canned = field(default_factory=dict)
    streams: bool = False
    circuits: Circuits = field(default_factory=Circuits)
    profiles: Profiles = field(default_factory=dict)
    looked_at: dict[str, datetime] = field(default_factory=dict)
    keys: dict[str, PublishedKeys] = field(default_factory=dict)
    in_place: InPlace | None = None
    early_wake_ups: bool = False
    media_links: MediaLinks | None = None
    media: Fetcher | None = None
    media_store: MediaStore | None = None
    people: Mapping[str, Person] = field(default_factory=dict)
    page_open_for: timedelta = timedelta(seconds=90)
