"""Typing and receipts in both directions: what a customer does reaches who speaks, what is
shown to them also ends.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from shared.conversations import requests as control
from shared.conversations.apply import apply
from shared.conversations.receive_webhook import receive_webhook
from shared.delivery.deliver import deliver
from shared.platforms.business_messages.platform import BusinessMessages
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.commands import Signal
from shared.schemas.content import Content
from shared.schemas.conversation import Conversation
from shared.schemas.desks import Called
from shared.schemas.events import (
    BotMessage,
    Claim,
    Event,
    HumanJoined,
    HumanLeft,
    HumanMessage,
    HumanRequested,
    UserMessage,
)
from shared.schemas.http import Request
from shared.schemas.notifications import USER_MESSAGES
from shared.schemas.representative import Representative, RepresentativeType
from shared.stores.cache import CachedStore
from tests.unit.use_cases.bot_play import ID, JANE
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.phones_play import RCS_ANA, ports_of, rcs

BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
SAM = Representative(representative_type=RepresentativeType.HUMAN, display_name="Sam")


class Unsigned(BusinessMessages):
    """The customer's own device, as it reports when its signature has been proved."""

    def authenticate(self, request: Request) -> None:
        return None


@pytest.fixture
def instances(bench: Bench) -> Iterator[tuple[Ports, Ports]]:
    """Two function instances on one store: the webhook, which keeps copies, and the other one."""
    platforms = {
        **bench.ports.platforms,
        "business_messages": Unsigned(api_url="https://platform.test"),
    }
    here = replace(bench.ports, platforms=platforms)
    yield replace(here, store=CachedStore(bench.store)), here


async def happens(ports: Ports, kind: type[Event], event_id: str, **more: Any) -> None:
    event = kind.model_validate(
        {"id": event_id, "source": ID, "address": "3333", "actor": "test", **more}
    )
    await apply(ports, event)


async def device(ports: Ports, **what: Any) -> None:
    body = {
        "conversationId": "3333",
        "agent": "brands/b/agents/a",
        "sendTime": "2026-01-01T00:00:00Z",
        **what,
    }
    reply = await receive_webhook(
        ports, Request("POST", "/business_messages", json.dumps(body).encode(), {})
    )
    assert reply.status == 200


TYPES: dict[str, Any] = {"userStatus": {"isTyping": True, "createTime": "2026-01-01T00:00:00Z"}}
READS: dict[str, Any] = {
    "receipts": {"receipts": [{"message": "conversations/3333/messages/m", "receiptType": "READ"}]}
}


def passed_on(bench: Bench) -> list[list[str]]:
    """Returns for whom typing and receipts were."""
    told = bench.publisher.on(USER_MESSAGES)
    return [one["audience"] for one in told if "receipts" in one or "userStatus" in one]


# From the customer.


@pytest.mark.parametrize("what", [TYPES, READS], ids=["typing", "receipt"])
async def test_after_a_claim_through_another_instance_nothing_goes_to_the_bot(
    bench: Bench, instances: tuple[Ports, Ports], what: dict[str, Any]
) -> None:
    webhook, api = instances
    await happens(webhook, UserMessage, "m1", form={}, said="hi")  # the copy of this instance
    await device(webhook, **what)
    await happens(api, Claim, "c1", representative=JANE, fact=False, key="jane")
    await device(webhook, **what)
    await happens(api, HumanLeft, "l1", representative=JANE)
    await device(webhook, **what)
    assert passed_on(bench) == [["BOT"], ["HUMAN"], ["BOT"]]


async def test_through_a_channel_that_another_instance_has_joined_nothing_goes_to_the_bot(
    bench: Bench, instances: tuple[Ports, Ports]
) -> None:
    webhook, api = instances
    await happens(webhook, UserMessage, "m1", form={}, said="hi")
    other = Conversation(id="rcs:1", address="1")
    known = await api.store.load(ID)
    assert known is not None
    await happens(api, UserMessage, "m2", source=other.id, address="1", form={}, said="hi")
    primary = await api.store.load(other.id)
    assert primary is not None
    linked = known.value.model_copy(update={"linked_to": other.id})
    joined = primary.value.model_copy(update={"links": (ID,)})
    await api.store.commit(
        Commit([], [Snapshot(linked, known.token), Snapshot(joined, primary.token)])
    )
    await happens(api, Claim, "c1", source=other.id, representative=JANE, fact=False, key="jane")
    await device(webhook, **TYPES)
    assert "BOT" not in str(passed_on(bench))


async def test_where_the_desks_own_assistant_answers_the_bot_hears_no_typing(
    bench: Bench, instances: tuple[Ports, Ports]
) -> None:
    webhook, api = instances
    await happens(api, UserMessage, "m1", form={}, said="hi")
    await happens(api, HumanRequested, "r1", reason="help")
    await device(webhook, **TYPES)
    known = await api.store.load(ID)
    assert known is not None
    called = Called(
        desk="calls", kind="ccai", handoff="h", opens_chats=True, chat="ccai:c", assisted=True
    )
    await api.store.commit(
        Commit([], [Snapshot(known.value.model_copy(update={"called": called}), known.token)])
    )
    await device(webhook, **TYPES)
    assert passed_on(bench) == [["BOT", "HUMAN"], ["HUMAN"]]


# To the customer.


async def signals(ports: Ports, kind: Any, who: Representative = BOT) -> None:
    await control.signal_typing(ports, ID, Signal(id="t", to="", kind=kind, representative=who))


def typed(bench: Bench) -> list[str]:
    """Returns what the platform was asked to show of typing, `who` first where a human does."""
    sent = [one for one in bench.sender.sent if str(one.get("eventType", "")).startswith("TYPING")]
    return [
        f"{one['representative']['displayName']} {one['eventType'].removeprefix('TYPING_')}"
        for one in sent
    ]


def says(who: Representative, text: str = "Hello") -> dict[str, Any]:
    return {"representative": who, "content": Content(text=text)}


async def test_a_stop_right_after_a_message_is_passed_on_though_the_message_is_not_shown_yet(
    bench: Bench,
) -> None:
    ports = bench.ports
    await happens(ports, UserMessage, "m1", form={}, said="hi")
    await deliver(ports, ID)
    await signals(ports, "TYPING_STARTED")
    await happens(ports, BotMessage, "b1", **says(BOT))
    await signals(ports, "TYPING_STOPPED")
    assert typed(bench) == ["Bot STARTED", "Bot STOPPED"]


async def test_typing_waits_for_messages_that_are_shown_first(bench: Bench) -> None:
    ports = bench.ports
    await happens(ports, UserMessage, "m1", form={}, said="hi")
    await happens(ports, BotMessage, "b1", **says(BOT))
    await signals(ports, "TYPING_STARTED")
    assert typed(bench) == []


@pytest.mark.parametrize("kind", [HumanJoined, HumanMessage], ids=["joins", "speaks"])
async def test_a_bot_that_a_human_interrupts_stops_to_type(bench: Bench, kind: type[Event]) -> None:
    ports = bench.ports
    await happens(ports, UserMessage, "m1", form={}, said="hi")
    await deliver(ports, ID)
    await signals(ports, "TYPING_STARTED")
    more = says(JANE) if kind is HumanMessage else {"representative": JANE}
    await happens(ports, kind, "h1", **more)
    await signals(ports, "TYPING_STOPPED")
    assert typed(bench) == ["Bot STARTED", "Bot STOPPED"]
    await deliver(ports, ID)
    await signals(ports, "TYPING_STARTED")
    bench.clock.forward(1000)
    await signals(ports, "TYPING_STOPPED")
    assert len(typed(bench)) == 2, "what was not begun is not ended"


@pytest.mark.parametrize("colleague", [True, False], ids=["a colleague stays", "the last one"])
async def test_a_human_who_leaves_while_they_type_stops_to_type(
    bench: Bench, colleague: bool
) -> None:
    ports = bench.ports
    await happens(ports, UserMessage, "m1", form={}, said="hi")
    for who in (JANE, SAM) if colleague else (JANE,):
        await happens(ports, HumanJoined, f"j {who.name}", representative=who)
    await deliver(ports, ID)
    await signals(ports, "TYPING_STARTED", JANE)
    await happens(ports, HumanLeft, "l1", representative=JANE)
    await deliver(ports, ID)
    await signals(ports, "TYPING_STOPPED", JANE)
    assert typed(bench) == ["Jane STARTED", "Jane STOPPED"]


async def test_signals_of_a_representative_who_was_not_shown_are_dropped(bench: Bench) -> None:
    ports = bench.ports
    await happens(ports, UserMessage, "m1", form={}, said="hi")
    await happens(ports, HumanJoined, "j1", representative=JANE)  # it is not shown yet
    for who in (JANE, SAM):
        await signals(ports, "TYPING_STARTED", who)
        await signals(ports, "TYPING_STOPPED", who)
    assert typed(bench) == []


async def test_a_channel_without_such_an_event_gets_none(bench: Bench) -> None:
    """RCS and WhatsApp end it by themselves: with the next message, or after 20 and 25 seconds."""
    ports = ports_of(bench)
    await receive_webhook(ports, rcs(messageId="A1", text="hi"))
    await deliver(ports, RCS_ANA)
    ports.sender.calls.clear()  # type: ignore[attr-defined]
    for kind in ("TYPING_STARTED", "TYPING_STOPPED"):
        signal = Signal(id="t", to="", kind=kind, representative=BOT)
        await control.signal_typing(ports, RCS_ANA, signal)
    (call,) = ports.sender.calls  # type: ignore[attr-defined]
    assert b"IS_TYPING" in call.body
