"""The interfaces of desks that Baton must call.

The same vendors' webhooks are read by their `Platform`.
"""

from collections.abc import AsyncIterator, Callable, Generator, Sequence
from dataclasses import field
from datetime import datetime
from typing import Literal, Protocol, TypeVar, runtime_checkable

from shared.platforms.base import Outcome
from shared.schemas.commands import CallDesk
from shared.schemas.details import Details
from shared.schemas.http import Answer, Call, Request
from shared.values import frozen

Speaker = Literal["customer", "bot", "human"]
Made = TypeVar("Made")


@frozen
class Spoken:
    """A message from before the handoff.

    `name` is the name of the human who sent it, if one did.
    """

    by: Speaker
    text: str
    at: datetime
    name: str | None = None


@frozen
class OpenFile:
    """A customer's file while it is read. `size` is in bytes, None where it is not known."""

    name: str | None
    mime_type: str
    size: int | None
    chunks: AsyncIterator[bytes]


@frozen
class CustomerSignal:
    """The customer types or has stopped, or has read `message`: the desk's own id of it."""

    kind: Literal["TYPING_STARTED", "TYPING_STOPPED", "READ"]
    message: str | None = None


@frozen
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


@frozen
class Opening:
    """What a chat is opened with.

    - `command` has the reason and what the agent may see. `customer` is the desk's own id of the
      customer, `name` their name.
    - `said` are the messages from before the handoff, the oldest first.
    - `again`: an earlier try may have made the chat. A desk that finds its chats looks for it.
    - `channel` is the platform on which the customer is. `page` is the link to the page on which
      people work, None if there is none.
    """

    command: CallDesk
    customer: str
    name: str | None = None
    said: Sequence[Spoken] = ()
    again: bool = False
    channel: str | None = None
    page: str | None = None


@frozen
class Words:
    """What a customer said or did, as the people of a desk may see it.

    - `id` is the same at each repetition.
    - `text` is all of it in words. `details` is what came beside the words, as data.
    - `about` is the desk's own id of the earlier message that it answers, changes, deletes or
      reacts to; None where it is about none, or Baton does not know that id.
    - `links` lead to the files of `details`, in their order.
    """

    id: str
    text: str
    said: str | None = None
    details: Details = field(default_factory=Details)
    name: str | None = None
    about: str | None = None
    links: tuple[str, ...] = ()


@frozen
class Standing:
    """Who has the customer of a chat now: the names of the people present, none while they wait."""

    id: str
    people: tuple[str, ...] = ()


@frozen
class Passing:
    """A step that hands a file of the customer's message over. `file` is its position among the
    files of the message. `call` makes the call from the open file; it returns None for a file that
    the desk cannot have.
    """

    file: int
    call: Callable[[OpenFile], Call | None]


class Declined(Exception):
    """The desk refused a call for good. It is thrown into the steps, which may make another call
    in its place; else they end.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"HTTP {answer.status}")
        self.answer = answer


# Each call is made when it is yielded, and its answer is sent back once the desk's `outcome` of it
# is DONE. PERMANENT is thrown as Declined; any other outcome ends the steps. The answer to a
# Passing is None if the file cannot be had, or was refused for good.
Steps = Generator[Call | Passing, Answer | None, Made]


@runtime_checkable
class HasPauses(Protocol):
    """A desk whose answers say in their body how long to wait."""

    def pause(self, answer: Answer) -> float | None:
        """Returns the seconds that the desk asks to wait, None if it does not say."""


@runtime_checkable
class HasHistory(Protocol):
    """A desk whose chats can be read again, because its webhook may lose what happens there."""

    def history(self, chat: Chat) -> Call:
        """Returns the call that reads what has happened in a chat lately. Raises DoorClosed."""

    def webhook_of(self, answer: Answer) -> Request:
        """Returns the answer as the webhook that reports the same, the oldest event first."""


class ChatDesk(Protocol):
    """A desk that opens a chat of its own for each handoff.

    What it can do is in `DESK_KINDS`, under its name. Steps raise DoorClosed if settings are
    missing, and Refused for what this desk must not be asked.
    """

    @property
    def name(self) -> str: ...

    def customer(self, identifier: str, name: str | None) -> Steps[str | None]:
        """Makes a customer, and returns the desk's own id of them, None if the answer has none.
        Repeating it has no further effect.
        """

    def open(self, opening: Opening) -> Steps[str | None]:
        """Opens a chat, and returns the desk's own id of it, None if the answer has none. Each
        repetition opens another chat, unless the desk finds its chats.
        """

    def say(self, chat: Chat, words: Words) -> Steps[str | None]:
        """Shows what the customer said or did. Returns the desk's own id of the message. Each
        repetition shows it again, unless the desk is idempotent.
        """

    def show(self, chat: Chat, standing: Standing) -> Steps[None]:
        """Shows who has the customer now. It may be repeated."""

    def hint(self, chat: Chat, id: str, text: str) -> Steps[None]:
        """Says something of Baton's own to the people in the chat."""

    def close(self, chat: Chat, id: str, reason: str | None) -> Steps[None]:
        """Ends a chat. A repetition is refused by the desk, or has no further effect."""

    def erase(self, chat: Chat, said: Sequence[str]) -> Steps[None]:
        """Deletes what can be deleted of what was said in a chat. It may be repeated. `said` are
        the ids of the customer's Words there, as far as they are known.
        """

    def signal(self, chat: Chat, signal: CustomerSignal) -> Call | None:
        """Returns the call that shows that the customer types, or what they have read; None if the
        desk shows no such thing.
        """

    def outcome(self, answer: Answer) -> Outcome:
        """Returns the meaning of the answer to such a call."""

    def refusal(self, answer: Answer) -> str | None:
        """Returns what the desk says about a refused call, None if it says nothing. The text names
        no customer.
        """

    def is_over(self, answer: Answer) -> bool:
        """Returns whether the answer means that the chat no longer exists."""

    def conversation(self, native: str) -> str:
        """Returns Baton's id of a chat."""

    def native(self, conversation: str) -> str:
        """Returns the desk's own id of the chat `conversation`."""

    def customers(self, identifier: str, customer: str) -> tuple[str, ...]:
        """Returns the conversations in which the desk's reports about a customer are journalled,
        such as created chats; none if the desk reports nothing of customers.

        `identifier` is the one that Baton gave, `customer` the desk's own id.
        """

    def whose(self, conversation: str) -> Steps[str | None]:
        """Returns the desk's own id of the customer of such a conversation."""


@runtime_checkable
class KeepsWaiting(Protocol):
    """A desk that offers customers to keep waiting where it is full."""

    def wait(self, chat: Chat, offer: str) -> Steps[None]:
        """Accepts the offer of that id, which its `Deflected` named. It may be repeated."""


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
