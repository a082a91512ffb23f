"""An agent's browser beside a chat, as forward_variables meets it, without a browser."""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import jwt

from infra.local.server import LocalServer
from infra.local.settings import BRIDGE_KEY
from infra.local.talk import BASE

PATH = "/forward_variables"
CAPTURED = [
    {
        "variables": {"testkey_1": "s3cret-1"},
        "captured_at": "2024-11-15 16:46:31 UTC",
        "timestamp": "1727853575",
    },
    {
        "variables": {"testkey_2": "s3cret-2"},
        "captured_at": "2024-11-15 16:46:31 UTC",
        "timestamp": "1727853575",
    },
]
JOINED, LEFT, RECEIVED = "Task_VA_Joined", "Task_VA_Left", "Task_VA_Variables_Received"
# no test meets another's chat, whatever servers they share
chats = count(int(uuid.uuid4()) % 10**9 * 1000)


def token(agent: str = "jane", key: str = BRIDGE_KEY, **claims: Any) -> str:
    exp = datetime.now(UTC) + timedelta(minutes=5)
    return jwt.encode({"sub": agent, "aud": "baton", "exp": exp, **claims}, key, algorithm="HS256")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Browser:
    """An agent's browser, on a page of the CRM, beside a chat of its own."""

    server: LocalServer
    chat: int
    agent: str = "jane"

    def ask(
        self,
        method: str,
        path: str = "",
        body: bytes | None = None,
        headers: dict[str, str | None] | None = None,
    ) -> Answer:
        """Sends these headers, and the page's origin unless they name another; one that is None
        is left out.
        """
        given = {"origin": self.server.url, **(headers or {})}
        sent = {name: value for name, value in given.items() if value is not None}
        request = Request(f"{self.server.url}{PATH}{path}", data=body, method=method, headers=sent)  # noqa: S310  # our own loopback address
        try:
            with urlopen(request, timeout=30) as response:  # noqa: S310  # as above
                return Answer(response.status, response.headers, response.read())
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def post(self, *events: Any, **headers: str | None) -> Answer:
        body = json.dumps({"events": list(events)}).encode()
        given = {
            "authorization": f"Bearer {token(self.agent)}",
            "content-type": "application/json",
            **headers,
        }
        return self.ask("POST", "", body, given)

    def event(
        self, kind: str = RECEIVED, event_id: str | None = None, **data: Any
    ) -> dict[str, Any]:
        own = {
            "chat_id": self.chat,
            "timestamp": "1727853575",
            "captured_variables": CAPTURED,
            **data,
        }
        seen = {"seen_at": "2026-01-01T00:00:00Z", "origin": "https://adapter.test"}
        return {"id": event_id or uuid.uuid4().hex, "type": kind, "data": own, **seen}

    @property
    def conversation(self) -> str:
        return f"ccai:chat-{self.chat}"

    def entries(self, conversation: str | None = None) -> list[dict[str, Any]]:
        path = f"{BASE}/{conversation or self.conversation}/journal"
        found = self.server.get(path, "dev-agent").get("entries", [])
        return sorted(found, key=lambda entry: int(entry["seq"]))

    def kinds(self, conversation: str | None = None) -> list[str]:
        return [entry["kind"] for entry in self.entries(conversation)]

    def state(self, conversation: str | None = None) -> dict[str, Any]:
        state: dict[str, Any] = self.server.get(
            f"{BASE}/{conversation or self.conversation}", "dev-agent"
        )
        return state

    def view(self) -> dict[str, Any]:
        view: dict[str, Any] = self.server.get(f"/local/variables/{self.conversation}")
        return view


def reason(answer: Answer) -> str:
    (detail,) = answer.json["error"]["details"]
    return str(detail["reason"])
