"""What a customer's device has told of itself lately."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import Field

from shared.schemas.base import JsonObject, Stored
from shared.schemas.ephemeral import Ephemeral, Receipt, Typing
from shared.schemas.notation import Time

Received = Literal["DELIVERED", "READ"]
_HOW: Mapping[str, Received] = {"DELIVERED": "DELIVERED", "READ": "READ"}
MOST_RECEIPTS = 50  # messages, the latest
# RCS reports no end of typing, and a report of an end may be lost
TYPING_LASTS = timedelta(seconds=20)
TYPING_REPEATS = timedelta(seconds=5)  # a device that says so again sooner says nothing new
_BEFORE = "/messages/"  # of the id, where a message is named in full


class Device(Stored):
    """What a customer's device has told while a person who answers had a desk page open. The
    document is `devices/{conversation}`. It is kept for a day, best effort, and no bot gets it.

    - `typing_since`: since when the customer types, None while they do not.
    - `receipts`: which messages to them have arrived or were read, the latest last.
    """

    id: str
    typing_since: Time | None = None
    receipts: dict[str, Received] = Field(default_factory=dict)
    version: int = 0

    def told(self, news: Iterable[Ephemeral], now: datetime) -> Self:
        """Returns the device after these news; itself where they are none."""
        after = self
        for one in news:
            if isinstance(one, Typing):
                after = after._typing(is_typing=one.is_typing, now=now)
            elif isinstance(one, Receipt):
                after = after._received(one)
        return after if after is self else after.model_copy(update={"version": self.version + 1})

    def typing_left(self, now: datetime, last_words: datetime | None) -> timedelta | None:
        """Returns how long the customer counts as typing, None for one who does not type, or whose
        words have come since.
        """
        since = self.typing_since
        if since is None or (last_words is not None and last_words >= since):
            return None
        left = since + TYPING_LASTS - now
        return left if left > timedelta() else None

    def _typing(self, *, is_typing: bool, now: datetime) -> Self:
        since = self.typing_since
        is_known = since is not None and (not is_typing or now - since < TYPING_REPEATS)
        if is_typing == is_known:
            return self
        return self.model_copy(update={"typing_since": now if is_typing else None})

    def _received(self, receipt: Receipt) -> Self:
        news = {
            message: how
            for message, how in _receipts_of(receipt.form)
            if how != self.receipts.get(message) and self.receipts.get(message) != "READ"
        }
        if not news:
            return self
        every = [*{**self.receipts, **news}.items()]
        return self.model_copy(update={"receipts": dict(every[-MOST_RECEIPTS:])})


def _receipts_of(form: JsonObject) -> list[tuple[str, Received]]:
    """Returns the messages that a receipt names, by their ids, and what it says of each."""
    receipts = form.get("receipts")
    every = receipts.get("receipts") if isinstance(receipts, dict) else None
    found = list[tuple[str, Received]]()
    for one in every if isinstance(every, list) else ():
        if not isinstance(one, dict):
            continue
        message, how = one.get("message"), _HOW.get(str(one.get("receiptType")))
        if isinstance(message, str) and how is not None:
            found.append((message.rpartition(_BEFORE)[2], how))
    return found
