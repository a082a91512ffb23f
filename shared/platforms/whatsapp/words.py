"""Text that represents a WhatsApp message.

No message of a customer is refused because it is not text.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.platforms.map_links import map_link

Item = Mapping[str, Any]
UNSUPPORTED = "[unsupported message]"
# Kinds without content: a changed number, a removed reaction, a revoked or edited message, an
# opened chat.
_UNSAID = ("system", "reaction", "revoke", "edit", "request_welcome")


def words_of(item: Item) -> str | None:
    """Returns the text that represents a message.

    Returns None for unknown kinds and for those without content, such as a changed number or a
    revoked message.
    """
    kind = item.get("type")
    return _WORDS[kind](item) if isinstance(kind, str) and kind in _WORDS else None


def is_said(item: Item) -> bool:
    """Returns whether a message without text has content nevertheless: it is of an unknown kind."""
    kind = item.get("type")
    return isinstance(kind, str) and kind not in _UNSAID


def tapped_of(item: Item) -> tuple[str, str, str | None] | None:
    """Returns postback, label and the message that offered it, or None if this is not the tap of
    a button or list row.
    """
    inner = _dict(item, "interactive")
    reply = _dict(inner, "button_reply") or _dict(inner, "list_reply")
    button = _dict(item, "button")
    if reply:
        found = (_text(reply, "id"), _text(reply, "title"))
    elif button:
        found = (_text(button, "payload"), _text(button, "text"))
    else:
        return None
    return (*(one or "" for one in found), _text(_dict(item, "context"), "id"))  # type: ignore[return-value]  # found has two items


def _media(item: Item) -> str:
    """Returns caption and link, or the kind if there is no link: a media id can only be fetched
    with our token.
    """
    kind = str(item["type"])
    media = _dict(item, kind)
    links = (_text(media, name) for name in ("link", "url"))
    link = next((one for one in links if one and one.startswith("https://")), None)
    name = " ".join([f"[{kind}]", *(_text(media, "filename") or "").split()])  # without line breaks
    return "\n".join(filter(None, [_text(media, "caption"), link or name]))


def _location(item: Item) -> str:
    place = _dict(item, "location")
    link = map_link(place.get("latitude"), place.get("longitude"))
    return "\n".join(filter(None, [_text(place, "name"), _text(place, "address"), link]))


def _contacts(item: Item) -> str:
    given = item.get("contacts")
    cards = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    return "\n".join(["[contact]", *(line for line in map(_contact, cards) if line)])


def _contact(card: Item) -> str:
    phones = card.get("phones")
    numbers = (
        [_text(one, "phone") for one in phones if isinstance(one, dict)]
        if isinstance(phones, list)
        else []
    )
    return " ".join(filter(None, [_text(_dict(card, "name"), "formatted_name"), *numbers]))


def _order(item: Item) -> str:
    return "\n".join(filter(None, ["[order]", _text(_dict(item, "order"), "text")]))


def _form(item: Item) -> str:
    return _text(_dict(_dict(item, "interactive"), "nfm_reply"), "body") or "[interactive]"


_WORDS: Mapping[str, Callable[[Item], str | None]] = {
    "text": lambda item: _text(_dict(item, "text"), "body") or "[empty]",
    **dict.fromkeys(("image", "audio", "video", "document", "sticker"), _media),
    "location": _location,
    "contacts": _contacts,
    "order": _order,
    "interactive": _form,
    "button": lambda item: "[button]",
    # a reaction without an emoji was removed
    "reaction": lambda item: _text(_dict(item, "reaction"), "emoji"),
    "unsupported": lambda item: UNSUPPORTED,
}


def _dict(owner: Item, name: str) -> Item:
    value = owner.get(name)
    return value if isinstance(value, dict) else {}


def _text(owner: Item, name: str) -> str | None:
    value = owner.get(name)
    return value if isinstance(value, str) and value else None
