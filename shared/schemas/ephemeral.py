"""Ephemeral events from the customer's device: best effort, not journalled."""

from shared.schemas.base import JsonObject, NonEmpty, Ours


class Typing(Ours):
    """The customer started or stopped typing."""

    source: NonEmpty
    form: JsonObject
    is_typing: bool = True


class Receipt(Ours):
    """The customer's device received or displayed a message."""

    source: NonEmpty
    form: JsonObject


Ephemeral = Typing | Receipt
