"""What a WhatsApp message says, in words: nothing that a customer sent is refused because it is not
text.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.platforms.map_links import map_link

Item = Mapping[str, Any]
UNSUPPORTED = "[unsupported message]"
# Kinds that say nothing: a number that changes, a reaction that is taken back, a message that is
# taken back or changed, a chat that was opened.
_UNSAID = ("system", "reaction", "revoke", "edit", "request_welcome")


def words_of(item: Item) -> str | None:
    """Returns the words that stand for a message, None for what is not said to anybody (a number
    that changes, a message that is taken back, kinds of tomorrow).
    """
    kind = item.get("type")
    return _WORDS[kind](item) if isinstance(kind, str) and kind in _WORDS else None


def is_said(item: Item) -> bool:
    """Returns whether a message that has no words for us was said all the same: one of a kind
    that we do not know.
    """
    kind = item.get("type")
    return isinstance(kind, str) and kind not in _UNSAID


def tapped_of(item: Item) -> tuple[str, str, str | None] | None:
    """Returns postback, label and the message that offered it, if this is the tap of a button
    or of a row.
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
    return (*(one or "" for one in found), _text(_dict(item, "context"), "id"))  # type: ignore[return-value]  # two of two


def _media(item: Item) -> str:
    """Its id can only be fetched with our token, so it is named; a link, where one is given, is
    passed on.
    """
    kind = str(item["type"])
    media = _dict(item, kind)
    links = (_text(media, name) for name in ("link", "url"))
    link = next((one for one in links if one and one.startswith("https://")), None)
    name = " ".join([f"[{kind}]", *(_text(media, "filename") or "").split()])  # in one line
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
    # without one it is taken back
    "reaction": lambda item: _text(_dict(item, "reaction"), "emoji"),
    "unsupported": lambda item: UNSUPPORTED,
}


def _dict(owner: Item, name: str) -> Item:
    value = owner.get(name)
    return value if isinstance(value, dict) else {}


def _text(owner: Item, name: str) -> str | None:
    value = owner.get(name)
    return value if isinstance(value, str) and value else None
