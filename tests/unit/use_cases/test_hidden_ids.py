"""Ids that contain a number stay inside. A reader of a message still knows which message it is."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from shared.conversations import requests as control
from shared.conversations.id_translation import in_their_ids
from shared.conversations.receive_webhook import receive_webhook
from shared.delivery.deliver import deliver
from shared.ports import Ports
from shared.schemas.commands import Signal
from shared.schemas.events import UserMessage
from shared.schemas.http import Answer, Call
from shared.schemas.notation import conversation_id, hidden
from tests.unit.use_cases.phones_play import (
    ANA,
    BOT,
    RCS_ANA,
    bot,
    ports_of,
    rcs,
    says,
    signed,
    status,
    wamid,
)


@pytest.fixture
def ports(bench: Any) -> Ports:
    return ports_of(bench)


async def test_nothing_that_leaves_holds_a_wamid(ports: Ports, bench: Any) -> None:
    await receive_webhook(ports, signed(messages=[says(0, "A1")]))
    await control.accept(ports, bot(ANA, "my-1"))
    await deliver(ports, ANA)
    ours = wamid("OURS2")  # the first call was the bot's webhook
    await receive_webhook(
        ports, signed(statuses=[status(ours, one) for one in ("sent", "delivered", "failed")])
    )
    await receive_webhook(ports, signed(statuses=[status(wamid("UNKNOWN"), "read")]))
    await deliver(ports, ANA)
    outside = json.dumps(bench.publisher.published)
    to_the_bot = [call for call in ports.sender.calls if "graph.facebook" not in call.url]  # type: ignore[attr-defined]
    shown = await control.seen(ports, ANA)
    assert to_the_bot
    for text in (
        outside,
        *(call.body.decode() for call in to_the_bot),
        shown.last_message_id or "",
    ):
        assert "wamid" not in text
    receipts = [
        one["receipts"]["receipts"][0]
        for one in bench.publisher.on("baton-user-messages")
        if "receipts" in one
    ]
    assert [one["message"].rpartition("/")[2] for one in receipts] == [
        "my-1",
    ]
    failed = [
        one for one in bench.publisher.on("baton-handoffs") if one["type"] == "delivery.failed"
    ]
    assert [one["message_id"] for one in failed] == ["my-1"]


async def test_a_receipt_and_typing_reach_whatsapp_under_its_own_id(ports: Ports) -> None:
    await receive_webhook(ports, signed(messages=[says(0, "A1"), says(0, "A2")]))
    await deliver(ports, ANA)
    ports.sender.calls.clear()  # type: ignore[attr-defined]
    channel = await control.channel_of(ports, ANA)
    for message in (hidden(wamid("A1")), "h-" + "0" * 32):
        await control.signal_receipt(
            ports, channel, Signal(id="r", to="", kind="READ", message_id=message)
        )
    await control.signal_typing(
        ports, ANA, Signal(id="t", to="", kind="TYPING_STARTED", representative=BOT)
    )
    sent = [json.loads(call.body) for call in ports.sender.calls]  # type: ignore[attr-defined]
    assert [one["message_id"] for one in sent] == [wamid("A1"), wamid("A2")]
    assert "typing_indicator" in sent[1]


async def test_an_id_that_hides_nothing_stays(ports: Ports) -> None:
    await receive_webhook(ports, rcs(messageId="MxA1", text="hi"))
    channel = await control.channel_of(ports, RCS_ANA)
    assert [await in_their_ids(ports, channel, one) for one in ("MxA1", None)] == ["MxA1", None]


async def test_a_receipt_that_comes_before_its_message_is_on_record_names_it(
    ports: Ports, bench: Any
) -> None:
    """The entry is written when all of it is done; the bot's webhook beside it may take its
    time.
    """
    await receive_webhook(ports, rcs(messageId="1", text="hi"))
    await control.accept(ports, bot(RCS_ANA, "my-1"))

    class Google:
        async def send(self, call: Call) -> Answer:
            native = re.search("agentMessages[?]messageId=([^&]+)", call.url)
            if native:
                delivered = {"eventType": "DELIVERED", "eventId": "e1", "messageId": native[1]}
                await receive_webhook(ports, rcs(**delivered))
            return Answer(200, b"{}")

    await deliver(replace(ports, sender=Google()), RCS_ANA)
    (told,) = [one for one in bench.publisher.on("baton-user-messages") if "receipts" in one]
    assert told["receipts"]["receipts"][0]["message"].endswith("/messages/my-1")


async def test_one_id_of_a_caller_in_two_conversations_is_sent_twice(ports: Ports) -> None:
    uuid = "0b1c6d80-7a5d-4c0f-9a55-6f8c3c7b1a11"
    for number in ("+12025550100", "+12025550101"):
        await receive_webhook(ports, rcs(messageId="1", text="hi", senderPhoneNumber=number))
        conversation = conversation_id("rcs", f"a:{number}")
        await control.accept(ports, bot(conversation, uuid))
        await deliver(ports, conversation)
    urls = [call.url for call in ports.sender.calls if "agentMessages" in call.url]  # type: ignore[attr-defined]
    assert len({url.partition("messageId=")[2][:36] for url in urls}) == 2


def test_a_user_message_keeps_what_it_was_before_its_native_id() -> None:
    """A digest tells a repetition from another use of an id: what an id stands for is no part
    of what is said.
    """
    message = UserMessage(id="h-1", source=ANA, actor="p", form={}, said="hi")
    assert message.digest == message.model_copy(update={"native_id": "wamid.1"}).digest
