"""What names a message by the platform's own id reaches bots and the team under the id that
Baton's callers gave it.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.conversations import requests as control
from shared.conversations.apply import take
from shared.conversations.id_translation import in_our_ids
from shared.delivery.deliver import deliver
from shared.errors import Refused, Unavailable
from shared.schemas.base import JsonObject
from shared.schemas.commands import Signal
from shared.schemas.content import Content
from shared.schemas.ephemeral import Receipt
from shared.schemas.events import BotMessage, SuggestionResponse, Undelivered
from shared.schemas.http import Answer, Call
from shared.schemas.representative import Representative, RepresentativeType
from tests.property.bare import CAPABILITIES, URL
from tests.property.clients import Clients, Report
from tests.property.ground import BARE

BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")


async def said(clients: Clients) -> str:
    """Returns the id under which a bot said something that the channel calls w1."""
    ports = clients.world.instances[0]
    await clients.post(ports, clients.says(BARE))
    ask = clients.message(BARE, "bot", 0)
    assert await clients.send(ports, ask) == "ok"
    await deliver(ports, BARE)
    assert [row["id"] for row in clients.world.internet.bare.shown] == ["w1"]
    return ask.id or ""


def receipts(*messages: str) -> JsonObject:
    return {"receipts": {"receipts": [{"message": one, "receiptType": "READ"} for one in messages]}}


async def test_a_receipt_names_the_callers_message(clients: Clients) -> None:
    message = await said(clients)
    body = {"conversationId": "p0", **receipts("conversations/bare:p0/messages/w1", "w1", "w9")}
    await clients.post(clients.world.instances[0], Report(BARE, 0, json.dumps(body).encode()))
    published: Any = clients.world.topics.published["baton-user-messages"][-1]
    named = [one["message"] for one in published["receipts"]["receipts"]]
    # w9 is not a message of Baton's
    assert named == [f"conversations/bare:p0/messages/{message}", message]


async def test_so_does_a_tap(clients: Clients) -> None:
    message = await said(clients)
    form: JsonObject = {"suggestionResponse": {"message": "w1", "text": "yes"}}
    tap = SuggestionResponse(id="t1", source=BARE, actor="platform:bare", form=form)
    ours = await in_our_ids(clients.world.instances[0], tap)
    assert isinstance(ours, SuggestionResponse)
    assert ours.form == {"suggestionResponse": {"message": message, "text": "yes"}}


async def test_the_team_hears_of_the_callers_message_that_did_not_arrive(clients: Clients) -> None:
    message = await said(clients)
    ports = clients.world.instances[0]
    failed = Undelivered(
        id="f1", source=BARE, actor="platform:bare", message="w1", reason="the phone is off"
    )
    for _ in range(2):
        await take(ports, [failed], lambda one: in_our_ids(ports, one))
    await deliver(ports, BARE)
    (told,) = clients.world.topics.published["baton-handoffs"]
    assert (told["type"], told["message_id"], told["reason"]) == (
        "delivery.failed",
        message,
        "the phone is off",
    )


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"receipts": "?"},
        {"receipts": {"receipts": ["?", {"message": 1}]}},
        {"suggestionResponse": {"text": "yes"}},
    ],
)
async def test_an_event_that_names_no_message_is_unchanged(
    clients: Clients, form: JsonObject
) -> None:
    await said(clients)
    receipt = Receipt(source=BARE, form=form)
    assert await in_our_ids(clients.world.instances[0], receipt) == receipt


async def test_where_the_journal_cannot_be_read_the_platforms_id_stays(clients: Clients) -> None:
    await said(clients)

    class Broken:
        async def sent_as(self, native: str) -> None:
            raise Unavailable("planned", "The store was told to fail.")

    receipt = Receipt(source=BARE, form=receipts("w1"))
    ports = replace(clients.world.instances[0], store=Broken())  # type: ignore[arg-type]  # of a store, all that is asked
    assert await in_our_ids(ports, receipt) == receipt


async def test_where_ids_are_the_callers_own_nothing_is_read(clients: Clients) -> None:
    ports = clients.world.instances[0]
    receipt = Receipt(source="business_messages:c0", form=receipts("m1"))
    assert await in_our_ids(replace(ports, store=None), receipt) == receipt  # type: ignore[arg-type]  # there is none


async def test_typing_answers_the_customers_latest_message(clients: Clients) -> None:
    await said(clients)
    ports, sent = clients.world.instances[0], list[Signal]()

    class Watching:
        name, capabilities = "bare", CAPABILITIES

        def call(self, signal: Signal) -> Call | None:
            sent.append(signal)
            return None

    signal = Signal(id="t1", to="", kind="TYPING_STARTED", representative=BOT)
    watching = replace(ports, platforms={"bare": Watching()})  # type: ignore[dict-item]  # of a platform, all that is asked
    await control.signal_typing(watching, BARE, signal)
    assert [one.message_id for one in sent] == ["user-1"]


async def test_a_refusal_outside_the_window_tells_the_team_at_once(clients: Clients) -> None:
    await said(clients)
    world = clients.world
    world.clock.advance(25 * 3600)
    world.topics.wake_ups.clear()
    late = clients.message(BARE, "bot", 0)
    for _ in range(2):
        assert await clients.send(world.instances[0], late) == "refused"
    assert late.metadata["reason"] == "outside-window"
    assert world.topics.wake_ups == {BARE: False}
    await deliver(world.instances[0], BARE)
    told = world.topics.published["baton-handoffs"]
    assert {(one["id"], one["type"], one["message_id"]) for one in told} == {
        (told[0]["id"], "delivery.failed", late.id)
    }
    await clients.post(world.instances[0], clients.says(BARE))
    assert await clients.send(world.instances[0], late) == "ok", (
        "a refused request does not consume its id"
    )


async def test_what_the_channel_refuses_for_its_window_is_a_failed_delivery(
    clients: Clients,
) -> None:
    await said(clients)
    ports = clients.world.instances[0]
    event = BotMessage(
        id="m2",
        source=BARE,
        actor="key:bot",
        fact=False,
        keeps_id=True,
        representative=BOT,
        content=Content(text="x"),
    )
    await control.accept(ports, event)

    class Closed:
        async def send(self, call: Call) -> Answer | None:
            return Answer(400 if call.url == URL else 200)

    await deliver(replace(ports, sender=Closed()), BARE)
    (told,) = clients.world.topics.published["baton-handoffs"]
    assert (told["type"], told["message_id"]) == ("delivery.failed", "m2")
    with pytest.raises(Refused):
        clients.world.clock.advance(25 * 3600)
        await control.accept(ports, event.model_copy(update={"id": "m3"}))
