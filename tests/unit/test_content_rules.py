"""What the door refuses though its form is right: each fault by the name of its field, and none
of what is sound.
"""

from typing import Any

import pytest

from shared.schemas.content import Content
from shared.schemas.content_rules import first_fault, is_address

URL = "https://x.test/a.png"
TAP = {"text": "Yes", "postbackData": "yes"}
OAUTH = {"clientId": "c", "codeChallenge": "x", "scopes": ["s"]}


def _suggestion(**suggestion: Any) -> dict[str, Any]:
    return {"text": "?", "suggestions": [{"reply": TAP}, suggestion]}


def _action(**action: Any) -> dict[str, Any]:
    return _suggestion(action={"text": "Go", "postbackData": "go", **action})


def _card(**card: Any) -> dict[str, Any]:
    return {"richCard": {"standaloneCard": {"cardContent": card}}}


def _carousel(width: str, height: str) -> dict[str, Any]:
    media = {"height": height, "contentInfo": {"fileUrl": URL}}
    cards = [{"title": "A"}, {"title": "B", "media": media}]
    return {"richCard": {"carouselCard": {"cardWidth": width, "cardContents": cards}}}


CARD = "richCard.standaloneCard.cardContent"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"text": "  \n"}, "text"),
        ({"text": "x", "fallback": " "}, "fallback"),
        (_suggestion(reply={"text": "No", "postbackData": ""}), "suggestions.1.reply.postbackData"),
        (
            _suggestion(reply={"text": "No", "postbackData": " no"}),
            "suggestions.1.reply.postbackData",
        ),
        (
            _suggestion(reply={"text": "No", "postbackData": "no\n"}),
            "suggestions.1.reply.postbackData",
        ),
        (_suggestion(reply={"text": "  ", "postbackData": "no"}), "suggestions.1.reply.text"),
        (_suggestion(), "suggestions.1"),
        (_suggestion(reply=TAP, liveAgentRequest={}), "suggestions.1"),
        (_suggestion(danceRequest={}), "suggestions.1"),
        (_action(), "suggestions.1.action"),
        (_action(danceAction={}), "suggestions.1.action"),
        (
            _action(openUrlAction={"url": URL}, dialAction={"phoneNumber": "+12025550100"}),
            "suggestions.1.action",
        ),
        (_action(openUrlAction={}), "suggestions.1.action.openUrlAction.url"),
        (_action(openUrlAction={"url": "x.test"}), "suggestions.1.action.openUrlAction.url"),
        (
            _action(openUrlAction={"url": "javascript:alert(1)"}),
            "suggestions.1.action.openUrlAction.url",
        ),
        (
            _action(openUrlAction={"url": "https://x.test/a b"}),
            "suggestions.1.action.openUrlAction.url",
        ),
        (_action(dialAction={}), "suggestions.1.action.dialAction.phoneNumber"),
        (
            _action(dialAction={"phoneNumber": "555-0100"}),
            "suggestions.1.action.dialAction.phoneNumber",
        ),
        (_action(dialAction={"phoneNumber": "+1"}), "suggestions.1.action.dialAction.phoneNumber"),
        (
            _action(dialAction={"phoneNumber": "+1234567890123456"}),
            "suggestions.1.action.dialAction.phoneNumber",
        ),
        (_action(viewLocationAction={}), "suggestions.1.action.viewLocationAction.query"),
        (
            _action(viewLocationAction={"latLong": {"latitude": 91, "longitude": 0}}),
            "suggestions.1.action.viewLocationAction.latLong.latitude",
        ),
        (
            _action(createCalendarEventAction={"startTime": "x", "endTime": "y"}),
            "suggestions.1.action.createCalendarEventAction.title",
        ),
        (_action(composeAction={}), "suggestions.1.action.composeAction"),
        (_suggestion(authenticationRequest={}), "suggestions.1.authenticationRequest.oauth"),
        (
            _suggestion(authenticationRequest={"oauth": {**OAUTH, "scopes": []}}),
            "suggestions.1.authenticationRequest.oauth.scopes",
        ),
        (_card(), CARD),
        (_card(title=" "), f"{CARD}.title"),
        (_card(title="A", description=""), f"{CARD}.description"),
        (
            _card(media={"height": "TALL", "contentInfo": {"fileUrl": "ftp://x.test"}}),
            f"{CARD}.media.contentInfo.fileUrl",
        ),
        (_card(title="A", suggestions=[{}]), f"{CARD}.suggestions.0"),
        (_carousel("SMALL", "TALL"), "richCard.carouselCard.cardContents.1.media.height"),
        ({"image": {"contentInfo": {"fileUrl": "https://"}}}, "image.contentInfo.fileUrl"),
        (
            {"image": {"contentInfo": {"fileUrl": URL, "thumbnailUrl": "x"}}},
            "image.contentInfo.thumbnailUrl",
        ),
    ],
)
def test_a_fault_is_named_by_its_field(content: dict[str, Any], field: str) -> None:
    found = first_fault(Content.model_validate(content))
    assert found is not None
    assert found[0] == field


@pytest.mark.parametrize(
    "content",
    [
        {"text": " x ", "fallback": "y"},
        _suggestion(liveAgentRequest={}),
        _suggestion(authenticationRequest={"oauth": OAUTH}),
        _action(openUrlAction={"url": "https://x.test:8443/a?b=%20&c=[1]#d"}),
        _action(dialAction={"phoneNumber": "+1-201-555-0123"}),
        _action(dialAction={"phoneNumber": "+12223334444"}),
        _action(shareLocationAction={}),
        _action(viewLocationAction={"query": "a cafe"}),
        _card(description="only this"),
        _card(media={"height": "TALL", "contentInfo": {"fileUrl": URL, "altText": ""}}),
        _carousel("SMALL", "MEDIUM"),
        _carousel("MEDIUM", "TALL"),
    ],
)
def test_what_is_sound_is_taken(content: dict[str, Any]) -> None:
    assert first_fault(Content.model_validate(content)) is None


def test_a_message_that_rcs_finds_too_large_is_refused() -> None:
    suggestion = {"reply": {"text": "x", "postbackData": "é" * 2048}}
    cards = [{"description": "é" * 2000, "suggestions": [suggestion] * 4}] * 10
    content = {
        "richCard": {"carouselCard": {"cardWidth": "SMALL", "cardContents": cards}},
        "suggestions": [suggestion] * 13,
    }
    found = first_fault(Content.model_validate(content))
    assert found is not None
    assert "bytes" in found[1]


@pytest.mark.parametrize(
    ("value", "sound"),
    [
        ("http://x", True), ("https://[::1]/a", True), ("https://x:0/", False),
        ("https://x:99999/", False),
        ("https://bücher.test", False), ("https://x.test/{id}", False), ("HTTPS://x.test", False),
        ("https://x.test/" + "a" * 2000, False), (None, False), ("https:///a", False),
    ],
)  # fmt: skip
def test_an_address_is_whole_and_percent_encoded(value: object, sound: bool) -> None:
    assert is_address(value) is sound
