"""Short words for customers of RCS and WhatsApp, and what the services need to serve them."""

import base64
import json
from dataclasses import replace
from typing import Any

from shared.platforms.base import Platform
from shared.platforms.bodies import hmac_sha256_hex, hmac_sha512_base64
from shared.platforms.rcs.platform import Rcs
from shared.platforms.whatsapp.platform import WhatsApp
from shared.ports import Ports
from shared.schemas.content import Content
from shared.schemas.events import BotMessage
from shared.schemas.http import Answer, Call, Request
from shared.schemas.notation import conversation_id
from shared.schemas.representative import Representative, RepresentativeType

BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
ANA, BEN = (conversation_id("whatsapp", f"1:+1202555010{n}") for n in (0, 1))
RCS_ANA = conversation_id("rcs", "a:+12025550100")


def wamid(name: str) -> str:
    whole = (
        b"\x1c\x18\x0b12025550100\x15\x02\x00\x12\x18\x20" + name.ljust(32, "0").encode() + b"\x00"
    )
    return f"wamid.{base64.b64encode(whole).decode()}"


class Meta:
    """Takes every message and gives it a wamid."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    async def send(self, call: Call) -> Answer:
        self.calls.append(call)
        return Answer(
            200, json.dumps({"messages": [{"id": wamid(f"OURS{len(self.calls)}")}]}).encode()
        )


def ports_of(bench: Any) -> Ports:
    """Returns ports with RCS and a WhatsApp that takes everything."""
    new: dict[str, Platform] = {
        "whatsapp": WhatsApp(app_secrets=("s",), access_token="t"),
        "rcs": Rcs(client_tokens=("t",)),
    }
    known = {**bench.ports.platforms, **new}
    able = {name: one.capabilities for name, one in known.items()}
    policy = replace(bench.ports.policy, capabilities=able)
    found: Ports = replace(bench.ports, platforms=known, policy=policy, sender=Meta())
    return found


def signed(**lists: Any) -> Request:
    value = {"metadata": {"phone_number_id": "1"}, **lists}
    body = json.dumps({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).encode()
    return Request(
        "POST", "/whatsapp", body, {"x-hub-signature-256": f"sha256={hmac_sha256_hex('s', body)}"}
    )


def says(number: int, native: str, text: str = "hi") -> dict[str, Any]:
    return {
        "from": f"1202555010{number}",
        "id": wamid(native),
        "type": "text",
        "text": {"body": text},
    }


def status(native: str, status: str) -> dict[str, Any]:
    return {"id": native, "status": status, "recipient_id": "12025550100"}


def rcs(**data: Any) -> Request:
    whole = json.dumps({"senderPhoneNumber": "+12025550100", "agentId": "a", **data}).encode()
    body = json.dumps({"message": {"data": base64.b64encode(whole).decode()}}).encode()
    return Request("POST", "/rcs", body, {"x-goog-signature": hmac_sha512_base64("t", whole)})


def bot(source: str, native: str) -> BotMessage:
    return BotMessage(
        id=native, source=source, actor="key:bot", key="bot", fact=False, keeps_id=True,
        representative=BOT,
        content=Content(text="News!"),
    )  # fmt: skip
