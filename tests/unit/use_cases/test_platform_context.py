"""Where at its platform a conversation takes place: kept with it, and shown to desks."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from shared.conversations.receive_webhook import receive_webhook
from shared.delivery.deliver import deliver
from shared.platforms.csku.platform import Csku
from shared.ports import Ports
from shared.schemas.http import Request
from shared.schemas.notifications import HANDOFFS
from shared.schemas.team import Team, Url
from shared.teams.notify_handoff import notify_handoff
from shared.teams.slack import Slack
from tests.unit.use_cases.asking import ask

# The body that the platform's page on agent.message_out shows.
PRINTED = Path(__file__).parents[2] / "samples/csku/agent.message_out/body"
CONVERSATION = "/csku:conv_abc123"


async def told(ports: Ports, **changes: Any) -> None:
    body = json.loads(PRINTED.read_text())
    body = {**body, **changes, "message": {**body["message"], **changes.get("message", {})}}
    known = {**ports.platforms, "csku": Csku(webhook_secrets=("secret",))}
    request = Request("POST", "/csku", json.dumps(body).encode(), {"authorization": "secret"})
    await receive_webhook(replace(ports, platforms=known), request)


async def test_every_field_of_the_printed_body_can_be_read_afterwards(bench: Any) -> None:
    await told(bench.ports)
    shown = await ask(bench.ports, "GET", CONVERSATION)
    assert shown["platformContext"] == {
        "label": "John Doe",
        "channelId": "channel_merchant_id",
        "channelName": "WhatsApp Business",
        "channelEngine": "wa",
        "businessId": "biz_123",
        "businessName": "My Business",
        "userId": "merchant_456",
        "userName": "Merchant Name",
        "senderName": "Support Agent",
    }
    assert shown["customerName"] == "John Doe"
    assert shown["representatives"][0]["displayName"] == "Nama Agent Support"
    (entry,) = (await ask(bench.ports, "GET", f"{CONVERSATION}/journal"))["entries"]
    assert entry["occurredAt"] == "2025-01-28T09:20:00.000000Z"
    assert entry["time"] != entry["occurredAt"]
    assert entry["text"] == "Saya bisa membantu dengan pesanan Anda"


async def test_the_label_names_the_customer_in_lists_and_in_slack(bench: Any) -> None:
    await told(bench.ports)
    (listed,) = (await ask(bench.ports, "GET", "", phase="HUMAN"))["conversations"]
    assert listed["customerName"] == "John Doe"
    slack = Slack(Url("https://slack.test/s3cret"))
    ports = replace(bench.ports, team=Team([slack], "https://console.test/{conversation}"))
    await deliver(ports, "csku:conv_abc123")
    (joined,) = (one for one in bench.publisher.on(HANDOFFS) if one["type"] == "handoff.joined")
    data = base64.b64encode(json.dumps(joined).encode()).decode()
    pushed = json.dumps({"message": {"data": data}}).encode()
    await notify_handoff(ports, Request("POST", "/", pushed))
    await deliver(ports, "csku:conv_abc123")
    assert any(b"John Doe" in (call.body or b"") for call in bench.sender.calls)


async def test_a_later_event_changes_what_it_names_and_keeps_the_rest(bench: Any) -> None:
    await told(bench.ports)
    message = {"id": "msg_2", "channel": {"id": 7, "engine": None}, "bisnis": None, "user": "n/a"}
    await told(bench.ports, conversation_label="", message=message)
    shown = (await ask(bench.ports, "GET", CONVERSATION))["platformContext"]
    assert (shown["channelId"], shown["channelEngine"]) == ("7", "wa")
    assert (shown["label"], shown["businessName"]) == ("John Doe", "My Business")


async def test_a_label_does_not_replace_a_name_that_the_customer_gave(bench: Any) -> None:
    await told(bench.ports, event="channel.message_in", conversation_label="Rina")
    await told(bench.ports, conversation_label="08123", message={"id": "msg_2"})
    assert (await ask(bench.ports, "GET", CONVERSATION))["customerName"] == "Rina"
