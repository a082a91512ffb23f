"""A channel that shows bare texts: no frames, no labels, ids of its own, and no memory of earlier
requests.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.platforms.base import USUAL_BODY, Outcome, outcome_of_status
from shared.platforms.bodies import parse_object
from shared.schemas.base import JsonObject
from shared.schemas.commands import SendMessage, Signal, ToChannel
from shared.schemas.conversation import Capabilities
from shared.schemas.ephemeral import Ephemeral, Receipt
from shared.schemas.events import Event, HumanRequested, UserMessage
from shared.schemas.http import Answer, Call, Request, Response
from shared.schemas.notation import time_or_none

NAME, URL = "bare", "http://bare.example/messages"
CAPABILITIES = Capabilities(
    frames=False,
    labels=False,
    rich_cards=False,
    idempotent_sends=False,
    caller_ids=False,
    window_hours=24,
)


@dataclass(frozen=True, slots=True)
class Bare:
    """Reads Business Messages' form, which the clients of these tests write."""

    name: str = NAME
    capabilities: Capabilities = CAPABILITIES

    def body_limit(self, request: Request) -> int:
        return USUAL_BODY

    def handshake(self, request: Request) -> Response | None:
        return None

    def authenticate(self, request: Request) -> None:
        return None

    def events(self, request: Request) -> Sequence[Event | Ephemeral]:
        body = parse_object(request.body)
        source = f"{NAME}:{body['conversationId']}"
        if "receipts" in body:
            return [Receipt(source=source, form=body)]
        common: dict[str, Any] = {
            "id": body["requestId"],
            "source": source,
            "actor": "platform:bare",
        }
        common |= {"address": body["conversationId"], "occurred_at": time_or_none(body["sendTime"])}
        message = body.get("message")
        if not isinstance(message, dict):
            return [HumanRequested(**common, reason="the customer asked for a person")]
        return [
            UserMessage(
                **{**common, "id": message["messageId"], "form": body, "said": message["text"]}
            )
        ]

    def call(self, command: ToChannel | Signal) -> Call | None:
        if not isinstance(command, SendMessage):
            return None
        body: JsonObject = {"to": command.to, "text": command.content.text}
        return Call("POST", URL, json.dumps(body).encode())

    def outcome(self, answer: Answer) -> Outcome:
        return outcome_of_status(answer.status)

    def refusal(self, answer: Answer) -> str | None:
        return None

    def sent_id(self, command: ToChannel, answer: Answer) -> str | None:
        return str(json.loads(answer.body)["id"]) if answer.body else None


@dataclass
class BareChannel:
    """What its customers were shown, and an answer that may be late or lost."""

    shown: list[dict[str, Any]] = field(default_factory=list)

    def carry(self, body: Mapping[str, Any], fault: str) -> Answer | None:
        if fault == "too_many":
            return Answer(429)
        if fault != "drop_before":
            number = len(self.shown) + 1
            row = {"side": "business", "kind": "message", "seq": number, "id": f"w{number}"}
            self.shown.append({**row, "to": body["to"], "body": {"text": body["text"]}})
        if fault.startswith("drop"):
            return None
        return (
            Answer(500)
            if fault == "server_error"
            else Answer(200, json.dumps({"id": f"w{len(self.shown)}"}).encode())
        )

    def transcript(self, address: str) -> list[dict[str, Any]]:
        return [row for row in self.shown if row["to"] == address]
