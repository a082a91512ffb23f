"""Anything may come to a door: it is never answered with a 500, and every error has the one shape."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local.server import free_port
from infra.local.settings import ADMIN_KEY, AGENT_KEY, BOT_KEY, CSKU_SECRET
from tests.emulators.envelopes import FORMS, Envelope
from tests.emulators.in_process import Answer, Functions
from tests.emulators.webhooks import signed

Ask = Callable[..., Answer]
BUSY = {"contended", "outbox-full", "delivery-failed-for-now"}
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}

thoroughly = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Returns what asks a function and holds its answer against the one shape; what leaves goes nowhere."""
    folder, nowhere = tmp_path_factory.mktemp("doors"), f"http://127.0.0.1:{free_port()}"
    functions = Functions.of(
        BATON_STORE=f"sqlite:///{folder / 'baton.sqlite'}",
        BATON_QUEUE="inline",
        BUSINESS_MESSAGES_API_URL=nowhere,
        DELIVERY_GIVE_UP_AFTER="0.000001",
        TEAM_WEBHOOK_URL=nowhere,
        TEAM_WEBHOOK_SECRET=base64.b64encode(b"secret").decode(),
    )
    with asyncio.Runner() as runner:

        def asked(*request: Any) -> Answer:
            answer = runner.run(functions.ask(*request))
            _check(answer)
            return answer

        for native in ("3333", "4444"):
            asked("receive_webhook", "POST", "/business_messages", *signed({"conversationId": native, "message": {}}))
        yield asked
        runner.run(_end(functions))


async def _end(functions: Functions) -> None:
    """Ends the deliveries that still try, which would open again what is closed here."""
    deliveries = asyncio.all_tasks() - {asyncio.current_task()}
    for delivery in deliveries:
        delivery.cancel()
    await asyncio.gather(*deliveries, return_exceptions=True)
    await functions.close()


def _check(answer: Answer) -> None:
    if answer.status == 200:
        return
    error = answer.body["error"]
    assert answer.status != 500, error
    (detail,) = error["details"]
    assert error["code"] == answer.status
    assert error["status"] in (STATUSES.get(answer.status), "ALREADY_EXISTS", "FAILED_PRECONDITION")
    assert error["message"]
    assert detail["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert detail["domain"] == "baton"
    assert detail["reason"]
    assert all(isinstance(value, str) for value in detail["metadata"].values())
    assert answer.status != 503 or detail["reason"] in BUSY, detail


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _of(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that have some of these fields, with anything in them."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, anything))


times = st.sampled_from(["2026-01-01T00:00:00Z", "0000-00-00", "9999-12-31T23:59:59.999999999Z", "now"])
people = _of("displayName", "representativeType", "avatarImage") | st.fixed_dictionaries(
    {"representativeType": st.sampled_from(["BOT", "HUMAN"]), "displayName": st.text(max_size=10)}
)
natives = st.sampled_from(["3333", "4444"]) | st.text(max_size=150)
raw_json = st.builds(lambda value: json.dumps(value).encode(), anything) | st.binary(max_size=60)
business_messages = st.fixed_dictionaries(
    {"conversationId": natives},
    optional={
        "requestId": anything,
        "message": anything
        | st.fixed_dictionaries({}, optional={"messageId": anything, "text": anything, "createTime": times}),
        "suggestionResponse": anything | _of("text", "postbackData"),
        "userStatus": anything
        | st.fixed_dictionaries(
            {}, optional={"isTyping": anything, "requestedLiveAgent": st.sampled_from(["true", True, 1])}
        ),
        "receipts": anything | _of("receipts"),
        "surveyResponse": anything | _of("rating", "questionResponseText"),
        "authenticationResponse": anything,
        "context": anything | _of("userInfo", "resolvedLocale"),
        "sendTime": times | anything,
    },
)
csku = st.fixed_dictionaries(
    {"event": st.sampled_from(["channel.message_in", "agent.message_out", "ai.message_generated", "x"]) | anything},
    optional={
        "conversation_id": natives | anything,
        "timestamp": st.integers() | st.floats() | anything,
        "need_human": anything,
        "conversation_label": anything,
        "message": anything | _of("id", "content", "agent", "ai", "sender_name"),
    },
)


def _wrapped(body: Any) -> dict[str, Any]:
    return {"message": {"data": base64.b64encode(json.dumps(body).encode()).decode()}}


@thoroughly
@given(body=business_messages.map(json.dumps) | business_messages.map(_wrapped).map(json.dumps) | raw_json)
def test_whatever_business_messages_signs(ask: Ask, body: str | bytes) -> None:
    raw = body if isinstance(body, bytes) else body.encode()
    assert ask("receive_webhook", "POST", "/business_messages", *signed(raw)).status in (200, 400, 401, 503)


@thoroughly
@given(body=csku.map(lambda value: json.dumps(value).encode()) | raw_json)
def test_whatever_csku_signs(ask: Ask, body: bytes) -> None:
    key = {"authorization": CSKU_SECRET}
    assert ask("receive_webhook", "POST", "/csku", body, key).status in (200, 400, 503)


@thoroughly
@given(
    path=st.sampled_from(["/business_messages", "/csku", "/receive_webhook/csku", ""]) | st.text(max_size=20),
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS", "BREW"]),
    body=raw_json,
    signature=st.text(st.characters(max_codepoint=255), max_size=100),
)
def test_whatever_a_stranger_sends(ask: Ask, path: str, method: str, body: bytes, signature: str) -> None:
    headers = {"x-goog-signature": signature, "authorization": signature}
    assert ask("receive_webhook", method, f"/{path}", body, headers).status in (401, 404, 405)


segments = st.one_of(
    st.sampled_from(
        ["3333", "4444", "csku:9", "business_messages:3333", "%", "%ff", "%00", "%2F", "..", "", "a%3Aclaim", ":"]
    ),
    st.text(max_size=12).map(lambda text: quote(text.encode("utf-8", "replace"), safe="")),
    st.text(max_size=12),
)
verbs = st.sampled_from(["", ":requestHuman", ":claim", ":release", ":fail", ":link", ":unlink", ":x"])
rest = st.sampled_from(
    ["", "/messages", "/events", "/journal", "/messages/m-1/receipt", "/x", "/messages/%ff/receipt", "/"]
)
paths = st.builds("/v1/conversations/{}{}{}".format, segments, verbs, rest) | st.just("/v1/conversations") | segments
ids = st.text(min_size=1, max_size=5) | anything
asked_bodies = st.fixed_dictionaries(
    {},
    optional={
        "messageId": ids,
        "requestId": ids,
        "text": st.text(max_size=20) | anything,
        "representative": people | anything,
        "eventType": st.sampled_from(["REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT", "TYPING_STARTED"]) | anything,
        "receiptType": st.just("READ") | anything,
        "reason": st.text(max_size=9) | anything,
        "metadata": anything,
        "to": natives | anything,
        "richCard": anything,
        "image": anything | _of("contentInfo"),
        "suggestions": anything,
        "fallback": anything,
    },
)
cursors = st.text(max_size=30) | st.builds("{} conversations/{}".format, times | st.integers(), segments)
queries = st.one_of(
    st.binary(max_size=30),
    st.builds(lambda value: f"eventId={quote(value, errors='replace')}".encode(), st.text(max_size=9)),
    st.builds(lambda value: f"phase=HUMAN&cursor={quote(value, errors='replace')}".encode(), cursors),
)


@settings(thoroughly, max_examples=400)
@given(
    path=paths,
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT"]),
    body=asked_bodies.map(lambda value: json.dumps(value).encode()) | raw_json,
    query=queries,
    key=st.sampled_from([BOT_KEY, AGENT_KEY, ADMIN_KEY, ADMIN_KEY, "wrong", "\xff"]),
)
def test_whatever_a_caller_asks(ask: Ask, path: str, method: str, body: bytes, query: bytes, key: str) -> None:
    ask("send_representative", method, path, body, {"authorization": f"Bearer {key}"}, query)


wake_ups = st.fixed_dictionaries(
    {"schema_version": st.just(1) | anything, "conversation": natives.map("business_messages:{}".format) | anything},
    optional={"timers": st.booleans() | anything, "x": anything},
)
notifications = st.fixed_dictionaries(
    {
        "schema_version": st.just(1),
        "id": st.text(max_size=40) | anything,
        "type": st.sampled_from(["handoff.requested", "delivery.failed", "x"]) | anything,
        "conversation": natives.map("business_messages:{}".format) | anything,
        "time": times | anything,
    },
    optional={
        "representative": people | anything,
        "reason": anything,
        "waited_seconds": anything,
        "reminder": anything,
    },
)


def _forms(bodies: st.SearchStrategy[Any]) -> st.SearchStrategy[Envelope]:
    """Each form with such a body, with what is left out, doubled or of another kind; and anything at all."""
    well = st.builds(lambda form, body: FORMS[form](body), st.sampled_from(list(FORMS)), bodies)
    message = st.fixed_dictionaries(
        {}, optional={"data": anything, "attributes": anything, "messageId": anything, "message_id": anything}
    )
    ill = st.builds(
        lambda value: Envelope(json.dumps(value).encode(), {}),
        st.fixed_dictionaries({}, optional={"message": message | anything, "data": anything, "specversion": anything}),
    )
    return well | ill | st.builds(Envelope, raw_json, st.just({"ce-id": "1"}))


@thoroughly
@given(envelope=_forms(wake_ups), method=st.sampled_from(["POST", "POST", "POST", "GET"]))
def test_whatever_wakes_delivery(ask: Ask, envelope: Envelope, method: str) -> None:
    assert ask("deliver_outbox", method, "/", envelope.body, envelope.headers).status in (200, 400, 405, 503)


@thoroughly
@given(envelope=_forms(notifications))
def test_whatever_the_team_is_to_be_told(ask: Ask, envelope: Envelope) -> None:
    assert ask("notify_handoff", "POST", "/", envelope.body, envelope.headers).status in (200, 400, 503)


@settings(thoroughly, max_examples=30)
@given(envelope=_forms(anything), method=st.sampled_from(["POST", "GET"]))
def test_whatever_calls_the_sweep(ask: Ask, envelope: Envelope, method: str) -> None:
    assert ask("sweep", method, "/x", envelope.body, envelope.headers).status in (200, 405)
