"""A desk's chat that Baton opened becomes the channel's: linked, and what happened in it before the link is taken.

A chat may be alive before Baton knows that it is its own: an agent who is quick has joined and spoken when the answer
arrives that names the chat. Until then its events are kept in a journal of its own. Link and replay are one commit, on
whose preconditions every event of the chat depends as well: each is either in that journal, or comes after the link.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.handoff.machine import decide
from shared.platforms.base import ENDED, Deflected, Ended
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.content import Content
from shared.schemas.conversation import Conversation
from shared.schemas.events import BotMessage, Event, HumanJoined, HumanLeft, HumanMessage
from shared.schemas.journal import JournalEntry
from shared.services.apply import entries_of, wake
from shared.services.departures import follows
from shared.services.link_records import ended, record_of
from shared.services.links import check_free, joined_to, seen
from shared.services.retry import until_uncontended

REPLAYED = 100  # entries of a chat's journal: more cannot happen before it is adopted

Linked = tuple[Conversation, Conversation]


async def adopt(ports: Ports, chat: str, address: str, handoff: str, channel: str) -> None:
    """Joins `chat` to `channel`; once it is joined this does nothing more. Raises NotFound for a channel that is gone,
    Refused `already-linked`, Contended and Unavailable."""
    await until_uncontended(lambda: _adopt(ports, chat, address, handoff, channel))
    for conversation in (chat, channel):
        await wake(ports, conversation)


async def _adopt(ports: Ports, chat: str, address: str, handoff: str, channel: str) -> None:
    ours = await ports.store.load(chat) or Snapshot(ports.policy.newcomer(chat, address), None)
    theirs = await seen(ports, channel)
    is_linked = ours.value.linked_to == channel and chat in theirs.value.links
    if is_linked and ours.value.address == address:
        return
    check_free(ours.value, theirs.value)
    nonce = uuid.uuid4().hex
    desk = _next(ours.value, {**joined_to(channel), "address": address})
    linked = _next(theirs.value, {"links": tuple(dict.fromkeys((*theirs.value.links, chat)))})
    pairs = ((ours.value, desk), (theirs.value, linked))
    entries = [
        record_of(ports, "link", "system", nonce, before, after, ended(ports, before, after)) for before, after in pairs
    ]
    held = [] if is_linked else await _held(ports, ours)  # by hand, before this: then nothing waits
    replayed, after = _replay(ports, linked, held, handoff, nonce)
    await ports.store.commit(Commit([*entries, *replayed], [Snapshot(desk, ours.token), Snapshot(after, theirs.token)]))


def _next(conversation: Conversation, update: Mapping[str, object]) -> Conversation:
    return conversation.model_copy(update={**update, "version": conversation.version + 1})


def _replay(
    ports: Ports, channel: Conversation, held: Sequence[Event], handoff: str, nonce: str
) -> tuple[list[JournalEntry], Conversation]:
    """Returns what the events make of the channel, one after the other, and the entries that say so."""
    entries: list[JournalEntry] = []
    for event in (one for each in held for one in follows(channel, each, handoff)):
        decision = decide(channel, event, ports.clock.now(), ports.policy)
        entries += entries_of(ports, event, decision, nonce)
        channel = decision.conversation
    return entries, channel


async def _held(ports: Ports, chat: Snapshot[Conversation]) -> list[Event]:
    """Returns what is on record of a chat, oldest first, under ids of its own: the old ones are taken."""
    if chat.token is None:
        return []
    page = await ports.store.journal(chat.value.id, None, REPLAYED)
    known = sorted((one.value for one in page.items if not one.value.marker), key=lambda entry: entry.seq)
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
        who, content = entry.representative, Content.model_construct(text=entry.text or "[empty]")
        return kind(**_common(entry), representative=who, content=content) if who else None

    return said


def _failed(entry: JournalEntry) -> Event:
    kind = Ended if (entry.event_id or "").startswith(ENDED) else Deflected
    return kind(**_common(entry), reason=entry.text or "the desk gave no reason")


_REPLAYED: Mapping[str, Callable[[JournalEntry], Event | None]] = {
    HumanJoined.kind: _joined,
    HumanMessage.kind: _said(HumanMessage),
    HumanLeft.kind: _left,
    BotMessage.kind: _said(BotMessage),
    Deflected.kind: _failed,
}
