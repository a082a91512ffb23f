"""A stranger's own bot, desk and platform over plain HTTP: what Baton sends them, and that it
needs nothing else.
"""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from infra.local.server import LocalServer
from infra.local.talk import Talk
from shared.platforms.bodies import hmac_sha512_base64

Start = Callable[..., LocalServer]


@dataclass
class Listener:
    """A plain HTTP server that keeps what it gets; it answers 500 `fails` times first."""

    url: str = ""
    fails: int = 0
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.got]


@pytest.fixture
def listener() -> Iterator[Listener]:
    kept = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = 500 if kept.fails else 200
            if kept.fails:
                kept.fails -= 1
            else:
                kept.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_bot_hears_the_customer_only_while_no_human_is_there(
    start: Start, listener: Listener
) -> None:
    server = start(
        BOT_WEBHOOK_URL=f"{listener.url}/bot",
        DESK_WEBHOOK_URL=f"{listener.url}/desk",
        OUTBOUND_WEBHOOK_KEYS="dev-out",
    )
    talk = Talk.open(server)
    talk.asks_for_human()
    talk.customer_says("Anybody?", "m-2")
    talk.frame("JOINED", "Jane Doe", "e-1")
    talk.customer_says("Hello Jane", "m-3")
    talk.seen()
    heard = [
        (path, json.loads(body).get("message", {"text": "asks"})["text"])
        for path, _, body in listener.got
    ]
    by_path = {path: [text for one, text in heard if one == path] for path in ("/bot", "/desk")}
    assert by_path == {  # neither waits for the other
        "/bot": ["Hi, I have a problem", "asks", "Anybody?"],
        "/desk": ["asks", "Anybody?", "Hello Jane"],
    }
    for _, headers, body in listener.got:
        assert headers["x-goog-signature"] == hmac_sha512_base64("dev-out", body)
    assert listener.bodies[0]["conversationId"] == talk.id
    assert "audience" not in listener.bodies[0]


def test_a_webhook_that_fails_gets_its_messages_later_in_order(
    start: Start, listener: Listener
) -> None:
    listener.fails = 2
    server = start(BOT_WEBHOOK_URL=listener.url, OUTBOUND_WEBHOOK_KEYS="dev-out")
    talk = Talk.open(server)
    talk.customer_says("second", "m-2")
    talk.seen()
    assert [body["message"]["text"] for body in listener.bodies] == [
        "Hi, I have a problem",
        "second",
    ]


def test_without_a_signing_key_nothing_leaves_and_nothing_is_lost(
    start: Start, listener: Listener
) -> None:
    server = start(BOT_WEBHOOK_URL=listener.url, OUTBOUND_WEBHOOK_KEYS="")
    talk = Talk.open(server)
    assert talk.say("BOT", "Bot", "still here", "b-1").status == 200
    # the bot's words are settled, the webhook waits
    server.wait_until(lambda: talk.state()["pending"] == 1)
    assert len(server.transcript(talk.id)) == 2
    assert listener.got == []
    server.stop()
    server.change(OUTBOUND_WEBHOOK_KEYS="dev-out")
    server.start()
    talk.seen()
    assert [body["message"]["text"] for body in listener.bodies] == ["Hi, I have a problem"]


def test_a_strangers_platform_may_stand_in_for_the_simulated_one(
    start: Start, listener: Listener
) -> None:
    server = start(BUSINESS_MESSAGES_API_URL=listener.url, BUSINESS_MESSAGES_AUTH="bearer:a-token")
    talk = Talk.open(server)
    talk.frame("JOINED", "Jane Doe", "e-1")
    talk.say("HUMAN", "Jane Doe", "Hello", "m-9")
    server.wait_until_quiet(talk.id)
    paths = [path for path, _, _ in listener.got]
    assert paths == [
        f"/v1/conversations/{talk.id}/events?eventId=e-1",
        f"/v1/conversations/{talk.id}/messages",
    ]
    assert {headers["authorization"] for _, headers, _ in listener.got} == {"Bearer a-token"}


@pytest.mark.parametrize("platform", ["rcs", "whatsapp"])
def test_a_bot_of_business_messages_serves_another_channel_unchanged(
    start: Start, listener: Listener, platform: str
) -> None:
    """All that it knows is the form that it gets, and where Business Messages' API would be."""
    server = start(BOT_WEBHOOK_URL=listener.url, OUTBOUND_WEBHOOK_KEYS="dev-out")
    customer = f"/sim/{platform}/customers/+5511987654321"
    server.send("POST", f"{customer}/messages", b'{"text": "Oi", "displayName": "Ana"}')
    server.wait_until(lambda: bool(listener.got))
    (body,) = listener.bodies
    assert (body["message"]["text"], body["context"]["resolvedLocale"]) == ("Oi", "pt")
    assert "5511987654321" not in json.dumps(body)
    answer = {"messageId": "b-1", "text": "Hello", "representative": {"representativeType": "BOT"}}
    path = f"/send_representative/v1/conversations/{body['conversationId']}/messages"
    key = {"authorization": "Bearer dev-bot"}
    assert server.send("POST", path, json.dumps(answer).encode(), key).status == 200
    server.wait_until_quiet(body["conversationId"])
    assert [row["body"]["text"] for row in server.get(customer)["transcript"]] == ["Oi", "Hello"]
    server.send("POST", f"{customer}/messages", b'{"text": "Sim", "postbackData": "yes"}')
    server.wait_until(lambda: len(listener.got) == 2)
    assert listener.bodies[1]["suggestionResponse"]["postbackData"] == "yes"
    server.send(
        "POST", f"{customer}/messages", b'{"text": "Person", "postbackData": "baton:request-human"}'
    )
    server.wait_until(lambda: len(listener.got) == 3)
    assert listener.bodies[2]["userStatus"]["requestedLiveAgent"] is True
    assert listener.bodies[2]["context"]["userInfo"]["displayName"]


def test_the_chip_that_asks_for_a_person_reaches_bot_and_desk_in_the_platforms_own_words(
    start: Start, listener: Listener
) -> None:
    server = start(
        BOT_WEBHOOK_URL=f"{listener.url}/bot",
        DESK_WEBHOOK_URL=f"{listener.url}/desk",
        OUTBOUND_WEBHOOK_KEYS="dev-out",
    )
    talk = Talk.open(server)
    asked = {
        "conversationId": talk.id,
        "requestId": "r-1",
        "userStatus": {"requestedLiveAgent": "true"},
    }
    for _ in range(2):  # platforms deliver at least once
        raw = json.dumps(asked).encode()
        signature = {"x-goog-signature": hmac_sha512_base64("dev-signing-key", raw)}
        assert (
            server.send("POST", "/receive_webhook/business_messages", raw, signature).status == 200
        )
    talk.seen()
    heard = [(path, json.loads(body)) for path, _, body in listener.got]
    assert [body for path, body in heard if path == "/bot"][1:] == [asked]
    assert [body for path, body in heard if path == "/desk"] == [asked]
