"""The interfaces of desks that Baton must call.

The same vendors' webhooks are read by their `Platform`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from shared.platforms.base import Outcome
from shared.schemas.commands import CallDesk
from shared.schemas.http import Answer, Call

Speaker = Literal["customer", "bot", "human"]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A message from before the handoff.

    `name` is the name of the human who sent it, if one did.
    """

    by: Speaker
    text: str
    at: datetime
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """A desk's own conversation about one handoff."""

    native: str
    customer: str
    handoff: str

    @property
    def address(self) -> str:
        """The form in which the store keeps it."""
        return "|".join((self.native, self.customer, self.handoff))


def chat_at(address: str) -> Chat | None:
    """Returns the chat of a stored address, or None if Baton did not open it."""
    parts = address.split("|")
    return Chat(*parts) if len(parts) == 3 and all(parts) else None


class ChatDesk(Protocol):
    """A desk that opens a chat of its own for each handoff.

    Methods that return calls raise DoorClosed if settings are missing, and Refused for what this
    desk must not be asked.
    """

    @property
    def name(self) -> str: ...

    def customer(self, identifier: str) -> Call:
        """Returns the call that creates a customer. Repeating it has no further effect."""

    def open(self, command: CallDesk, customer: str, said: Sequence[Spoken]) -> Call:
        """Returns the call that opens a chat. Each repetition opens another chat."""

    def say(self, chat: Chat, text: str) -> Call:
        """Returns the call that posts the customer's message. Each repetition posts it again."""

    def close(self, chat: Chat) -> Call:
        """Returns the call that ends a chat. A repetition is refused by the desk."""

    def outcome(self, answer: Answer) -> Outcome:
        """Returns the meaning of the answer to such a call."""

    def is_over(self, answer: Answer) -> bool:
        """Returns whether the answer means that the chat no longer exists."""

    def native_id(self, answer: Answer) -> str | None:
        """Returns the id of the created object, or None if the answer contains none."""

    def conversation(self, native: str) -> str:
        """Returns Baton's id of a chat."""

    def native(self, conversation: str) -> str:
        """Returns the desk's own id of the chat `conversation`."""

    def customers(self, identifier: str, customer: str) -> tuple[str, ...]:
        """Returns the conversations in which the desk's reports about a customer are journalled,
        such as created chats.

        `identifier` is the one that Baton gave, `customer` the desk's own id.
        """

    def whose(self, conversation: str) -> str | Call:
        """Returns the desk's own id of the customer of such a conversation, or the call whose
        answer contains it.
        """


class FlagDesk(Protocol):
    """A desk that has the conversation already and only needs a flag that a human is needed.

    Repeating it has no further effect.
    """

    @property
    def name(self) -> str: ...

    def flag(self, native: str) -> Call | None:
        """Returns the call, or None if the settings disable it. Raises DoorClosed."""

    def outcome(self, answer: Answer) -> Outcome:
        """Returns the meaning of the answer."""


@dataclass(frozen=True, slots=True)
class Desks:
    """The desks that must be called, by the name of their platform."""

    chats: Mapping[str, ChatDesk] = field(default_factory=dict)
    flags: Mapping[str, FlagDesk] = field(default_factory=dict)
