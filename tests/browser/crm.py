"""A CRM as a customer of Baton would build it: a page that loads the bridge from elsewhere,
under a strict policy.
"""

import json
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import jwt
from playwright.sync_api import BrowserContext, Frame, Page, Route

from infra.bridge_tag import SCRIPT, tag
from infra.local.server import PATIENCE_SECONDS, LocalServer
from infra.local.settings import BRIDGE_KEY

VARIABLES = "variables_captured"
JOINED, LEFT, RECEIVED = "Task_VA_Joined", "Task_VA_Left", "Task_VA_Variables_Received"
_chats = count(1)
PAGE = """<!doctype html><title>CRM</title>
<iframe id="adapter" src="{adapter}/adapter"></iframe>
<iframe id="double" src="{adapter}/double"></iframe>
<iframe id="stranger" src="{stranger}/stranger"></iframe>
{tag}
<script src="/crm.js"></script>"""
SCRIPT_OF_THE_PAGE = """
Object.assign(window, {sent: [], errors: [], heard: []});
for (const name of ["baton:variables", "baton:virtual-agent"])
  addEventListener(name, ({type, detail}) => heard.push([type, detail.type]));
const getToken = async () => (await fetch("/token")).text();
const noted = ({name, message, reason, ids, retrying, field}) =>
  errors.push({name, message, reason, ids, retrying, field});
window.begin = (more) => BatonBridge.start({
  endpoint: "ENDPOINT", adapterOrigins: ["ADAPTER"],
  frame: document.getElementById("adapter"), getToken,
  onSent: (ids) => sent.push(...ids), onError: noted, ...more});
if (!location.search) window.bridge = begin();
"""


@dataclass
class Crm:
    """Serves http://crm.localhost, and what is in its frames at adapter.localhost and
    stranger.localhost.
    """

    port: int
    endpoint: str = ""
    connects: bool = True
    tokens: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.origin("crm")

    def origin(self, host: str) -> str:
        return f"http://{host}.localhost:{self.port}"

    def token(self) -> str:
        """Returns a token, an expired one for each "expired" that was asked for."""
        minutes = -1 if self.tokens and self.tokens.pop(0) == "expired" else 5
        claims = {
            "sub": "jane",
            "aud": "baton",
            "exp": datetime.now(UTC) + timedelta(minutes=minutes),
        }
        return jwt.encode(claims, BRIDGE_KEY, algorithm="HS256")

    def file(self, path: str) -> tuple[str, str]:
        """Returns type and content of what is at `path`."""
        adapter, stranger = self.origin("adapter"), self.origin("stranger")
        if path == "/crm.js":
            return "text/javascript", SCRIPT_OF_THE_PAGE.replace("ENDPOINT", self.endpoint).replace(
                "ADAPTER", adapter
            )
        if path == "/token":
            return "text/plain", self.token()
        if path == "/":
            element = tag(self.endpoint, SCRIPT.read_bytes())
            return "text/html", PAGE.format(adapter=adapter, stranger=stranger, tag=element)
        return "text/html", "<!doctype html><title>In a frame</title>"

    @property
    def policy(self) -> str:
        """Returns the page's own policy with the lines that `infra.bridge_tag` prints."""
        address = urlsplit(self.endpoint)
        baton = f"{address.scheme}://{address.netloc}"
        frames = f"{self.origin('adapter')} {self.origin('stranger')}"
        connect = baton if self.connects else ""
        return (
            f"default-src 'self'; script-src 'self' {baton}; connect-src "
            f"'self' {connect}; frame-src {frames}"
        )


def serve() -> tuple[ThreadingHTTPServer, Crm]:
    """Returns a CRM that is served until its server is shut down."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    crm = Crm(server.server_address[1])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = crm.file(urlsplit(self.path).path)
            self.send_response(200)
            self.send_header("content-type", f"{kind}; charset=utf-8")
            if self.headers["host"].startswith("crm."):
                self.send_header("content-security-policy", crm.policy)
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, format: str, *args: object) -> None:
            return

    server.RequestHandlerClass = Handler
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, crm


@dataclass
class Tab:
    """A page of the CRM, in which the adapter speaks of one chat."""

    page: Page
    run: LocalServer
    chat: int

    @classmethod
    def open(
        cls,
        context: BrowserContext,
        crm: Crm,
        run: LocalServer,
        chat: int | None = None,
        query: str = "",
    ) -> "Tab":
        page = context.new_page()
        page.goto(crm.url + query)
        return cls(page, run, chat or next(_chats))

    def frame(self, name: str) -> Frame:
        return next(frame for frame in self.page.frames if frame.url.endswith(f"/{name}"))

    def event(self, kind: str = "Task_VA_Variables_Received", **more: Any) -> dict[str, Any]:
        variables = [
            {
                "variables": {"city": "Oslo"},
                "captured_at": "2024-11-15 16:46:31 UTC",
                "timestamp": "1731689191",
            }
        ]
        return {
            "type": kind,
            "data": {"chat_id": self.chat, "captured_variables": variables, **more},
        }

    def post(self, *messages: Any, frame: str = "adapter") -> None:
        """Posts as the adapter does: from within a frame, to the page around it."""
        script = "messages => messages.forEach(message => parent.postMessage(message, '*'))"
        self.frame(frame).evaluate(script, list(messages))

    def until(self, script: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Waits until this holds in the page; the page's policy forbids Playwright's own way of
        waiting.
        """
        deadline = time.monotonic() + seconds
        while not self.page.evaluate(script):
            assert time.monotonic() < deadline, f"{script} does not hold; errors: {self.errors()}"
            self.page.wait_for_timeout(30)

    def has_token(self) -> None:
        """Waits until the page has fetched a token, and asks for nothing more."""
        self.until("performance.getEntriesByName(`${location.origin}/token`).length > 0")
        self.page.wait_for_load_state("networkidle")

    def settled(self) -> None:
        """Waits until something was heard, and nothing is queued any more."""
        self.until("heard.length + sent.length > 0 && bridge.pending() === 0")

    def kinds(self) -> list[str]:
        """Returns what Baton has journalled of this chat, newest last."""
        path = f"/send_representative/v1/conversations/ccai:chat-{self.chat}/journal"
        entries = self.run.get(path, "dev-agent").get("entries", [])
        return [entry["kind"] for entry in sorted(entries, key=lambda entry: int(entry["seq"]))]

    def published(self) -> list[dict[str, Any]]:
        """Returns the variables of each body that arrived on the topic."""
        heard = self.run.get(f"/local/variables/ccai:chat-{self.chat}").get("topic", [])
        return [body["variables"] for body in heard if body["type"] == "variables"]

    def arrived(self, *kinds: str) -> None:
        """Waits for these, in this order, and finds that nothing more comes."""
        self.run.wait_until(lambda: len(self.kinds()) >= len(kinds))
        time.sleep(0.3)
        assert self.kinds() == list(kinds)

    def errors(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.page.evaluate("JSON.stringify(errors)"))
        return found


def posts_to_baton(context: BrowserContext, crm: Crm, *answers: Any) -> list[str]:
    """Answers the first posts by `answers` (a status, or what takes the route) and returns the
    bodies of all.
    """
    bodies, script = list[str](), list(answers)

    def handle(route: Route) -> None:
        if route.request.method == "POST":
            bodies.append(route.request.post_data or "")
        answer = script.pop(0) if script and route.request.method == "POST" else Route.continue_
        if callable(answer):
            answer(route)
        else:
            route.fulfill(
                status=answer, headers={"access-control-allow-origin": crm.url}, body="{}"
            )

    context.route(crm.endpoint, handle)
    return bodies


def ids(body: str) -> list[str]:
    return [event["id"] for event in json.loads(body)["events"]]


def lose_the_answer(route: Route) -> None:
    route.fetch()
    route.abort()
