"""What a customer's device reports in passing: best effort, never in the journal."""

from shared.schemas.base import JsonObject, NonEmpty, Ours


class Typing(Ours):
    """The customer types or has stopped."""

    source: NonEmpty
    form: JsonObject


class Receipt(Ours):
    """The customer's device got or showed a message."""

    source: NonEmpty
    form: JsonObject


Ephemeral = Typing | Receipt
