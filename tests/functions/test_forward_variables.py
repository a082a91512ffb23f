"""forward_variables over HTTP: who may report, what is refused and how a browser reads it, and that all counts once."""

import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import jwt
import pytest

from infra.bridge_tag import SCRIPT, version
from infra.local.server import LocalServer
from infra.local.settings import BRIDGE_KEY
from infra.local.talk import BASE, Talk

PATH = "/forward_variables"
CAPTURED = [
    {"variables": {"testkey_1": "s3cret-1"}, "captured_at": "2024-11-15 16:46:31 UTC", "timestamp": "1727853575"},
    {"variables": {"testkey_2": "s3cret-2"}, "captured_at": "2024-11-15 16:46:31 UTC", "timestamp": "1727853575"},
]
JOINED, LEFT, RECEIVED = "Task_VA_Joined", "Task_VA_Left", "Task_VA_Variables_Received"
_numbers = count(int(uuid.uuid4()) % 10**9 * 1000)  # no test meets another's chat, whatever servers they share


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
        self, method: str, path: str = "", body: bytes | None = None, headers: dict[str, str | None] | None = None
    ) -> Answer:
        """Sends these headers, and the page's origin unless they name another; one that is None is left out."""
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
        given = {"authorization": f"Bearer {token(self.agent)}", "content-type": "application/json", **headers}
        return self.ask("POST", "", body, given)

    def event(self, kind: str = RECEIVED, event_id: str | None = None, **data: Any) -> dict[str, Any]:
        own = {"chat_id": self.chat, "timestamp": "1727853575", "captured_variables": CAPTURED, **data}
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
        state: dict[str, Any] = self.server.get(f"{BASE}/{conversation or self.conversation}", "dev-agent")
        return state

    def view(self) -> dict[str, Any]:
        view: dict[str, Any] = self.server.get(f"/local/variables/{self.conversation}")
        return view


@pytest.fixture
def browser(server: LocalServer) -> Browser:
    return Browser(server, next(_numbers))


def reason(answer: Answer) -> str:
    (detail,) = answer.json["error"]["details"]
    return str(detail["reason"])


# What is taken.


def test_the_three_events_are_taken_and_told(browser: Browser) -> None:
    events = [browser.event(JOINED), browser.event(RECEIVED), browser.event(LEFT, finish_reason="Task VA failed")]
    answer = browser.post(*events)
    assert (answer.status, answer.json) == (200, {"accepted": [event["id"] for event in events], "refused": []})
    expected = ["virtual_agent_joined", "variables_captured", "virtual_agent_left", "variables_captured"]
    assert browser.kinds() == expected
    assert browser.entries()[2]["reason"] == "Task VA failed"
    assert {entry["actor"] for entry in browser.entries()} == {"browser:jane"}


def test_an_unknown_session_becomes_a_tracked_conversation_in_which_nobody_changes_who_speaks(browser: Browser) -> None:
    browser.post(browser.event(JOINED), browser.event(LEFT, finish_reason="escalated"))
    state = browser.state()
    assert (state["tracked"], state["phase"], state["representatives"]) == (True, "BOT", [])


def test_a_call_has_a_conversation_of_its_own(browser: Browser) -> None:
    browser.post(browser.event(JOINED, chat_id=None, call_id=browser.chat))
    assert browser.kinds(f"ccai:call-{browser.chat}") == ["virtual_agent_joined"]
    assert browser.kinds() == []


def test_variables_reach_the_event_audience_with_their_provenance_and_no_other(browser: Browser) -> None:
    browser.post(browser.event())
    browser.server.wait_until_quiet(browser.conversation)
    assert browser.state()["variables"] == {}
    audiences = browser.view()["audiences"]
    assert audiences["event"]["variables"] == {"testkey_1": "s3cret-1", "testkey_2": "s3cret-2"}
    assert [audiences[name] for name in ("agent", "comment")] == [{"variables": {}, "hidden": 2}] * 2
    for body in browser.view()["topic"]:  # only the embedded queue lets the local run listen
        assert body["variables"] == audiences["event"]["variables"]
        who = {"signed": False, "agent": "jane", "origin": "https://adapter.test"}
        assert body["provenance"] == {**who, "seen_at": "2026-01-01T00:00:00.000000Z"}


def test_a_setting_widens_the_audience(start: Callable[..., LocalServer]) -> None:
    browser = Browser(start(BRIDGE_VARIABLES_AUDIENCES="event,agent"), next(_numbers))
    browser.post(browser.event())
    assert browser.state()["variables"] == {"testkey_1": "s3cret-1", "testkey_2": "s3cret-2"}
    assert browser.view()["audiences"]["comment"] == {"variables": {}, "hidden": 2}


def test_the_publication_ends_as_sent_and_no_value_is_in_the_journal_or_the_log(browser: Browser) -> None:
    browser.post(browser.event(), {**browser.event(), "data": {"captured_variables": CAPTURED}})
    browser.post(browser.event(captured_variables=[{"variables": {"s3cret": float("inf")}}]))
    browser.server.wait_until_quiet(browser.conversation)
    (entry,) = browser.entries()
    assert [(one["kind"], one["state"]) for one in entry["commands"]] == [("publish", "sent")]
    assert "s3cret" not in json.dumps(entry)
    assert "testkey" not in json.dumps(entry)
    log = browser.server.log.read_text()
    assert "s3cret" not in log
    assert "testkey" not in log
    assert token().split(".")[0] not in log


def test_a_value_of_null_and_an_empty_key_do_no_harm(browser: Browser) -> None:
    browser.post(browser.event(captured_variables=[{"variables": {"k": None, "": 0}}]))
    browser.post(browser.event(captured_variables=[{"variables": {"later": 1}}]))
    assert browser.view()["audiences"]["event"]["variables"] == {"k": None, "": 0, "later": 1}


# What counts once.


def test_the_same_event_id_again_is_accepted_and_counts_once(browser: Browser) -> None:
    event = browser.event(LEFT)
    for _ in range(3):
        assert browser.post(event, event).json["accepted"] == [event["id"]] * 2
    assert browser.kinds() == ["virtual_agent_left", "variables_captured"]


def test_the_same_content_from_two_tabs_and_two_agents_counts_once(browser: Browser) -> None:
    other = Browser(browser.server, browser.chat, "sam")
    turned = dict(reversed(browser.event(LEFT)["data"].items()))
    for one in (browser, browser, other):
        assert one.post(one.event(LEFT), {**one.event(LEFT), "data": turned}).json["refused"] == []
    assert browser.kinds() == ["virtual_agent_left", "variables_captured"]


def test_many_tabs_and_agents_at_once_count_once(browser: Browser) -> None:
    agents = [Browser(browser.server, browser.chat, f"agent-{number % 3}") for number in range(8)]
    answers = list[Answer]()
    threads = [threading.Thread(target=lambda one=one: answers.append(one.post(one.event(LEFT)))) for one in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200] * 8
    assert browser.kinds() == ["virtual_agent_left", "variables_captured"]


def test_an_id_is_an_agents_own(browser: Browser) -> None:
    other = Browser(browser.server, browser.chat, "sam")
    browser.post(browser.event(JOINED, "same"))
    other.post(other.event(JOINED, "same", timestamp="1727853576"))
    assert browser.kinds() == ["virtual_agent_joined"] * 2


# Which conversation is meant.


def test_a_linked_session_is_the_customers(browser: Browser, talk: Talk) -> None:
    assert talk.link(browser.conversation).status == 200
    browser.post(browser.event(JOINED), browser.event())
    assert [entry["kind"] for entry in talk.journal()][-2:] == ["virtual_agent_joined", "variables_captured"]
    assert talk.state()["phase"] == "BOT"


def test_a_claim_says_nothing_about_who_speaks_while_a_customer_waits_or_a_human_is_there(
    browser: Browser, talk: Talk
) -> None:
    talk.link(browser.conversation)
    talk.asks_for_human()
    browser.post(browser.event(JOINED), browser.event(LEFT, finish_reason="Task VA failed"))
    assert talk.state()["phase"] == "QUEUED"
    talk.post(":claim", {"representative": {"displayName": "Jane Doe"}})
    browser.post(browser.event(JOINED, timestamp="1727853599"), browser.event(LEFT, timestamp="1727853600"))
    state = talk.state()
    assert (state["phase"], [one["displayName"] for one in state["representatives"]]) == ("HUMAN", ["Jane Doe"])
    assert [line for line in talk.seen() if "LEFT" in line or "Jane" in line] == ["JOINED Jane Doe"]


def test_a_session_that_baton_knows_from_dialogflow_is_that_conversation(browser: Browser, talk: Talk) -> None:
    dialogflow = f"dialogflow:c-{browser.chat}"
    assert talk.link(dialogflow).status == 200
    browser.post(browser.event(JOINED, conversation_id=f"c-{browser.chat}"))
    assert browser.kinds() == []
    assert talk.journal()[-1]["kind"] == "virtual_agent_joined"


def test_a_dialogflow_conversation_that_nobody_knows_is_the_session_itself(browser: Browser) -> None:
    browser.post(browser.event(JOINED, conversation_id="../nobody knows"))
    assert browser.kinds() == ["virtual_agent_joined"]


# Who may report.


def test_a_preflight_is_answered_before_anything_else(start: Callable[..., LocalServer]) -> None:
    browser = Browser(start(BRIDGE_TOKEN_KEYS=" "), 1)
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
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
def test_another_origin_is_refused_and_may_not_even_read_so(browser: Browser, origin: str | None) -> None:
    origin = origin and origin.format(port=browser.server.port)
    for answer in (browser.post(browser.event(), origin=origin), browser.ask("OPTIONS", headers={"origin": origin})):
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
        pytest.param(f"Bearer {token(exp=datetime.now(UTC) + timedelta(hours=6))}", id="for six hours"),
        pytest.param(f"Bearer {token(aud='crm')}", id="for another audience"),
        pytest.param(f"Bearer {jwt.encode({'sub': 'jane', 'aud': 'baton'}, '', algorithm='none')}", id="alg none"),
    ],
)
def test_without_a_token_that_counts_nothing_is_taken(browser: Browser, authorization: str | None) -> None:
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
def test_a_body_that_is_none_is_refused_readably(browser: Browser, body: bytes, status: int, slug: str) -> None:
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
        pytest.param({"origin": "x" * 300}, "schema", id="an origin without end"),
    ],
)
def test_one_event_that_is_wrong_is_refused_beside_the_others(
    browser: Browser, change: dict[str, Any], slug: str
) -> None:
    good, bad = browser.event(JOINED), {**browser.event(), **change}
    answer = browser.post(bad, good)
    named = bad["id"] if isinstance(bad["id"], str) else None
    assert (answer.status, answer.json) == (200, {"accepted": [good["id"]], "refused": [{"id": named, "reason": slug}]})
    assert browser.kinds() == ["virtual_agent_joined"]


@pytest.mark.parametrize("event", [None, 7, "text", []], ids=repr)
def test_what_is_no_event_at_all_is_refused(browser: Browser, event: Any) -> None:
    assert browser.post(event).json == {"accepted": [], "refused": [{"id": None, "reason": "schema"}]}


def test_fifty_events_are_taken(browser: Browser) -> None:
    events = [browser.event(JOINED, timestamp=str(1727853575 + number)) for number in range(50)]
    assert len(browser.post(*events).json["accepted"]) == 50


# The script.


def test_the_script_may_be_kept_for_ever_under_its_own_version_only(browser: Browser) -> None:
    script = SCRIPT.read_bytes()
    kept = browser.ask("GET", f"/bridge.js?v={version(script)}", headers={"origin": "https://anybody.test"})
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
    [("GET", "/", 405), ("PUT", "/", 405), ("POST", "/bridge.js", 404), ("POST", "/v1", 404), ("GET", "/main.py", 404)],
)
def test_there_is_nothing_else(browser: Browser, method: str, path: str, status: int) -> None:
    assert browser.ask(method, path, headers={"authorization": f"Bearer {token()}"}).status == status
