"""What the contract suite needs of a desk: a simulator of the vendor, or the vendor's own server.

It knows nothing of Baton but the address of its webhooks. The suite makes calls fail by itself,
between Baton and the desk, so that a simulator needs no faults.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from shared.schemas.http import Answer, Request

JANE, TOM = "Jane", "Tom"  # people of the desk; a simulator may give them ids and addresses


class Act(StrEnum):
    """What people of a desk can do there besides speaking."""

    JOIN = "join"
    LEAVE = "leave"
    DECLINE = "decline"  # nobody is available
    END = "end"  # the desk ends its own chat
    DELETE = "delete"  # somebody deletes what they wrote
    RENAME = "rename"  # somebody takes another name
    OFFER_TO_WAIT = "offer to wait"  # the desk is full, and the customer may keep waiting


class Refusal(StrEnum):
    """How a desk refuses a call without its having an effect."""

    ERROR = "error"  # its server fails
    TOO_MANY = "too-many"
    CREDENTIALS = "credentials"


class DeskSimulator(Protocol):
    """One desk, for one test. `chat` is the desk's own id of a chat, as in Baton's conversation
    `<kind>:<native>`.
    """

    kind: str
    # What its people can do, beyond speaking.
    acts: frozenset[Act]

    async def start(self, webhooks: str) -> None:
        """Serves over HTTP. The desk posts what happens to `<webhooks>/<kind>`, again where it is
        answered with 503.
        """

    async def stop(self) -> None: ...

    def settings(self) -> Mapping[str, str]:
        """Returns the settings by which Baton reaches this desk, and knows its webhooks."""

    def row(self) -> Mapping[str, Any]:
        """Returns its row of BATON_DESKS, without `name` and `kind`."""

    def own_conversation(self) -> str | None:
        """Returns the desk's own id of its conversation with the customer, where it has one
        before any handoff.
        """

    # What people see there.

    async def chats(self) -> Sequence[str]:
        """Returns the chats that were made for customers, the oldest first, also those that are
        over. For a desk that has the conversation already, those that were flagged.
        """

    async def is_open(self, chat: str) -> bool: ...

    async def words(self, chat: str) -> Sequence[str]:
        """Returns the customer's words since the chat was opened, in the order in which people
        see them.
        """

    async def everything(self) -> str:
        """Returns all that Baton has sent to the desk, as one text."""

    # What people do there. Each returns once the desk has recorded it.

    async def join(self, chat: str, who: str) -> None: ...
    async def say(self, chat: str, who: str, text: str) -> None: ...
    async def leave(self, chat: str, who: str) -> None: ...
    async def decline(self, chat: str) -> None: ...
    async def end(self, chat: str) -> None: ...

    async def reported(self) -> None:
        """Returns once Baton has taken the webhooks of all that has happened."""

    # What the desk answers and posts.

    def refusal(self, kind: Refusal, seconds: int = 1) -> Answer:
        """Returns the desk's own answer for a refusal. `seconds` is the pause that it asks for
        where calls are too many.
        """

    def strange(self, *, genuine: bool = True) -> Request:
        """Returns a webhook whose event Baton cannot know, as a request to `/<kind>...`. Where it
        is not genuine, its proof is wrong.
        """


@runtime_checkable
class OffersToWait(DeskSimulator, Protocol):
    """A desk with Act.OFFER_TO_WAIT."""

    async def offer_to_wait(self, chat: str) -> None: ...
    async def keeps_waiting(self, chat: str) -> bool:
        """Returns whether such an offer was accepted."""


@runtime_checkable
class Deletes(DeskSimulator, Protocol):
    """A desk with Act.DELETE."""

    async def delete(self, chat: str, text: str) -> None:
        """Lets the person who wrote `text` delete it."""


@runtime_checkable
class Renames(DeskSimulator, Protocol):
    """A desk with Act.RENAME."""

    async def rename(self, who: str, name: str) -> None:
        """Gives a person another name. What they do is still done by `who`."""
