"""What representatives say, as RCS for Business takes it: no name that it does not know, always
a way to a person.
"""

import json
from typing import Any

import pytest

from shared.platforms.rcs.platform import Rcs
from shared.schemas.commands import SendMessage
from shared.schemas.content import Content
from shared.schemas.http import Call
from shared.schemas.representative import Representative, RepresentativeType

JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")
TO = "an-agent@rbm.goog|+6281234567890"
OURS = "9c0e3c5c-8fb4-4c26-8c5a-0f8f1f0a0001"
RCS = Rcs(client_tokens=("old", "new"), api_url="https://rcs.test/", auth="bearer:x")
LIVE_AGENT: dict[str, Any] = {"liveAgentRequest": {}}


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


def test_an_image_is_content_by_its_address() -> None:
    image = {"image": {"contentInfo": {"fileUrl": "https://x.test/a.png", "forceRefresh": True}}}
    assert _content(image) == {
        "contentInfo": {"fileUrl": "https://x.test/a.png", "forceRefresh": True}
    }


def test_a_card_stands_and_keeps_its_suggestions() -> None:
    card = {
        "title": "Boots",
        "media": {"height": "SHORT", "contentInfo": {"fileUrl": "https://x.test/a.png"}},
    }
    sent = _content(
        {
            "richCard": {
                "standaloneCard": {"cardContent": {**card, "suggestions": [_reply(1), LIVE_AGENT]}}
            }
        }
    )
    standalone = sent["richCard"]["standaloneCard"]
    assert standalone["cardOrientation"] == "VERTICAL"
    assert standalone["cardContent"]["title"] == "Boots"
    assert standalone["cardContent"]["media"]["contentInfo"] == {"fileUrl": "https://x.test/a.png"}
    assert [one["reply"]["postbackData"] for one in standalone["cardContent"]["suggestions"]] == [
        "p1",
        "baton:request-human",
    ]


def test_a_carousel_is_carried_over() -> None:
    carousel = {"cardWidth": "SMALL", "cardContents": [{"title": "A"}, {"title": "B"}]}
    assert _content({"richCard": {"carouselCard": carousel}}) == {
        "richCard": {"carouselCard": carousel}
    }


def test_of_thirteen_chips_eleven_are_sent_and_the_person_is_among_them() -> None:
    suggestions = _content({"text": "?", "suggestions": [*map(_reply, range(12)), LIVE_AGENT]})[
        "suggestions"
    ]
    assert len(suggestions) == 11
    assert suggestions[-1]["reply"]["postbackData"] == "baton:request-human"


SIGN_IN = {
    "authenticationRequest": {"oauth": {"clientId": "x", "codeChallenge": "y", "scopes": ["z"]}}
}


def test_chips_that_act_are_carried_over() -> None:
    action = {
        "action": {"text": "Shop", "postbackData": "s", "openUrlAction": {"url": "https://x.test"}}
    }
    assert _content({"text": "?", "suggestions": [action], "fallback": "!"}) == {
        "text": "?",
        "suggestions": [action],
    }


def test_a_number_is_told_as_rcs_takes_it() -> None:
    dial = {
        "action": {
            "text": "Call",
            "postbackData": "c",
            "dialAction": {"phoneNumber": "+1-201-555-0123"},
        }
    }
    (suggestion,) = _content({"text": "?", "suggestions": [dial]})["suggestions"]
    assert suggestion["action"]["dialAction"] == {"phoneNumber": "+12015550123"}


def test_without_credentials_the_fallback_says_how() -> None:
    """As in Google's snippet send-message-authentication-request-suggestion.sh, whose fallback
    has the address.
    """
    said = {
        "text": "Sign in to continue.",
        "suggestions": [SIGN_IN, _reply(1)],
        "fallback": "Visit x.test to continue.",
    }
    assert _content(said) == {"text": "Visit x.test to continue.", "suggestions": [_reply(1)]}


def test_a_chip_to_sign_in_that_has_no_fallback_is_left_out_and_the_log_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _content({"text": "?", "suggestions": [SIGN_IN]}) == {"text": "?"}
    assert json.loads(capsys.readouterr().out)["severity"] == "WARNING"


def test_of_too_many_chips_the_log_says_how_many_are_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert (
        len(_content({"text": "?", "suggestions": [*map(_reply, range(13))]})["suggestions"]) == 11
    )
    assert json.loads(capsys.readouterr().out)["message"].startswith("2 suggestions")


def test_what_only_business_messages_has_is_left_out() -> None:
    """Google answers 400 to a name that it does not know, and the message would be lost."""
    info = {"fileUrl": "https://x.test/a.png", "altText": "Boots", "forceRefresh": True}
    shown = {"fileUrl": "https://x.test/a.png", "forceRefresh": True}
    assert _content({"image": {"contentInfo": info}}) == {"contentInfo": shown}
    card = {
        "title": "Boots",
        "mood": 1,
        "media": {"height": "TALL", "contentInfo": info},
        "suggestions": [_reply(1)],
    }
    found = _content({"richCard": {"standaloneCard": {"cardContent": card}}})["richCard"][
        "standaloneCard"
    ]["cardContent"]
    media = {"height": "TALL", "contentInfo": shown}
    assert found == {"title": "Boots", "media": media, "suggestions": [_reply(1)]}


def test_an_action_that_rcs_does_not_have_is_left_out() -> None:
    place = {"latLong": {"latitude": 1, "longitude": 2, "mood": 3}, "label": "Here"}
    known = {"action": {"text": "Where", "postbackData": "w", "viewLocationAction": place}}
    unknown = {"action": {"text": "Dance", "postbackData": "d", "danceAction": {}}}
    (suggestion,) = _content({"text": "?", "suggestions": [known, unknown]})["suggestions"]
    assert suggestion["action"]["viewLocationAction"] == {
        "latLong": {"latitude": 1, "longitude": 2},
        "label": "Here",
    }
