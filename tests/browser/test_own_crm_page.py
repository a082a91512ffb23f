"""A CRM page of the developer's own, as README describes it: another port, a tag and a token
from `infra.bridge_tag`.
"""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from infra.local.server import LocalServer
from tests.browser.conftest import PATIENCE
from tests.forked import ForkedServer

ROOT = Path(__file__).parents[2]
PAGE = """<!doctype html><title>My CRM</title><iframe id="adapter" src="ADAPTER"></iframe>
TAG
<script>
  const seen = {sent: [], errors: []};
  const bridge = BatonBridge.start({
    endpoint: "ENDPOINT", adapterOrigins: [new URL("ADAPTER").origin],
    frame: document.getElementById("adapter"), getToken: async () => "TOKEN",
    onSent: (ids) => seen.sent.push(...ids), onError: (error) => seen.errors.push(error.reason)});
</script>"""
EVENT = """parent.postMessage({type: "Task_VA_Variables_Received", data: {chat_id: 4711,
  captured_variables: [
  {variables: {city: "Oslo"}, captured_at: "2024-11-15 16:46:31 UTC",
  timestamp: "1731689191"}]}}, "*")"""


class Site:
    """The developer's own web server, on a port of its own."""

    def __init__(self) -> None:
        self.page = self.token = ""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                files = {"/adapter": "<!doctype html>", "/token": site.token}
                found = files.get(self.path, site.page)
                self.send_response(200)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(found.encode())

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.origin = f"http://localhost:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def embed(self, run: LocalServer, page: str = PAGE) -> None:
        """Builds the page from what the command prints, and nothing else."""
        endpoint = f"{run.url}/forward_variables"
        adapter = f"http://127.0.0.1:{self.port}"
        command = [
            sys.executable,
            "-m",
            "infra.bridge_tag",
            "--endpoint",
            endpoint,
            "--adapter",
            adapter,
        ]
        told = subprocess.run(
            [*command, "--agent", "jane"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        tag, token = (
            told.stdout.splitlines()[0],
            re.findall(r"^  (eyJ\S+)$", told.stdout, re.MULTILINE)[0],
        )
        given = {"TAG": tag, "ENDPOINT": endpoint, "TOKEN": token, "ADAPTER": f"{adapter}/adapter"}
        self.page, self.token = page, token
        for name, value in given.items():
            self.page = self.page.replace(name, value)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.server.shutdown()
    served.server.server_close()


def new_page(chromium: Browser) -> Page:
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    return page


def opened(chromium: Browser, site: Site) -> Page:
    page = new_page(chromium)
    page.goto(site.origin)
    next(frame for frame in page.frames if frame.url.endswith("/adapter")).evaluate(EVENT)
    return page


def test_a_page_whose_origin_is_named_reaches_baton(
    tmp_path: Path, chromium: Browser, site: Site
) -> None:
    with ForkedServer(tmp_path, {"BRIDGE_ALLOWED_ORIGINS": site.origin}) as run:
        site.embed(run)
        page = opened(chromium, site)
        page.wait_for_function("seen.sent.length === 1")
        known = run.get("/send_representative/v1/conversations/ccai:chat-4711/journal", "dev-agent")
        assert [entry["actor"] for entry in known["entries"]] != []
        own = run.send("OPTIONS", "/forward_variables/", headers={"origin": run.url})
        assert own.status == 204  # the run's own CRM page is let in beside it


def test_a_page_whose_origin_is_not_named_is_told_and_stands_in_the_log(
    tmp_path: Path, chromium: Browser, site: Site
) -> None:
    with ForkedServer(tmp_path) as run:
        site.embed(run)
        page = opened(chromium, site)
        page.wait_for_function("seen.errors.length > 0")
        run.wait_until(lambda: f'"origin":"{site.origin}"' in run.log.read_text())
        assert page.evaluate("seen.sent") == []


def test_no_page_of_ones_own_can_play_the_customer(
    tmp_path: Path, chromium: Browser, site: Site
) -> None:
    with ForkedServer(tmp_path, {"BRIDGE_ALLOWED_ORIGINS": site.origin}) as run:
        site.page = "<!doctype html>"
        page = new_page(chromium)
        page.goto(site.origin)
        for path in (
            "/sim/business_messages/customers/3333/messages",
            "/sweep",
            "/run_bot",
            "/deliver_outbox",
        ):
            script = (
                "([url, mode]) => fetch(url, {method: 'POST', mode, body: "
                '\'{"text": "Hi"}\'}).then(() => 1, () => 0)'
            )
            assert page.evaluate(script, [run.url + path, "cors"]) == 0
            page.evaluate(script, [run.url + path, "no-cors"])
        assert run.get("/sim/business_messages/customers") == {"customers": []}
        assert run.log.read_text().count("another page's call") == 8


# The three example payloads of the platform's page on post events for virtual agents.
ABOUT = {
    "chat_id": 103646,
    "campaign_id": 1432,
    "campaign_name": "Survey Movie",
    "virtual_agent_id": 1,
    "virtual_agent_name": "name",
    "participant_id": 1,
    "queue_id": 8469,
    "queue_path": "Developers / James",
    "queue_language_id": "en",
    "session_type": "Messaging Inbound (SMS)",
    "conversation_id": "12345",
    "session_id": "78534G4RT4284",
    "timestamp": "1727853575",
    "data_parameters": {"param1": "one", "param2": "two"},
}
CAPTURED = {
    "captured_variables": [
        {
            "intent_name": None,
            "variables": {"testkey": "testvalue"},
            "captured_at": "2024-11-15 16:46:31 UTC",
            "timestamp": "1727853575",
        },
        {
            "intent_name": None,
            "variables": {"testkey2": "testvalue2"},
            "captured_at": "2024-11-15 16:46:31 UTC",
            "timestamp": "1727853575",
        },
    ]
}


def test_the_example_page_opens_a_ticket_tab_for_each_session(
    tmp_path: Path, chromium: Browser, site: Site
) -> None:
    example = (ROOT / "infra/examples/crm_page.html").read_text().replace('"TOKEN"', '"/token"')
    with ForkedServer(tmp_path, {"BRIDGE_ALLOWED_ORIGINS": site.origin}) as run:
        site.embed(run, example)
        page = new_page(chromium)
        page.goto(site.origin)
        adapter = next(frame for frame in page.frames if frame.url.endswith("/adapter"))

        def post(kind: str, **data: object) -> None:
            adapter.evaluate("one => parent.postMessage(one, '*')", {"type": kind, "data": data})

        expect(page.get_by_role("tab")).to_have_count(0)
        post("Task_VA_Joined", **ABOUT)
        ticket = page.get_by_role("tabpanel", name="chat 103646")
        expect(ticket).to_contain_text("name is there")
        expect(ticket).to_contain_text("Developers / James")
        post("Task_VA_Variables_Received", **ABOUT, **CAPTURED)
        expect(ticket).to_contain_text("testvalue2")
        post("Task_VA_Joined", call_id=7)
        expect(page.get_by_role("tab")).to_have_count(2)
        expect(ticket).to_be_hidden()
        post("Task_VA_Left", **ABOUT, **CAPTURED, finish_reason="Task VA failed")
        page.get_by_role("tab", name="chat 103646").click()
        expect(ticket).to_contain_text("Task VA failed")
        expect(page.get_by_role("tab")).to_have_count(2)
        path = "/send_representative/v1/conversations/ccai:chat-103646"
        run.wait_until(lambda: _left(run.get(path, "dev-admin")))
        (session,) = run.get(path, "dev-admin")["virtualAgentSessions"]
        told = {_camel(name): value for name, value in ABOUT.items() if name != "timestamp"}
        assert told.items() <= session.items()
        assert session["finishReason"] == "Task VA failed"
        assert session["joinedAt"] == session["leftAt"] == "2024-10-02T07:19:35.000000Z"


def _left(conversation: dict[str, Any]) -> bool:
    return any("leftAt" in one for one in conversation.get("virtualAgentSessions", []))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
