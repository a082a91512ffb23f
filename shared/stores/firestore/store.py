"""The store of a deployment: Firestore with compare-and-set batches.

Transactions are not used, because they take locks and starve under contention.

conversations/{id}                  phase, waiting_since, due_at + shard, expire_at, body
conversations/{id}/journal/{entry}  time, seq, pending_seq, due_at + shard, natives, expire_at,
                                    body
people/{hash of the id}             due_at, expire_at, body
devices/{conversation}              expire_at, body
counts/...                          see `counts.py`

Firestore deletes expired documents late. Lists for users (queue, journal, latest) leave them out.
Other reads include them: `entry` still recognises a duplicate, `load` returns the token that a
write needs, and an erase finds the whole journal.

People have no shards. Each is written twice a minute at most, and Firestore takes about 500 writes
a second in one index range.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from shared.errors import TooLarge, Unavailable
from shared.measures.counts import SHOWN, Count, Tally
from shared.ports import Clock, Commit, Page, PreconditionFailed, Snapshot, Watched, Written
from shared.schemas.conversation import Conversation
from shared.schemas.devices import Device
from shared.schemas.journal import JournalEntry
from shared.schemas.people import Presence
from shared.stores.documents import (
    DEVICE_KEPT,
    SHARDS,
    from_conversation,
    is_in_no_line,
    to_conversation,
    to_device,
    to_entry,
    to_list,
    to_page,
    to_person,
    to_watched,
)
from shared.stores.firestore import counts as firestore_counts
from shared.stores.firestore import messages as forms
from shared.stores.firestore.buckets import Buckets
from shared.stores.firestore.rpc import FirestoreRpc, Message, is_invalid, is_slowed
from shared.stores.firestore.sent import SentMessages

T = TypeVar("T")
# How much longer a linked desk conversation is kept than the channel's: `_keep_links` extends it
# once a day at most.
LINK_MARGIN = timedelta(days=2)
_BY_WAIT = ("waiting_since",)
_IN_SEQUENCE = ("seq", "time")
_BACK = ("seq",)  # one field alone, whose own index serves it
_BY_DUE = ("due_at",)
_BY_SEQUENCE = ("pending_seq",)


class FirestoreStore:
    """A ConversationStore. Tokens are update times.

    `ttl` is how long a document is kept after its last write, `counts_ttl` the same for counts.
    """

    def __init__(
        self,
        rpc: FirestoreRpc,
        clock: Clock,
        ttl: timedelta,
        counts_ttl: timedelta = timedelta(days=400),
    ) -> None:
        self._rpc = rpc
        self._clock = clock
        self._ttl = ttl
        self._counts_ttl = counts_ttl
        self._sent = SentMessages(rpc)
        self._buckets = Buckets(clock)

    async def load(self, conversation: str, *, fresh: bool = True) -> Snapshot[Conversation] | None:
        document = await self._rpc.get(self._name(forms.conversation_path(conversation)))
        return document and Snapshot(_conversation(document), document.update_time)

    def copy_called(self, name: str) -> Snapshot[Conversation] | None:
        return None

    async def commit(self, commit: Commit) -> Written:
        entries, conversations = commit.entries, commit.conversations
        writes = [self._write_entry(entry, None) for entry in entries]
        writes += [self._write_conversation(conversation) for conversation in conversations]
        writes += [self._write_entry(entry.value, entry.token) for entry in commit.updates]
        writes += [self._write_person(person) for person in commit.people]
        times = iter(await self._rpc.commit(writes))  # in the order of the writes
        linked = [one for one in conversations if one.value.links]
        if linked:
            await self._keep_links(linked, {one.value.id for one in conversations})
        return Written(
            [Snapshot(entry, next(times)) for entry in entries],
            [Snapshot(conversation.value, next(times)) for conversation in conversations],
        )

    async def entry(self, conversation: str, entry: str) -> Snapshot[JournalEntry] | None:
        document = await self._rpc.get(self._name(forms.entry_path(conversation, entry)))
        return document and _entry(document)

    async def sent_as(self, native: str) -> Snapshot[JournalEntry] | None:
        found = await self._sent.find(native)
        return None if found is None else _entry(found)

    async def update(
        self, entry: Snapshot[JournalEntry], counts: Sequence[Count] = ()
    ) -> Snapshot[JournalEntry]:
        write = self._write_entry(entry.value, entry.token)
        added = self._add(entry.value, counts)
        try:
            time, *_ = await self._rpc.commit([write, *added])
        except (PreconditionFailed, Unavailable) as error:
            if added and is_slowed(error):
                self._buckets.note_contention()
            # INVALID_ARGUMENT: the day's document of counts would exceed 1 MiB.
            if added and is_invalid(error):
                raise TooLarge(
                    "too-large-to-store", "The document with this day's report counts is full."
                ) from error
            raise
        return Snapshot(entry.value, time)

    async def update_together(
        self, entries: Sequence[Snapshot[JournalEntry]]
    ) -> list[Snapshot[JournalEntry]]:
        writes = [self._write_entry(entry.value, entry.token) for entry in entries]
        times = await self._rpc.commit(writes)
        return [Snapshot(entry.value, time) for entry, time in zip(entries, times, strict=True)]

    async def pending(
        self, conversation: str, after: int, limit: int
    ) -> list[Snapshot[JournalEntry]]:
        query = forms.find("journal", [_pending(after)], _BY_SEQUENCE, limit)
        return [
            _entry(document)
            for document in await self._rpc.query(self._journal_of(conversation), query)
        ]

    async def pending_count(self, conversation: str) -> int:
        query = {"from_": [{"collection_id": "journal"}], "where": _pending(-1)}
        return await self._rpc.count(self._journal_of(conversation), query)

    async def queue(self, phase: str, cursor: str | None, limit: int) -> Page[Conversation]:
        start = forms.read_cursor(cursor, _BY_WAIT, self._rpc.root)
        found = await self._rpc.query(self._rpc.root, _in_phase(phase, limit, start))
        bodies = self._page(found, _BY_WAIT, limit, _body)
        page = to_page(bodies.items, bodies.cursor)
        waiting = [one for one in page.items if not is_in_no_line(one)]
        return Page(waiting, page.cursor, page.unreadable)

    async def journal(
        self, conversation: str, cursor: str | None, limit: int, *, expired: bool = False
    ) -> Page[Snapshot[JournalEntry]]:
        start = forms.read_cursor(cursor, _IN_SEQUENCE, self._rpc.root)
        query = forms.find("journal", [], _IN_SEQUENCE, limit, start)
        found = await self._rpc.query(self._journal_of(conversation), query)
        return self._page(found, _IN_SEQUENCE, limit, _entry, expired=expired)

    async def journal_back(
        self, conversation: str, cursor: str | None, limit: int
    ) -> Page[Snapshot[JournalEntry]]:
        start = forms.read_cursor(cursor, _BACK, self._rpc.root)
        query = forms.find("journal", [], _BACK, limit, start, direction="DESCENDING")
        found = await self._rpc.query(self._journal_of(conversation), query)
        return self._page(found, _BACK, limit, _entry)

    async def latest(self, conversation: str, limit: int) -> list[Snapshot[JournalEntry]]:
        return (await self.journal_back(conversation, None, limit)).items

    async def due_conversations(self, now: datetime, cursor: str | None, limit: int) -> Page[str]:
        return await self._due({"collection_id": "conversations"}, now, cursor, limit)

    async def due_entries(self, now: datetime, cursor: str | None, limit: int) -> Page[str]:
        return await self._due(
            {"collection_id": "journal", "all_descendants": True}, now, cursor, limit
        )

    async def conversations(self, cursor: str | None, limit: int) -> Page[Conversation]:
        start = forms.read_cursor(cursor, (), self._rpc.root)
        query = forms.find("conversations", [], (), limit, start)
        bodies = self._page(await self._rpc.query(self._rpc.root, query), (), limit, _body)
        return to_page(bodies.items, bodies.cursor)

    async def people(self, ids: Collection[str]) -> Mapping[str, Snapshot[Presence]]:
        names = [self._name(forms.person_path(one)) for one in ids]
        found = map(_person, await self._rpc.get_all(names) if names else ())
        return {one.value.id: one for one in found}

    async def due_people(
        self, now: datetime, cursor: str | None, limit: int
    ) -> Page[Snapshot[Presence]]:
        due = forms.where("due_at", "LESS_THAN_OR_EQUAL", forms.timestamp(now))
        start = forms.read_cursor(cursor, _BY_DUE, self._rpc.root)
        found = await self._rpc.query(
            self._rpc.root, forms.find("people", [due], _BY_DUE, limit, start)
        )
        more = len(found) == limit
        return Page(
            [_person(one) for one in found],
            forms.write_cursor(found[-1], _BY_DUE) if more else None,
        )

    async def watch_person(
        self, person: str, conversations: Collection[str]
    ) -> AsyncGenerator[Watched, None]:
        mine = self._name(forms.person_path(person))
        among = [self._name(forms.conversation_path(one)) for one in conversations]
        devices = [self._name(forms.device_path(one)) for one in conversations]
        target = {"documents": {"documents": [mine, *among, *devices]}}
        async with aclosing(self._rpc.listen(target)) as moments:
            async for found in moments:
                theirs, told = (
                    [_body(found[name]) for name in names if name in found]
                    for names in (among, devices)
                )
                yield to_watched(_body(found[mine]) if mine in found else None, theirs, told)

    async def watch_phase(self, phase: str, limit: int) -> AsyncGenerator[list[Conversation], None]:
        query = {"parent": self._rpc.root, "structured_query": _in_phase(phase, limit)}
        async with aclosing(self._rpc.listen({"query": query})) as moments:
            async for found in moments:
                yield to_list(map(_body, sorted(found.values(), key=forms.wait_position)))

    async def device(self, conversation: str) -> Snapshot[Device] | None:
        document = await self._rpc.get(self._name(forms.device_path(conversation)))
        return document and Snapshot(to_device(_body(document)), document.update_time)

    async def keep_device(self, device: Snapshot[Device], now: datetime) -> None:
        name = self._name(forms.device_path(device.value.id))
        fields = forms.device_fields(device.value, now + DEVICE_KEPT)
        if device.token is None:
            await self._rpc.commit([forms.create(name, fields)])
        else:
            await self._rpc.commit([forms.replace(name, fields, device.token)])

    async def forget_device(self, conversation: str) -> None:
        await self._rpc.commit([{"delete": self._name(forms.device_path(conversation))}])

    async def counted(
        self, since: datetime, until: datetime, tallies: Collection[Tally] = SHOWN
    ) -> list[Count]:
        found = await self._counts(since, until)
        return await asyncio.to_thread(_read, found, since, until, tallies)

    async def correct(
        self, since: datetime, until: datetime, corrections: Sequence[Count], read_at: datetime
    ) -> None:
        present = filter(firestore_counts.holds_corrections, await self._counts(since, until))
        for write in firestore_counts.corrections(
            self._rpc.root, corrections, present, self._counts_ttl, read_at
        ):
            await self._rpc.commit([write])

    async def journal_ends(self, since: datetime, until: datetime) -> Mapping[datetime, datetime]:
        ends: dict[datetime, datetime] = {}
        for document in await self._counts(since, until):
            day, end = firestore_counts.day_named(document), firestore_counts.journal_end(document)
            if end is not None:
                ends[day] = min(end, ends.get(day, end))
        return ends

    async def scrub(self) -> bool:
        """Returns True: Firestore keeps replaced data only in backups and for point-in-time
        recovery, and both expire.
        """
        return True

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator["FirestoreStore"]:
        rpc = await self._rpc.as_of_now()
        try:
            yield FirestoreStore(rpc, self._clock, self._ttl, self._counts_ttl)
        finally:
            await rpc.close()

    async def close(self) -> None:
        await self._rpc.close()

    def _add(self, entry: JournalEntry, counts: Sequence[Count]) -> list[Message]:
        """Returns the writes that add the counts.

        `until` is the earliest time at which this entry can expire; a conversation is kept at least
        as long.
        """
        if not counts:
            return []
        of, until = self._buckets.next_for(entry.conversation), entry.time + self._ttl
        return firestore_counts.writes(self._rpc.root, counts, of, self._counts_ttl, until)

    async def _counts(self, since: datetime, until: datetime) -> list[Any]:
        return await self._rpc.query(
            self._rpc.root, firestore_counts.query(self._rpc.root, since, until)
        )

    def _write_entry(self, entry: JournalEntry, token: object | None) -> Message:
        """Returns the write. Each one extends the entry's expiry from now, however old it is."""
        name = self._name(forms.entry_path(entry.conversation, entry.id))
        fields = forms.entry_fields(entry, self._expiry(entry.due_at))
        return forms.create(name, fields) if token is None else forms.replace(name, fields, token)

    def _write_conversation(self, conversation: Snapshot[Conversation]) -> Message:
        value, token = conversation.value, conversation.token
        document = from_conversation(value)
        expire_at = self._expiry(document.due_at)
        if value.is_only_a_name:
            expire_at += self._ttl  # it outlives the conversation to which it leads
        elif value.linked_to:
            expire_at += LINK_MARGIN
        name = self._name(forms.conversation_path(value.id))
        fields = forms.conversation_fields(value.id, document, expire_at)
        return forms.create(name, fields) if token is None else forms.replace(name, fields, token)

    def _write_person(self, person: Snapshot[Presence]) -> Message:
        """Returns the write. A document with slots does not expire: they would be free again while
        their customers are still there.
        """
        value = person.value
        name = self._name(forms.person_path(value.id))
        fields = forms.person_fields(value, None if value.slots else self._expiry(None))
        if person.token is None:
            return forms.create(name, fields)
        return forms.replace(name, fields, person.token)

    def _expiry(self, due_at: datetime | None) -> datetime:
        now = self._clock.now()
        return max(now, due_at or now) + self._ttl

    async def _keep_links(
        self, linked: Sequence[Snapshot[Conversation]], written: Collection[str]
    ) -> None:
        """Extends the expiry of linked desk conversations once a day, because they must outlive the
        channel's conversation.

        A commit to the channel does not write them. They are extended when the channel's last
        commit, whose time is its token, was on an earlier day. A failure is ignored: LINK_MARGIN
        leaves room until the next day.
        """
        today = _day(self._clock.now().timestamp())
        for channel in linked:
            before: Any = channel.token
            if before is not None and _day(before.seconds) < today:
                await asyncio.gather(
                    *(self._keep(link) for link in channel.value.links if link not in written)
                )

    async def _keep(self, conversation: str) -> None:
        name = self._name(forms.conversation_path(conversation))
        try:
            await self._rpc.commit([forms.touch(name, self._expiry(None) + LINK_MARGIN)])
        except (PreconditionFailed, Unavailable):
            return

    async def _due(
        self, origin: Message, now: datetime, cursor: str | None, limit: int
    ) -> Page[str]:
        """Reads a share of the page from each shard and merges the results in order.

        A shard that returned its full share may have more documents after its last one. So the page
        ends at the earliest last document of such shards, and the next page begins there.
        """
        share = -(-limit // SHARDS)
        start = forms.read_cursor(cursor, _BY_DUE, self._rpc.root)
        queries = (
            self._rpc.query(self._rpc.root, _due_query(origin, n, now, share, start))
            for n in range(SHARDS)
        )
        parts = await asyncio.gather(*queries)
        found = sorted((document for part in parts for document in part), key=forms.due_position)
        full = [forms.due_position(part[-1]) for part in parts if len(part) == share]
        page = [
            document for document in found if not full or forms.due_position(document) <= min(full)
        ][:limit]
        more = bool(full) or len(page) < len(found)
        items = [forms.conversation_of(document.name) for document in page]
        return Page(items, forms.write_cursor(page[-1], _BY_DUE) if more else None)

    def _page(
        self,
        documents: list[Any],
        order: Sequence[str],
        limit: int,
        item: Callable[[Any], T],
        *,
        expired: bool = False,
    ) -> Page[T]:
        now = self._clock.now()
        items = [
            item(document)
            for document in documents
            if expired or forms.moment(document.fields["expire_at"]) > now
        ]
        return Page(
            items, forms.write_cursor(documents[-1], order) if len(documents) == limit else None
        )

    def _journal_of(self, conversation: str) -> str:
        return self._name(forms.conversation_path(conversation))

    def _name(self, path: str) -> str:
        return f"{self._rpc.root}/{path}"


def _body(document: Any) -> str:
    return str(document.fields["body"].string_value)


def _conversation(document: Any) -> Conversation:
    return to_conversation(_body(document))


def _entry(document: Any) -> Snapshot[JournalEntry]:
    return Snapshot(to_entry(_body(document)), document.update_time)


def _person(document: Any) -> Snapshot[Presence]:
    return Snapshot(to_person(_body(document)), document.update_time)


def _read(
    documents: list[Any], since: datetime, until: datetime, tallies: Collection[Tally]
) -> list[Count]:
    """Returns the counts of these documents.

    A day has megabytes of them, so callers run this in a thread.
    """
    found = (one for document in documents for one in firestore_counts.read(document, tallies))
    return [one for one in found if since <= one.cell.quarter < until]


def _pending(after: int) -> Message:
    return forms.where("pending_seq", "GREATER_THAN", forms.integer(after))


def _in_phase(phase: str, limit: int, start: Sequence[Message] = ()) -> Message:
    """Returns a query for the conversations of a phase, longest wait first."""
    filters = [forms.where("phase", "EQUAL", {"string_value": phase})]
    return forms.find("conversations", filters, _BY_WAIT, limit, start)


def _due_query(
    origin: Message, shard: int, now: datetime, limit: int, start: Sequence[Message]
) -> Message:
    filters = [
        forms.where("shard", "EQUAL", forms.integer(shard)),
        forms.where("due_at", "LESS_THAN_OR_EQUAL", forms.timestamp(now)),
    ]
    query = forms.find("", filters, _BY_DUE, limit, start)
    return {**query, "from_": [origin], "select": {"fields": [{"field_path": "due_at"}]}}


def _day(seconds: float) -> int:
    return int(seconds // 86400)
