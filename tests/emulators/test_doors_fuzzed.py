"""Anything may come to a door: it is never answered with a 500, and every error has the one
shape.
"""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local.settings import (
    ADMIN_KEY,
    AGENT_KEY,
    BOT_KEY,
    BRIDGE_KEY,
    CCAI_EVENTS_PASSWORD,
    CCAI_EVENTS_USER,
    CCAI_SECRETS,
    CSKU_SECRET,
    MATRIX_HS_TOKEN,
    RCS_TOKEN,
    WHATSAPP_SECRET,
)
from shared.platforms.bodies import hmac_sha256_base64, hmac_sha256_hex, hmac_sha512_base64
from tests.emulators.envelopes import Envelope
from tests.emulators.in_process import Answer, Functions
from tests.emulators.strategies import (
    anything,
    asked_bodies,
    business_messages,
    ccai,
    csku,
    envelopes,
    ids,
    matrix,
    notifications,
    paths,
    queries,
    raw_json,
    rcs,
    some_of,
    times,
    wake_ups,
    whatsapp,
)
from tests.emulators.webhooks import signed
from tests.hard import hard_bodies
from tests.soak import SOAKS

pytestmark = pytest.mark.soak

Ask = Callable[..., Answer]
# "unreachable": there is no homeserver that says who wrote
BUSY = {"contended", "outbox-full", "delivery-failed-for-now", "unreachable"}
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

BEGINNINGS = [
    b"{",
    b'{"conversationId": "3333", "requestId": ',
    b'{"event": "channel.message_in", "conversation_id": "9", "conversation_label": ',
    b'{"agentId": "a", "senderPhoneNumber": "+6281234567890", "text": ',
    b'{"event_type": "message_received", "chat_id": 138, "body": ',
    b'{"messageId": "m", "representative": {"representativeType": "BOT"}, "text": ',
    b'{"schema_version": 1, "conversation": "business_messages:3333", "timers": ',
    b'{"reason": "r", "metadata": ',
    b'{"events": ',
    b'{"specversion": "1.0", "data": ',
]
hard = hard_bodies(st.sampled_from(BEGINNINGS))
rubbish = st.text(st.characters(max_codepoint=255), max_size=60)


def trying(examples: int) -> settings:
    """The gate tries so many examples, a soak twenty times as many."""
    return settings(
        max_examples=examples * 20 if SOAKS else examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


thoroughly = trying(75)


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, nowhere: str) -> Iterator[Ask]:
    """Returns what asks a function and holds its answer against the one shape; what leaves goes
    nowhere.
    """
    folder = tmp_path_factory.mktemp("doors")
    functions = Functions.of(
        BATON_STORE=f"sqlite:///{folder / 'baton.sqlite'}",
        BATON_QUEUE="inline",
        BUSINESS_MESSAGES_API_URL=nowhere,
        RCS_API_URL=nowhere,
        WHATSAPP_API_URL=nowhere,
        DELIVERY_GIVE_UP_AFTER="0.000001",
        TEAM_WEBHOOK_URL=nowhere,
        TEAM_WEBHOOK_SECRET=base64.b64encode(b"dev-secret-of-the-team").decode(),
    )
    with asyncio.Runner() as runner:

        def asked(*request: Any) -> Answer:
            answer = runner.run(functions.ask(*request))
            _check(answer)
            return answer

        for native in ("3333", "4444"):
            asked(
                "receive_webhook",
                "POST",
                "/business_messages",
                *signed({"conversationId": native, "message": {}}),
            )
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
    if answer.status in (200, 204):
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


def _wrapped(body: Any) -> dict[str, Any]:
    return {"message": {"data": base64.b64encode(json.dumps(body).encode()).decode()}}


@thoroughly
@given(
    body=business_messages.map(json.dumps)
    | business_messages.map(_wrapped).map(json.dumps)
    | raw_json
    | hard
    | hard.map(lambda raw: json.dumps({"message": {"data": base64.b64encode(raw).decode()}}))
)
def test_any_signed_body_of_business_messages(ask: Ask, body: str | bytes) -> None:
    raw = body if isinstance(body, bytes) else body.encode()
    assert ask("receive_webhook", "POST", "/business_messages", *signed(raw)).status in (
        200,
        401,
        503,
    )


@thoroughly
@given(body=csku.map(lambda value: json.dumps(value).encode()) | raw_json | hard)
def test_any_signed_body_of_csku(ask: Ask, body: bytes) -> None:
    key = {"authorization": CSKU_SECRET}
    assert ask("receive_webhook", "POST", "/csku", body, key).status in (200, 503)


@thoroughly
@given(data=rcs.map(lambda value: json.dumps(value).encode()) | raw_json | hard)
def test_any_signed_body_of_rcs(ask: Ask, data: bytes) -> None:
    """Never a 400, which would hold up every agent of the partner."""
    body = json.dumps({"message": {"data": base64.b64encode(data).decode()}}).encode()
    signature = {"x-goog-signature": hmac_sha512_base64(RCS_TOKEN, data)}
    assert ask("receive_webhook", "POST", "/rcs", body, signature).status in (200, 503)


@thoroughly
@given(body=whatsapp.map(lambda value: json.dumps(value).encode()) | raw_json | hard)
def test_any_signed_body_of_whatsapp(ask: Ask, body: bytes) -> None:
    signature = {"x-hub-signature-256": f"sha256={hmac_sha256_hex(WHATSAPP_SECRET, body)}"}
    assert ask("receive_webhook", "POST", "/whatsapp", body, signature).status in (200, 503)


@thoroughly
@given(
    body=ccai.map(lambda value: json.dumps(value).encode()) | raw_json | hard,
    stamp=st.text("0123456789-:TZ ", max_size=24),
)
def test_any_signed_body_of_ccai(ask: Ask, body: bytes, stamp: str) -> None:
    signature = hmac_sha256_base64(CCAI_SECRETS.split(",")[0], stamp.encode() + body)
    headers = {"x-signature": f"primary={signature}", "x-signature-timestamp": stamp}
    assert ask("receive_webhook", "POST", "/ccai", body, headers).status in (200, 503)


@thoroughly
@given(
    body=matrix.map(lambda value: json.dumps(value).encode()) | raw_json | hard,
    path=st.sampled_from(["/matrix/_matrix/app/v1/transactions/1", "/matrix/_matrix/app/v1/ping"]),
)
def test_any_proven_request_of_a_homeserver(ask: Ask, body: bytes, path: str) -> None:
    headers = {"authorization": f"Bearer {MATRIX_HS_TOKEN}"}
    method = "POST" if path.endswith("ping") else "PUT"
    assert ask("receive_webhook", method, path, body, headers).status in (200, 503)


@thoroughly
@given(body=ccai.map(lambda value: json.dumps(value).encode()) | raw_json | hard)
def test_any_external_session_event(ask: Ask, body: bytes) -> None:
    login = base64.b64encode(f"{CCAI_EVENTS_USER}:{CCAI_EVENTS_PASSWORD}".encode()).decode()
    headers = {"authorization": f"Basic {login}"}
    assert ask("receive_webhook", "POST", "/ccai", body, headers).status in (200, 503)


@thoroughly
@given(
    query=queries
    | st.builds("hub.mode={}&hub.challenge=1&hub.verify_token={}".format, st.text(), st.text()).map(
        str.encode
    )
)
def test_any_verification_request_of_whatsapp(ask: Ask, query: bytes) -> None:
    assert ask("receive_webhook", "GET", "/whatsapp", b"", {}, query).status in (401, 405)


@thoroughly
@given(
    path=st.sampled_from(
        ["/business_messages", "/csku", "/rcs", "/whatsapp", "/ccai", "/receive_webhook/csku", ""]
    )
    | st.sampled_from(["/matrix", "/matrix/_matrix/app/v1/transactions/1", "/matrix/x"])
    | st.text(max_size=20),
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS", "BREW"]),
    body=raw_json,
    signature=st.text(st.characters(max_codepoint=255), max_size=100),
)
def test_any_body_without_credentials(
    ask: Ask, path: str, method: str, body: bytes, signature: str
) -> None:
    names = (
        "x-goog-signature",
        "x-hub-signature-256",
        "x-signature",
        "x-signature-timestamp",
        "authorization",
    )
    headers = dict.fromkeys(names, signature)
    is_check = method == "GET" and path == ""  # of the uptime
    expected = (200,) if is_check else (401, 404, 405)
    assert ask("receive_webhook", method, f"/{path}", body, headers).status in expected


@trying(200)
@given(
    path=paths,
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT"]),
    body=asked_bodies.map(lambda value: json.dumps(value).encode()) | raw_json | hard,
    query=queries,
    key=st.sampled_from([BOT_KEY, AGENT_KEY, ADMIN_KEY, ADMIN_KEY, "wrong", "\xff"]),
)
def test_any_request_of_a_caller(
    ask: Ask, path: str, method: str, body: bytes, query: bytes, key: str
) -> None:
    ask("send_representative", method, path, body, {"authorization": f"Bearer {key}"}, query)


@thoroughly
@given(
    query=st.lists(
        st.tuples(
            st.sampled_from(["from", "to", "tz", "by", "format"]),
            st.text(max_size=12)
            | st.sampled_from(
                [
                    "2026-01-01",
                    "9999-12-31",
                    "0001-01-01",
                    "UTC",
                    "../x",
                    "\0",
                    "desk,channel",
                    ";;",
                    "csv",
                ]
            ),
        ),
        max_size=4,
    ),
    report=st.sampled_from(["handoffs", "agents"]),
)
def test_any_request_for_a_report(ask: Ask, query: list[tuple[str, str]], report: str) -> None:
    asked = "&".join(f"{name}={quote(value, errors='replace')}" for name, value in query).encode()
    key = {"authorization": f"Bearer {ADMIN_KEY}"}
    assert ask("send_representative", "GET", f"/v1/reports/{report}", b"", key, asked).status in (
        200,
        400,
    )


FROM_THE_CRM = {"origin": "https://crm.example"}
_tasks = st.fixed_dictionaries(
    {
        "id": ids,
        "type": st.sampled_from(["Task_VA_Joined", "Task_VA_Left"]) | anything,
        "origin": st.text() | anything,
    },
    optional={
        "seen_at": times | anything,
        "data": anything
        | some_of(
            *(
                "chat_id",
                "call_id",
                "session_id",
                "conversation_id",
                "timestamp",
                "captured_variables",
            ),
            *(
                "virtual_agent_id",
                "virtual_agent_name",
                "finish_reason",
                "campaign_id",
                "queue_id",
                "participant_id",
            ),
        ),
    },
)


@thoroughly
@given(
    body=st.fixed_dictionaries({"events": st.lists(_tasks | anything, max_size=3) | anything}).map(
        lambda value: json.dumps(value).encode()
    )
    | raw_json
    | hard
)
def test_any_report_of_an_agents_page(ask: Ask, body: bytes) -> None:
    token = jwt.encode(
        {"sub": "jane", "aud": "baton", "exp": time.time() + 300}, BRIDGE_KEY, algorithm="HS256"
    )
    headers = {**FROM_THE_CRM, "authorization": f"Bearer {token}"}
    assert ask("forward_variables", "POST", "/", body, headers).status in (200, 400, 413, 503)


@thoroughly
@given(
    header=hard | raw_json,
    claims=hard | raw_json,
    method=st.sampled_from(["POST", "GET", "OPTIONS", "PROPFIND"]),
)
def test_any_content_of_a_token(ask: Ask, header: bytes, claims: bytes, method: str) -> None:
    parts = (
        base64.urlsafe_b64encode(part[:40_000]).decode().rstrip("=")
        for part in (header, claims, b"x")
    )
    headers = {**FROM_THE_CRM, "authorization": f"Bearer {'.'.join(parts)}"}
    assert ask("forward_variables", method, "/", b"", headers).status in (204, 401, 405)


def _pushed(data: bytes) -> Envelope:
    return Envelope(json.dumps({"message": {"data": base64.b64encode(data).decode()}}).encode(), {})


HARD_PUSHES = hard.map(_pushed) | hard.map(
    lambda body: Envelope(body, {"ce-id": "1", "ce-specversion": "1.0"})
)


@thoroughly
@given(
    function=st.sampled_from(
        ["receive_webhook", "send_representative", "deliver_outbox", "notify_handoff", "sweep"]
    ),
    path=st.sampled_from(
        ["/csku", "/v1/conversations", "/v1/reports/handoffs", "/reports/", "*", "//", "/%ff%00%"]
    ),
    names=st.lists(
        st.sampled_from(
            "authorization content-length content-type traceparent x-cloud-trace-context host "
            "origin cookie".split()
            + (
                "x-goog-signature x-hub-signature-256 x-signature "
                "x-signature-timestamp ce-id transfer-encoding"
            ).split()
        ),
        max_size=6,
    ),
    value=rubbish
    | st.sampled_from([f"Bearer {ADMIN_KEY}", "9" * 5000, "-1", "Basic \xff", "Bearer"]),
    query=queries
    | st.sampled_from(
        [b"by=" + b"[" * 5000, b"a[b][c]" * 2000, b"%ff%00%=%", b"from=%ED%A0%BD&tz=\xff"]
    ),
    method=st.sampled_from(["GET", "POST", "PROPFIND", "TRACE", "CONNECT", "HEAD", "OPTIONS", "*"]),
)
def test_any_headers_paths_and_queries(
    ask: Ask, function: str, path: str, names: list[str], value: str, query: bytes, method: str
) -> None:
    ask(function, method, path, b"{}", dict.fromkeys(names, value), query)


@thoroughly
@given(
    envelope=envelopes(wake_ups) | HARD_PUSHES,
    method=st.sampled_from(["POST", "POST", "POST", "GET"]),
)
def test_any_wake_up(ask: Ask, envelope: Envelope, method: str) -> None:
    assert ask("deliver_outbox", method, "/", envelope.body, envelope.headers).status in (
        200,
        400,
        405,
        503,
    )


@thoroughly
@given(envelope=envelopes(notifications) | HARD_PUSHES)
def test_every_notification_of_the_team(ask: Ask, envelope: Envelope) -> None:
    assert ask("notify_handoff", "POST", "/", envelope.body, envelope.headers).status in (
        200,
        400,
        503,
    )


@trying(15)
@given(envelope=envelopes(anything) | HARD_PUSHES)
def test_any_words_for_the_bot(ask: Ask, envelope: Envelope) -> None:
    assert ask("run_bot", "POST", "/", envelope.body, envelope.headers).status in (200, 400, 503)


@trying(15)
@given(envelope=envelopes(anything) | HARD_PUSHES, method=st.sampled_from(["POST", "GET"]))
def test_any_call_of_the_sweep(ask: Ask, envelope: Envelope, method: str) -> None:
    assert ask("sweep", method, "/x", envelope.body, envelope.headers).status in (200, 405)
