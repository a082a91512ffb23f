"""What the simulated RCS refuses of a message: too much of something, and any name that its reference does not have.

https://developers.google.com/business-communications/rcs-business-messaging/reference/rest/v1/phones.agentMessages
"""

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from infra.local.simulator import google_error

PAYLOADS = ("text", "fileName", "uploadedRbmFile", "richCard", "contentInfo")
TEXT_LIMIT, CHIP_LIMIT = 3072, 11
SCALAR = ""

# Which object stands under a name; within a list, which object each item is.
OBJECTS: dict[str, dict[str, str]] = {
    "AgentContentMessage": {
        "text": SCALAR, "fileName": SCALAR, "uploadedRbmFile": "UploadedRbmFile", "richCard": "RichCard",
        "contentInfo": "ContentInfo", "suggestions": "Suggestion",
    },
    "UploadedRbmFile": {"fileName": SCALAR, "thumbnailName": SCALAR},
    "ContentInfo": {"fileUrl": SCALAR, "thumbnailUrl": SCALAR, "forceRefresh": SCALAR},
    "RichCard": {"carouselCard": "CarouselCard", "standaloneCard": "StandaloneCard"},
    "CarouselCard": {"cardWidth": SCALAR, "cardContents": "CardContent"},
    "StandaloneCard": {"cardOrientation": SCALAR, "thumbnailImageAlignment": SCALAR, "cardContent": "CardContent"},
    "CardContent": {"title": SCALAR, "description": SCALAR, "media": "Media", "suggestions": "Suggestion"},
    "Media": {"height": SCALAR, "uploadedRbmFile": "UploadedRbmFile", "fileName": SCALAR, "contentInfo": "ContentInfo"},
    "Suggestion": {"reply": "SuggestedReply", "action": "SuggestedAction"},
    "SuggestedReply": {"text": SCALAR, "postbackData": SCALAR},
    "SuggestedAction": {
        "text": SCALAR, "postbackData": SCALAR, "fallbackUrl": SCALAR, "dialAction": "DialAction",
        "viewLocationAction": "ViewLocationAction", "createCalendarEventAction": "CreateCalendarEventAction",
        "openUrlAction": "OpenUrlAction", "shareLocationAction": "ShareLocationAction",
        "composeAction": "ComposeAction",
    },
    "DialAction": {"phoneNumber": SCALAR},
    "ViewLocationAction": {"latLong": "LatLng", "label": SCALAR, "query": SCALAR},
    "LatLng": {"latitude": SCALAR, "longitude": SCALAR},
    "CreateCalendarEventAction": {"startTime": SCALAR, "endTime": SCALAR, "title": SCALAR, "description": SCALAR},
    "OpenUrlAction": {"url": SCALAR, "application": SCALAR, "webviewViewMode": SCALAR, "description": SCALAR},
    "ShareLocationAction": {},
    "ComposeAction": {"composeTextMessage": "ComposeTextMessage", "composeRecordingMessage": "ComposeRecordingMessage"},
    "ComposeTextMessage": {"phoneNumber": SCALAR, "text": SCALAR},
    "ComposeRecordingMessage": {"phoneNumber": SCALAR, "type": SCALAR},
}  # fmt: skip


def refused_content(content: object) -> Response | None:
    """Returns the answer to a content that RCS does not take, None for one that it takes."""
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
    return None


def _unknown(value: Any, kind: str, where: str) -> Iterator[str]:
    """Yields each name that no object of this kind has."""
    for one in value if isinstance(value, list) else [value]:
        for name, inner in one.items() if isinstance(one, dict) else ():
            if name not in OBJECTS[kind]:
                yield f"Unknown name \"{name}\" at '{where}'"
            elif OBJECTS[kind][name]:
                yield from _unknown(inner, OBJECTS[kind][name], f"{where}.{name}")
