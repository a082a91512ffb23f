"""Cuts a fact that is too large for a record. The cut is marked for readers, and the fact is never
dropped without a log line.

A record takes 1 MB. A customer's text is stored in it once. A representative's text is stored
twice: whole, and in the pieces that the channel takes.
"""

from collections.abc import Iterator
from typing import Any

import pydantic_core
from pydantic import JsonValue

from shared.schemas.base import JsonObject
from shared.schemas.content import Content
from shared.schemas.details import Details
from shared.schemas.events import REASON_LIMIT, ByCustomer, Event, Said
from shared.schemas.journal import form_kept, form_with
from shared.schemas.notation import sha256
from shared.schemas.texts import shortened

CUT = "… [cut]"
# bytes of the text as JSON; the next limit where the record is still too large
MOST = (850_000, 350_000, 100_000)
BESIDE = 50_000  # bytes of everything else that the platform sent with it
LONGEST_ID = 1000  # characters
_NAMES = ("reason", "name", "locale", "customer_name")


def smaller(event: Event) -> Iterator[Event]:
    """Yields the event, cut further each time; fields that cannot be cut stay as they are."""
    return (_cut_to(event, most) for most in MOST)


def _cut_to(event: Event, most: int) -> Event:
    """Returns the event cut to `most` bytes of text. A very long id is hashed, which gives the same
    id at every redelivery.
    """
    update: dict[str, Any] = {"id": sha256(event.id)} if len(event.id) > LONGEST_ID else {}
    for name in _NAMES:
        value = getattr(event, name, None)
        if isinstance(value, str):
            update[name] = cut(value, REASON_LIMIT)
    said, form = getattr(event, "said", None), getattr(event, "form", None)
    if said:
        update["said"] = cut(said, most)
    if form:
        update["form"] = _form(form, said, update.get("said"))
    if isinstance(event, ByCustomer) and event.details is not None:
        update["details"] = Details.model_validate(_Room(BESIDE).take(event.details.shown()))
    if isinstance(event, Said) and event.content.text is not None:
        update["content"] = Content.of_fact(cut(event.content.text, most))
    return event.model_copy(update=update)


def _form(form: JsonObject, said: str | None, kept: str | None) -> JsonObject:
    """Returns the form within BESIDE bytes. The payload with the text comes first, because later
    payloads may be left out.
    """
    beside, words_at = form_kept(form, said)
    first: JsonObject = {words_at[0]: beside[words_at[0]]} if words_at else {}
    fits = _Room(BESIDE).take({**first, **beside})
    return form_with(fits if isinstance(fits, dict) else {}, words_at, kept)


def cut(text: str, most: int) -> str:
    """Returns the text within `most` bytes as JSON, with a mark where it was cut."""
    return shortened(text, most, mark=CUT, size=lambda part: len(pydantic_core.to_json(part)))


class _Room:
    """A number of bytes. Early values are kept whole; values that no longer fit are cut or left
    out.
    """

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self, value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            value = cut(value, max(self._left, 2))
        if isinstance(value, dict):
            return {key: self.take(inner) for key, inner in value.items() if self._holds(len(key))}
        if isinstance(value, list):
            return [self.take(inner) for inner in value if self._holds(1)]
        self._holds(len(pydantic_core.to_json(value)))
        return value

    def _holds(self, size: int) -> bool:
        self._left -= size + 2
        return self._left > 0
