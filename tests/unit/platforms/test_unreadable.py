"""What is signed is never dropped in silence, and one thing that cannot be read spoils nothing
beside it.
"""

import base64
import json
import time
import tracemalloc
from typing import Any

import pytest

from shared.errors import BadRequest
from shared.platforms.base import Platform
from shared.platforms.bodies import parse_object, parse_signed, read_or_noted
from shared.platforms.business_messages.platform import BusinessMessages
from shared.platforms.ccai.platform import Ccai
from shared.platforms.csku.platform import Csku
from shared.platforms.phones import Line
from shared.platforms.rcs.platform import Rcs
from shared.platforms.slack.platform import Slack
from shared.platforms.whatsapp.platform import WhatsApp
from shared.schemas.events import Event, Unknown
from shared.schemas.http import Request
from shared.schemas.notation import parse_time, time_or_none
from shared.transports.clock import WallClock

LINE = Line("whatsapp", "1", "+12025550100", "1|12025550100", "h-1", theirs="wamid.1")


def _batch(*messages: dict[str, Any]) -> bytes:
    value = {"metadata": {"phone_number_id": "1"}, "messages": list(messages)}
    return json.dumps({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).encode()


def _rcs(**data: Any) -> bytes:
    whole = json.dumps(
        {"senderPhoneNumber": "+12025550100", "agentId": "a", "messageId": "m", **data}
    ).encode()
    return json.dumps({"message": {"data": base64.b64encode(whole).decode()}}).encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (rb'{"a": "hi \ud83d"}', "hi \ufffd"),
        (rb'{"a": "\ud83d\ude00"}', "\U0001f600"),
        (rb'{"a": "\ud83d\\ude00"}', "\ufffd\\ude00"),
        (rb'{"a": "\\ud83d"}', "\\ud83d"),
        (rb'{"\ude00": 1, "a": "x \ude00\ud83d"}', "x \ufffd\ufffd"),
        (b'{"a": "\xed\xa0\xbd"}', "\ufffd\ufffd\ufffd"),
        (b'{"a": "caf\xe9"}', "caf\ufffd"),
    ],
)
def test_half_a_character_becomes_the_sign_of_one(body: bytes, expected: str) -> None:
    assert parse_signed(body)["a"] == expected


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[1]", b'"\\ud83d"', b'{"a": \\ud83d}', b"[" * 100_000]
)
def test_what_is_no_object_is_still_none(body: bytes) -> None:
    for parse in (parse_object, parse_signed):
        with pytest.raises(BadRequest):
            parse(body)


def test_unsigned_bodies_are_not_repaired() -> None:
    with pytest.raises(BadRequest):
        parse_object(rb'{"a": "\ud83d"}')


def test_half_an_emoji_is_taken_on_every_platform() -> None:
    for platform, body in (
        (
            BusinessMessages(),
            rb'{"conversationId": "3333", "message": {"messageId": "1", "text": "hi \ud83d"}}',
        ),
        (
            Csku(),
            rb'{"event": "x", "conversation_id": "c", "message": {"id": "1", "text": "hi \ud83d"}}',
        ),
        (Rcs(), _rcs(text="hi \ud83d")),
        (
            WhatsApp(),
            _batch(
                {"from": "12025550100", "id": "w", "type": "text", "text": {"body": "hi \ud83d"}}
            ),
        ),
    ):
        (event,) = platform.events(Request("POST", "/", body))
        assert isinstance(event, Event)
        assert event.text == "hi \ufffd" or event.kind == "unknown"


@pytest.mark.parametrize("digits", [310, 401, 4000])
def test_a_time_beyond_any_number_is_no_time(digits: int) -> None:
    assert time_or_none(10**digits) is None
    assert time_or_none(str(10**digits)) is None
    with pytest.raises(ValueError, match="not a time"):
        parse_time(-(10**digits))


def test_any_error_is_logged_with_the_conversation_and_alarmed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails() -> list[Event]:
        raise ZeroDivisionError("holds +12025550100")

    (noted,) = read_or_noted("whatsapp", fails, lambda: LINE)
    assert isinstance(noted, Unknown)
    assert (noted.source, noted.id, noted.fault) == (LINE.conversation, "h-1", "ZeroDivisionError")
    line = json.loads(capsys.readouterr().out)
    assert (line["severity"], line["platform"], line["reason"]) == (
        "ERROR",
        "whatsapp",
        "ZeroDivisionError",
    )
    assert "12025550100" not in json.dumps(line)


def test_an_error_without_a_conversation_is_only_alarmed() -> None:
    def fails() -> Any:
        raise ZeroDivisionError

    assert read_or_noted("rcs", fails, lambda: None) == []
    assert read_or_noted("rcs", fails, fails) == []


_SIGNED = [
    (BusinessMessages(), b"{", None),
    (BusinessMessages(), b"[]", None),
    (BusinessMessages(), b'{"conversationId": 3333}', None),
    (BusinessMessages(), b'{"conversationId": ""}', None),
    (BusinessMessages(), b'{"message": {"data": "no base64!"}}', None),
    (BusinessMessages(), b'{"conversationId": "3333", "message": 5}', "business_messages:3333"),
    (
        BusinessMessages(),
        b'{"conversationId": "3333", "userStatus": {"requestedLiveAgent": "perhaps"}}',
        "business_messages:3333",
    ),
    (
        BusinessMessages(),
        b'{"conversationId": "3333", "x": ' + b"[" * 150 + b"]" * 150 + b"}",
        None,
    ),
    (BusinessMessages(), b'{"x": [' + b"{}," * 250_000 + b"{}]}", None),
    (Csku(), b"nonsense", None),
    (Csku(), b'{"event": "agent.message_out", "message": {"id": "1"}}', None),
    (Csku(), b'{"event": 5}', None),
    (Csku(), b'{"event": ["x"], "conversation_id": "c", "message": {"id": "1"}}', "csku:c"),
    (Csku(), b'{"event": "x", "conversation_id": {}, "message": {"id": "1"}}', None),
    (Ccai(), b"{", None),
    (Slack(WallClock().now), b"{", None),
    (Slack(WallClock().now), b"payload=%7B", None),
    (Ccai(), b"[" * 5000, None),
    (Rcs(), _rcs()[:-2], None),
    (WhatsApp(), b"[]", None),
]


@pytest.mark.parametrize(("platform", "body", "conversation"), _SIGNED)
def test_what_is_genuine_and_cannot_be_read_is_alarmed_and_never_refused(
    platform: Platform, body: bytes, conversation: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    found = platform.events(Request("POST", "/", body))
    assert [(type(one), one.source) for one in found] == (
        [(Unknown, conversation)] if conversation else []
    )
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["severity"], line["platform"]) == ("ERROR", platform.name)
    assert line["message"] == "a signed webhook cannot be read; it was taken and dropped"


@pytest.mark.parametrize("depth", [150, 5_000, 500_000])
def test_what_is_nested_deep_is_refused_in_words(depth: int) -> None:
    for parse in (parse_object, parse_signed):
        for whole in (
            b'{"a": %s1%s}' % (b"[" * depth, b"]" * depth),
            b'{"a":' * depth + b"1" + b"}" * depth,
        ):
            with pytest.raises(BadRequest):
                parse(whole)


def test_four_megabytes_of_empty_objects_are_refused_quickly_and_in_little_memory() -> None:
    body = b'{"a": [' + b"{}," * 1_390_000 + b"{}]}"
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(BadRequest, match="more than 250000"):
            parse_signed(body)
        took, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20
    assert took < 1  # 40 ms; a busy machine needs longer, building them took 2 s


def test_three_megabytes_of_statuses_are_read() -> None:
    one = {
        "id": "wamid.x",
        "status": "read",
        "timestamp": "1700000000",
        "recipient_id": "12025550100",
    }
    more = {
        "conversation": {"id": "c", "origin": {"type": "service"}},
        "pricing": {"billable": True, "model": "CBP"},
    }
    value = {"metadata": {"phone_number_id": "1"}, "statuses": [one | more] * 15_000}
    body = json.dumps({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).encode()
    assert len(body) > 2_500_000
    assert len(WhatsApp().events(Request("POST", "/", body))) == 15_000
