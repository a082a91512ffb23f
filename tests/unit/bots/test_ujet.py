"""The `ujet` payloads of the CCAI Platform, as its pages show them, and what follows from each."""

from typing import Any

import pytest

from shared.bots.ujet import reply_of

BUTTONS = [
    {"title": "Button 1", "action": "quick_reply"},
    {"title": "Button 2", "action": "quick_reply"},
]


def shown(ujet: dict[str, Any]) -> list[dict[str, Any]]:
    reply = reply_of(ujet)
    assert reply.refused == ()
    return [
        content.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
        for content in reply.contents
    ]


def suggestion(title: str) -> dict[str, Any]:
    return {"reply": {"text": title, "postbackData": title}}


def test_a_title_and_its_messages_are_said_one_after_the_other() -> None:
    assert shown(
        {"type": "text", "title": "Welcome", "messages": ["Hello", "How can I help you?"]}
    ) == [
        {"text": "Welcome"},
        {"text": "Hello"},
        {"text": "How can I help you?"},
    ]


@pytest.mark.parametrize("kind", ["inline_button", "sticky_button"])
def test_buttons_become_chips_below_the_last_words(kind: str) -> None:
    assert shown({"type": kind, "title": "Choose", "messages": ["Now"], "buttons": BUTTONS}) == [
        {"text": "Choose"},
        {"text": "Now", "suggestions": [suggestion("Button 1"), suggestion("Button 2")]},
    ]


def test_buttons_without_words_are_named() -> None:
    assert shown({"type": "inline_button", "buttons": BUTTONS}) == [
        {
            "text": "Button 1 / Button 2",
            "suggestions": [suggestion("Button 1"), suggestion("Button 2")],
        }
    ]


def test_a_chip_has_room_for_25_characters_and_its_tap_says_it_all() -> None:
    title = "Tell me more about the delivery times"
    [said] = shown({"type": "inline_button", "title": "Well?", "buttons": [{"title": title}]})
    assert said["suggestions"] == [{"reply": {"text": title[:24] + "…", "postbackData": title}}]


def test_no_more_chips_than_a_message_takes() -> None:
    reply = reply_of(
        {"type": "inline_button", "title": "x", "buttons": [{"title": f"{n}"} for n in range(20)]}
    )
    assert len(reply.contents[0].suggestions) == 13
    assert reply.refused == ("ujet.buttons: more than 13",)


def test_a_picture_is_a_picture_and_a_film_is_its_link() -> None:
    linked = {"url": "https://example.com/1", "text": "a receipt"}
    assert shown({"type": "image", "images": [linked]}) == [
        {"image": {"contentInfo": {"fileUrl": "https://example.com/1", "altText": "a receipt"}}}
    ]
    assert shown({"type": "video", "videos": [linked]}) == [
        {"text": "a receipt\nhttps://example.com/1"}
    ]
    assert shown({"type": "document", "documents": [linked]}) == [
        {"text": "a receipt\nhttps://example.com/1"}
    ]


def test_what_has_no_address_on_the_web_is_said_in_its_own_words() -> None:
    reply = reply_of(
        {"type": "image", "images": [{"url": "javascript:alert(1)", "text": "a receipt"}]}
    )
    assert [content.text for content in reply.contents] == ["a receipt"]
    assert reply.refused == ("ujet.url: no address on the web",)


def test_a_film_at_the_address_of_a_picture_is_its_link() -> None:
    linked = {"url": "https://example.com/1"}
    assert shown({"images": [linked], "videos": [linked]})[1] == {"text": "https://example.com/1"}


def test_a_complex_payload_is_its_components_in_order() -> None:
    components = [
        {"type": "text", "messages": ["First"]},
        {"type": "inline_button", "title": "Then", "buttons": BUTTONS},
    ]
    assert [
        said["text"]
        for said in shown({"type": "complex", "title": "All", "components": components})
    ] == [
        "All",
        "First",
        "Then",
    ]


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (
            {"action": "escalation", "escalation_reason": "by_consumer"},
            "the customer asked for a person",
        ),
        (
            {"action": "escalation", "escalation_reason": "by_virtual_agent"},
            "the virtual agent handed over",
        ),
        ({"action": "escalation", "escalation_reason": "tired of it"}, "tired of it"),
        ({"action": "escalation"}, "the virtual agent handed over"),
        ({"action": "direct", "agent_extension": 204}, "the virtual agent handed over"),
    ],
    ids=str,
)
def test_an_escalation_says_why_and_carries_the_rest(action: dict[str, Any], reason: str) -> None:
    escalation = reply_of({"type": "action", **action}).escalation
    assert escalation is not None
    assert (escalation.reason, escalation.metadata) == (reason, action)


def test_the_end_requests_no_human() -> None:
    reply = reply_of({"type": "action", "action": "end"})
    assert (reply.escalation, reply.ends) == (None, True)


@pytest.mark.parametrize(
    "ornament", [{"menu_id": 1.5}, {"language": []}, {"escalation_reason": 7}], ids=str
)
def test_an_escalation_counts_beside_any_other_field(ornament: dict[str, Any]) -> None:
    escalation = reply_of({"action": "escalation", **ornament}).escalation
    assert escalation is not None
    assert escalation.reason == "the virtual agent handed over"


def test_variables_may_come_with_anything() -> None:
    declared = {"capture_type": ["agent"], "payload": {"order": "A1"}}
    reply = reply_of({"type": "text", "messages": ["Noted"], "session_variable": declared})
    assert [one.payload for one in reply.captures] == [{"order": "A1"}]
    assert len(reply.contents) == 1


@pytest.mark.parametrize(
    ("ujet", "refused"),
    [
        ("hello", "ujet: must be an object"),
        ({"type": "hologram"}, "ujet.type: unknown"),
        ({"type": "action", "action": "dance"}, "ujet.action: literal_error"),
        ({"type": "text", "messages": ["a", 1]}, "ujet.messages: string_type"),
        ({"type": "image", "images": [{"text": "no address"}]}, "ujet.images: missing"),
        (
            {"session_variable": {"payload": {"s3cret": 1}}},
            "ujet.session_variable.capture_type: missing",
        ),
        (
            {"session_variable": {"payload": {"s3cret": 1}, "capture_type": ["x"]}},
            "capture_type: literal_error",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_refused_by_field_and_fault(ujet: Any, refused: str) -> None:
    [reason] = reply_of(ujet).refused
    assert reason.endswith(refused)
    assert "s3cret" not in reason


def test_a_part_that_is_refused_takes_no_other_with_it() -> None:
    reply = reply_of({"type": "text", "messages": ["Hello"], "session_variable": {"payload": {}}})
    assert len(reply.contents) == len(reply.refused) == 1
