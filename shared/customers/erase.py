"""Erase: it first writes a tombstone, then strips every journal entry to its hashed id, which still
identifies a duplicate.
"""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from shared.conversations.apply import wake
from shared.conversations.contention import until_uncontended
from shared.conversations.entries import new_entry, with_freed, with_record
from shared.conversations.resolve import led
from shared.conversations.stream import stream_what_waits
from shared.customers.desk_chats import chat_of, end_chats, erase_threads, unended
from shared.customers.link_entries import next_version
from shared.errors import NotFound, TooLarge, Unavailable
from shared.logs import log
from shared.measures.counts import Tally, counts_of, in_tally
from shared.measures.definitions import close
from shared.measures.messages import measures_of
from shared.media.names import folder_of
from shared.ports import Commit, Ports, PreconditionFailed, Snapshot
from shared.schemas.commands import FreeSlot, Record, State
from shared.schemas.conversation import Conversation, Erasing
from shared.schemas.journal import JournalEntry
from shared.schemas.measures import Name
from shared.schemas.notation import entry_id

PAGE, AT_ONCE = 200, 20
LONG_BEFORE = timedelta(
    days=1
)  # more than clocks differ, less than the shortest time that a journal is kept


async def erase(ports: Ports, conversation: str, key: str) -> None:
    """Returns once the store has no content of the conversation, nor of those linked with it.

    Raises NotFound for an unseen conversation. Raises Contended or Unavailable where the caller
    should ask again; the sweep then finishes an erase that has begun.
    """
    await end_chats(ports, conversation)
    await erase_threads(ports, conversation)
    tombstones = await until_uncontended(lambda: _bury_family(ports, conversation, key))
    if ports.people:  # the room that the conversation took is free from now on
        await asyncio.gather(*(wake(ports, one.id) for one in tombstones))
    if not await finish_erase(ports, tombstones):
        raise Unavailable(
            "store-in-use",
            "The conversation is erased, but an export or another program reads the store's file, "
            "which holds its words"
            " until then. Baton goes on by itself; ask again to know when it is done.",
        )


async def forget_chat(ports: Ports, chat: str) -> None:
    """Erases a chat of a customer who was erased, also one of which no event has come; no later
    event opens it again. The sweep finishes what cannot be finished now.
    """
    tombstones = await until_uncontended(lambda: _bury_chat(ports, chat))
    if tombstones:
        await finish_erase(ports, tombstones)


async def finish_erase(ports: Ports, tombstones: Sequence[Conversation]) -> bool:
    """Strips the journals of an erase that has begun and deletes the files that are kept, then
    marks it as finished and returns True; returns False while the store's files are in use.

    A conversation is finished only when its whole family is, and no file holds any of its content:
    a caller who asks again after a crash must not get success earlier.
    """
    for member in sorted({one for tombstone in tombstones for one in _reach(tombstone)}):
        snapshot = await ports.store.load(member)
        if snapshot is not None and snapshot.value.erasing is not None:
            await _strip_journal(ports, member, snapshot.value.erasing)
        await ports.store.forget_device(member)
        if ports.media_store is not None:
            await ports.media_store.delete(folder_of(member))
    if not await ports.store.scrub():
        return False
    for tombstone in tombstones:
        await until_uncontended(partial(_close, ports, tombstone))
    return True


async def _strip_journal(ports: Ports, conversation: str, erasing: Erasing) -> None:
    """Strips expired entries as well: Firestore may delete them days later."""
    cursor: str | None = ""
    while cursor is not None:
        page = await ports.store.journal(conversation, cursor or None, PAGE, expired=True)
        for start in range(0, len(page.items), AT_ONCE):
            batch = page.items[start : start + AT_ONCE]
            await asyncio.gather(*(_strip(ports, entry, erasing) for entry in batch))
        cursor = page.cursor


async def _bury_family(ports: Ports, conversation: str, key: str) -> list[Conversation]:
    """Buries the linked conversations, and chats without any event too: their later events then
    open nothing.
    """
    family = await _family(ports, conversation)
    known = {one.value.id for one in family}
    holder = next((one.value for one in family if one.value.linked_to is None), family[0].value)
    chats = [chat for chat in await _chats(ports, holder) if chat.value.id not in known]
    return await _bury(ports, [*family, *map(as_ours, chats)], key)


async def _bury_chat(ports: Ports, chat: str) -> list[Conversation]:
    found = await chat_of(ports, chat)
    return (
        [] if found.value.linked_to is not None else await _bury(ports, [as_ours(found)], "system")
    )


async def _chats(ports: Ports, channel: Conversation) -> list[Snapshot[Conversation]]:
    """Returns the chats that a desk made for a customer, linked or not."""
    past = [await chat_of(ports, one) for one in channel.past_chats]
    found = [*past, *(one.chat for one in await unended(ports, channel))]
    return [
        one
        for one in {one.value.id: one for one in found}.values()
        if one.value.linked_to in (None, channel.id)
    ]


def as_ours(chat: Snapshot[Conversation]) -> Snapshot[Conversation]:
    """Returns a chat that Baton opened, marked so that its tombstone says this."""
    return Snapshot(chat.value.model_copy(update={"ours": True}), chat.token)


async def _bury(
    ports: Ports, family: Sequence[Snapshot[Conversation]], key: str
) -> list[Conversation]:
    reach = tuple(sorted({one for member in family for one in _reach(member.value)}))
    version = next_version(member.value for member in family)
    tombstones = [
        Snapshot(tombstone(ports, member.value, reach, version), member.token) for member in family
    ]
    entries = [
        _record(ports, of.value, tombstone.value, key)
        for of, tombstone in zip(family, tombstones, strict=True)
    ]
    await ports.store.commit(Commit(entries, tombstones))
    return [tombstone.value for tombstone in tombstones]


async def _family(ports: Ports, asked: str) -> list[Snapshot[Conversation]]:
    """Returns the conversation, those linked with it, and those that became part of one of them:
    all of one customer.
    """
    conversation = await _led(ports, asked)
    first = await _member(ports, conversation)
    if first is None:
        raise NotFound(
            "unknown-conversation", "Baton knows no such conversation.", conversation=conversation
        )
    channel = await _member(ports, first.value.linked_to) if first.value.linked_to else first
    members = [first] if channel is None or channel is first else [first, channel]
    links = channel.value.links if channel else ()
    others = [await _member(ports, link) for link in links if link != conversation]
    found = [*members, *(other for other in others if other is not None)]
    formers = [await _member(ports, one.id) for each in found for one in each.value.formerly]
    return [*found, *(former for former in formers if former is not None)]


async def _led(ports: Ports, conversation: str) -> str:
    found = await led(ports, conversation)
    return found.value.id if found else conversation


async def _member(ports: Ports, conversation: str) -> Snapshot[Conversation] | None:
    """Returns a conversation, also an expired one of which only a part of the journal is left."""
    known = await ports.store.load(conversation)
    if known is not None:
        return known
    left = await ports.store.journal(conversation, None, 1, expired=True)
    return Snapshot(ports.policy.newcomer(conversation, conversation), None) if left.items else None


def _reach(conversation: Conversation) -> tuple[str, ...]:
    """Returns the conversation and those that an unfinished erase of it must reach."""
    return (conversation.id, *(conversation.erasing.family if conversation.erasing else ()))


def tombstone(
    ports: Ports, conversation: Conversation, reach: tuple[str, ...], version: int
) -> Conversation:
    """Returns what remains of a conversation while an erase of all of `reach` is under way."""
    return Conversation(
        id=conversation.id,
        address="",
        tracked=conversation.tracked,
        version=version,
        outbox_base=version,
        ours=conversation.ours,
        erased=True,
        **conversation.identity,
        erasing=Erasing(upto=version, since=ports.clock.now(), family=reach),
    )


def _record(ports: Ports, before: Conversation, tombstone: Conversation, key: str) -> JournalEntry:
    nonce = uuid.uuid4().hex
    entry = new_entry(
        ports,
        entry_id(tombstone.id, "erase", nonce),
        tombstone.id,
        "erase",
        seq=tombstone.version,
        actor=key,
        nonce=nonce,
    )
    freed = with_freed(entry, [before], ())
    measures = close(before, Name.ERASED, entry.time).measures
    return with_record(ports, freed, (*measures, *measures_of(before.uncounted)))


async def _strip(ports: Ports, entry: Snapshot[JournalEntry], erasing: Erasing) -> None:
    snapshot: Snapshot[JournalEntry] | None = entry
    while snapshot is not None and _is_of_the_erased(snapshot.value, erasing):
        bare = _bare(snapshot.value)
        if bare == snapshot.value:
            return
        try:
            await _replace(ports, bare, snapshot)
            return
        except PreconditionFailed:
            snapshot = await ports.store.entry(entry.value.conversation, entry.value.id)


def _is_of_the_erased(entry: JournalEntry, erasing: Erasing) -> bool:
    """Returns whether an entry is older than the erase.

    The dedupe record of a linked event counts in the channel's sequence; it has no commands and is
    always stripped. A conversation that expired and began again has a new sequence, so its older
    entries are recognised by their time.
    """
    return (
        entry.seq <= erasing.upto or not entry.commands or entry.time < erasing.since - LONG_BEFORE
    )


def _bare(entry: JournalEntry) -> JournalEntry:
    """Returns the stripped entry. The entries that it guards may belong to the customer's next
    conversation, so it keeps guarding them, and is due. What still has to free the room of a person
    stays as well: it says nothing about the customer.
    """
    kept = {"id", "conversation", "seq", "time", "kind", "source", "verdict", "nonce"}
    if entry.guards is not None:
        return JournalEntry(
            **{name: getattr(entry, name) for name in kept | {"guards"}}, due_at=entry.time
        )
    freeing = tuple(one for one in entry.pending if isinstance(one, FreeSlot))
    bare = JournalEntry(**{name: getattr(entry, name) for name in kept})
    if not freeing:
        return bare
    return bare.model_copy(update={"due_at": entry.due_at}).with_commands(freeing)


async def _replace(ports: Ports, bare: JournalEntry, full: Snapshot[JournalEntry]) -> None:
    """Counts what is still pending for the reports, and keeps the counted measures apart from the
    conversation, for a recount.

    A day that has no more room still takes the copies; a recount then counts the pending measures.
    The conversation is erased even if the reports can take nothing.
    """
    commands = full.value.commands
    waits = [
        command
        for command in commands
        if isinstance(command, Record) and command.state is State.PENDING
    ]
    await stream_what_waits(ports, full.value)
    copies = in_tally(counts_of(commands), Tally.ERASED)
    for counts in ([*counts_of(waits), *copies], copies, ()):
        try:
            await ports.store.update(Snapshot(bare, full.token), counts)
            return
        except TooLarge:
            log(
                "ERROR",
                "the reports cannot take any more of this day",
                conversation=bare.conversation,
            )


async def _close(ports: Ports, tombstone: Conversation) -> None:
    current = await ports.store.load(tombstone.id)
    if (
        current is not None
        and current.value.erasing == tombstone.erasing
        and current.value.erasing is not None
    ):
        update = {"erasing": None, "version": current.value.version + 1}
        await ports.store.commit(
            Commit((), [Snapshot(current.value.model_copy(update=update), current.token)])
        )
