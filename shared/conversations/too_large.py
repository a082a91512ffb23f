"""A fact that no record can hold is cut, with a mark that people see, and goes its way; it is never
dropped unheard.

A record takes 1 MB. What a customer said stands in it once. A representative's words stand in it
twice: whole, and in the pieces that the channel takes.
"""

from collections.abc import Iterator
from typing import Any

import pydantic_core
from pydantic import JsonValue

from shared.handoff.visibility import form_kept, form_with
from shared.schemas.base import JsonObject
from shared.schemas.content import Content
from shared.schemas.events import REASON_LIMIT, Event, Said
from shared.schemas.ids import sha256
from shared.schemas.texts import shortened

CUT = "… [cut]"
# bytes as JSON of what was said, the next where even that is too much
MOST = (850_000, 350_000, 100_000)
BESIDE = 50_000  # bytes of all else that a platform sent with it
LONGEST_ID = 1000  # characters
_NAMES = ("reason", "name", "locale", "customer_name")


def smaller(event: Event) -> Iterator[Event]:
    """Yields the event cut further and further; what cannot be cut stays as it is."""
    return (_cut_to(event, most) for most in MOST)


def _cut_to(event: Event, most: int) -> Event:
    """An id that is as long as a letter is hashed: the same comes of it whenever the event
    comes again.
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
    if isinstance(event, Said) and event.content.text is not None:
        update["content"] = Content.model_construct(text=cut(event.content.text, most))
    return event.model_copy(update=update)


def _form(form: JsonObject, said: str | None, kept: str | None) -> JsonObject:
    """The payload with the words comes first: what else may be left out."""
    beside, words_at = form_kept(form, said)
    first: JsonObject = {words_at[0]: beside[words_at[0]]} if words_at else {}
    fits = _Room(BESIDE).take({**first, **beside})
    return form_with(fits if isinstance(fits, dict) else {}, words_at, kept)


def cut(text: str, most: int) -> str:
    """Returns as much of a text as takes `most` bytes as JSON, and the mark where that is not
    all.
    """
    return shortened(text, most, mark=CUT, size=lambda part: len(pydantic_core.to_json(part)))


class _Room:
    """So many bytes; what comes first is kept whole, and what finds no room any more is cut or
    left out.
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
