"""What only one platform's door does: the handshake, the rotation of secrets, the calls it
makes.
"""

import json

import pytest

from shared.errors import DoorClosed, Unauthenticated
from shared.platforms.base import Outcome
from shared.platforms.bodies import hmac_sha512_base64
from shared.platforms.business_messages.platform import BusinessMessages
from shared.platforms.csku.platform import Csku
from shared.schemas.commands import SendEvent, SendMessage, Signal
from shared.schemas.content import Content
from shared.schemas.http import Answer, Request
from shared.schemas.representative import Representative, RepresentativeType

JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")
PLATFORM = BusinessMessages(
    signing_keys=("old", "new"), client_token="token", api_url="https://example.com/"
)


def _handshake(body: object) -> Request:
    return Request("POST", "/business_messages", json.dumps(body).encode())


def test_the_handshake_answers_the_secret_as_plain_text() -> None:
    answer = PLATFORM.handshake(_handshake({"clientToken": "token", "secret": "1234567890"}))
    assert answer is not None
    assert (answer.body, answer.content_type) == (b"1234567890", "text/plain")


def test_a_handshake_with_another_token_is_unauthenticated() -> None:
    with pytest.raises(Unauthenticated):
        PLATFORM.handshake(_handshake({"clientToken": "guess", "secret": "1234567890"}))


def test_a_handshake_without_a_configured_token_finds_the_door_closed() -> None:
    with pytest.raises(DoorClosed):
        BusinessMessages().handshake(_handshake({"clientToken": "", "secret": "1234567890"}))


@pytest.mark.parametrize(
    "body",
    [
        {"secret": "x"},
        {"clientToken": 1, "secret": "x"},
        [],
        {"conversationId": "1", "clientToken": "token"},
    ],
)
def test_other_bodies_are_no_handshake(body: object) -> None:
    assert PLATFORM.handshake(_handshake(body)) is None


@pytest.mark.parametrize("key", ["old", "new"])
def test_while_a_secret_rotates_both_sign(key: str) -> None:
    PLATFORM.authenticate(
        Request("POST", "/", b"{}", {"x-goog-signature": hmac_sha512_base64(key, b"{}")})
    )


def test_a_signature_is_known_by_its_vendors_algorithm() -> None:
    """HMAC-SHA512, base64, over the raw body; the value is openssl's."""
    known = (
        "+KTwogkWe8GSob/6oB7NsJ4GxX+WUw2S7JzOoAkNKQ5VBxMG1rZU8mrgyHIffkii1xMLiBFR8s7I1h2UGmvoig=="
    )
    assert hmac_sha512_base64("secret", b"test") == known


@pytest.mark.parametrize("given", [" s1 ", "s2"])
def test_csku_secrets_are_trimmed_and_rotate(given: str) -> None:
    Csku(webhook_secrets=("s1", " s2")).authenticate(
        Request("POST", "/", b"", {"authorization": given})
    )


@pytest.mark.parametrize("given", ["S1", "Bearer s1", "s1,s2", ""])
def test_csku_secrets_are_exact(given: str) -> None:
    with pytest.raises(Unauthenticated):
        Csku(webhook_secrets=("s1",)).authenticate(
            Request("POST", "/", b"", {"authorization": given})
        )


def test_a_message_becomes_the_vendors_call() -> None:
    call = PLATFORM.call(
        SendMessage(id="7777", to="a/b", representative=JANE, content=Content(text="Hello"))
    )
    assert call is not None
    assert (call.method, call.url) == (
        "POST",
        "https://example.com/v1/conversations/a%2Fb/messages",
    )
    assert json.loads(call.body) == {
        "messageId": "7777",
        "text": "Hello",
        "representative": {"representativeType": "HUMAN", "displayName": "Jane Doe"},
    }


def test_a_frame_becomes_the_vendors_event() -> None:
    call = PLATFORM.call(
        SendEvent(id="6 6", to="3333", representative=JANE, event_type="REPRESENTATIVE_JOINED")
    )
    assert call is not None
    assert call.url == "https://example.com/v1/conversations/3333/events?eventId=6%206"
    assert json.loads(call.body)["eventType"] == "REPRESENTATIVE_JOINED"


def test_a_receipt_becomes_the_vendors_patch() -> None:
    call = PLATFORM.call(Signal(id="x", to="3333", kind="READ", message_id="4444"))
    assert call is not None
    assert (call.method, call.url) == (
        "PATCH",
        "https://example.com/v1/conversations/3333/messages/4444/receipt",
    )


def test_csku_delivers_by_itself() -> None:
    assert (
        Csku().call(SendMessage(id="1", to="x", representative=JANE, content=Content(text="Hello")))
        is None
    )


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (200, None, Outcome.DONE),
        (409, "ALREADY_EXISTS", Outcome.DONE),
        (409, "ABORTED", Outcome.TRANSIENT),
        (409, "FAILED_PRECONDITION", Outcome.PERMANENT),
        (409, None, Outcome.PERMANENT),
        (400, "ALREADY_EXISTS", Outcome.PERMANENT),
        (401, "UNAUTHENTICATED", Outcome.TRANSIENT),
        (403, "PERMISSION_DENIED", Outcome.FORBIDDEN),
        (404, None, Outcome.PERMANENT),
        (301, None, Outcome.PERMANENT),
        (408, None, Outcome.TRANSIENT),
        (425, None, Outcome.TRANSIENT),
        (429, None, Outcome.TRANSIENT),
        (500, None, Outcome.TRANSIENT),
        (503, None, Outcome.TRANSIENT),
    ],
)
def test_an_answer_means_done_again_or_never(
    status: int, error: str | None, expected: Outcome
) -> None:
    body = json.dumps({"error": {"status": error}}).encode() if error else b"<html>"
    assert PLATFORM.outcome(Answer(status, body)) is expected
