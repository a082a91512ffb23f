"""All that look for the conversation on which a linked id acts find the same one, also where the
channel has expired since, or has expired and begun again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from shared.conversations import requests as control
from shared.conversations.apply import apply
from shared.conversations.entries import new_entry
from shared.conversations.receive_webhook import receive_webhook
from shared.conversations.resolve import where_it_acts
from shared.customers.desk_chats import end_chats
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.commands import SendMessage, Signal, State
from shared.schemas.content import Content
from shared.schemas.conversation import Conversation
from shared.schemas.journal import JournalEntry
from shared.schemas.notation import hidden
from shared.schemas.notifications import USER_MESSAGES
from shared.stores.cache import CachedStore
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.phones_play import (
    ANA,
    BOT,
    RCS_ANA,
    bot,
    ports_of,
    says,
    signed,
    status,
    wamid,
)

OTHER = RCS_ANA
LINKED = {ANA: {"linked_to": OTHER}, OTHER: {"links": (ANA,)}}
BEGUN_AGAIN = {ANA: {"linked_to": OTHER}, OTHER: {}}
EXPIRED = {ANA: {"linked_to": OTHER}}
STATES = pytest.mark.parametrize(
    ("state", "acting"),
    [(LINKED, OTHER), (BEGUN_AGAIN, ANA), (EXPIRED, ANA), ({ANA: {}, OTHER: {}}, ANA)],
    ids=["linked", "channel begun again", "channel expired", "not linked"],
)


@dataclass
class Journals:
    """A store that notes whose journal is read."""

    store: Any
    read: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def latest(self, conversation: str, limit: int) -> Any:
        self.read.append(conversation)
        return await self.store.latest(conversation, limit)

    async def pending(self, conversation: str, after: int, limit: int) -> Any:
        self.read.append(conversation)
        return await self.store.pending(conversation, after, limit)


async def _applied(ports: Ports, bench: Bench, journals: Journals) -> str:
    return (await apply(ports, bot(ANA, "b-1"))).conversation.id


async def _looked_up(ports: Ports, bench: Bench, journals: Journals) -> str:
    found = await where_it_acts(ports, ANA)
    assert found is not None
    return found.value.id


async def _looked_up_in_a_copy(ports: Ports, bench: Bench, journals: Journals) -> str:
    found = await where_it_acts(ports, ANA, fresh=False)
    assert found is not None
    return found.value.id


async def _asked_for(ports: Ports, bench: Bench, journals: Journals) -> str:
    return (await control.channel_of(ports, ANA)).id


async def _types(ports: Ports, bench: Bench, journals: Journals) -> str:
    """What waits there decides whether typing is shown."""
    await control.signal_typing(
        ports, ANA, Signal(id="t", to="", kind="TYPING_STARTED", representative=BOT)
    )
    return journals.read[0]


async def _a_tap_names_no_message(ports: Ports, bench: Bench, journals: Journals) -> str:
    reply = {"type": "interactive", "interactive": {"button_reply": {"id": "yes", "title": "Yes"}}}
    await receive_webhook(ports, signed(messages=[{**says(0, "T1"), **reply}]))
    return journals.read[0]


async def _chats_end(ports: Ports, bench: Bench, journals: Journals) -> str:
    await end_chats(ports, ANA)
    return journals.read[0]


Caller = Callable[[Ports, Bench, Journals], Awaitable[str]]
CALLERS: list[Caller] = [
    _applied, _looked_up, _looked_up_in_a_copy, _asked_for, _types, _a_tap_names_no_message,
    _chats_end,
]  # fmt: skip


@STATES
@pytest.mark.parametrize("caller", CALLERS, ids=lambda one: one.__name__)
async def test_every_caller_finds_the_same_conversation(
    bench: Bench, state: dict[str, dict[str, Any]], acting: str, caller: Caller
) -> None:
    journals = Journals(bench.store)
    ports = replace(ports_of(bench), store=CachedStore(journals))
    await bench.store.commit(Commit([], [_stored(one, update) for one, update in state.items()]))
    assert await caller(ports, bench, journals) == acting


@STATES
async def test_a_receipt_is_for_those_who_listen_where_it_acts(
    bench: Bench, state: dict[str, dict[str, Any]], acting: str
) -> None:
    ports = ports_of(bench)
    listening = {OTHER: {"unsubscribed_at": bench.clock.now()}}
    stored = [_stored(one, {**update, **listening.get(one, {})}) for one, update in state.items()]
    await bench.store.commit(Commit([_sent_to_ana(ports, acting)], stored))
    await receive_webhook(ports, signed(statuses=[status(wamid("OURS1"), "read")]))
    assert bool(bench.publisher.on(USER_MESSAGES)) == (acting == ANA)


def _sent_to_ana(ports: Ports, acting: str) -> JournalEntry:
    message = SendMessage(
        id="m-1", to="1|12025550100", channel=ANA, representative=BOT, content=Content(text="hi"),
        native_id=hidden(wamid("OURS1")), state=State.SENT,
    )  # fmt: skip
    entry = new_entry(ports, "e-1", acting, "bot_message", seq=1, actor="bot", nonce="n")
    return entry.model_copy(update={"commands": (message,)})


def _stored(conversation: str, update: dict[str, Any]) -> Snapshot[Conversation]:
    known = Conversation(id=conversation, address="+12025550100", version=1)
    return Snapshot(known.model_copy(update=update), None)
