"""The simulated platform: it takes what the layer sends to customers, as Business Messages does,
and keeps what each customer sees.

A message and an event are shown once under their id; again under the same id they are answered with
409 ALREADY_EXISTS. For a conversation the platform can be made to fail for a while.
"""

import json
import re
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

PATH = re.compile(r".*/v1/conversations/([^/]+)/(messages|events)")
FRAMES = ("REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT")


@dataclass
class Screen:
    """What one customer sees, and how the platform fails for this customer.

    The next `refusals` calls are refused with `status`, and nothing is shown. The next `lost` calls
    are taken, and their answer is lost.
    """

    shown: list[dict[str, Any]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    refusals: int = 0
    status: int = 503
    lost: int = 0


class Phone:
    """Serves while the context lasts, at `url`."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        phone = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, answer = phone.take(self.path, body)
                payload = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, format: str, *args: Any) -> None:
                return None

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._changed = threading.Condition()
        self._screens: dict[str, Screen] = defaultdict(Screen)
        self.url = f"http://{host}:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, target: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Returns the platform's answer to a call."""
        parts = urlsplit(target)
        found = PATH.fullmatch(parts.path)
        if found is None:
            return 404, refusal(404, "NOT_FOUND")
        said = json.loads(body or b"{}")
        query = parse_qs(parts.query)
        identifier = said.get("messageId") or query.get("eventId", [""])[0]
        is_frame = found[2] == "events" and said.get("eventType") in FRAMES
        with self._changed:
            screen = self._screens[unquote(found[1])]
            if screen.refusals:
                screen.refusals -= 1
                return screen.status, refusal(screen.status, "UNAVAILABLE")
            if not identifier:
                return 400, refusal(400, "INVALID_ARGUMENT")
            if identifier in screen.ids:
                return 409, refusal(409, "ALREADY_EXISTS")
            if found[2] == "messages" or is_frame:
                screen.ids.add(identifier)
                screen.shown.append(said)
                self._changed.notify_all()
            if screen.lost:
                screen.lost -= 1
                return 503, refusal(503, "UNAVAILABLE")
        return 200, said

    def fail(
        self, conversation: str, *, refusals: int = 0, status: int = 503, lost: int = 0
    ) -> None:
        with self._changed:
            screen = self._screens[conversation]
            screen.refusals, screen.status, screen.lost = refusals, status, lost

    def shown(self, conversation: str) -> list[dict[str, Any]]:
        with self._changed:
            return list(self._screens[conversation].shown)

    def wait(
        self, conversation: str, holds: Callable[[list[dict[str, Any]]], bool], seconds: float
    ) -> bool:
        """Returns whether `holds` is true of what the customer sees, within this time."""
        with self._changed:
            screen = self._screens[conversation]
            return self._changed.wait_for(lambda: holds(list(screen.shown)), seconds)


def refusal(code: int, status: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": status, "status": status}}
