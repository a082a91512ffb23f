"""A local run answers its own pages and programs of this machine, and no web page from
elsewhere.
"""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.reference import COMMON
from infra.local.server import LocalServer, Reply
from infra.local.settings import SIGNING_KEY
from shared.platforms.bodies import hmac_sha512_base64
from tests.forked import ForkedServer

SAY = "/sim/business_messages/customers/3333/messages"
UNKEYED = [
    SAY,
    "/sim/rcs/customers",
    "/sim/whatsapp/customers",
    "/sim/ccai/customers/1001/agent",
    "/sim/slack/threads/C0SUPPORT-1.000001/people",
    "/sim/csku/v1/conversation/need-human",
    "/sim/dialogflow/faults",
    "/local/variables/business_messages:3333",
    "/local/comments-faults",
    "/local/customers",
    "/local/people",
    "/sweep",
    "/deliver_outbox",
    "/run_bot",
    "/notify_handoff",
]
STRANGE = [
    "evil.example:{port}",
    "localhost.evil.example:{port}",
    "localhost",
    "127.0.0.1:1",
    "0.0.0.0:{port}",
    "evil.localhost:{port}",
    "localhost.:{port}",
    "127.0.0.1:{port}@evil.example",
    "[::1:{port}",
    "é:{port}",
]
FOREIGN = ["https://evil.example", "null", "http://localhost:1", "http://evil.localhost"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with ForkedServer(tmp_path_factory.mktemp("gate")) as server:
        yield server


def reason(reply: Reply) -> str:
    """Returns the reason of an error, which has the one shape."""
    assert isinstance(reply.body, dict), reply.body
    return str(reply.body["error"]["details"][0]["reason"])


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_it_answers_to_the_names_of_this_machine(run: LocalServer, name: str) -> None:
    for path in ("/", "/sim/business_messages/customers", "/forward_variables/bridge.js"):
        assert run.send("GET", path, headers={"host": f"{name}:{run.port}"}).status == 200


@pytest.mark.parametrize("host", STRANGE)
def test_it_answers_to_no_other_name(run: LocalServer, host: str) -> None:
    named = host.format(port=run.port)
    for path in ("/", "/sim/business_messages/customers", "/forward_variables/bridge.js", "/sweep"):
        refused = run.send("GET", path, headers={"host": named})
        assert (refused.status, reason(refused)) == (403, "host-not-allowed")
    assert f"127.0.0.1:{run.port}" in refused.body["error"]["message"]


@pytest.mark.parametrize("path", UNKEYED)
@pytest.mark.parametrize("origin", FOREIGN)
def test_another_page_may_call_no_door_that_needs_no_key(
    run: LocalServer, path: str, origin: str
) -> None:
    for method in ("POST", "PUT", "OPTIONS"):
        refused = run.send(method, path, b'{"text": "Hi"}', {"origin": origin})
        assert (refused.status, reason(refused)) == (403, "origin-not-allowed")
    assert "3333" not in json.dumps(run.get("/sim/business_messages/customers"))


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_browser_that_sends_no_origin_says_whose_page_it_is(run: LocalServer, site: str) -> None:
    for method in ("GET", "POST"):
        refused = run.send(
            method, "/sim/business_messages/customers", headers={"sec-fetch-site": site}
        )
        assert (refused.status, reason(refused)) == (403, "origin-not-allowed")


def test_a_link_to_what_the_run_shows_may_be_followed(run: LocalServer) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert run.send("GET", "/sim/rcs/customers", headers=headers).status == 200


def test_its_own_page_and_a_program_may_call_them(run: LocalServer) -> None:
    for name in ("127.0.0.1", "localhost"):
        host = f"{name}:{run.port}"
        own = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
        assert run.send("PUT", "/sim/rcs/faults", b"{}", own).status == 200
    assert run.send("PUT", "/sim/rcs/faults", b"{}").status == 200


def test_a_door_that_asks_for_proof_decides_by_that_alone(run: LocalServer) -> None:
    """A browser cannot send these headers elsewhere without asking first, and is not allowed to."""
    path, foreign = "/receive_webhook/business_messages", {"origin": "https://evil.example"}
    said = {"messageId": "m-1", "text": "Hi"}
    body = run.encode(
        {**COMMON, "conversationId": "signed", "message": said, "sendTime": "2026-11-20T10:00:00Z"}
    )
    signed = {"x-goog-signature": hmac_sha512_base64(SIGNING_KEY, body), **foreign}
    assert run.send("POST", path, body, foreign).status == 401
    assert run.send("POST", path, body, signed).status == 200


def test_only_the_bridge_lets_named_pages_in(run: LocalServer) -> None:
    own = f"http://127.0.0.1:{run.port}"
    asks = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    for path in (SAY, "/sweep", "/send_representative/v1/conversations", "/receive_webhook/csku"):
        assert "access-control-allow-origin" not in headers(
            run, "OPTIONS", path, asks | {"origin": own}
        )
    assert (
        headers(run, "OPTIONS", "/forward_variables/", asks | {"origin": own})[
            "access-control-allow-origin"
        ]
        == own
    )
    script = headers(run, "GET", "/forward_variables/bridge.js", {"origin": "https://crm.example"})
    assert script["access-control-allow-origin"] == "*"


def test_a_page_that_is_refused_at_the_bridge_is_named_in_the_log(run: LocalServer) -> None:
    for origin in ("http://localhost:4711", 'http://"><script>\x7f' + "x" * 5000):
        assert run.send("POST", "/forward_variables/", b"{}", {"origin": origin}).status == 403
    lines = [
        json.loads(line)
        for line in run.log.read_text().splitlines()
        if "origin-not-allowed" in line
    ]
    named = [line["origin"] for line in lines if line.get("function") == "forward_variables"]
    assert named[-2] == "http://localhost:4711"
    assert named[-1].startswith("http://???script?") and len(named[-1]) == 100


@pytest.mark.parametrize("method", ["PROPFIND", "TRACE", "BREW"])
@pytest.mark.parametrize(
    "path", ["/", "/sweep", "/sim/rcs/customers", "/local/bridge_token", "/nothing"]
)
def test_a_method_that_there_is_not(run: LocalServer, method: str, path: str) -> None:
    refused = run.send(method, path)
    assert (refused.status, reason(refused)) == (405, "method-not-allowed")


@pytest.mark.parametrize(
    "path", ["/nothing", "/sim", "/sim/", "/sim/nothing", "/sim/rcs/nothing", "/page/nothing.js"]
)
def test_a_path_that_there_is_not(run: LocalServer, path: str) -> None:
    refused = run.send("GET", path)
    assert (refused.status, reason(refused)) == (404, "unknown-path")


@pytest.mark.parametrize(
    "path", ["/", "/page/page.js", "/sim/rcs/customers/+12025550100", "/local/bridge_token"]
)
def test_what_can_only_be_looked_at_takes_nothing(run: LocalServer, path: str) -> None:
    refused = run.send("PUT", path, b"{}")
    assert (refused.status, reason(refused)) == (405, "method-not-allowed")


@pytest.mark.parametrize(
    ("request_line", "header", "status", "why"),
    [
        ("GET *", b"", 404, "unknown-path"),
        ("OPTIONS *", b"", 404, "unknown-path"),
        ("CONNECT evil.example:443", b"", 405, "method-not-allowed"),
        ("GET /", b"a" * 200_000, 431, "headers-too-large"),
        ("GET /sim/rcs/customers", b"a" * 70_000, 431, "headers-too-large"),
        ("GET / extra", b"", 400, "not-http"),
    ],
)
def test_what_no_program_sends(
    run: LocalServer, request_line: str, header: bytes, status: int, why: str
) -> None:
    head = (
        f"{request_line} HTTP/1.1\r\nHost: 127.0.0.1:{run.port}\r\nConnection: close\r\n".encode()
    )
    answered = raw(run, head + b"X-Filler: " + header + b"\r\n\r\n")
    assert (answered.status, reason(answered)) == (status, why)


def raw(run: LocalServer, sent: bytes) -> Reply:
    """Returns the answer to bytes."""
    with socket.create_connection(("127.0.0.1", run.port), timeout=30) as connection:
        connection.sendall(sent)
        heard = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = heard.partition(b"\r\n\r\n")
    parsed: Any = json.loads(body)
    return Reply(int(head.split()[1]), parsed)


def headers(run: LocalServer, method: str, path: str, given: dict[str, str]) -> dict[str, str]:
    lines = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{run.port}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in given.items()]
    with socket.create_connection(("127.0.0.1", run.port), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        heard = b"".join(iter(lambda: connection.recv(65536), b""))
    said = heard.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in said)
    }
