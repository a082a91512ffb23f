"""What only WhatsApp does: the GET that checks the address, errors by code, ids of its own."""

import json
from pathlib import Path
from typing import Any

import pytest
import pywa.errors

from shared.errors import DoorClosed, Unauthenticated
from shared.platforms.base import Outcome
from shared.platforms.bodies import hmac_sha256_hex
from shared.platforms.whatsapp.incoming import words_of
from shared.platforms.whatsapp.platform import WhatsApp
from shared.platforms.whatsapp.webhook import Numbers
from shared.schemas.commands import GiveFloor, MoveFloor, SendEvent, SendMessage, Signal, TakeFloor
from shared.schemas.content import Content
from shared.schemas.http import Answer, Request
from shared.schemas.notation import hidden
from shared.schemas.representative import Representative, RepresentativeType

JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")
TO = "106540352242000|5511987654321"
PLATFORM = WhatsApp(
    ("old", "new"), verify_token="verify", api_url="https://graph.test/v1.0/", access_token="token"
)


def _asked(**query: str) -> Request:
    return Request(
        "GET", "/whatsapp", query={f"hub.{name}": value for name, value in query.items()}
    )


def test_the_known_answer_of_the_signature() -> None:
    known = "0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914"
    assert hmac_sha256_hex("secret", b"test") == known


@pytest.mark.parametrize("key", ["old", "new"])
def test_while_a_secret_rotates_both_sign(key: str) -> None:
    given = {"x-hub-signature-256": f"sha256={hmac_sha256_hex(key, b'raw')}"}
    PLATFORM.authenticate(Request("POST", "/", b"raw", given))


@pytest.mark.parametrize(
    "given", ["", "sha256=", hmac_sha256_hex("new", b"raw"), "sha1=0", "sha256=é"]
)
def test_a_signature_says_its_algorithm(given: str) -> None:
    with pytest.raises(Unauthenticated):
        PLATFORM.authenticate(Request("POST", "/", b"raw", {"x-hub-signature-256": given}))


def test_the_check_of_the_address_is_answered_with_the_challenge() -> None:
    answer = PLATFORM.handshake(
        _asked(mode="subscribe", challenge="1158201444", verify_token="verify")
    )
    assert answer is not None
    assert (answer.status, answer.body, answer.content_type) == (200, b"1158201444", "text/plain")


@pytest.mark.parametrize(
    "query",
    [
        {"mode": "subscribe", "challenge": "1"},
        {"mode": "subscribe", "challenge": "1", "verify_token": "guess"},
        {"mode": "unsubscribe", "challenge": "1", "verify_token": "verify"},
    ],
)
def test_a_check_with_another_verify_token_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        PLATFORM.handshake(_asked(**query))


def test_without_a_token_the_check_finds_the_door_closed() -> None:
    with pytest.raises(DoorClosed):
        WhatsApp().handshake(_asked(mode="subscribe", challenge="1", verify_token=""))


def test_other_requests_are_no_check() -> None:
    assert PLATFORM.handshake(Request("GET", "/whatsapp")) is None
    assert PLATFORM.handshake(Request("POST", "/whatsapp", query={"hub.mode": "subscribe"})) is None


@pytest.mark.parametrize(
    ("kind", "more"), [("READ", {}), ("TYPING_STARTED", {"typing_indicator": {"type": "text"}})]
)
def test_typing_and_read_are_one_call_about_the_customers_message(
    kind: Any, more: dict[str, Any]
) -> None:
    call = PLATFORM.call(Signal(id="x", to=TO, kind=kind, message_id="wamid.A"))
    assert call is not None
    assert json.loads(call.body) == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.A",
        **more,
    }


@pytest.mark.parametrize(
    "command",
    [
        Signal(id="x", to=TO, kind="TYPING_STOPPED", message_id="wamid.A"),
        Signal(id="x", to=TO, kind="TYPING_STARTED"),
        Signal(id="x", to=TO, kind="READ"),
        SendEvent(id="x", to=TO, representative=JANE, event_type="REPRESENTATIVE_JOINED"),
    ],
    ids=lambda command: command.kind,
)
def test_whatsapp_has_no_such_thing(command: Signal | SendEvent) -> None:
    assert PLATFORM.call(command) is None


def test_without_an_access_token_the_door_is_closed() -> None:
    with pytest.raises(DoorClosed, match="WHATSAPP_ACCESS_TOKEN"):
        WhatsApp().call(Signal(id="x", to=TO, kind="READ", message_id="wamid.A"))


def test_the_access_token_never_prints() -> None:
    assert "hunter2" not in repr(WhatsApp(access_token="hunter2"))


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (200, None, Outcome.DONE),
        (400, None, Outcome.PERMANENT),
        (400, 100, Outcome.PERMANENT),
        (400, 131047, Outcome.PERMANENT),
        (429, 131047, Outcome.PERMANENT),
        (400, 130429, Outcome.PACED),
        (400, 131056, Outcome.PACED),
        (403, 80007, Outcome.PACED),
        (400, "130429", Outcome.PERMANENT),
        (401, 131047, Outcome.CREDENTIALS),
        (400, 190, Outcome.CREDENTIALS),
        (500, 190, Outcome.CREDENTIALS),
        (403, 10, Outcome.FORBIDDEN),
        (404, None, Outcome.PERMANENT),
        (429, None, Outcome.TRANSIENT),
        (500, 131047, Outcome.PERMANENT),
        (400, 131026, Outcome.PERMANENT),
        (500, None, Outcome.TRANSIENT),
        (500, 1, Outcome.NOT_TAKEN),
        (503, 2, Outcome.NOT_TAKEN),
    ],
)
def test_an_answer_means_done_again_or_never(status: int, code: object, expected: Outcome) -> None:
    body = json.dumps({"error": {"code": code}}).encode() if code else b"<html>"
    assert PLATFORM.outcome(Answer(status, body)) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"messages": [{"id": "wamid.OURS"}]}', hidden("wamid.OURS")),
        (b'{"messages": []}', None),
        (b'{"messages": [{"id": 7}]}', None),
        (b'{"success": true}', None),
        (b"<html>", None),
    ],
)
def test_statuses_will_name_the_id_of_the_answer(body: bytes, expected: str | None) -> None:
    command = SendMessage(id="1", to=TO, representative=JANE, content=Content(text="Hello"))
    assert PLATFORM.sent_id(command, Answer(200, body)) == expected


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("KTP Jane\nDoe.pdf", "[document] KTP Jane Doe.pdf"),
        (" \n", "[document]"),
        (7, "[document]"),
    ],
)
def test_the_name_of_a_file_is_one_line(name: object, words: str) -> None:
    assert words_of({"type": "document", "document": {"filename": name}}) == words


@pytest.mark.parametrize(
    ("command", "action"),
    [
        (TakeFloor(id="1", to=TO), {"action": "take"}),
        (GiveFloor(id="1", to=TO), {"action": "release"}),
        (
            GiveFloor(id="1", to=TO, shared=True),
            {"action": "pass", "control_pass": {"target_role": "ai_agent"}},
        ),
    ],
)
def test_who_is_active_is_changed_by_thread_control(
    command: MoveFloor, action: dict[str, Any]
) -> None:
    call = PLATFORM.call(command)
    assert call is not None
    assert call.url == "https://graph.test/v1.0/106540352242000/thread_control"
    product = {"messaging_product": "whatsapp", "to": "+5511987654321"}
    assert json.loads(call.body) == {**product, **action}


def test_a_group_has_no_other_sender() -> None:
    assert PLATFORM.call(TakeFloor(id="1", to="106540352242000|group:1")) is None


def test_a_number_that_baton_does_not_serve_moves_no_floor() -> None:
    platform = WhatsApp(("new",), numbers=Numbers(["1"]))
    case = Path(__file__).parents[2] / "samples" / "whatsapp" / "control-passed"
    body = (case / "body").read_bytes()
    assert list(platform.events(Request("POST", "/", body))) == []


def _pywas(base: type[pywa.errors.WhatsAppError]) -> dict[int, str]:
    """Returns the codes that an independent client library reads as errors of this kind."""
    return {
        code: one.__name__ for one in base.__subclasses__() for code in one.__error_codes__ or ()
    }


@pytest.mark.parametrize("code", [4, 80007, 130429, 131056])
def test_what_an_independent_client_calls_throttling_loses_no_message(code: int) -> None:
    assert code in _pywas(pywa.errors.ThrottlingError)
    body = json.dumps({"error": {"code": code}}).encode()
    assert PLATFORM.outcome(Answer(400, body)) is Outcome.PACED


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        (190, "ExpiredAccessToken", Outcome.CREDENTIALS),
        (131016, "ServiceUnavailable", Outcome.NOT_TAKEN),
        (131057, "AccountInMaintenanceMode", Outcome.NOT_TAKEN),
        (131047, "ReEngagementMessage", Outcome.PERMANENT),
        (131030, "RecipientNotInAllowedList", Outcome.PERMANENT),
        (131026, "MessageUndeliverable", Outcome.PERMANENT),
    ],
)
def test_codes_mean_what_an_independent_client_calls_them(
    code: int, name: str, expected: Outcome
) -> None:
    kinds = (pywa.errors.AuthorizationError, pywa.errors.SendMessageError)
    assert name == {**_pywas(kinds[0]), **_pywas(kinds[1])}[code]
    body = json.dumps({"error": {"code": code}}).encode()
    assert PLATFORM.outcome(Answer(400, body)) is expected
