"""What a desk that must be called answers for itself. Webhooks of the same vendors are in
`platforms`.
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
    """One thing said before the handoff; `name` is of the human who said it, if one did."""

    by: Speaker
    text: str
    at: datetime
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """A desk's own conversation about one handoff, as its address in the store says it."""

    native: str
    customer: str
    handoff: str

    @property
    def address(self) -> str:
        return "|".join((self.native, self.customer, self.handoff))


def chat_at(address: str) -> Chat | None:
    """Returns the chat that an address names, None where Baton did not open one."""
    parts = address.split("|")
    return Chat(*parts) if len(parts) == 3 and all(parts) else None


class ChatDesk(Protocol):
    """Opens a conversation of its own for each handoff. `call`s raise DoorClosed while settings are
    missing, Refused for what this desk is not allowed to be asked.
    """

    @property
    def name(self) -> str: ...

    def customer(self, identifier: str) -> Call:
        """Returns the call that makes a customer known; repeated it does nothing more."""

    def open(self, command: CallDesk, customer: str, said: Sequence[Spoken]) -> Call:
        """Returns the call that opens a chat: each one opens another."""

    def say(self, chat: Chat, text: str) -> Call:
        """Returns the call that says the customer's words: each one says them again."""

    def close(self, chat: Chat) -> Call:
        """Returns the call that ends a chat; repeated it is refused."""

    def outcome(self, answer: Answer) -> Outcome:
        """Returns what the answer to such a call means."""

    def is_over(self, answer: Answer) -> bool:
        """Returns whether the answer says that there is no such chat any more."""

    def native_id(self, answer: Answer) -> str | None:
        """Returns the id that an answer gives to what was made, None where it gives none."""

    def conversation(self, native: str) -> str:
        """Returns Baton's id of a chat."""

    def native(self, conversation: str) -> str:
        """Returns the desk's own id of the chat that Baton knows as `conversation`."""

    def customers(self, identifier: str, customer: str) -> tuple[str, ...]:
        """Returns the conversations in which the desk tells of a customer, made known under
        `identifier` and known there as `customer`: which chats were created for them.
        """

    def whose(self, conversation: str) -> str | Call:
        """Returns the desk's own id of the customer of whom it tells in `conversation`, or the call
        whose answer gives it.
        """


class FlagDesk(Protocol):
    """Has the conversation already, and is only told that a human is needed in it; repeated
    that changes nothing.
    """

    @property
    def name(self) -> str: ...

    def flag(self, native: str) -> Call | None:
        """Returns the call, None where the operator does not want it. Raises DoorClosed."""

    def outcome(self, answer: Answer) -> Outcome:
        """Returns what the answer means."""


@dataclass(frozen=True, slots=True)
class Desks:
    """All that must be called, by the name of their platform."""

    chats: Mapping[str, ChatDesk] = field(default_factory=dict)
    flags: Mapping[str, FlagDesk] = field(default_factory=dict)
