"""What the simulated WhatsApp shows of a message, and which messages it refuses.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TEXT_LIMIT, BODY_LIMIT, LIST_BODY_LIMIT = 4096, 1024, 4096
BUTTONS, BUTTON_TITLE, BUTTON_ID = 3, 20, 256
ROWS, ROW_TITLE, ROW_ID = 10, 24, 200
MEGABYTE = 1 << 20
CONTACT = "request_contact_info"  # its button has a text of WhatsApp's own


@dataclass(frozen=True, slots=True)
class FileKind:
    """What the platform takes of a kind of file: its size, its MIME types, and the fields beside
    its id or link.
    """

    most: int
    types: frozenset[str]
    fields: frozenset[str] = frozenset()


# https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
FILES: Mapping[str, FileKind] = {
    "image": FileKind(5 * MEGABYTE, frozenset({"image/jpeg", "image/png"}), frozenset({"caption"})),
    "video": FileKind(
        16 * MEGABYTE, frozenset({"video/mp4", "video/3gpp"}), frozenset({"caption"})
    ),
    "audio": FileKind(
        16 * MEGABYTE,
        frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}),
        frozenset({"voice"}),
    ),
    "document": FileKind(
        100 * MEGABYTE,
        frozenset(
            {
                "text/plain",
                "application/pdf",
                "application/msword",
                "application/vnd.ms-excel",
                "application/vnd.ms-powerpoint",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            }
        ),
        frozenset({"caption", "filename"}),
    ),
    "sticker": FileKind(500 << 10, frozenset({"image/webp"})),
}


def unfit(kind: str, mime_type: str, size: int) -> str | None:
    """Returns why the platform does not take such a file as this kind, None if it takes it."""
    if mime_type not in FILES[kind].types:
        return f"A file of type {mime_type} is no {kind}."
    if size > FILES[kind].most:
        return f"A file of {size} bytes is too large for {kind}: at most {FILES[kind].most}."
    return None


def uploadable(mime_type: str, size: int) -> str | None:
    """Returns why the platform does not take the upload of such a file, None if it takes it."""
    kinds = [kind for kind, taken in FILES.items() if mime_type in taken.types]
    if not kinds:
        known = ", ".join(sorted({one for taken in FILES.values() for one in taken.types}))
        return f"Param file must be a file with one of the following types: {known}."
    return unfit(kinds[0], mime_type, size)


class WrongContent(Exception):
    """The platform refuses the message; the text is the reason."""


def shown(body: dict[str, Any]) -> dict[str, Any]:
    """Returns a message in Business Messages' form. Raises WrongContent."""
    kinds = {"text": _text, "interactive": _interactive, "template": _template}
    kind = str(body.get("type"))
    part = body.get(kind)
    if not isinstance(part, dict) or (kind not in kinds and kind not in FILES):
        known = ", ".join((*kinds, *FILES))
        raise WrongContent(f"type must be one of {known}, with what belongs to it.")
    return kinds[kind](part) if kind in kinds else _file(kind, part)


def _text(part: dict[str, Any]) -> dict[str, Any]:
    return {"text": _words(part.get("body"), TEXT_LIMIT)}


def _template(part: dict[str, Any]) -> dict[str, Any]:
    """The words of a template are at Meta, so its name and its values stand for it."""
    _words((part.get("language") or {}).get("code"), 10)
    values = [
        _words(value.get("text"), BODY_LIMIT)
        for component in part.get("components", [])
        for value in component["parameters"]
    ]
    name = _words(part.get("name"), 512)
    return {"text": " ".join((f"[template {name}]", *values))}


def _file(kind: str, part: dict[str, Any]) -> dict[str, Any]:
    """Returns what the message says of its file, which the platform then gets."""
    unknown = sorted(set(part) - {"id", "link"} - FILES[kind].fields)
    if unknown:
        raise WrongContent(f"{kind} has no {unknown[0]}.")
    if ("id" in part) == ("link" in part):
        raise WrongContent("Give exactly one of id and link.")
    _words(part.get("id", part.get("link")), 2048)
    caption = _words(part["caption"], BODY_LIMIT) if part.get("caption") else ""
    return {"text": caption, "files": [{"kind": kind, **part}]}


def _interactive(part: dict[str, Any]) -> dict[str, Any]:
    if part.get("type") == CONTACT:
        text = _words((part.get("body") or {}).get("text"), BODY_LIMIT)
        share = {"reply": {"text": "Share contact info", "postbackData": CONTACT}}
        return {"text": text, "suggestions": [share]}
    action, buttons = part.get("action") or {}, part.get("type") == "button"
    if buttons:
        suggestions = [one["reply"] for one in action.get("buttons", [])]
        _check(suggestions, BUTTONS, BUTTON_TITLE, BUTTON_ID)
    else:
        _words(action.get("button"), BUTTON_TITLE)
        suggestions = [row for section in action.get("sections", []) for row in section["rows"]]
        _check(suggestions, ROWS, ROW_TITLE, ROW_ID)
    replies = [{"reply": {"text": one["title"], "postbackData": one["id"]}} for one in suggestions]
    text = _words((part.get("body") or {}).get("text"), BODY_LIMIT if buttons else LIST_BODY_LIMIT)
    return {"text": text, "suggestions": replies, **_header(part.get("header"), buttons)}


def _header(given: object, buttons: bool) -> dict[str, Any]:
    if given is None:
        return {}
    if not buttons or not isinstance(given, dict) or given.get("type") != "image":
        raise WrongContent("Only buttons may have an image as their header.")
    return {"files": _file("image", given.get("image") or {})["files"]}


def _check(suggestions: list[dict[str, str]], most: int, title: int, identifier: int) -> None:
    if not 1 <= len(suggestions) <= most:
        raise WrongContent(f"Give 1 to {most} of them.")
    if any(not one["id"] or not 1 <= len(one["title"]) <= title for one in suggestions):
        raise WrongContent(f"Each has an id and a title of 1 to {title} characters.")
    if any(one["id"] != one["id"].strip() or len(one["id"]) > identifier for one in suggestions):
        raise WrongContent(f"An id has at most {identifier} characters, and no blanks at its ends.")
    if any(not one["title"].strip() for one in suggestions):
        raise WrongContent("A title must not be blank.")
    if len({one["id"] for one in suggestions}) < len(suggestions) or len(
        {one["title"] for one in suggestions}
    ) < len(suggestions):
        raise WrongContent("No two may have one id or one title.")


def _words(value: object, limit: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > limit:
        raise WrongContent(f"A text of 1 to {limit} characters is required.")
    return value
