"""What comes beside the words of a customer's message, as data: the one object by which Baton
extends the form of Business Messages.

A bot or desk that ignores it still has the words. Every field is there only where the platform
reported it.
"""

from typing import Literal

import pydantic_core
from pydantic import Field

from shared.schemas.base import JsonObject, Theirs
from shared.schemas.texts import shortened

MEDIA_KINDS = ("image", "video", "audio", "voice", "document", "sticker")
FIRST_WORDS = 200  # characters of a message that another one is about
Number = int | float | str  # a platform may write a number as a text


class About(Theirs):
    """The earlier message that this one answers, reacts to, changes or takes back.

    `message` is the id under which its sender or its readers know it. `by` is who wrote it, and
    `text` has its first words; both are missing where Baton does not have the message any more.
    """

    message: str | None = None
    by: Literal["CUSTOMER", "BOT", "HUMAN"] | None = None
    text: str | None = None


class Product(Theirs):
    """A product in a catalog of the business, which the customer asks about."""

    catalog_id: str | None = None
    product_id: str | None = None


class OrderItem(Theirs):
    """One line of an order; `price` is that of one piece."""

    product_id: str | None = None
    name: str | None = None
    quantity: Number | None = None
    price: Number | None = None
    currency: str | None = None


class Order(Theirs):
    """An order. `totals` has the sum of each currency, where all prices and quantities are
    numbers.
    """

    catalog_id: str | None = None
    text: str | None = None
    items: tuple[OrderItem, ...] = ()
    totals: dict[str, str] = Field(default_factory=dict)


class Form(Theirs):
    """A form that the customer filled in.

    `answers` are by the names of the form's fields. `response` is the answer as the platform sent
    it, where it is no JSON object. `token` is what the sender of the form gave with it.
    """

    name: str | None = None
    answers: JsonObject | None = None
    response: str | None = None
    token: str | None = None


class Referral(Theirs):
    """The ad or post from which the customer came."""

    source_url: str | None = None
    source_type: str | None = None
    source_id: str | None = None
    headline: str | None = None
    body: str | None = None
    media_type: str | None = None
    image_url: str | None = None
    video_url: str | None = None
    thumbnail_url: str | None = None
    click_id: str | None = None
    welcome_text: str | None = None


class Location(Theirs):
    """A place."""

    latitude: Number | None = None
    longitude: Number | None = None
    name: str | None = None
    address: str | None = None
    url: str | None = None


class Attachment(Theirs):
    """A picture, a recording or a file.

    - `kind` is one of MEDIA_KINDS, or None where the platform does not say.
    - `size` is in bytes. `sha256` is in the platform's own form.
    - `id` and `link` are the platform's: only its credentials fetch them, and they end.
    - `upload` names a file that a caller uploaded, where Baton keeps it.
    - `url` is a link to the file through `relay_media`. It is made for each reader, ends at
      `url_expires_at`, and is never stored.
    """

    kind: str | None = None
    mime_type: str | None = None
    file_name: str | None = None
    size: Number | None = None
    sha256: str | None = None
    caption: str | None = None
    animated: bool | None = None
    id: str | None = None
    link: str | None = None
    upload: str | None = None
    url: str | None = None
    url_expires_at: str | None = None


class Emoji(Theirs):
    """A reaction to the message of `about`; without an emoji it was taken back."""

    emoji: str | None = None


class Edit(Theirs):
    """The new words of the message of `about`."""

    text: str | None = None


class Deletion(Theirs):
    """The customer has deleted the message of `about`."""


class Choice(Theirs):
    """The suggestion that was tapped, of the message of `about`. `description` is that of the row
    of a list.
    """

    postback: str | None = None
    description: str | None = None


class Permission(Theirs):
    """Whether the business may call the customer."""

    response: str | None = None
    permanent: bool | None = None
    expires_at: Number | None = None
    source: str | None = None


class UndeliveredMessage(Theirs):
    """A message of the reader's that the platform took and did not deliver."""

    message: str | None = None
    reason: str | None = None


class MovedNumber(Theirs):
    """The customer's phone number is another customer's now. `reachable`: the customer is still
    reached, by their user id.
    """

    reachable: bool | None = None


class Other(Theirs):
    """A kind of message that Baton does not know, as the platform sent it."""

    kind: str | None = None
    content: JsonObject | None = None


class Details(Theirs):
    """What comes beside the words of a customer's message.

    `contacts` are address cards and `other` is an unknown kind, both as the platform sent them.
    `previous_conversation_ids` are conversations that have become part of this one, told once: a
    bot may have a session of each.
    """

    about: About | None = None
    reaction: Emoji | None = None
    edited: Edit | None = None
    revoked: Deletion | None = None
    order: Order | None = None
    form: Form | None = None
    product: Product | None = None
    referral: Referral | None = None
    location: Location | None = None
    attachments: tuple[Attachment, ...] = ()
    contacts: tuple[JsonObject, ...] = ()
    choice: Choice | None = None
    forwarded: Literal["once or more", "many times"] | None = None
    call_permission: Permission | None = None
    undelivered: UndeliveredMessage | None = None
    number_moved: MovedNumber | None = None
    other: Other | None = None
    previous_conversation_ids: tuple[str, ...] = ()

    def shown(self) -> JsonObject:
        """Returns it as JSON data, without what is not there."""
        written = self.model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=True)
        return dict(pydantic_core.from_json(written))  # a NaN became null


def first_words(text: str) -> str:
    """Returns the first words of a message, on one line."""
    return shortened(" ".join(text.split()), FIRST_WORDS)


def as_number(value: object) -> Number | None:
    """Returns a number, which may be written as a text, or None."""
    return value if isinstance(value, int | float | str) and not isinstance(value, bool) else None


def kind_of_type(mime_type: str | None) -> str:
    """Returns the kind of an attachment, by its MIME type: a document if the type names no other
    kind.
    """
    family = (mime_type or "").partition("/")[0].lower()
    return family if family in ("image", "video", "audio") else "document"
