"""What customers and people of a desk do besides speaking: best effort, not journalled."""

from typing import Literal

from shared.schemas.base import JsonObject, NonEmpty, Ours
from shared.schemas.representative import Representative


class Typing(Ours):
    """The customer started or stopped typing."""

    source: NonEmpty
    form: JsonObject
    is_typing: bool = True


class Receipt(Ours):
    """The customer's device received or displayed a message."""

    source: NonEmpty
    form: JsonObject


class AgentSignal(Ours):
    """A person of a desk started or stopped typing in the chat `source`, or has read what the
    customer wrote there.

    `native_person` is as in ByRepresentative.
    """

    source: NonEmpty
    kind: Literal["TYPING_STARTED", "TYPING_STOPPED", "READ"]
    representative: Representative
    native_person: str | None = None


Ephemeral = Typing | Receipt | AgentSignal
