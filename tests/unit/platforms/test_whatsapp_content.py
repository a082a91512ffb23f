"""What representatives say, as WhatsApp shows it: buttons, lists and lines, and always a way to
a person.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.platforms.base import Outcome
from shared.platforms.unverified import Fact
from shared.platforms.whatsapp.platform import WhatsApp
from shared.schemas.commands import SendMessage
from shared.schemas.content import Content
from shared.schemas.http import Answer, Request
from shared.schemas.representative import Representative, RepresentativeType

JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")
TO = "106540352242000|5511987654321"
PLATFORM = WhatsApp(
    ("old", "new"), verify_token="verify", api_url="https://graph.test/v1.0/", access_token="token"
)
LIVE_AGENT: dict[str, Any] = {"liveAgentRequest": {}}
SHOP = {"action": {"text": "Shop", "postbackData": "s", "openUrlAction": {"url": "https://x.test"}}}


def _sent(content: dict[str, Any]) -> dict[str, Any]:
    said = Content.model_validate(content)
    call = PLATFORM.call(SendMessage(id="1", to=TO, representative=JANE, content=said))
    assert call is not None
    assert (call.method, call.auth) == ("POST", "bearer:token")
    assert call.url == "https://graph.test/v1.0/106540352242000/messages"
    body: dict[str, Any] = json.loads(call.body)
    common = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+5511987654321",
    }
    assert {name: body.pop(name) for name in common} == common
    return body


def _reply(text: str, postback: str | None = None) -> dict[str, Any]:
    return {"reply": {"text": text, "postbackData": text.lower() if postback is None else postback}}


def _text(*lines: str) -> dict[str, Any]:
    return {"type": "text", "text": {"preview_url": False, "body": "\n".join(lines)}}


def test_a_text_is_sent_without_a_preview() -> None:
    assert _sent({"text": "Hello"}) == _text("Hello")


def test_a_customer_with_a_username_is_reached_by_their_user_id() -> None:
    to = "106540352242000|BR.1502576394655843"
    call = PLATFORM.call(
        SendMessage(id="1", to=to, representative=JANE, content=Content(text="Hello"))
    )
    assert call is not None
    body = json.loads(call.body)
    assert body["recipient"] == "BR.1502576394655843"
    assert "to" not in body


def test_an_image_is_sent_by_its_link() -> None:
    image = {"contentInfo": {"fileUrl": "https://x.test/a.png", "altText": "Boots"}}
    assert _sent({"image": image}) == {
        "type": "image",
        "image": {"link": "https://x.test/a.png", "caption": "Boots"},
    }


def test_chips_of_an_image_are_buttons_or_lines_under_it() -> None:
    image = {"image": {"contentInfo": {"fileUrl": "https://x.test/a.png"}}}
    sent = _sent({**image, "suggestions": [_reply("Yes"), SHOP]})["interactive"]
    assert sent["header"] == {"type": "image", "image": {"link": "https://x.test/a.png"}}
    assert sent["body"] == {"text": "• Shop: https://x.test"}
    assert [one["reply"]["id"] for one in sent["action"]["buttons"]] == ["yes"]
    many = _sent({**image, "suggestions": [_reply(f"Chip {n}") for n in range(4)]})["image"]
    assert many["caption"] == "\n".join(f"• Chip {n}" for n in range(4))


def _tappable(content: dict[str, Any]) -> list[str]:
    action = _sent(content).get("interactive", {"action": {}})["action"]
    rows = [row for section in action.get("sections", []) for row in section["rows"]]
    return [
        one["id"] for one in (*(button["reply"] for button in action.get("buttons", [])), *rows)
    ]


IMAGE: dict[str, Any] = {
    "image": {"contentInfo": {"fileUrl": "https://x.test/a.png", "altText": "x" * 1100}}
}
ASKING_CARD: dict[str, Any] = {
    "cardContent": {"title": "Boots", "suggestions": [LIVE_AGENT, _reply("Buy")]}
}


@pytest.mark.parametrize(
    "content",
    [
        {"text": "x" * 1025, "suggestions": [LIVE_AGENT]},
        {
            "text": "x" * 3072,
            "suggestions": [LIVE_AGENT, *(_reply(f"Chip {n}") for n in range(12))],
        },
        {"text": "?", "suggestions": [_reply("x" * 25), LIVE_AGENT, LIVE_AGENT]},
        {"text": "?", "suggestions": [_reply("Yes", "p" * 300), LIVE_AGENT]},
        {**IMAGE, "suggestions": [LIVE_AGENT, *(_reply(f"Chip {n}") for n in range(5))]},
        {"richCard": {"standaloneCard": ASKING_CARD}, "fallback": "Boots"},
        {
            "richCard": {"standaloneCard": ASKING_CARD},
            "fallback": "Boots",
            "suggestions": [LIVE_AGENT],
        },
    ],
)
def test_the_way_to_a_person_can_always_be_tapped(content: dict[str, Any]) -> None:
    assert _tappable(content).count("baton:request-human") == 1


def test_beside_it_other_chips_are_lines_where_they_do_not_fit() -> None:
    sent = _sent({"text": "Which?", "suggestions": [_reply("x" * 25), LIVE_AGENT, SHOP]})[
        "interactive"
    ]
    assert sent["body"]["text"] == f"Which?\n• {'x' * 25}\n• Shop: https://x.test"
    assert len(sent["action"]["buttons"]) == 1


def test_without_long_lists_the_words_end_in_an_ellipsis_and_a_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = Content.model_validate({"text": "x" * 1025, "suggestions": [LIVE_AGENT]})
    short = replace(PLATFORM, facts=frozenset[Fact]())
    call = short.call(SendMessage(id="1", to=TO, representative=JANE, content=content))
    assert call is not None
    sent = json.loads(call.body)["interactive"]
    assert (sent["type"], len(sent["body"]["text"]), sent["body"]["text"][-1]) == (
        "button",
        1024,
        "…",
    )
    assert json.loads(capsys.readouterr().out)["severity"] == "WARNING"


def test_nothing_is_cut_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    card = {"title": "A", "description": "a" * 2000}
    carousel = {"carouselCard": {"cardWidth": "SMALL", "cardContents": [card, card, card]}}
    body = _sent({"richCard": carousel})["text"]["body"]
    assert len(body) <= 4096
    assert body.endswith("\n…")
    assert json.loads(capsys.readouterr().out)["severity"] == "WARNING"


def test_a_link_that_does_not_fit_leaves_the_words_and_a_sign(
    capsys: pytest.CaptureFixture[str],
) -> None:
    far = {
        "action": {
            "text": "Open",
            "postbackData": "p",
            "openUrlAction": {"url": "https://x.test/" + "y" * 1100},
        }
    }
    assert _sent({"text": "x" * 3072, "suggestions": [far]}) == _text("x" * 3072, "…")
    assert json.loads(capsys.readouterr().out)["severity"] == "WARNING"


def test_an_unverified_fact_can_be_switched_off() -> None:
    plain = replace(PLATFORM, facts=frozenset[Fact]())
    call = plain.call(
        SendMessage(id="1", to="1|BR.15", representative=JANE, content=Content(text="Hello"))
    )
    assert call is not None
    assert json.loads(call.body)["to"] == "BR.15"
    assert plain.outcome(Answer(400, b'{"error": {"code": 130429}}')) is Outcome.PERMANENT
    value = {"metadata": {"phone_number_id": "1"}, "message_echoes": [ECHO], "statuses": [STATUS]}
    changes = [{"field": field, "value": value} for field in ("messages", "smb_message_echoes")]
    request = Request("POST", "/", json.dumps({"entry": [{"changes": changes}]}).encode())
    # the message says whose a status is; an echo is taken only from a customer who is named
    assert [len(one.events(request)) for one in (plain, PLATFORM)] == [1, 2]


ECHO = {"to_user_id": "BR.15", "id": "wamid.E", "type": "text", "text": {"body": "Hi"}}
STATUS = {"recipient_user_id": "BR.15", "id": "wamid.S", "status": "read"}


def test_three_chips_are_buttons_and_one_of_them_asks_for_a_person() -> None:
    sent = _sent({"text": "What now?", "suggestions": [_reply("Yes"), _reply("No"), LIVE_AGENT]})
    assert sent["type"] == "interactive"
    assert sent["interactive"]["type"] == "button"
    assert sent["interactive"]["body"] == {"text": "What now?"}
    assert [button["reply"] for button in sent["interactive"]["action"]["buttons"]] == [
        {"id": "yes", "title": "Yes"},
        {"id": "no", "title": "No"},
        {"id": "baton:request-human", "title": "Falar com alguém"},
    ]


def test_more_chips_or_longer_ones_are_a_list() -> None:
    for suggestions in (
        [_reply(f"Chip {n}") for n in range(10)],
        [_reply("Just over twenty chars")],
    ):
        action = _sent({"text": "Which?", "suggestions": suggestions})["interactive"]["action"]
        assert [row["title"] for row in action["sections"][0]["rows"]] == [
            suggestion["reply"]["text"] for suggestion in suggestions
        ]
        assert 0 < len(action["button"]) <= 20


@pytest.mark.parametrize(
    "suggestions",
    [
        [_reply(f"Chip {n}") for n in range(11)],
        [_reply("x" * 25)],
        [_reply("Yes", "1"), _reply("Yes", "2")],
        [_reply("Yes", "1"), _reply("No", "1")],
        [_reply("Yes", "p" * 257)],
    ],
    ids=["too many", "too long", "two of one name", "two of one id", "too much comes back"],
)
def test_what_fits_neither_is_lines_of_text(suggestions: list[dict[str, Any]]) -> None:
    """A message that WhatsApp refuses would be lost."""
    shown = [f"• {suggestion['reply']['text']}" for suggestion in suggestions]
    assert _sent({"text": "Which?", "suggestions": suggestions}) == _text("Which?", *shown)


def test_a_chip_without_a_postback_comes_back_by_its_name() -> None:
    buttons = _sent({"text": "?", "suggestions": [_reply("Yes", "")]})["interactive"]["action"][
        "buttons"
    ]
    assert buttons == [{"type": "reply", "reply": {"id": "Yes", "title": "Yes"}}]


def test_links_are_lines_of_the_text() -> None:
    assert _sent({"text": "Look", "suggestions": [SHOP]}) == _text("Look", "• Shop: https://x.test")
    dial = {"action": {"text": "Call", "postbackData": "c", "dialAction": {"phoneNumber": "+1201"}}}
    sent = _sent({"text": "Look", "suggestions": [dial, _reply("Yes")]})
    assert sent["interactive"]["body"]["text"] == "Look\n• Call: +1201"


@pytest.mark.parametrize(
    ("action", "line"),
    [
        (
            {"viewLocationAction": {"latLong": {"latitude": 1.5, "longitude": 2}}},
            "• Go: https://www.google.com/maps/search/?api=1&query=1.5,2",
        ),
        ({"viewLocationAction": {"query": "a cafe"}}, "• Go: a cafe"),
        (
            {
                "createCalendarEventAction": {
                    "title": "Fitting",
                    "startTime": "2026-03-01T12:00Z",
                    "endTime": "13:00Z",
                }
            },
            "• Go: Fitting, 2026-03-01T12:00Z, 13:00Z",
        ),
        (
            {"composeAction": {"composeTextMessage": {"phoneNumber": "+1201", "text": "Hi"}}},
            "• Go: +1201, Hi",
        ),
        ({"shareLocationAction": {}, "fallbackUrl": "https://x.test"}, "• Go: https://x.test"),
        ({"shareLocationAction": {}}, "• Go"),
    ],
)
def test_an_action_that_whatsapp_does_not_have_is_a_line_that_says_where_it_leads(
    action: dict[str, Any], line: str
) -> None:
    assert _sent(
        {"text": "?", "suggestions": [{"action": {"text": "Go", "postbackData": "g", **action}}]}
    ) == _text("?", line)


def test_without_credentials_the_fallback_says_how_or_the_log_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sign_in = {
        "authenticationRequest": {"oauth": {"clientId": "x", "codeChallenge": "y", "scopes": ["z"]}}
    }
    said = {"text": "Sign in to continue.", "suggestions": [sign_in]}
    assert _sent({**said, "fallback": "Visit x.test."}) == _text("Visit x.test.")
    assert capsys.readouterr().out == ""
    assert _sent(said) == _text("Sign in to continue.")
    assert json.loads(capsys.readouterr().out)["severity"] == "WARNING"


def test_chips_of_older_rules_that_whatsapp_would_refuse_are_lines() -> None:
    assert _sent({"text": "?", "suggestions": [_reply("Yes", " yes")]}) == _text("?", "• Yes")


def test_a_long_text_keeps_its_words_before_its_suggestions() -> None:
    suggestions = [_reply("Yes"), _reply("No")]
    assert _sent({"text": "x" * 1025, "suggestions": suggestions}) == _text(
        "x" * 1025, "• Yes", "• No"
    )
    longest = Content.model_construct(
        text="x" * 4096,
        suggestions=Content.model_validate({"text": "?", "suggestions": suggestions}).suggestions,
    )
    call = PLATFORM.call(
        SendMessage.model_construct(id="1", to=TO, representative=JANE, content=longest)
    )
    assert call is not None
    assert json.loads(call.body)["text"]["body"] == "x" * 4096


def test_a_card_is_told_in_words_with_its_suggestions() -> None:
    media = {"height": "SHORT", "contentInfo": {"fileUrl": "https://x.test/a.png"}}
    card = {"title": "Boots", "description": "Warm", "media": media, "suggestions": [_reply("Buy")]}
    sent = _sent({"richCard": {"standaloneCard": {"cardContent": card}}})
    assert sent["interactive"]["body"]["text"] == "Boots\nWarm\nhttps://x.test/a.png"
    assert [one["reply"]["id"] for one in sent["interactive"]["action"]["buttons"]] == ["buy"]


def test_a_carousel_is_told_card_by_card_within_the_limit() -> None:
    cards = [
        {"title": "A", "description": "a" * 2000},
        {"title": "B", "description": "b" * 2000},
        {"title": "C"},
    ]
    carousel = {"carouselCard": {"cardWidth": "SMALL", "cardContents": cards}}
    assert len(_sent({"richCard": carousel})["text"]["body"]) <= 4096
    carousel["carouselCard"]["cardContents"] = [{"title": "A"}, {"title": "B"}]
    assert _sent({"richCard": carousel}) == _text("A", "", "B")


def test_the_senders_own_fallback_comes_before_ours() -> None:
    card = {"standaloneCard": {"cardContent": {"title": "Boots", "suggestions": [_reply("Buy")]}}}
    assert _sent({"richCard": card, "fallback": "Boots, 20 €"}) == _text("Boots, 20 €")


def test_an_empty_card_is_not_an_empty_message() -> None:
    assert _sent({"richCard": {"standaloneCard": {"cardContent": {}}}}) == _text("[rich card]")


def test_a_chip_that_asks_for_the_number_is_whatsapps_own_button() -> None:
    ask = {"reply": {"text": "Share my number", "postbackData": "baton:request-contact-info"}}
    other = {"reply": {"text": "Not now", "postbackData": "no"}}
    call = PLATFORM.call(
        SendMessage(
            id="1",
            to="1|BR.15",
            representative=JANE,
            content=Content.model_validate({"text": "May we call?", "suggestions": [ask, other]}),
        )
    )
    assert call is not None
    body = json.loads(call.body)
    name = "request_contact_info"
    assert (body["recipient"], body["type"]) == ("BR.15", "interactive")
    assert "to" not in body
    assert body["interactive"]["type"] == name
    assert body["interactive"]["action"] == {"name": name}
    assert body["interactive"]["body"]["text"].startswith("May we call?\n")
    assert "Not now" in body["interactive"]["body"]["text"]
    off = replace(PLATFORM, facts=frozenset(Fact) - {Fact.WHATSAPP_REQUEST_CONTACT})
    command = SendMessage(
        id="1",
        to="1|BR.15",
        representative=JANE,
        content=Content.model_validate({"text": "May we call?", "suggestions": [ask]}),
    )
    plain = off.call(command)
    assert plain is not None
    assert json.loads(plain.body)["interactive"]["type"] == "button"
