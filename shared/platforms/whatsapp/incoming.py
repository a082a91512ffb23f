"""A customer's WhatsApp message: the text that represents it, and what comes beside that as data.

No message is refused because it is not text. A value of an unexpected type is left out, and never
makes a message unreadable.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pydantic_core
from pydantic import JsonValue

from shared.errors import BadRequest
from shared.platforms.bodies import child, parse_object, text_at
from shared.platforms.map_links import map_link
from shared.platforms.whatsapp.media import WITH_TOKEN
from shared.schemas.details import (
    About,
    Attachment,
    Choice,
    Details,
    Emoji,
    Form,
    Location,
    Number,
    Order,
    OrderItem,
    Other,
    Permission,
    Product,
    Referral,
    as_number,
)
from shared.schemas.notation import hidden

Item = Mapping[str, Any]
MEDIA = ("image", "audio", "video", "document", "sticker")


def details_of(item: Item) -> Details:
    """Returns what comes beside the words of a message, of any kind."""
    kind, context = item.get("type"), child(item, "context")
    read = _BY_KIND.get(kind) if isinstance(kind, str) else None
    update: dict[str, Any] = read(item) if read else {}
    quoted, product = text_at(context, "id"), child(context, "referred_product")
    if quoted:
        update["about"] = About(message=hidden(quoted))
    if product:
        update["product"] = Product(
            catalog_id=text_at(product, "catalog_id"),
            product_id=text_at(product, "product_retailer_id"),
        )
    if context.get("frequently_forwarded") is True:
        update["forwarded"] = "many times"
    elif context.get("forwarded") is True:
        update["forwarded"] = "once or more"
    if child(item, "referral"):
        update["referral"] = _referral(child(item, "referral"))
    return Details(**update)


def unknown_of(item: Item, errors: JsonValue) -> Details:
    """Returns what an unknown kind of message has, as the platform sent it. `errors` are those of
    the change that holds it.
    """
    kind = str(item.get("type"))
    found: dict[str, JsonValue] = {kind: item.get(kind), "errors": item.get("errors") or errors}
    content = {name: one for name, one in found.items() if one}
    return details_of(item).model_copy(update={"other": Other(kind=kind, content=content)})


def tapped_in(item: Item) -> Item | None:
    """Returns the button or row that was tapped, None if the message is no tap."""
    inner = child(item, "interactive")
    return (
        child(inner, "button_reply") or child(inner, "list_reply") or child(item, "button") or None
    )


def order_of(item: Item) -> Order:
    """Returns an order, with the sum of each currency."""
    order = child(item, "order")
    items = tuple(
        OrderItem(
            product_id=text_at(one, "product_retailer_id"),
            name=text_at(one, "name"),
            quantity=number(one, "quantity"),
            price=number(one, "item_price"),
            currency=text_at(one, "currency"),
        )
        for one in children(order, "product_items")
    )
    return Order(
        catalog_id=text_at(order, "catalog_id"),
        text=text_at(order, "text"),
        items=items,
        totals=_totals(items),
    )


def _totals(items: tuple[OrderItem, ...]) -> dict[str, str]:
    """Returns the sum of each currency, none if any price or quantity is not a number."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in items:
        price, quantity = _decimal(one.price), _decimal(one.quantity)
        if price is None or quantity is None:
            return {}
        sums[one.currency or ""] += price * quantity
    return {currency: format(total.normalize(), "f") for currency, total in sums.items()}


def _decimal(value: Number | None) -> Decimal | None:
    """Returns a number of usual size: a price of a thousand digits is not added."""
    written = str(value)
    is_number = len(written) <= 30 and written.replace(".", "", 1).isascii()
    return Decimal(written) if is_number and written.replace(".", "", 1).isdecimal() else None


def form_of(item: Item) -> Form:
    """Returns a filled-in form. Its answers are JSON in a text."""
    reply = child(child(item, "interactive"), "nfm_reply")
    response = text_at(reply, "response_json")
    answers = _json_object(response)
    if answers is None:
        return Form(name=text_at(reply, "name"), response=response)
    token = answers.pop("flow_token", None)
    return Form(
        name=text_at(reply, "name"), answers=answers, token=None if token is None else str(token)
    )


def _json_object(written: str | None) -> dict[str, JsonValue] | None:
    try:
        return parse_object((written or "").encode())
    except BadRequest:
        return None


def _interactive(item: Item) -> dict[str, Any]:
    inner = child(item, "interactive")
    permission = child(inner, "call_permission_reply")
    if inner.get("type") == "nfm_reply":
        return {"form": form_of(item)}
    if permission:
        permanent = permission.get("is_permanent")
        known = Permission(
            response=text_at(permission, "response"),
            permanent=permanent if isinstance(permanent, bool) else None,
            expires_at=number(permission, "expiration_timestamp"),
            source=text_at(permission, "response_source"),
        )
        return {"call_permission": known}
    return _choice(item)


def _choice(item: Item) -> dict[str, Any]:
    tapped = tapped_in(item)
    if tapped is None:
        return {}
    postback = text_at(tapped, "payload") or text_at(tapped, "id")
    return {"choice": Choice(postback=postback, description=text_at(tapped, "description"))}


def _media(item: Item) -> dict[str, Any]:
    kind = str(item["type"])
    media = child(item, kind)
    animated = media.get("animated")
    known = Attachment(
        kind="voice" if media.get("voice") is True else kind,
        id=text_at(media, "id"),
        mime_type=text_at(media, "mime_type"),
        file_name=text_at(media, "filename"),
        size=number(media, "file_size"),
        sha256=text_at(media, "sha256"),
        caption=text_at(media, "caption"),
        link=text_at(media, "link") or text_at(media, "url"),
        animated=animated if isinstance(animated, bool) else None,
    )
    return {"attachments": (known,)}


def _location(item: Item) -> dict[str, Any]:
    place = child(item, "location")
    known = Location(
        latitude=number(place, "latitude"),
        longitude=number(place, "longitude"),
        **{name: text_at(place, name) for name in ("name", "address", "url")},
    )
    return {"location": known}


def _reaction(item: Item) -> dict[str, Any]:
    reaction = child(item, "reaction")
    of = text_at(reaction, "message_id")
    known = {"reaction": Emoji(emoji=text_at(reaction, "emoji"))}
    return {**known, **({"about": About(message=hidden(of))} if of else {})}


def _referral(ad: Item) -> Referral:
    same = (
        "source_url", "source_type", "source_id", "headline", "body", "media_type", "image_url",
        "video_url", "thumbnail_url",
    )  # fmt: skip
    return Referral(
        **{name: text_at(ad, name) for name in same},
        click_id=text_at(ad, "ctwa_clid"),
        welcome_text=text_at(child(ad, "welcome_message"), "text"),
    )


_BY_KIND: Mapping[str, Callable[[Item], dict[str, Any]]] = {
    **dict.fromkeys(MEDIA, _media),
    "location": _location,
    "contacts": lambda item: {"contacts": tuple(filter(None, children(item, "contacts")))},
    "order": lambda item: {"order": order_of(item)},
    "interactive": _interactive,
    "button": _choice,
    "reaction": _reaction,
}


def children(owner: Item, name: str) -> list[Any]:
    """Returns the objects of a list, and nothing else that is in it."""
    value = owner.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def number(owner: Item, name: str) -> Number | None:
    """Returns a number, which may be written as a text, or None."""
    return as_number(owner.get(name))


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
    tapped = tapped_in(item)
    if tapped is None:
        return None
    names = ("payload", "text") if tapped == item.get("button") else ("id", "title")
    postback, label = (text_at(tapped, name) or "" for name in names)
    return postback, label, text_at(child(item, "context"), "id")


def _media_words(item: Item) -> str:
    """Returns caption and link, or the kind if there is no link that others can open: a media id
    and an address at Meta's own host can only be fetched with our token.
    """
    kind = str(item["type"])
    media = child(item, kind)
    links = (text_at(media, name) for name in ("link", "url"))
    link = next((one for one in links if one and _is_open(one)), None)
    file_name = (text_at(media, "filename") or "").split()  # without line breaks
    name = " ".join([f"[{kind}]", *file_name])
    return "\n".join(filter(None, [text_at(media, "caption"), link or name]))


def _is_open(link: str) -> bool:
    return link.startswith("https://") and not link.startswith(f"https://{WITH_TOKEN}/")


def _location_words(item: Item) -> str:
    place = child(item, "location")
    link = map_link(place.get("latitude"), place.get("longitude"))
    return "\n".join(filter(None, [text_at(place, "name"), text_at(place, "address"), link]))


def _contacts_words(item: Item) -> str:
    lines = map(_contact, children(item, "contacts"))
    return "\n".join(["[contact]", *(line for line in lines if line)])


def _contact(card: Item) -> str:
    numbers = [text_at(one, "phone") for one in children(card, "phones")]
    return " ".join(filter(None, [text_at(child(card, "name"), "formatted_name"), *numbers]))


def _order_words(item: Item) -> str:
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


def _form_words(item: Item) -> str | None:
    """Returns what was filled in. Other kinds that are no tap are unknown."""
    inner = child(item, "interactive")
    if inner.get("type") != "nfm_reply":
        return None
    form = form_of(item)
    lines = [f"{name}: {_answer(value)}" for name, value in (form.answers or {}).items()]
    said = [text_at(child(inner, "nfm_reply"), "body"), *lines, form.response]
    return "\n".join(filter(None, said)) or "[form]"


def _answer(value: JsonValue) -> str:
    return value if isinstance(value, str) else pydantic_core.to_json(value).decode()


_WORDS: Mapping[str, Callable[[Item], str | None]] = {
    "text": lambda item: text_at(child(item, "text"), "body") or "[empty]",
    **dict.fromkeys(MEDIA, _media_words),
    "location": _location_words,
    "contacts": _contacts_words,
    "order": _order_words,
    "interactive": _form_words,
    "button": lambda item: "[button]",
    "unsupported": lambda item: UNSUPPORTED,
}
