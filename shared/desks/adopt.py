"""A desk's chat that Baton opened becomes the channel's: linked, and what happened in it before the
link is taken.

A chat may be alive before Baton knows that it is its own: an agent who is quick has joined and
spoken when the answer arrives that names the chat. Until then its events are kept in a journal of
its own. Link and replay are one commit, on whose preconditions every event of the chat depends as
well: each is either in that journal, or comes after the link.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.conversations.apply import wake
from shared.conversations.contention import until_uncontended
from shared.conversations.entries import entries_of
from shared.conversations.too_large import cut
from shared.customers.erase import as_ours, tombstone
from shared.customers.link_entries import ended, next_version, record_of
from shared.customers.links import check_free, joined_to, seen
from shared.errors import NotFound
from shared.handoff.machine import decide
from shared.handoff.visibility import merge, words_for
from shared.platforms.base import Deflected, Ended
from shared.platforms.desk import Chat
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.commands import CallDesk
from shared.schemas.content import Content
from shared.schemas.conversation import Conversation
from shared.schemas.events import BotMessage, Event, HumanJoined, HumanLeft, HumanMessage
from shared.schemas.journal import JournalEntry
from shared.schemas.own_events import ChatOpened
from shared.schemas.variables import Audience

CHATS_KEPT = 8  # of handoffs that are over: an agent may still type there
REPLAYED = 100  # entries of a chat's journal: more cannot happen before it is adopted
# bytes of each: all are in one commit, twice, and Firestore takes one of 10 MiB
REPLAYED_TEXT = 40_000


async def adopt(ports: Ports, conversation: str, chat: Chat, channel: str) -> None:
    """Joins a chat to `channel`; once it is joined this does nothing more. Raises NotFound for what
    is gone, Refused `already-linked`, Contended and Unavailable.
    """
    forgotten = await until_uncontended(lambda: _adopt(ports, conversation, chat, channel))
    for one in (conversation, channel):
        await wake(ports, one)
    for one in forgotten:
        await wake(ports, one, timers=True)


async def _adopt(ports: Ports, conversation: str, chat: Chat, channel: str) -> tuple[str, ...]:
    """Returns the chats that are forgotten for it."""
    ours = await ports.store.load(conversation) or Snapshot(
        ports.policy.newcomer(conversation, chat.address), None
    )
    if ours.value.ours and ours.value.erased:
        raise NotFound("forgotten", "This chat was for a customer who is forgotten.")
    theirs = await seen(ports, channel)
    is_linked = ours.value.linked_to == channel and conversation in theirs.value.links
    if is_linked and ours.value.address == chat.address:
        return ()
    check_free(ours.value, theirs.value)
    nonce = uuid.uuid4().hex
    update = {**joined_to(channel), "address": chat.address, "ours": True}
    version = next_version((ours.value, theirs.value))
    desk = ours.value.model_copy(update={**update, "version": version})
    entry = record_of(
        ports, "link", "system", nonce, ours.value, desk, ended(ports, ours.value, desk)
    )
    opened, linked = _opened(ports, desk, theirs.value, chat.handoff, nonce)
    held = [] if is_linked else await _held(ports, ours)  # by hand, before this: then nothing waits
    replayed, after = _replay(ports, linked, held, nonce)
    kept, forgotten = _forgetting(after)
    tombstones = await _tombstones(ports, forgotten, kept)
    written = (Snapshot(desk, ours.token), Snapshot(kept, theirs.token), *tombstones)
    await ports.store.commit(Commit([entry, *_ending_once([*opened, *replayed])], written))
    return forgotten


def _opened(
    ports: Ports, chat: Conversation, channel: Conversation, handoff: str, nonce: str
) -> tuple[list[JournalEntry], Conversation]:
    """Returns the channel with the chat, and with what was captured in it before."""
    links = tuple(dict.fromkeys((*channel.links, chat.id)))
    variables = merge(channel.variables, chat.variables, ports.clock.now())
    joined = channel.model_copy(
        update={"links": links, "variables": variables, "version": chat.version}
    )
    event = ChatOpened(
        id=f"{chat.id}:{nonce}", source=channel.id, actor="system", chat=chat.id, handoff=handoff
    )
    decision = decide(joined, event, ports.clock.now(), ports.policy)
    return entries_of(ports, event, decision, nonce), decision.conversation


def _replay(
    ports: Ports, channel: Conversation, held: Sequence[Event], nonce: str
) -> tuple[list[JournalEntry], Conversation]:
    """Returns what the events make of the channel, one after the other, and the entries that
    say so.
    """
    entries: list[JournalEntry] = []
    for event in held:
        decision = decide(channel, event, ports.clock.now(), ports.policy)
        entries += entries_of(ports, event, decision, nonce)
        channel = decision.conversation
    return entries, channel


def _ending_once(entries: Sequence[JournalEntry]) -> list[JournalEntry]:
    """Returns the entries, of which one only tells a chat to end that nobody needs: all of it
    is told at once.
    """
    told, kept = set[str](), list[JournalEntry]()
    for entry in entries:
        again = [
            command
            for command in entry.commands
            if isinstance(command, CallDesk) and command.chat in told
        ]
        told |= {
            one.chat
            for one in entry.commands
            if isinstance(one, CallDesk) and one.chat and not one.handoff
        }
        kept.append(
            entry.with_commands(tuple(one for one in entry.commands if one not in again))
            if again
            else entry
        )
    return kept


def _forgetting(channel: Conversation) -> tuple[Conversation, tuple[str, ...]]:
    """Returns the channel with no more chats than are kept, and those that are not."""
    gone = channel.past_chats[:-CHATS_KEPT]
    links = tuple(one for one in channel.links if one not in gone)
    return channel.model_copy(
        update={"links": links, "past_chats": channel.past_chats[-CHATS_KEPT:]}
    ), gone


async def _tombstones(
    ports: Ports, forgotten: Sequence[str], channel: Conversation
) -> list[Snapshot[Conversation]]:
    """Returns what is written of chats that no erase of the channel would reach any more: they
    are erased now.
    """
    found = [await ports.store.load(one) for one in forgotten]
    known = [as_ours(one) for one in found if one is not None]
    version = next_version((channel, *(one.value for one in known)))
    return [
        Snapshot(tombstone(ports, one.value, (one.value.id,), version), one.token) for one in known
    ]


async def _held(ports: Ports, chat: Snapshot[Conversation]) -> list[Event]:
    """Returns what is on record of a chat, oldest first, under ids of its own: the old ones are
    taken.
    """
    if chat.token is None:
        return []
    page = await ports.store.journal(chat.value.id, None, REPLAYED)
    known = sorted(
        (one.value for one in page.items if not one.value.marker), key=lambda entry: entry.seq
    )
    events = (_REPLAYED[entry.kind](entry) for entry in known if entry.kind in _REPLAYED)
    return [event for event in events if event is not None]


def _common(entry: JournalEntry) -> dict[str, Any]:
    return {
        "id": f"replayed:{entry.event_id}",
        "source": entry.conversation,
        "actor": entry.actor or "system",
        "occurred_at": entry.occurred_at or entry.time,
    }


def _joined(entry: JournalEntry) -> Event | None:
    who = entry.representative
    return HumanJoined(**_common(entry), representative=who) if who else None


def _left(entry: JournalEntry) -> Event | None:
    who = entry.representative
    return HumanLeft(**_common(entry), representative=who, reason=entry.reason) if who else None


def _said(kind: type[HumanMessage] | type[BotMessage]) -> Callable[[JournalEntry], Event | None]:
    def said(entry: JournalEntry) -> Event | None:
        text = cut(words_for(Audience.AGENT, entry) or "[empty]", REPLAYED_TEXT)
        who, content = entry.representative, Content.model_construct(text=text)
        return kind(**_common(entry), representative=who, content=content) if who else None

    return said


def _failed(entry: JournalEntry) -> Event:
    kind = Ended if entry.ends_chat else Deflected
    return kind(
        **_common(entry), reason=words_for(Audience.AGENT, entry) or "the desk gave no reason"
    )


_REPLAYED: Mapping[str, Callable[[JournalEntry], Event | None]] = {
    HumanJoined.kind: _joined,
    HumanMessage.kind: _said(HumanMessage),
    HumanLeft.kind: _left,
    BotMessage.kind: _said(BotMessage),
    Deflected.kind: _failed,
}
