"""What only RCS for Business does: its envelope's signature, its UUIDs, and a webhook that
never says 400.
"""

import base64
import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from shared.errors import DoorClosed, Unauthenticated
from shared.platforms.base import Outcome
from shared.platforms.bodies import hmac_sha512_base64
from shared.platforms.rcs.platform import Rcs
from shared.schemas.commands import SendEvent, SendMessage, Signal
from shared.schemas.content import Content
from shared.schemas.events import Event, UserMessage
from shared.schemas.http import Answer, Call, Request
from shared.schemas.notation import command_id
from shared.schemas.representative import Representative, RepresentativeType

JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")
TO = "an-agent@rbm.goog|+6281234567890"
OURS = "9c0e3c5c-8fb4-4c26-8c5a-0f8f1f0a0001"
RCS = Rcs(client_tokens=("old", "new"), api_url="https://rcs.test/", auth="bearer:x")
LIVE_AGENT: dict[str, Any] = {"liveAgentRequest": {}}


def _enveloped(data: bytes | str) -> bytes:
    text = data if isinstance(data, str) else base64.b64encode(data).decode()
    return json.dumps({"message": {"data": text}}).encode()


def _request(data: bytes, key: str) -> Request:
    return Request(
        "POST", "/rcs", _enveloped(data), {"x-goog-signature": hmac_sha512_base64(key, data)}
    )


def _call(content: dict[str, Any] | None = None, message_id: str = OURS, to: str = TO) -> Call:
    said = Content.model_validate(content or {"text": "Hello"})
    call = RCS.call(SendMessage(id=message_id, to=to, representative=JANE, content=said))
    assert call is not None
    return call


def _content(content: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(_call(content).body)["contentMessage"]
    return body


def _reply(number: int) -> dict[str, Any]:
    return {"reply": {"text": f"Chip {number}", "postbackData": f"p{number}"}}


@pytest.mark.parametrize("key", ["old", "new"])
def test_what_is_signed_is_the_decoded_data(key: str) -> None:
    RCS.authenticate(_request(b'{"agentId": "x"}', key))


def test_a_signature_over_the_whole_body_is_not_one() -> None:
    body = _enveloped(b"{}")
    with pytest.raises(Unauthenticated):
        RCS.authenticate(
            Request("POST", "/rcs", body, {"x-goog-signature": hmac_sha512_base64("new", body)})
        )


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"message": {}}', _enveloped("no base64!"), _enveloped("é")]
)
def test_what_has_no_data_proves_nothing_even_with_the_hash_of_nothing(body: bytes) -> None:
    with pytest.raises(Unauthenticated):
        RCS.authenticate(
            Request("POST", "/rcs", body, {"x-goog-signature": hmac_sha512_base64("new", b"")})
        )


def test_base64_with_something_else_in_it_is_not_guessed_at() -> None:
    signature = hmac_sha512_base64("new", b"{}")
    with pytest.raises(Unauthenticated):
        RCS.authenticate(
            Request("POST", "/rcs", _enveloped("e3!0="), {"x-goog-signature": signature})
        )


@pytest.mark.parametrize("token", ["old", "new"])
def test_the_handshake_answers_the_secret_as_plain_text(token: str) -> None:
    proof = json.dumps({"clientToken": token, "secret": "1234567890"}).encode()
    answer = RCS.handshake(Request("POST", "/rcs", proof))
    assert answer is not None
    assert (answer.status, answer.body, answer.content_type) == (200, b"1234567890", "text/plain")


def test_a_handshake_with_another_token_is_refused_and_without_any_the_door_is_closed() -> None:
    request = Request("POST", "/rcs", b'{"clientToken": "guess", "secret": "1"}')
    with pytest.raises(Unauthenticated):
        RCS.handshake(request)
    with pytest.raises(DoorClosed):
        Rcs().handshake(request)


@pytest.mark.parametrize(
    "body",
    [
        b'{"secret": "x"}',
        b"[]",
        b"{",
        _enveloped(b"{}"),
        b'{"clientToken": "new", "secret": "1"}' + b" " * 5000,
    ],
)
def test_other_bodies_are_no_handshake(body: bytes) -> None:
    assert RCS.handshake(Request("POST", "/rcs", body)) is None


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"{}", b'{"agentId": "a"}', b"[" * 200 + b"]" * 200, b"\xff"]
)
def test_a_signed_body_that_cannot_be_read_is_taken_and_logged(
    data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert RCS.events(_request(data, "new")) == []
    assert json.loads(capsys.readouterr().out)["severity"] == "ERROR"


def test_an_alarm_holds_nothing_of_the_body(capsys: pytest.CaptureFixture[str]) -> None:
    RCS.events(_request(b'{"senderPhoneNumber": "+6281234567890", "text": "secret words"}', "new"))
    line = capsys.readouterr().out
    assert "secret" not in line
    assert "6281234567890" not in line


def test_a_launch_attribute_cannot_hide_what_a_customer_says() -> None:
    """Attributes are not signed."""
    data = (
        b'{"agentId": "a", "senderPhoneNumber": "+6281234567890", "messageId": "m", "text": "Hi"}'
    )
    envelope = {
        "message": {
            "data": base64.b64encode(data).decode(),
            "attributes": {"type": "agent_launch_event"},
        }
    }
    (event,) = RCS.events(Request("POST", "/rcs", json.dumps(envelope).encode()))
    assert isinstance(event, Event)
    assert event.text == "Hi"


def test_a_message_goes_to_the_number_under_a_uuid() -> None:
    call, known = _call(), command_id(TO, OURS, "rcs")
    assert (call.method, call.auth) == ("POST", "bearer:x")
    assert call.url == (
        f"https://rcs.test/v1/phones/+6281234567890/agentMessages?messageId={known}&agentId=an-agent%40rbm.goog"
    )
    assert json.loads(call.body) == {
        "contentMessage": {"text": "Hello"},
        "messageTrafficType": "SERVICEREQUEST",
    }


@pytest.mark.parametrize("message_id", [OURS, "7777"])
def test_an_id_becomes_a_uuid_of_its_conversation(message_id: str) -> None:
    """Ids share one space per agent, and a repeated one is silently not sent, even where a
    caller draws UUIDs.
    """
    first, again, other = (
        _call(message_id=message_id),
        _call(message_id=message_id),
        _call(None, message_id, "b|+12"),
    )
    assert first.url == again.url
    ids = {call.url.partition("messageId=")[2].partition("&")[0] for call in (first, other)}
    assert len(ids) == len({uuid.UUID(one) for one in ids}) == 2


@pytest.mark.parametrize("message_id", [OURS, "7777"])
def test_receipts_will_name_the_uuid_that_was_sent(message_id: str) -> None:
    command = SendMessage(id=message_id, to=TO, representative=JANE, content=Content(text="Hello"))
    assert f"messageId={RCS.sent_id(command, Answer(200))}&" in _call(message_id=message_id).url


def test_the_traffic_type_can_be_left_out() -> None:
    call = Rcs(traffic_type=None).call(
        SendMessage(id=OURS, to=TO, representative=JANE, content=Content(text="Hi"))
    )
    assert call is not None
    assert json.loads(call.body) == {"contentMessage": {"text": "Hi"}}


def test_typing_and_read_become_events() -> None:
    typing = RCS.call(Signal(id="x", to=TO, kind="TYPING_STARTED"))
    read = RCS.call(Signal(id="y", to=TO, kind="READ", message_id="MxA1"))
    assert typing is not None
    assert read is not None
    assert "/v1/phones/+6281234567890/agentEvents?eventId=" in typing.url
    assert json.loads(typing.body) == {"eventType": "IS_TYPING"}
    assert json.loads(read.body) == {"eventType": "READ", "messageId": "MxA1"}


@pytest.mark.parametrize(
    "command",
    [
        Signal(id="x", to=TO, kind="TYPING_STOPPED"),
        Signal(id="x", to=TO, kind="READ"),
        SendEvent(id="x", to=TO, representative=JANE, event_type="REPRESENTATIVE_JOINED"),
        SendEvent(id="x", to=TO, representative=JANE, event_type="REPRESENTATIVE_LEFT"),
    ],
    ids=lambda command: getattr(command, "event_type", command.kind),
)
def test_rcs_has_no_such_thing(command: Signal | SendEvent) -> None:
    assert RCS.call(command) is None


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (200, None, Outcome.DONE),
        (409, "ALREADY_EXISTS", Outcome.DONE),
        (400, "INVALID_ARGUMENT", Outcome.PERMANENT),
        (401, "UNAUTHENTICATED", Outcome.TRANSIENT),
        (403, "PERMISSION_DENIED", Outcome.FORBIDDEN),
        (404, "NOT_FOUND", Outcome.PERMANENT),
        (409, "ABORTED", Outcome.TRANSIENT),
        (429, "RESOURCE_EXHAUSTED", Outcome.TRANSIENT),
        (500, None, Outcome.TRANSIENT),
    ],
)
def test_an_answer_means_done_again_or_never(
    status: int, error: str | None, expected: Outcome
) -> None:
    body = json.dumps({"error": {"status": error}}).encode() if error else b""
    assert RCS.outcome(Answer(status, body)) is expected


def test_keywords_of_other_countries_can_be_switched_off() -> None:
    data = (
        b'{"agentId": "a", "senderPhoneNumber": "+5215512345678", "messageId": "m", "text": "%s"}'
    )
    stop, local = (_request(data % word, "new") for word in (b"STOP", b"Baja"))
    plain = replace(RCS, facts=frozenset())
    kinds = [
        getattr(one, "kind", "no event")
        for platform in (RCS, plain)
        for request in (stop, local)
        for one in platform.events(request)
    ]
    assert kinds == ["unsubscribed", "unsubscribed", "unsubscribed", "user_message"]


@pytest.mark.parametrize(
    ("phone", "text", "kind"),
    [
        ("+14155550100", "Stop.", "unsubscribed"),
        ("+14155550100", " stop!", "unsubscribed"),
        ("+14155550100", "\u201cSTOP\u201d", "unsubscribed"),
        ("+14155550100", "STOP \U0001f64f", "unsubscribed"),
        ("+5511987654321", "Parar!!", "unsubscribed"),
        ("+33612345678", "De\u0301marrer.", "subscribed"),
        ("+14155550100", "Stop it", "user_message"),
        ("+14155550100", "s.t.o.p", "user_message"),
        ("+14155550100", "...", "user_message"),
    ],
)
def test_a_keyword_may_have_punctuation_around_it(phone: str, text: str, kind: str) -> None:
    data = {"senderPhoneNumber": phone, "agentId": "a", "messageId": "m", "text": text}
    first, *_ = RCS.events(_request(json.dumps(data).encode(), "new"))
    assert isinstance(first, Event)
    assert first.kind == kind


def test_a_file_and_a_place_are_data_too() -> None:
    payload = {"mimeType": "image/png", "fileSizeBytes": 7, "fileName": "a.png", "fileUri": "u"}
    parts = {"userFile": {"payload": payload}}, {"location": {"latitude": 1.5, "longitude": 2}}
    shown = []
    for part in parts:
        data = {"senderPhoneNumber": "+14155550100", "agentId": "a", "messageId": "m", **part}
        (event,) = RCS.events(_request(json.dumps(data).encode(), "new"))
        assert isinstance(event, UserMessage)
        assert event.details is not None
        shown.append(event.details.shown())
    file = {"kind": "image", "mimeType": "image/png", "fileName": "a.png", "size": 7, "link": "u"}
    assert shown == [{"attachments": [file]}, {"location": {"latitude": 1.5, "longitude": 2}}]
