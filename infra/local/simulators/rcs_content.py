"""The messages that the simulated RCS refuses: those over a limit, and those with a name that its
reference does not have.

https://developers.google.com/business-communications/rcs-business-messaging/reference/rest/v1/phones.agentMessages
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from infra.local.simulators.simulator import google_error

PAYLOADS = ("text", "fileName", "uploadedRbmFile", "richCard", "contentInfo")
TEXT_LIMIT, CHIP_LIMIT, WHOLE_LIMIT = 3072, 11, 250_000
SCALAR = ""

# The object under each name. Within a list every item is that object.
OBJECTS: dict[str, dict[str, str]] = {
    "AgentContentMessage": {
        "text": SCALAR, "fileName": SCALAR, "uploadedRbmFile": "UploadedRbmFile",
        "richCard": "RichCard",
        "contentInfo": "ContentInfo", "suggestions": "Suggestion",
    },
    "UploadedRbmFile": {"fileName": SCALAR, "thumbnailName": SCALAR},
    "ContentInfo": {"fileUrl": SCALAR, "thumbnailUrl": SCALAR, "forceRefresh": SCALAR},
    "RichCard": {"carouselCard": "CarouselCard", "standaloneCard": "StandaloneCard"},
    "CarouselCard": {"cardWidth": SCALAR, "cardContents": "CardContent"},
    "StandaloneCard": {"cardOrientation": SCALAR, "thumbnailImageAlignment": SCALAR,
        "cardContent": "CardContent"},
    "CardContent": {"title": SCALAR, "description": SCALAR, "media": "Media",
        "suggestions": "Suggestion"},
    "Media": {"height": SCALAR, "uploadedRbmFile": "UploadedRbmFile", "fileName": SCALAR,
        "contentInfo": "ContentInfo"},
    "Suggestion": {"reply": "SuggestedReply", "action": "SuggestedAction"},
    "SuggestedReply": {"text": SCALAR, "postbackData": SCALAR},
    "SuggestedAction": {
        "text": SCALAR, "postbackData": SCALAR, "fallbackUrl": SCALAR, "dialAction": "DialAction",
        "viewLocationAction": "ViewLocationAction",
        "createCalendarEventAction": "CreateCalendarEventAction",
        "openUrlAction": "OpenUrlAction", "shareLocationAction": "ShareLocationAction",
        "composeAction": "ComposeAction",
    },
    "DialAction": {"phoneNumber": SCALAR},
    "ViewLocationAction": {"latLong": "LatLng", "label": SCALAR, "query": SCALAR},
    "LatLng": {"latitude": SCALAR, "longitude": SCALAR},
    "CreateCalendarEventAction": {"startTime": SCALAR, "endTime": SCALAR, "title": SCALAR,
        "description": SCALAR},
    "OpenUrlAction": {"url": SCALAR, "application": SCALAR, "webviewViewMode": SCALAR,
        "description": SCALAR},
    "ShareLocationAction": {},
    "ComposeAction": {"composeTextMessage": "ComposeTextMessage",
        "composeRecordingMessage": "ComposeRecordingMessage"},
    "ComposeTextMessage": {"phoneNumber": SCALAR, "text": SCALAR},
    "ComposeRecordingMessage": {"phoneNumber": SCALAR, "type": SCALAR},
}  # fmt: skip


def refused_content(content: object) -> Response | None:
    """Returns the error for a content that RCS refuses, None for a content that it takes."""
    fault = _fault(content)
    return google_error(400, "INVALID_ARGUMENT", fault) if fault else None


def _fault(content: object) -> str | None:
    if not isinstance(content, dict) or sum(name in content for name in PAYLOADS) != 1:
        return f"contentMessage must hold one of {', '.join(PAYLOADS)}."
    unknown = next(_unknown(content, "AgentContentMessage", "content_message"), None)
    if unknown:
        return f"Invalid JSON payload received. {unknown}: Cannot find field."
    if len(str(content.get("text", ""))) > TEXT_LIMIT:
        return f"text has more than {TEXT_LIMIT} characters."
    if len(content.get("suggestions", [])) > CHIP_LIMIT:
        return f"There are more than {CHIP_LIMIT} suggestions."
    if len(json.dumps(content).encode()) > WHOLE_LIMIT:
        return f"The message has more than {WHOLE_LIMIT} bytes."
    return next(_wrong_suggestions(content.get("suggestions", []), CHIP_LIMIT), None) or next(
        _wrong_cards(content), None
    )


def _wrong_cards(content: dict[str, Any]) -> Iterator[str]:
    """Yields the faults of cards and media."""
    card = content.get("richCard") or {}
    carousel = card.get("carouselCard") or {}
    cards = carousel.get("cardContents", []) or [
        one["cardContent"] for one in filter(None, [card.get("standaloneCard")])
    ]
    if carousel and not 2 <= len(cards) <= 10:
        yield "A carousel has 2 to 10 cards."
    for one in cards:
        if not any(one.get(name) for name in ("title", "description", "media")):
            yield "A card needs a title, a description or media."
        if len(one.get("title", "")) > 200 or len(one.get("description", "")) > 2000:
            yield "A title has at most 200 characters, a description 2000."
        if (
            carousel.get("cardWidth") == "SMALL"
            and (one.get("media") or {}).get("height") == "TALL"
        ):
            yield "TALL media does not fit a SMALL card."
        yield from _wrong_suggestions(one.get("suggestions", []), 4)
    infos = [
        content.get("contentInfo"),
        *((one.get("media") or {}).get("contentInfo") for one in cards),
    ]
    for info in filter(None, infos):
        for url in filter(None, (info.get("fileUrl"), info.get("thumbnailUrl"))):
            if not _is_url(url):
                yield f"{url} is no URL."


def _wrong_suggestions(suggestions: list[dict[str, Any]], most: int) -> Iterator[str]:
    if len(suggestions) > most:
        yield f"There are more than {most} suggestions."
    for suggestion in suggestions:
        tap = suggestion.get("reply") or suggestion.get("action") or {}
        if (
            not 1 <= len(tap.get("text", "").strip()) <= 25
            or not 1 <= len(tap.get("postbackData", "")) <= 2048
        ):
            yield "A suggestion has a text of 1 to 25 and postbackData of 1 to 2048 characters."
        actions = [name for name in tap if name.endswith("Action")]
        if "action" in suggestion and len(actions) != 1:
            yield "A suggested action has exactly one action."
        if "openUrlAction" in tap and not _is_url(tap["openUrlAction"].get("url")):
            yield "openUrlAction needs a URL."
        if "dialAction" in tap and not re.fullmatch(
            r"\+[0-9]{1,15}", str(tap["dialAction"].get("phoneNumber"))
        ):
            yield "phoneNumber must be in E.164 format."


def _is_url(value: object) -> bool:
    try:
        parts = urlsplit(str(value))
    except ValueError:
        return False
    printable = (
        str(value).isascii()
        and not set(str(value)) & set(' "<>\\^`{|}')
        and str(value).isprintable()
    )
    return (
        printable
        and parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and len(str(value)) <= 2048
    )


def _unknown(value: Any, kind: str, where: str) -> Iterator[str]:
    """Yields each name that an object of this kind does not have."""
    for one in value if isinstance(value, list) else [value]:
        for name, inner in one.items() if isinstance(one, dict) else ():
            if name not in OBJECTS[kind]:
                yield f"Unknown name \"{name}\" at '{where}'"
            elif OBJECTS[kind][name]:
                yield from _unknown(inner, OBJECTS[kind][name], f"{where}.{name}")
