"""The interface of a platform, and what all platforms share: parsing, validation, alarms, and
the meaning of HTTP statuses.
"""

import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from enum import StrEnum
from typing import Protocol, TypeVar, runtime_checkable

import pydantic_core
from pydantic import BaseModel, ValidationError

from shared.errors import BadRequest
from shared.logs import log
from shared.schemas.base import JsonObject
from shared.schemas.commands import Signal, ToChannel
from shared.schemas.content import File
from shared.schemas.conversation import Capabilities
from shared.schemas.details import Attachment
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import Event, HandoffFailed
from shared.schemas.http import Answer, Call, Request, Response

# levels; the stored entry that contains the body must stay below the parser's limit of about 200
DEEPEST = 100
MOST_VALUES = 250_000  # 3 MB of WhatsApp statuses have 150,000; this many take at most 15 MB
USUAL_BODY = 1 << 20  # bytes of a webhook

# An escape in JSON: a surrogate pair, a lone surrogate, or any other.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)

Model = TypeVar("Model", bound=BaseModel)


class Outcome(StrEnum):
    """The meaning of an answer for its command: done, retry, or failed for good.

    After TRANSIENT with a status of 408 or 5xx, the platform may have taken the command. After
    NOT_TAKEN, PACED and CREDENTIALS it certainly has not.
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


class Notable(Protocol):
    """A report whose conversation is known although it could not be read."""

    def unreadable(self, fault: str) -> Event:
        """Returns the event that is journalled in its place."""


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


def parse_object(body: bytes) -> JsonObject:
    """Returns the JSON object of a body.

    Raises BadRequest with the reason `malformed-json`, `not-an-object`, `too-many-values` or
    `nested-too-deep`.
    """
    if len(body) > MOST_VALUES and sum(map(body.count, (b"{", b"[", b","))) > MOST_VALUES:
        raise BadRequest(
            "too-many-values", f"The body has more than {MOST_VALUES} objects, lists and values."
        )
    try:
        value = pydantic_core.from_json(body)
    except ValueError as error:
        raise BadRequest("malformed-json", f"The body is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise BadRequest("not-an-object", "The body must be a JSON object.")
    if body.count(b"{") + body.count(b"[") > DEEPEST and _depth(value) > DEEPEST:
        raise BadRequest("nested-too-deep", f"The body is nested more than {DEEPEST} levels deep.")
    return value


def parse_signed(body: bytes) -> JsonObject:
    """Returns the JSON object of a genuine body, as `parse_object` does.

    Lone surrogates, which remain of an emoji that was cut in two, become U+FFFD. If the body were
    refused, the platform would send it again for days, with everything else that it contains.
    """
    try:
        return parse_object(body)
    except BadRequest as error:
        if error.reason != "malformed-json":
            raise
        return parse_object(_mended(body))


def _mended(body: bytes) -> bytes:
    whole = body.decode("utf-8-sig", "replace").encode()
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], whole)


def read_or_noted(
    platform: str,
    read: Callable[[], Sequence[Event | Ephemeral]],
    note: Callable[[], Notable | None],
) -> list[Event | Ephemeral]:
    """Returns the events that `read` finds in a genuine body. It never raises.

    A body that cannot be read is logged as an ERROR, and journalled if `note` finds its
    conversation. Platforms send a refused body again, some for days, and some deliver nothing else
    until it is accepted.
    """
    try:
        return list(read())
    except Exception as error:
        faults = Counter[str]()
        found = _noted(error, note, faults)
    alarm(platform, faults)
    return found


def collected(
    read: Callable[[], Sequence[Event | Ephemeral]],
    note: Callable[[], Notable | None],
    faults: Counter[str],
) -> list[Event | Ephemeral]:
    """Returns the events that `read` finds in one item of a batch.

    If it cannot be read, returns the event of `note` and counts the reason in `faults`.
    """
    try:
        return list(read())
    except Exception as error:
        return _noted(error, note, faults)


def _noted(
    error: Exception, note: Callable[[], Notable | None], faults: Counter[str]
) -> list[Event | Ephemeral]:
    fault = error.reason if isinstance(error, BadRequest) else type(error).__name__
    faults[fault] += 1
    with contextlib.suppress(Exception):
        whose = note()
        return [whose.unreadable(fault)] if whose else []
    return []


def alarm(platform: str, faults: Counter[str]) -> None:
    """Logs an ERROR for each reason for which genuine items were dropped, once for a whole
    batch.
    """
    for reason, items in faults.items():
        message = "a signed webhook cannot be read; it was taken and dropped"
        log("ERROR", message, platform=platform, reason=reason, items=items)


def _depth(value: object) -> int:
    """Returns the nesting depth of objects and lists, without recursion."""
    depth, level = 0, [value]
    while level:
        depth += 1
        inner = (
            item.values() if isinstance(item, dict) else item
            for item in level
            if isinstance(item, dict | list)
        )
        level = [item for items in inner for item in items]
    return depth


def validate(model: type[Model], value: object) -> Model:
    """Returns `value` as `model`. Raises BadRequest `schema` that names the first invalid field."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise schema_error(error) from error


def schema_error(error: ValidationError) -> BadRequest:
    """Returns the error for an invalid body.

    It names the field and the fault, but not the value.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"]))
    fault = str(first["msg"]).removeprefix("Value error, ")
    return BadRequest("schema", f"{field}: {fault}." if field else f"{fault}.", field=field)


def outcome_of_status(status: int) -> Outcome:
    """Returns the meaning of an HTTP status, for platforms that document nothing else."""
    if 200 <= status < 300:
        return Outcome.DONE
    # After a 401 the sender gets a new token, so a retry may succeed.
    if status in (401, 408, 425, 429) or status >= 500:
        return Outcome.TRANSIENT
    return Outcome.FORBIDDEN if status == 403 else Outcome.PERMANENT


def error_status(answer: Answer) -> str | None:
    """Returns `error.status` of a Google-style error body, or None."""
    try:
        error = pydantic_core.from_json(answer.body)["error"]
        return str(error["status"])
    except (ValueError, KeyError, TypeError, IndexError):
        return None
