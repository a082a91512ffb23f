"""The interface of a platform, and the meaning of HTTP statuses."""

from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from functools import cache
from typing import Protocol, runtime_checkable

import pydantic_core

from shared.schemas.commands import Signal, ToChannel
from shared.schemas.content import File
from shared.schemas.conversation import Capabilities
from shared.schemas.details import Attachment
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import ByRepresentative, Event, HandoffFailed
from shared.schemas.http import Answer, Call, Request, Response
from shared.values import frozen

USUAL_BODY = 1 << 20  # bytes of a webhook


class Outcome(StrEnum):
    """The meaning of an answer for its command: done, retry, or failed for good.

    After TRANSIENT with a status of 408 or 5xx, or of 200 with an error in the body, the platform
    may have taken the command. After NOT_TAKEN, PACED and CREDENTIALS it certainly has not.
    """

    DONE = "done"
    TRANSIENT = "transient"
    NOT_TAKEN = "not-taken"
    PACED = "paced"  # too many calls for a rate limit: the command itself is not at fault
    CREDENTIALS = "credentials"  # they have expired: an operator must renew them
    FORBIDDEN = "forbidden"  # credentials or rights that may be corrected: tried a few times
    PERMANENT = "permanent"


class Deflected(HandoffFailed):
    """A desk refused the chat.

    The reason stays in the journal, also if no customer was waiting yet.
    """

    @property
    def text(self) -> str:
        """The reason, for the journal."""
        return self.reason


class Ended(Deflected):
    """A desk's own conversation has ended.

    That desk's agents who are still present leave with it.

    Its journal entry names the conversation as `over`.
    """

    @property
    def over(self) -> str:
        """The desk's conversation that has ended."""
        return self.source


class Platform(Protocol):
    """A vendor's messaging platform.

    Implementations are frozen dataclasses that hold their settings.
    """

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def body_limit(self, request: Request) -> int:
        """Returns how many bytes of a POST's body may be read, from its headers alone.

        It is 0 if the headers show that the request is not genuine, and small if they prove
        nothing.
        """

    def handshake(self, request: Request) -> Response | None:
        """Returns the answer to the vendor's verification request, None for any other request.

        Raises Unauthenticated, DoorClosed.
        """

    def authenticate(self, request: Request) -> None:
        """Raises Unauthenticated if the request is not genuine, DoorClosed if no secret is set."""

    def events(self, request: Request) -> Sequence[Event | Ephemeral]:
        """Returns all events of the body, in order.

        It does not raise for genuine bodies: see `read_or_noted`.
        """

    def call(self, command: ToChannel | Signal) -> Call | None:
        """Returns the call for a command, or None if the platform does not support it.

        Raises DoorClosed.
        """

    def outcome(self, answer: Answer) -> Outcome:
        """Returns the meaning of the answer to such a call."""

    def refusal(self, answer: Answer) -> str | None:
        """Returns what the platform says about a refused call, None if it says nothing. The text
        names no customer.
        """

    def sent_id(self, command: ToChannel, answer: Answer) -> str | None:
        """Returns the platform's own id of a sent message, which its receipts contain.

        Returns None if receipts contain Baton's id.
        """


@frozen
class Profile:
    """Who a person is at a platform. `email` is in lower case."""

    name: str | None = None
    avatar: str | None = None
    email: str | None = None


@cache
def is_able(kind: type, capability: type) -> bool:
    """Returns whether platforms of this class have a capability, one of the protocols below. Each
    class is asked once: `isinstance` of a protocol takes a thirtieth of the time of an event.
    """
    return issubclass(kind, capability)


@runtime_checkable
class HasMedia(Protocol):
    """A platform whose customers send files."""

    @property
    def media_hosts(self) -> tuple[str, ...]:
        """The hosts that have its files, as exact names or, beginning with a dot, with all names
        below. Nothing is fetched from any other host.
        """

    def media_lookup(self, file: Attachment) -> Call | None:
        """Returns the call that asks the platform where a file is, None if that is known.

        Raises DoorClosed.
        """

    def media_source(self, file: Attachment, found: Answer | None) -> Call:
        """Returns the call that fetches a file, from the answer to `media_lookup`.

        Raises DoorClosed, NotFound if the platform has the file no longer, Unavailable.
        """


@runtime_checkable
class HasUploads(Protocol):
    """A platform that takes a file before the message that shows it."""

    def upload(self, to: str, file: File, chunks: AsyncIterator[bytes]) -> Call:
        """Returns the call that hands over a file of `file.size` bytes for the conversation with
        the address `to`.

        Raises DoorClosed.
        """

    def uploaded_id(self, answer: Answer) -> str | None:
        """Returns the platform's id of the file, by which messages name it."""

    def outcome(self, answer: Answer) -> Outcome: ...

    def refusal(self, answer: Answer) -> str | None: ...


@runtime_checkable
class HasForms(Protocol):
    """A platform on which one customer's number may be written in several forms."""

    def canonical(self, native: str) -> str:
        """Returns a conversation's native id, as a caller wrote it, in the form that Baton uses."""


@runtime_checkable
class HasNames(Protocol):
    """A platform that calls one customer by several names."""

    def business_of(self, address: str) -> str | None:
        """Returns which of the business's numbers an address is a customer of. None for a group."""


@runtime_checkable
class HasPaths(Protocol):
    """A platform that calls several paths below its own, with methods of its own. `handshake`
    answers what reports nothing.
    """

    def reports(self, request: Request) -> bool:
        """Returns whether the request is one that `authenticate` and `events` are for. Without
        that, and without an answer of `handshake`, it is 404.
        """


@runtime_checkable
class HasPeople(Protocol):
    """A platform whose events name people by an id alone."""

    def person_lookup(self, person: str) -> Call:
        """Returns the call that asks who a person is. Raises DoorClosed."""

    def profile(self, answer: Answer) -> Profile:
        """Returns what the answer says of that person.

        Raises Unavailable if the platform did not say it and may say it later.
        """


@runtime_checkable
class HasPlaces(Protocol):
    """A platform whose events may not say in which chat they took place."""

    def place_lookup(self, event: ByRepresentative) -> Call | None:
        """Returns the call that asks where it was, None if that is known. Raises DoorClosed."""

    def placed(self, event: ByRepresentative, answer: Answer) -> ByRepresentative | None:
        """Returns the event with its chat as source, None if it was in none.

        Raises Unavailable if the platform did not say it and may say it later.
        """


@runtime_checkable
class HasKeys(Protocol):
    """A platform whose requests are proved by keys that it publishes."""

    def keys_lookup(self, request: Request) -> Call | None:
        """Returns the call that fetches the keys, None for a request that is refused without."""

    def authenticate_with(self, request: Request, keys: Answer) -> None:
        """Raises Unauthenticated if the request is not genuine, DoorClosed if a setting is
        missing. It takes the place of `authenticate`.
        """


def outcome_of_status(status: int) -> Outcome:
    """Returns the meaning of an HTTP status, for platforms that document nothing else."""
    if 200 <= status < 300:
        return Outcome.DONE
    # After a 401 the sender gets a new token, so a retry may succeed.
    if status in (401, 408, 425, 429) or status >= 500:
        return Outcome.TRANSIENT
    return Outcome.FORBIDDEN if status == 403 else Outcome.PERMANENT


def outcome_of_json(answer: Answer) -> Outcome:
    """Returns the meaning of an HTTP status, for a platform whose answers are JSON. A success with
    another body, such as the page of a proxy, is not its own: it proves nothing.
    """
    by_status = outcome_of_status(answer.status)
    if by_status is Outcome.DONE and answer.body.strip():
        try:
            pydantic_core.from_json(answer.body)
        except ValueError:
            return Outcome.TRANSIENT
    return by_status


def error_status(answer: Answer) -> str | None:
    """Returns `error.status` of a Google-style error body, or None."""
    try:
        error = pydantic_core.from_json(answer.body)["error"]
        return str(error["status"])
    except (ValueError, KeyError, TypeError, IndexError):
        return None
