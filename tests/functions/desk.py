"""A customer of any channel, the CCAI Platform's agents, and the team's notifications, against a
running server.
"""

import json
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlencode

from infra.local import oracle
from infra.local.server import PATIENCE_SECONDS, LocalServer, Reply
from shared.customers.desk_customers import identifier

API = "/send_representative/v1/conversations"
CHANNELS = ("business_messages", "rcs", "whatsapp")


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who wrote on `platform`, and Baton's id of their conversation."""

    server: LocalServer
    platform: str
    key: str
    conversation: str

    @classmethod
    def on(cls, server: LocalServer, platform: str) -> "Customer":
        key, conversation = f"c-{uuid.uuid4().hex[:12]}", ""
        if platform != "business_messages":
            new = server.send("POST", f"/sim/{platform}/customers", b'{"displayName": "Ana"}').body
            key, conversation = new["id"], new["conversation"]
        one = cls(server, platform, key, conversation or f"business_messages:{key}")
        one.says("Hi, I have a problem")
        return one

    def do(self, what: str, **body: Any) -> None:
        path = f"/sim/{self.platform}/customers/{self.key}/{what}"
        assert self.server.send("POST", path, json.dumps(body).encode()).status == 200

    def says(self, text: str) -> None:
        self.do("messages", text=text)
        self.server.wait_until(lambda: text in [entry.get("text") for entry in self.journal()])

    def asks_for_a_person(self) -> None:
        before = len(self.requests())
        self.do("status", requestedLiveAgent=True)
        self.server.wait_until(lambda: len(self.requests()) > before)

    def requests(self) -> list[dict[str, Any]]:
        return [entry for entry in self.journal() if entry["kind"] == "human_requested"]

    def post(self, path: str, key: str, **body: Any) -> Reply:
        raw = json.dumps(body).encode()
        return self.server.send(
            "POST", f"{API}/{self.conversation}{path}", raw, {"authorization": f"Bearer {key}"}
        )

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.server.get(f"{API}/{self.conversation}", "dev-agent")
        return state

    def phase(self) -> str:
        return str(self.state().get("phase"))

    def wait_for(self, phase: str) -> None:
        self.server.wait_until(lambda: self.phase() == phase)

    def journal(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            after = f"?{urlencode({'cursor': cursor})}" if cursor else ""
            page = self.server.get(f"{API}/{self.conversation}/journal{after}", "dev-agent")
            found += page.get("entries", [])
            cursor = page.get("nextCursor")
            if not cursor:
                return sorted(found, key=lambda entry: int(entry["seq"]))

    def rows(self) -> list[dict[str, Any]]:
        self.server.wait_until_quiet(self.conversation)
        rows: list[dict[str, Any]] = self.server.get(f"/sim/{self.platform}/customers/{self.key}")[
            "transcript"
        ]
        return rows

    def labelled(self, humans: Sequence[str]) -> Sequence[oracle.Row]:
        """Returns what they saw with who spoke, which phones tell in words only."""
        rows = self.rows()
        return rows if self.platform == "business_messages" else oracle.as_labelled(rows, humans)

    def texts(self, humans: Sequence[str] = ()) -> list[str]:
        return oracle.texts(self.labelled(humans))


@dataclass(frozen=True, slots=True)
class Chats:
    """The simulated CCAI Platform, from the agents' side."""

    server: LocalServer

    def faults(self, **faults: float) -> None:
        assert (
            self.server.send("PUT", "/sim/ccai/faults", json.dumps(faults).encode()).status == 200
        )

    def of(self, customer: Customer) -> list[int]:
        """Returns the chats that were made for a customer, oldest first."""
        known = self.server.get("/sim/ccai/customers")["customers"]
        return sorted(
            int(one["id"]) for one in known if one["name"] == identifier(customer.conversation)
        )

    def wait_for(
        self, customer: Customer, count: int = 1, patience: float = PATIENCE_SECONDS
    ) -> int:
        """Returns the latest chat once there are so many and it is linked."""
        self.server.wait_until(lambda: len(self.of(customer)) >= count, patience)
        chat = self.of(customer)[-1]
        self.server.wait_until(lambda: f"ccai:chat-{chat}" in customer.state().get("links", []))
        return chat

    def agent(self, chat: int, action: str, **body: Any) -> int:
        raw = json.dumps({"action": action, **body}).encode()
        return self.server.send("POST", f"/sim/ccai/customers/{chat}/agent", raw).status

    def rows(self, chat: int) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.server.get(f"/sim/ccai/customers/{chat}")["transcript"]
        return rows

    def heard(self, chat: int) -> list[str]:
        """Returns the customer's words as agents saw them, the transcript apart."""
        return [
            row["body"]["text"]
            for row in self.rows(chat)
            if row["side"] == "business" and row["kind"] == "message"
        ]


@dataclass
class Team:
    """What the team's own webhook got."""

    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)

    def told(self, conversation: str) -> list[str]:
        """Returns the types of the notifications about a conversation, each id once, in order."""
        seen = {one["id"]: one["type"] for one in self.got if one["conversation"] == conversation}
        return list(seen.values())

    def failures(self, conversation: str) -> int:
        return self.told(conversation).count("handoff.failed")


@contextmanager
def team() -> Iterator[Team]:
    """Listens on the loopback interface while it is entered."""
    one = Team()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            one.got.append(body.get("data", body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    listening = HTTPServer(("127.0.0.1", 0), Taking)
    one.url = f"http://127.0.0.1:{listening.server_port}/"
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield one
    listening.shutdown()
    listening.server_close()
    thread.join()
