"""What the samples of the CCAI Platform cannot show: rotation, age, and which facts a tenant
may switch off.
"""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import DoorClosed, Misconfigured, Unauthenticated
from shared.platforms.bodies import hmac_sha256_base64
from shared.platforms.ccai.desk import CcaiDesk
from shared.platforms.ccai.names import EVERYTHING, Unofficial
from shared.platforms.ccai.platform import Ccai
from shared.schemas.events import ChatCreated, Event, HumanRequested, Unknown, VirtualAgentLeft
from shared.schemas.http import Request
from shared.settings.model import read_settings

NOW = datetime(2026, 4, 10, 9, 30, 5, tzinfo=UTC)
STAMP = "2026-04-10T09:30:05Z"
AGENT = {"id": 17, "type": "agent"}


def signed(header: str, stamp: str = STAMP, body: bytes = b"{}") -> Request:
    return Request("POST", "/ccai", body, {"x-signature": header, "x-signature-timestamp": stamp})


def by(secret: str, stamp: str = STAMP, body: bytes = b"{}") -> str:
    return hmac_sha256_base64(secret, stamp.encode() + body)


def says(**body: object) -> list[Event]:
    request = Request("POST", "/ccai", json.dumps(body).encode(), {})
    return [event for event in Ccai(unofficial=()).events(request) if isinstance(event, Event)]


def test_a_signature_is_the_documented_hash_of_time_and_body() -> None:
    """HMAC-SHA256, base64, over both without a separator; the value is openssl's."""
    assert (
        hmac_sha256_base64("secret", b"1727853575" + b"{}")
        == "RZKyWDgxxWxLw5wdLI8y6S4iPM9A9zLgNsqE+efPy5Y="
    )


@pytest.mark.parametrize(
    "header",
    [
        f"primary={by('new')}",
        f"primary={by('new')} secondary={by('gone')}",
        f"primary={by('gone')} secondary={by('new')}",
        f"primary={by('old')}  secondary={by('new')}",
    ],
)
def test_either_signature_by_either_secret_will_do(header: str) -> None:
    Ccai(webhook_secrets=("old", "new")).authenticate(signed(header))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "primary=",
        by("new"),
        f"primary={by('gone')}",
        f"tertiary={by('new')}",
        "primary=\x00 secondary=ü",
    ],
)
def test_any_other_header_is_unauthenticated(header: str) -> None:
    with pytest.raises(Unauthenticated):
        Ccai(webhook_secrets=("old", "new")).authenticate(signed(header))


def test_the_time_is_signed_with_the_body() -> None:
    with pytest.raises(Unauthenticated):
        Ccai(webhook_secrets=("new",)).authenticate(
            signed(f"primary={by('new')}", stamp="2026-04-10T09:30:06Z")
        )


@pytest.mark.parametrize(
    ("stamp", "genuine"),
    [
        (STAMP, True),
        ("2026-04-10 09:30:05 UTC", True),
        ("2026-04-10 09:30:05 +0000", True),
        ("1775813405", True),
        ("1775813405123", True),
        ("2026-04-10T09:28:00Z", False),
        ("1775813000", False),
        ("yesterday", False),
    ],
)
def test_an_old_signature_counts_only_without_a_maximum_age(stamp: str, genuine: bool) -> None:
    request = signed(f"primary={by('s', stamp)}", stamp)
    Ccai(webhook_secrets=("s",)).authenticate(request)
    strict = Ccai(webhook_secrets=("s",), oldest=timedelta(seconds=60), now=lambda: NOW)
    if genuine:
        strict.authenticate(request)
    else:
        with pytest.raises(Unauthenticated):
            strict.authenticate(request)


def _basic(login: str) -> Request:
    return Request(
        "POST",
        "/ccai",
        b"{}",
        {"authorization": f"Basic {base64.b64encode(login.encode()).decode()}"},
    )


def test_session_events_have_a_login_of_their_own() -> None:
    Ccai(events_login="u:p").authenticate(_basic("u:p"))
    for wrong in ("u:q", "u", "", "u:p "):
        with pytest.raises(Unauthenticated):
            Ccai(webhook_secrets=("s",), events_login="u:p").authenticate(_basic(wrong))
    with pytest.raises(DoorClosed):
        Ccai(webhook_secrets=("s",)).authenticate(_basic("u:p"))


def test_a_login_and_a_signature_together_are_judged_by_the_signature() -> None:
    both = {
        **_basic("u:p").headers,
        "x-signature": f"primary={by('guess')}",
        "x-signature-timestamp": STAMP,
    }
    with pytest.raises(Unauthenticated):
        Ccai(webhook_secrets=("s",), events_login="u:p").authenticate(
            Request("POST", "/ccai", b"{}", both)
        )


@pytest.mark.parametrize(
    "name",
    [
        "message_received",
        "participant_joined",
        "participant_left",
        "chat_created",
        "chat_ended",
        "deflected",
    ],
)
def test_what_a_tenant_proved_wrong_is_only_noted(name: str) -> None:
    content = {"sender": AGENT, "message": {"type": "text", "content": "Hello"}}
    (found,) = says(event_type=name, chat_id=1, timestamp=STAMP, body=content)
    assert isinstance(found, Unknown)
    assert found.source == "ccai:chat-1"


def test_the_setting_names_facts_and_none_is_none_of_them() -> None:
    assert read_settings({}).ccai_unofficial == EVERYTHING
    assert read_settings({"CCAI_UNOFFICIAL": "none"}).ccai_unofficial == ()
    assert read_settings({"CCAI_UNOFFICIAL": "chats, messages"}).ccai_unofficial == (
        Unofficial.CHATS,
        Unofficial.MESSAGES,
    )


def test_a_setting_that_names_a_fact_which_is_official_now_works_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = "chats,transcript,context,messages,participants,endings,created"
    new = (Unofficial.CLOSING, Unofficial.WAITING)
    rest = tuple(one for one in EVERYTHING if one not in new)
    assert read_settings({"CCAI_UNOFFICIAL": before}).ccai_unofficial == rest
    assert read_settings({"CCAI_UNOFFICIAL": "context"}).ccai_unofficial == ()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = "CCAI_UNOFFICIAL: leave out context; it is official now, and always counts"
    assert [(line["severity"], line["message"]) for line in lines] == [("WARNING", said)] * 2
    with pytest.raises(Misconfigured):
        read_settings({"CCAI_UNOFFICIAL": "kontext"})


@pytest.mark.parametrize("replaces", [False, True])
@pytest.mark.parametrize(
    ("reason", "fails"), [("Task VA failed", True), ("completed", False), (None, False), (7, False)]
)
@pytest.mark.parametrize("place", ["sender", "body", "top"])
def test_a_signed_failure_of_a_virtual_agent_asks_for_a_human_if_so_set(
    replaces: bool, reason: object, fails: bool, place: str
) -> None:
    told = {"finish_reason": reason}
    sender = {"type": "virtual_agent", "name": "Vera", **(told if place == "sender" else {})}
    body = {"sender": sender, **(told if place == "body" else {})}
    whole = {"event_type": "participant_left", "chat_id": 138, "timestamp": STAMP, "body": body}
    raw = json.dumps({**whole, **(told if place == "top" else {})}).encode()
    ccai = Ccai(replaces_failed_agents=replaces)
    left, *more = ccai.events(Request("POST", "/ccai", raw, {}))
    assert isinstance(left, VirtualAgentLeft)
    assert (left.reason, left.failed) == (reason if isinstance(reason, str) else None, False)
    asked = [(one.source, one.reason) for one in more if isinstance(one, HumanRequested)]
    assert asked == ([("ccai:chat-138", "Task VA failed")] if fails and replaces else [])
    assert len(more) == len(asked)


def _created(**end_user: Any) -> list[str]:
    """Returns the conversations of the events which report that a chat was created for this end
    user.
    """
    body = {"event_type": "chat_created", "chat_id": 138, "body": {"chat": {"end_user": end_user}}}
    found = [*Ccai().events(Request("POST", "/ccai", json.dumps(body).encode(), {}))]
    assert [one.chat for one in found if isinstance(one, ChatCreated)] == ["ccai:chat-138"] * (
        len(found) - 1
    )
    return [one.source for one in found[1:] if isinstance(one, ChatCreated)]


def test_a_created_chat_is_told_once_by_our_name_of_its_end_user_or_else_by_their_number() -> None:
    assert _created(id=5, identifier="baton-1") == ["ccai:user-baton-1"]
    assert _created(id=5, identifier="somebody") == _created(id=5) == ["ccai:user-id-5"]
    assert _created(id="eu-5") == ["ccai:user-id-eu-5"]
    assert _created(identifier="somebody") == _created() == []


@pytest.mark.parametrize("strange", ["5", "id-5", "user-id-5"])
def test_no_strangers_name_is_taken_for_our_end_users_number(strange: str) -> None:
    ours = CcaiDesk().customers("baton-1", "5")
    assert not {*_created(id=77, identifier=strange), *_created(identifier=strange)} & {*ours}
    assert {*_created(id=5), *_created(identifier="baton-1")} == {*ours}
