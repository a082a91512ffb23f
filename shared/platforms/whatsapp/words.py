"""Text that represents a WhatsApp message.

No message of a customer is refused because it is not text.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from collections.abc import Callable, Mapping

import pydantic_core
from pydantic import JsonValue

from shared.platforms.map_links import map_link
from shared.platforms.whatsapp.details import (
    MEDIA,
    Item,
    child,
    children,
    form_of,
    order_of,
    tapped_in,
    text,
)

UNSUPPORTED = "[unsupported message]"
# Kinds without content: a changed number, an opened chat.
_UNSAID = ("system", "request_welcome")


def words_of(item: Item) -> str | None:
    """Returns the text that represents a message.

    Returns None for unknown kinds and for those that are no message, such as a reaction.
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
    tapped, offered = tapped_in(item), text(child(item, "context"), "id")
    if tapped is None:
        return None
    names = ("payload", "text") if tapped == item.get("button") else ("id", "title")
    postback, label = (text(tapped, name) or "" for name in names)
    return postback, label, offered


def _media(item: Item) -> str:
    """Returns caption and link, or the kind if there is no link: a media id can only be fetched
    with our token.
    """
    kind = str(item["type"])
    media = child(item, kind)
    links = (text(media, name) for name in ("link", "url"))
    link = next((one for one in links if one and one.startswith("https://")), None)
    name = " ".join([f"[{kind}]", *(text(media, "filename") or "").split()])  # without line breaks
    return "\n".join(filter(None, [text(media, "caption"), link or name]))


def _location(item: Item) -> str:
    place = child(item, "location")
    link = map_link(place.get("latitude"), place.get("longitude"))
    return "\n".join(filter(None, [text(place, "name"), text(place, "address"), link]))


def _contacts(item: Item) -> str:
    lines = map(_contact, children(item, "contacts"))
    return "\n".join(["[contact]", *(line for line in lines if line)])


def _contact(card: Item) -> str:
    numbers = [text(one, "phone") for one in children(card, "phones")]
    return " ".join(filter(None, [text(child(card, "name"), "formatted_name"), *numbers]))


def _order(item: Item) -> str:
    """Returns what was ordered: the customer's words, a line for each product, and the sum."""
    order = order_of(item)
    lines = [
        f"{one.quantity if one.quantity is not None else '?'} × {one.name or one.product_id or '?'}"
        + (f", {_price(one.price, one.currency)}" if one.price is not None else "")
        for one in order.items
    ]
    sums = [f"= {_price(total, currency)}" for currency, total in order.totals.items()]
    return "\n".join(filter(None, ["[order]", order.text, *lines, *sums]))


def _price(amount: object, currency: str | None) -> str:
    return " ".join(filter(None, [str(amount), currency]))


def _interactive(item: Item) -> str | None:
    """Returns what was filled in. Other kinds that are no tap are unknown."""
    inner = child(item, "interactive")
    if inner.get("type") != "nfm_reply":
        return None
    form = form_of(item)
    lines = [f"{name}: {_answer(value)}" for name, value in (form.answers or {}).items()]
    said = [text(child(inner, "nfm_reply"), "body"), *lines, form.response]
    return "\n".join(filter(None, said)) or "[form]"


def _answer(value: JsonValue) -> str:
    return value if isinstance(value, str) else pydantic_core.to_json(value).decode()


_WORDS: Mapping[str, Callable[[Item], str | None]] = {
    "text": lambda item: text(child(item, "text"), "body") or "[empty]",
    **dict.fromkeys(MEDIA, _media),
    "location": _location,
    "contacts": _contacts,
    "order": _order,
    "interactive": _interactive,
    "button": lambda item: "[button]",
    "unsupported": lambda item: UNSUPPORTED,
}
