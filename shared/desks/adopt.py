"""Links a chat that Baton opened at a desk to the customer's channel, and replays what happened in
it before the link.

A chat may have events before Baton knows that the chat is its own: a quick agent may join and speak
before the answer that names the chat. Until then its events are stored in a journal of its own.
Link and replay are one commit, and every event of the chat depends on the same preconditions. So
each event is either in that journal, or comes after the link.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.conversations.apply import wake
from shared.conversations.contention import until_uncontended
from shared.conversations.desk_message_ids import REPLAYED_ID
from shared.conversations.desk_people import as_known_here
from shared.conversations.entries import entries_of
from shared.conversations.too_large import cut
from shared.customers.erase import as_ours, tombstone
from shared.customers.link_entries import ended, next_version, record_of
from shared.customers.links import check_free, joined_to, seen
from shared.errors import NotFound
from shared.handoff.machine import decide
from shared.handoff.visibility import attachments_of, merge, words_for
from shared.platforms.base import Deflected, Ended
from shared.platforms.desk import Chat
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.commands import CallDesk
from shared.schemas.content import Content, File
from shared.schemas.conversation import Conversation
from shared.schemas.events import (
    BotMessage,
    ByRepresentative,
    Event,
    HumanJoined,
    HumanLeft,
    HumanMessage,
)
from shared.schemas.journal import JournalEntry
from shared.schemas.own_events import ChatOpened
from shared.schemas.variables import Audience

CHATS_KEPT = 8  # chats of past handoffs: an agent may still type there
REPLAYED = 100  # entries of a chat's journal; fewer events come before it is adopted
# bytes of each text: one commit has all of them twice, and Firestore allows 10 MiB
REPLAYED_TEXT = 40_000


async def adopt(ports: Ports, conversation: str, chat: Chat, channel: str) -> None:
    """Links a chat to `channel`; does nothing where it is linked already. Raises NotFound where
    either does not exist any more, Refused `already-linked`, Contended and Unavailable.
    """
    forgotten = await until_uncontended(lambda: _adopt(ports, conversation, chat, channel))
    for one in (conversation, channel):
        await wake(ports, one)
    for one in forgotten:
        await wake(ports, one, timers=True)


async def _adopt(ports: Ports, conversation: str, chat: Chat, channel: str) -> tuple[str, ...]:
    """Returns the past chats that are erased to make room for it."""
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
    held = (
        [] if is_linked else await _held(ports, ours)
    )  # an operator linked it before: then no event waits
    replayed, after = _replay(ports, linked, held, nonce)
    kept, forgotten = _forgetting(after)
    tombstones = await _tombstones(ports, forgotten, kept)
    written = (Snapshot(desk, ours.token), Snapshot(kept, theirs.token), *tombstones)
    await ports.store.commit(Commit([entry, *_ending_once([*opened, *replayed])], written))
    return forgotten


def _opened(
    ports: Ports, chat: Conversation, channel: Conversation, handoff: str, nonce: str
) -> tuple[list[JournalEntry], Conversation]:
    """Returns the channel with the chat and with the variables that were captured in it before."""
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
    """Returns the entries of the events, applied to the channel one after the other, and the
    channel in its new state.
    """
    entries: list[JournalEntry] = []
    for one in held:
        event = as_known_here(channel, one) if isinstance(one, ByRepresentative) else one
        decision = decide(channel, event, ports.clock.now(), ports.policy)
        entries += entries_of(ports, event, decision, nonce)
        channel = decision.conversation
    return entries, channel


def _ending_once(entries: Sequence[JournalEntry]) -> list[JournalEntry]:
    """Returns the entries with at most one command that ends each chat that is not needed."""
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
    """Returns the channel with CHATS_KEPT past chats at most, and the ids of the others."""
    gone = channel.past_chats[:-CHATS_KEPT]
    links = tuple(one for one in channel.links if one not in gone)
    return channel.model_copy(
        update={"links": links, "past_chats": channel.past_chats[-CHATS_KEPT:]}
    ), gone


async def _tombstones(
    ports: Ports, forgotten: Sequence[str], channel: Conversation
) -> list[Snapshot[Conversation]]:
    """Returns the tombstones of chats that no later erase of the channel would reach."""
    found = [await ports.store.load(one) for one in forgotten]
    known = [as_ours(one) for one in found if one is not None]
    version = next_version((channel, *(one.value for one in known)))
    return [
        Snapshot(tombstone(ports, one.value, (one.value.id,), version), one.token) for one in known
    ]


async def _held(ports: Ports, chat: Snapshot[Conversation]) -> list[Event]:
    """Returns the stored events of a chat, the oldest first, under new ids: the old ones are
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
        "id": f"{REPLAYED_ID}{entry.event_id}",
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
        who = entry.representative
        return kind(**_common(entry), representative=who, content=_content(entry)) if who else None

    return said


def _content(entry: JournalEntry) -> Content:
    """Returns what was said: the file that the desk's platform has, else the words."""
    file = next((File.of(one) for one in attachments_of(entry) if one.id), None)
    if file is not None:
        return Content(file=file)
    text = cut(words_for(Audience.AGENT, entry) or "[empty]", REPLAYED_TEXT)
    return Content.of_fact(text)


def _failed(entry: JournalEntry) -> Event:
    kind = Ended if entry.ends_chat else Deflected
    reason = words_for(Audience.AGENT, entry) or "the desk gave no reason"
    return kind(**_common(entry), reason=reason, keep=entry.keep)


_REPLAYED: Mapping[str, Callable[[JournalEntry], Event | None]] = {
    HumanJoined.kind: _joined,
    HumanMessage.kind: _said(HumanMessage),
    HumanLeft.kind: _left,
    BotMessage.kind: _said(BotMessage),
    Deflected.kind: _failed,
}
