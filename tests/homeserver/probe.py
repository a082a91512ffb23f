"""A bare application service, which takes down what a homeserver sends it."""

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

from infra.local.server import Reply, free_port
from infra.matrix.synapse import Synapse

AS_TOKEN, HS_TOKEN = "dev-probe-as-token", "dev-probe-hs-token"
DEVICE = "PROBE"


def registration(port: int, **more: Any) -> str:
    """Returns the registration of a probe on this port.

    https://spec.matrix.org/v1.16/application-service-api/#registration
    """
    users = [{"regex": "@probe_.*:localhost", "exclusive": True}]
    aliases = [{"regex": "#probe_.*:localhost", "exclusive": True}]
    return json.dumps(
        {
            "id": "probe",
            "url": f"http://127.0.0.1:{port}/deep/path",
            "as_token": AS_TOKEN,
            "hs_token": HS_TOKEN,
            "sender_localpart": "probe_bot",
            "rate_limited": True,
            "receive_ephemeral": True,
            "io.element.msc4190": True,
            "namespaces": {"users": users, "aliases": aliases},
            **more,
        }
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the homeserver."""

    method: str
    path: str
    authorization: str
    body: Any
    answered: int


@dataclass
class Probe:
    """Serves while the context lasts, on one port. `status` is what it answers, after `pause`
    seconds.
    """

    port: int = field(default_factory=free_port)
    status: int = 200
    pause: float = 0
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> Self:
        probe = self

        class Taking(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:  # the library's name
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                given = self.headers.get("authorization") or ""
                status, read = probe.status, json.loads(body) if body else None
                probe.asked.append(Asked(self.command, self.path, given, read, status))
                time.sleep(probe.pause)
                with suppress(OSError):  # the homeserver was killed meanwhile
                    self._answer(status)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_POST = do_PUT

            def log_message(self, *args: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Taking)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def transactions(self) -> list[Asked]:
        return [one for one in self.asked if "/transactions/" in one.path]

    def given(self, event: str) -> list[Asked]:
        """Returns the transactions that hold an event."""
        return [
            one
            for one in self.transactions()
            if event in [held["event_id"] for held in one.body["events"]]
        ]

    def events(self) -> list[dict[str, Any]]:
        return [event for one in self.transactions() for event in one.body["events"]]

    def ephemeral(self) -> list[dict[str, Any]]:
        return [event for one in self.transactions() for event in one.body.get("ephemeral", [])]


@dataclass(frozen=True, slots=True)
class Ghost:
    """A user of an application service, who has a device, and what the service does as them."""

    synapse: Synapse
    name: str
    server_name: str = "localhost"
    token: str = AS_TOKEN

    @classmethod
    def new(cls, synapse: Synapse, name: str) -> Self:
        one = cls(synapse, name)
        assert one.register().status == 200
        assert one.call("PUT", f"/devices/{DEVICE}", {}, device=False).status in (200, 201)
        return one

    @property
    def id(self) -> str:
        return f"@{self.name}:{self.server_name}"

    def register(self) -> Reply:
        body = {"type": "m.login.application_service", "username": self.name}
        path = "/_matrix/client/v3/register"
        return self.synapse.call("POST", path, {**body, "inhibit_login": True}, self.token)

    def call(self, method: str, path: str, body: Any = None, *, device: bool = True) -> Reply:
        as_whom = {"user_id": self.id, **({"device_id": DEVICE} if device else {})}
        whole = f"/_matrix/client/v3{path}?{urlencode(as_whom)}"
        return self.synapse.call(method, whole, body, self.token)

    def room(self, *invited: str, **more: Any) -> str:
        body = {"preset": "private_chat", "invite": list(invited), **more}
        made = self.call("POST", "/createRoom", body)
        assert made.status == 200, made.body
        return str(made.body["room_id"])

    def send(self, room: str, transaction: str, text: str, *, device: bool = True) -> Reply:
        path = f"/rooms/{quote(room)}/send/m.room.message/{transaction}"
        body = {"msgtype": "m.text", "body": text}
        return self.call("PUT", path, body, device=device)
