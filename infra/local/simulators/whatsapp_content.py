"""What the simulated WhatsApp shows of a message, and which messages it refuses.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages
"""

from typing import Any

TEXT_LIMIT, BODY_LIMIT, LIST_BODY_LIMIT = 4096, 1024, 4096
BUTTONS, BUTTON_TITLE, BUTTON_ID = 3, 20, 256
ROWS, ROW_TITLE, ROW_ID = 10, 24, 200
CONTACT = "request_contact_info"  # its button has a text of WhatsApp's own


class WrongContent(Exception):
    """The platform refuses the message; the text is the reason."""


def shown(body: dict[str, Any]) -> dict[str, Any]:
    """Returns a message in Business Messages' form. Raises WrongContent."""
    kinds = {"text": _text, "image": _image, "interactive": _interactive, "template": _template}
    read = kinds.get(str(body.get("type")))
    part = body.get(str(body.get("type")))
    if read is None or not isinstance(part, dict):
        raise WrongContent(
            "type must be text, image, interactive or template, with what belongs to it."
        )
    return read(part)


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


def _image(part: dict[str, Any]) -> dict[str, Any]:
    info = {"fileUrl": _words(part.get("link"), 2048), "altText": part.get("caption")}
    return {"image": {"contentInfo": info}}


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
    return _image(given.get("image") or {})


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
