"""Plays one conversation against a local run: as customer, bot, human and desk."""

import itertools
from dataclasses import dataclass
from typing import Any, Self

from infra.local.reference import COMMON, Step
from infra.local.server import LocalServer, Reply

BASE = "/send_representative/v1/conversations"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation on a server, and a method for each action in it."""

    server: LocalServer
    id: str

    @classmethod
    def open(cls, server: LocalServer) -> Self:
        """Returns a new conversation, in which the customer has just written the first text."""
        talk = cls(server, f"talk-{next(_NUMBERS)}")
        answer = talk.customer_says("Hi, I have a problem", "m-1")
        if answer.status != 200:
            raise RuntimeError(f"the webhook was answered {answer.status}: {answer.body}")
        return talk

    def webhook(self, **body: Any) -> Reply:
        whole = {**COMMON, "conversationId": self.id, "sendTime": "2020-10-02T15:05:24Z", **body}
        return self.server.play(Step("", "/receive_webhook/business_messages", whole))

    def customer_says(self, text: str, message_id: str) -> Reply:
        return self.webhook(message={"messageId": message_id, "text": text})

    def asks_for_human(self, request_id: str = "r-1") -> Reply:
        return self.webhook(requestId=request_id, userStatus={"requestedLiveAgent": "true"})

    def post(self, path: str, body: Any, key: str = "dev-agent") -> Reply:
        return self.server.play(Step("", f"{BASE}/{self.id}{path}", body, key))

    def say(
        self, kind: str, name: str, text: str, message_id: str, key: str | None = None
    ) -> Reply:
        who = {"representativeType": kind, "displayName": name}
        body = {"messageId": message_id, "text": text, "representative": who}
        return self.post("/messages", body, key or ("dev-bot" if kind == "BOT" else "dev-agent"))

    def frame(self, event: str, name: str, event_id: str) -> Reply:
        who = {"representativeType": "HUMAN", "displayName": name}
        body = {"eventType": f"REPRESENTATIVE_{event}", "representative": who}
        return self.post(f"/events?eventId={event_id}", body)

    def csku(
        self, event: str, message_id: str, text: str, *, conversation: str, **body: Any
    ) -> Reply:
        message = {
            "id": message_id,
            "agent": {"name": "Nama Agent Support"},
            "ai": {"name": "Customer Support AI"},
            "content": {"type": "text", "text": text},
        }
        whole = {
            "event": event,
            "timestamp": 1738056000,
            "conversation_id": conversation,
            "message": message,
            **body,
        }
        raw = self.server.encode(whole)
        return self.server.send(
            "POST", "/receive_webhook/csku", raw, {"authorization": "dev-csku-secret"}
        )

    def link(self, desk: str) -> Reply:
        body = {"to": f"business_messages:{self.id}"}
        return self.server.play(Step("", f"{BASE}/{desk}:link", body, "dev-admin"))

    def state(self, key: str = "dev-agent") -> dict[str, Any]:
        state: dict[str, Any] = self.server.get(f"{BASE}/{self.id}", key)
        return state

    def journal(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.server.get(f"{BASE}/{self.id}/journal", "dev-agent")[
            "entries"
        ]
        return entries

    def seen(self) -> list[str]:
        """Returns what the business showed the customer, one line each, without receipts."""
        self.server.wait_until_quiet(self.id)
        rows = [row for row in self.server.transcript(self.id) if row["side"] == "business"]
        return [_line(row["body"]) for row in rows if "representative" in row["body"]]


def _line(body: dict[str, Any]) -> str:
    who = body["representative"]
    if "eventType" in body:
        return f"{body['eventType'].removeprefix('REPRESENTATIVE_')} {who['displayName']}"
    return f"{who['representativeType']} {who['displayName']}: {body['text']}"
