"""Every row of the webhook door, over HTTP: what is refused how, what is tolerated, and that
nothing is lost.
"""

import base64
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from infra.local.reference import HI, TYPING
from infra.local.server import LocalServer, Reply
from infra.local.settings import CLIENT_TOKEN, CSKU_SECRET, SIGNING_KEY, WHATSAPP_SECRET
from infra.local.talk import Talk
from shared.platforms.bodies import hmac_sha256_hex, hmac_sha512_base64

PATH = "/receive_webhook/business_messages"
UNREAD = "a signed webhook cannot be read"


def _post(server: LocalServer, body: bytes, path: str = PATH) -> Reply:
    return server.send(
        "POST", path, body, {"x-goog-signature": hmac_sha512_base64(SIGNING_KEY, body)}
    )


def _fault(reply: Reply) -> tuple[int, str, str]:
    error = reply.body["error"]
    assert error["code"] == reply.status
    assert error["details"][0]["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert error["details"][0]["domain"] == "baton"
    assert error["message"]
    return reply.status, error["status"], error["details"][0]["reason"]


def test_an_unknown_platform_is_not_found(server: LocalServer) -> None:
    reply = _post(server, b"{}", "/receive_webhook/carrier_pigeon")
    assert _fault(reply) == (404, "NOT_FOUND", "unknown-platform")
    assert "/business_messages" in reply.body["error"]["message"]


def test_a_check_of_the_address_finds_the_function_and_sends_nothing(server: LocalServer) -> None:
    for path in ("/receive_webhook", "/receive_webhook/"):
        reply = server.send("GET", path)
        assert (reply.status, reply.body) == (200, {"function": "receive_webhook"})
    assert server.send("POST", "/receive_webhook/").status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_not_allowed(server: LocalServer, method: str) -> None:
    assert _fault(server.send(method, PATH)) == (405, "UNIMPLEMENTED", "method-not-allowed")


def test_a_body_over_its_platforms_limit_is_too_large(server: LocalServer) -> None:
    """WhatsApp's may have three million bytes."""
    assert _post(server, b" " * 1_000_000 + b"x").status == 200
    assert _fault(_post(server, b" " * (1 << 20) + b"x")) == (
        413,
        "INVALID_ARGUMENT",
        "body-too-large",
    )
    for size, status in ((3_000_000, 200), (4 << 20, 413)):
        body = b" " * size + b"x"
        signed = {"x-hub-signature-256": f"sha256={hmac_sha256_hex(WHATSAPP_SECRET, body)}"}
        assert server.send("POST", "/receive_webhook/whatsapp", body, signed).status == status


@pytest.mark.parametrize(
    "headers", [{}, {"x-goog-signature": "bm9wZQ=="}, {"x-goog-signature": "\xff"}]
)
def test_a_missing_or_wrong_signature_is_unauthenticated_without_a_detail(
    server: LocalServer, headers: dict[str, str]
) -> None:
    reply = server.send("POST", PATH, json.dumps(HI).encode(), headers)
    assert _fault(reply) == (401, "UNAUTHENTICATED", "unauthenticated")
    assert "signature" not in str(reply.body["error"]["details"])


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"conversationId": \\ud800}', b"[]"])
def test_what_is_genuine_and_no_object_is_taken_and_alarmed(
    server: LocalServer, body: bytes
) -> None:
    """Refused, it would come again for days."""
    before = server.log.read_text().count(UNREAD)
    assert _post(server, body).status == 200
    key = {"authorization": CSKU_SECRET}
    assert server.send("POST", "/receive_webhook/csku", body, key).status == 200
    assert server.log.read_text().count(UNREAD) == before + 2
    assert server.send("POST", PATH, body).status == 401


@pytest.mark.parametrize(
    "body",
    [
        {"message": {"messageId": "1"}},
        {"conversationId": 3333},
        {"conversationId": ""},
        {"conversationId": "3333", "message": "not an object"},
        {"conversationId": "3333", "userStatus": {"isTyping": "maybe"}},
        {"message": {"data": base64.b64encode(b'{"conversationId": null}').decode()}},
    ],
)
def test_a_body_of_another_form_is_taken_and_alarmed(
    server: LocalServer, body: dict[str, Any]
) -> None:
    before = server.log.read_text().count(UNREAD)
    assert _post(server, json.dumps(body).encode()).status == 200
    assert server.log.read_text().count(UNREAD) == before + 1


def test_what_cannot_be_read_of_a_conversation_is_noted_in_its_journal(talk: Talk) -> None:
    assert talk.webhook(userStatus={"requestedLiveAgent": "perhaps"}).status == 200
    latest = talk.journal()[-1]
    assert (latest["outcome"], latest["reason"]) == ("quarantined", "cannot-be-read")
    assert talk.state()["phase"] == "BOT"


@pytest.mark.parametrize("depth", [190, 5000])
def test_a_body_nested_beyond_reason_is_taken_and_the_conversation_lives_on(
    talk: Talk, depth: int
) -> None:
    nested = '{"a":' * depth + "1" + "}" * depth
    message = '{"messageId": "deep", "text": "x"}'
    body = f'{{"conversationId": "{talk.id}", "message": {message}, "x": {nested}}}'.encode()
    assert _post(talk.server, body).status == 200
    assert talk.customer_says("still here", "m-2").status == 200
    assert talk.journal()[-1]["text"] == "still here"


def test_an_unknown_kind_is_accepted_and_journalled_as_ignored(talk: Talk) -> None:
    assert talk.webhook(requestId="r-9", kindOfTomorrow={"x": 1}).status == 200
    latest = talk.journal()[-1]
    assert (latest["kind"], latest["outcome"]) == ("unknown", "ignored")


def test_unknown_fields_and_placeholders_are_tolerated(talk: Talk) -> None:
    body = {
        "message": {"messageId": "2", "text": "Hello", "new": {}},
        "context": "CONTEXT",
        "future": [1],
    }
    assert talk.webhook(**body).status == 200
    assert talk.journal()[-1]["text"] == "Hello"


def test_a_wrapped_body_is_read(server: LocalServer) -> None:
    inner = {**HI, "conversationId": "wrapped"}
    body = {
        "message": {"data": base64.b64encode(json.dumps(inner).encode()).decode(), "messageId": "1"}
    }
    assert _post(server, json.dumps(body).encode()).status == 200
    assert Talk(server, "wrapped").journal()[0]["text"] == "Hi, I have a problem"


def test_an_event_counts_once_however_often_it_is_delivered(talk: Talk) -> None:
    version = talk.state()["version"]
    for _ in range(3):
        assert talk.customer_says("Hi, I have a problem", "m-1").status == 200
    assert talk.state()["version"] == version
    assert len(talk.journal()) == 1


def test_typing_is_passed_on_and_never_journalled(talk: Talk) -> None:
    assert talk.webhook(**{**TYPING, "conversationId": talk.id}).status == 200
    assert len(talk.journal()) == 1


def test_the_handshake_is_answered_with_the_secret_and_a_wrong_token_is_not(
    server: LocalServer,
) -> None:
    good = server.send("POST", PATH, server.encode({"clientToken": CLIENT_TOKEN, "secret": "s-1"}))
    assert (good.status, good.body) == (200, "s-1")
    bad = server.send("POST", PATH, server.encode({"clientToken": "guess", "secret": "s-1"}))
    assert bad.status == 401


@pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
def test_a_path_works_with_and_without_a_slash_at_its_end(server: LocalServer, path: str) -> None:
    body = json.dumps({**HI, "conversationId": "paths"}).encode()
    assert _post(server, body, path).status == 200


def test_csku_wants_the_bare_secret(server: LocalServer) -> None:
    assert (
        server.send("POST", "/receive_webhook/csku", b"{}", {"authorization": "nope"}).status == 401
    )
    test_event = server.encode({"event": "test", "timestamp": 1738056000})
    assert (
        server.send(
            "POST", "/receive_webhook/csku", test_event, {"authorization": CSKU_SECRET}
        ).status
        == 200
    )


def test_overlong_text_of_a_desk_is_split_at_words_and_nothing_is_lost(talk: Talk) -> None:
    assert talk.link(f"csku:{talk.id}").status == 200
    text = "".join(f"word{n:04} " for n in range(900))
    assert talk.csku("agent.message_out", "1", text, conversation=talk.id).status == 200
    said = [line.partition(": ")[2] for line in talk.seen()[1:]]
    assert [len(part) <= 3072 for part in said] == [True] * 3
    assert "".join(said) == text
    assert all(part.endswith(" ") for part in said)


def test_a_door_without_its_secret_is_closed_and_the_others_serve(
    start: Callable[..., LocalServer],
) -> None:
    server = start(CSKU_WEBHOOK_SECRETS="", BATON_API_KEYS="")
    closed = server.send("POST", "/receive_webhook/csku", b"{}", {"authorization": CSKU_SECRET})
    assert _fault(closed) == (503, "UNAVAILABLE", "door-closed")
    assert server.send("GET", "/send_representative/v1/conversations").status == 503
    assert _post(server, json.dumps(HI).encode()).status == 200
    lines = [
        json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")
    ]
    errors = {
        line["setting"] for line in lines if line["severity"] == "ERROR" and "setting" in line
    }
    assert errors == {"CSKU_WEBHOOK_SECRETS", "BATON_API_KEYS"}


def test_without_a_store_nothing_is_acknowledged(
    start: Callable[..., LocalServer], tmp_path: Path
) -> None:
    store = tmp_path / "baton.sqlite"
    server = start(BATON_STORE=f"sqlite:///{store}")
    with closing(sqlite3.connect(store, isolation_level=None)) as another:
        another.execute("begin immediate")
        refused = _post(server, json.dumps(HI).encode())
    assert _fault(refused) == (503, "UNAVAILABLE", "store-unavailable")
    assert _post(server, json.dumps(HI).encode()).status == 200


def test_wrong_settings_are_all_named_and_a_local_run_does_not_start(
    start: Callable[..., LocalServer],
) -> None:
    with pytest.raises(RuntimeError, match=r"UNCLAIMED_AFTER.*JOURNAL_TTL_DAYS"):
        start(UNCLAIMED_AFTER="soon", JOURNAL_TTL_DAYS="1")


def test_no_secret_and_no_word_of_a_customer_reaches_the_log(
    start: Callable[..., LocalServer],
) -> None:
    server = start()
    talk = Talk.open(server)
    talk.csku("agent.message_out", "1", "a marked word", conversation="x")
    talk.frame("JOINED", "Jane Doe", "e-1")
    talk.say("HUMAN", "Jane Doe", "a marked word", "m-2")
    talk.say("BOT", "Bot", "a marked word", "m-3")
    _post(server, b'{"conversationId": 1, "text": "a marked word"}')
    talk.seen()
    outcomes = "\n".join(
        line for line in server.log.read_text().splitlines() if line.startswith("{")
    )
    assert outcomes
    for secret in (
        "a marked word",
        "I have a problem",
        SIGNING_KEY,
        CSKU_SECRET,
        "dev-agent",
        "dev-bot",
        "Jane Doe",
    ):
        assert secret not in outcomes
