"""Converts a representative's message to the format of RCS for Business.

https://developers.google.com/business-communications/rcs-business-messaging/reference/rest/v1/phones.agentMessages
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, JsonValue

from shared.platforms.rich_text import PLAIN, with_marks
from shared.platforms.suggestions import left_out, reply_of, without_sign_in
from shared.schemas.base import JsonObject
from shared.schemas.content import CardContent, Content, RichCard, Suggestion, Tap

PLATFORM = "rcs"
MOST_SUGGESTIONS = 11  # Business Messages takes 13
MOST_SUGGESTIONS_OF_A_CARD = 4

# Every field that RCS knows: it answers 400 to others. Callers may send fields of Business
# Messages (altText) or of their own.
_Shape = Mapping[str, Any]
_INFO: _Shape = dict.fromkeys(("fileUrl", "thumbnailUrl", "forceRefresh"))
_ACTIONS: _Shape = {
    "openUrlAction": dict.fromkeys(("url", "application", "webviewViewMode", "description")),
    "dialAction": {"phoneNumber": None},
    "viewLocationAction": {
        "latLong": {"latitude": None, "longitude": None},
        "label": None,
        "query": None,
    },
    "createCalendarEventAction": dict.fromkeys(("startTime", "endTime", "title", "description")),
    "shareLocationAction": {},
    "composeAction": {
        "composeTextMessage": {"phoneNumber": None, "text": None},
        "composeRecordingMessage": {"phoneNumber": None, "type": None},
    },
}
_SUGGESTION: _Shape = {
    "reply": {"text": None, "postbackData": None},
    "action": {"text": None, "postbackData": None, "fallbackUrl": None, **_ACTIONS},
}
_CARD: _Shape = {
    "title": None, "description": None, "media": {"height": None, "contentInfo": _INFO},
    "suggestions": _SUGGESTION
}  # fmt: skip
_CONTENT: _Shape = {
    "text": None,
    "contentInfo": _INFO,
    "uploadedRbmFile": {"fileName": None},
    "richCard": {
        "standaloneCard": {
            "cardOrientation": None,
            "thumbnailImageAlignment": None,
            "cardContent": _CARD,
        },
        "carouselCard": {"cardWidth": None, "cardContents": _CARD},
    },
    "suggestions": _SUGGESTION,
}


def content_message(content: Content, language: str | None) -> JsonObject:
    """Returns the `contentMessage`. RCS has no rich text, no fallback and no sign-in."""
    content = with_marks(without_sign_in(content, PLATFORM), PLAIN)
    suggestions = _suggestions(content.suggestions, MOST_SUGGESTIONS, language)
    whole = {**_payload(content, language), **({"suggestions": suggestions} if suggestions else {})}
    return {name: _shaped(whole[name], inner) for name, inner in _CONTENT.items() if name in whole}


def _shaped(value: JsonValue, shape: _Shape | None) -> JsonValue:
    """Returns the value without the fields that RCS does not know."""
    if isinstance(value, list):
        return [_shaped(one, shape) for one in value]
    if shape is None or not isinstance(value, dict):
        return value
    return {name: _shaped(value[name], inner) for name, inner in shape.items() if name in value}


def _payload(content: Content, language: str | None) -> JsonObject:
    if content.image is not None:
        return {"contentInfo": _plain(content.image.content_info)}
    if content.file is not None and content.file.native_id is not None:
        return {"uploadedRbmFile": {"fileName": content.file.native_id}}
    if content.file is not None:
        return {"contentInfo": {"fileUrl": content.file.file_url}}
    if content.rich_card is not None:
        return {"richCard": _rich_card(content.rich_card, language)}
    return {"text": content.text}


def _rich_card(card: RichCard, language: str | None) -> JsonObject:
    """Returns the card.

    RCS requires an orientation; cards of Business Messages are always vertical.
    """
    if card.standalone_card is not None:
        extra = _plain(card.standalone_card, "card_content")
        inner = _card(card.standalone_card.card_content, language)
        return {"standaloneCard": {"cardOrientation": "VERTICAL", **extra, "cardContent": inner}}
    if card.carousel_card is None:
        return {}
    contents: list[JsonValue] = [_card(one, language) for one in card.carousel_card.card_contents]
    return {"carouselCard": {"cardWidth": card.carousel_card.card_width, "cardContents": contents}}


def _card(card: CardContent, language: str | None) -> JsonObject:
    suggestions = _suggestions(card.suggestions, MOST_SUGGESTIONS_OF_A_CARD, language)
    return {**_plain(card, "suggestions"), **({"suggestions": suggestions} if suggestions else {})}


def _suggestions(
    suggestions: Sequence[Suggestion], most: int, language: str | None
) -> list[JsonValue]:
    """Returns at most `most` suggestions.

    A liveAgentRequest is kept in place of the last one if it would be cut.
    """
    known = [
        one for one in suggestions if one.live_agent_request is not None or one.reply or _acts(one)
    ]
    lost = sum(one.authentication_request is None for one in suggestions) - len(known[:most])
    if lost:
        left_out(f"{lost} suggestions of a message were left out", PLATFORM)
    kept = known[:most]
    asking = [one for one in known[most:] if one.live_agent_request is not None]
    if asking and not any(one.live_agent_request is not None for one in kept):
        kept[-1] = asking[0]
    return [_suggestion(one, language) for one in kept]


def _acts(one: Suggestion) -> bool:
    """Returns whether this is an action that RCS supports."""
    return one.action is not None and any(
        isinstance((one.action.model_extra or {}).get(kind), dict) for kind in _ACTIONS
    )


def _suggestion(one: Suggestion, language: str | None) -> JsonObject:
    reply = reply_of(one, language)
    if reply is not None:
        return {"reply": _tap(reply)}
    return {"action": _numbered(_tap(one.action)) if one.action else {}}


def _tap(tap: Tap) -> JsonObject:
    """Returns label and postback data.

    Messages stored before Baton required postback data get their label.
    """
    return {**_plain(tap), "postbackData": tap.postback_data or tap.text}


def _numbered(action: JsonObject) -> JsonObject:
    """Returns the action with its number in E.164, which RCS requires.

    Business Messages allows hyphens as well.
    """
    dial = action.get("dialAction")
    number = dial.get("phoneNumber") if isinstance(dial, dict) else None
    if not isinstance(number, str):
        return action
    return {**action, "dialAction": {"phoneNumber": re.sub(r"[^0-9+]", "", number)}}


def _plain(model: BaseModel, *leave_out: str) -> JsonObject:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=set(leave_out))
