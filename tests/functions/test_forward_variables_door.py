"""Who may report to forward_variables, what it cannot read, how a browser reads a refusal, and
the script it serves.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from infra.bridge_tag import SCRIPT, version
from infra.local.server import LocalServer
from tests.functions.reporting import JOINED, Browser, chats, reason, token


@pytest.fixture
def browser(server: LocalServer) -> Browser:
    return Browser(server, next(chats))


# Who may report.


def test_a_preflight_is_answered_before_anything_else(start: Callable[..., LocalServer]) -> None:
    browser = Browser(start(BRIDGE_TOKEN_KEYS=" "), 1)
    asks = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    answer = browser.ask("OPTIONS", headers={**asks})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == browser.server.url
    assert answer.headers["access-control-allow-headers"] == "authorization, content-type"
    assert answer.headers["access-control-max-age"] == "600"
    assert answer.headers["vary"] == "Origin"
    assert answer.headers["access-control-allow-credentials"] is None
    closed = browser.post(browser.event())
    assert (closed.status, reason(closed)) == (503, "door-closed")
    assert closed.headers["access-control-allow-origin"] == browser.server.url


FOREIGN = [
    "https://evil.test", "null", "http://127.0.0.1", "http://127.0.0.1:1", "https://127.0.0.1:{port}",
    "http://127.0.0.1:{port}/", "http://127.0.0.1:{port}.evil.test", "http://evil.test:{port}", "HTTP://127.0.0.1:{port}",
    "http://user@127.0.0.1:{port}", "*", "",
]  # fmt: skip


@pytest.mark.parametrize("origin", [*FOREIGN, None])
def test_another_origin_is_refused_and_may_not_even_read_so(
    browser: Browser, origin: str | None
) -> None:
    origin = origin and origin.format(port=browser.server.port)
    for answer in (
        browser.post(browser.event(), origin=origin),
        browser.ask("OPTIONS", headers={"origin": origin}),
    ):
        assert (answer.status, reason(answer)) == (403, "origin-not-allowed")
        assert answer.headers["access-control-allow-origin"] is None
        assert answer.headers["vary"] == "Origin"
    assert browser.kinds() == []


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(None, id="none"),
        pytest.param("Bearer dev-agent", id="a key of the REST API"),
        pytest.param(f"Bearer {token(key='f' * 32)}", id="forged"),
        pytest.param(f"Bearer {token(exp=1)}", id="expired"),
        pytest.param(
            f"Bearer {token(exp=datetime.now(UTC) + timedelta(hours=6))}", id="for six hours"
        ),
        pytest.param(f"Bearer {token(aud='crm')}", id="for another audience"),
        pytest.param(
            f"Bearer {jwt.encode({'sub': 'jane', 'aud': 'baton'}, '', algorithm='none')}",
            id="alg none",
        ),
    ],
)
def test_without_a_token_that_counts_nothing_is_taken(
    browser: Browser, authorization: str | None
) -> None:
    answer = browser.post(browser.event(), authorization=authorization)
    assert (answer.status, reason(answer)) == (401, "unauthenticated")
    assert answer.headers["access-control-allow-origin"] == browser.server.url
    assert browser.kinds() == []


# What cannot be read.


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        pytest.param(b"", 400, "malformed-json", id="nothing"),
        pytest.param(b"{", 400, "malformed-json", id="half an object"),
        pytest.param(b"\xff\xfe", 400, "malformed-json", id="no text"),
        pytest.param(b"[" * 5000, 400, "malformed-json", id="nested without end"),
        pytest.param(b"[]", 400, "not-an-object", id="a list"),
        pytest.param(b"{}", 400, "schema", id="no events"),
        pytest.param(b'{"events": {}}', 400, "schema", id="an object for the list"),
        pytest.param(json.dumps({"events": [{}] * 51}).encode(), 400, "schema", id="51 events"),
        pytest.param(b" " * (64 * 1024 + 1), 413, "body-too-large", id="over 64 KiB"),
        pytest.param(b" " * (1 << 20), 413, "body-too-large", id="a MiB"),
    ],
)
def test_a_body_that_is_none_is_refused_readably(
    browser: Browser, body: bytes, status: int, slug: str
) -> None:
    answer = browser.ask("POST", "", body, {"authorization": f"Bearer {token()}"})
    assert (answer.status, reason(answer)) == (status, slug)
    assert answer.headers["access-control-allow-origin"] == browser.server.url


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        pytest.param({"type": "Task_Call_Ended"}, "unknown-type", id="another type"),
        pytest.param({"type": None}, "schema", id="no type"),
        pytest.param({"data": "s3cret"}, "schema", id="text for data"),
        pytest.param({"data": {}}, "schema", id="no session"),
        pytest.param({"data": {"chat_id": 1, "call_id": 2}}, "schema", id="two sessions"),
        pytest.param({"id": ""}, "schema", id="an empty id"),
        pytest.param({"id": "a:b"}, "schema", id="an id that could be another agent's"),
        pytest.param({"id": "x" * 129}, "schema", id="an id without end"),
        pytest.param({"id": {"a": 1}}, "schema", id="an object for an id"),
    ],
)
def test_one_event_that_is_wrong_is_refused_beside_the_others(
    browser: Browser, change: dict[str, Any], slug: str
) -> None:
    good, bad = browser.event(JOINED), {**browser.event(), **change}
    answer = browser.post(bad, good)
    named = bad["id"] if isinstance(bad["id"], str) else None
    (refused,) = answer.json["refused"]
    assert (answer.status, answer.json["accepted"]) == (200, [good["id"]])
    assert (refused["id"], refused["reason"]) == (named, slug)
    assert refused["message"].endswith(".") and "s3cret" not in refused["message"]
    assert browser.kinds() == ["virtual_agent_joined"]


@pytest.mark.parametrize("event", [None, 7, "text", []], ids=repr)
def test_what_is_no_event_at_all_is_refused(browser: Browser, event: Any) -> None:
    answer = browser.post(event).json
    (refused,) = answer["refused"]
    assert (answer["accepted"], refused["id"], refused["reason"]) == ([], None, "schema")


@pytest.mark.parametrize(
    "origin", ["x" * 300, 7, None, ["a"]], ids=["without end", "a number", "none", "a list"]
)
def test_an_origin_that_cannot_be_noted_is_not_noted(browser: Browser, origin: Any) -> None:
    assert browser.post({**browser.event(), "origin": origin}).json["refused"] == []


def test_fifty_events_are_taken(browser: Browser) -> None:
    events = [browser.event(JOINED, timestamp=str(1727853575 + number)) for number in range(50)]
    assert len(browser.post(*events).json["accepted"]) == 50


# The script.


def test_the_script_may_be_kept_for_ever_under_its_own_version_only(browser: Browser) -> None:
    script = SCRIPT.read_bytes()
    kept = browser.ask(
        "GET", f"/bridge.js?v={version(script)}", headers={"origin": "https://anybody.test"}
    )
    assert (kept.status, kept.body) == (200, script)
    assert kept.headers["content-type"] == "text/javascript; charset=utf-8"
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert kept.headers["cross-origin-resource-policy"] == "cross-origin"
    assert kept.headers["access-control-allow-origin"] == "*"
    assert kept.headers["x-content-type-options"] == "nosniff"
    for query in ("", "?v=", "?v=0123456789ab"):
        assert browser.ask("GET", f"/bridge.js{query}").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 405),
        ("PUT", "/", 405),
        ("POST", "/bridge.js", 405),
        ("POST", "/v1", 404),
        ("GET", "/main.py", 404),
    ],
)
def test_there_is_nothing_else(browser: Browser, method: str, path: str, status: int) -> None:
    assert (
        browser.ask(method, path, headers={"authorization": f"Bearer {token()}"}).status == status
    )
