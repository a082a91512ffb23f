"""What a platform answers for itself, and the few things every platform does alike."""

import contextlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol, TypeVar

import pydantic_core
from pydantic import BaseModel, ValidationError

from shared.errors import BadRequest
from shared.logs import log
from shared.schemas.base import JsonObject
from shared.schemas.commands import Signal, ToCustomer
from shared.schemas.conversation import Capabilities
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import Event, HandoffFailed
from shared.schemas.http import Answer, Call, Request, Response

# levels; a record that holds the body must itself stay within what its parser reads (about 200)
DEEPEST = 100
MOST_VALUES = 250_000  # 3 MB of WhatsApp's statuses have 150,000; so many take 15 MB at most
USUAL_BODY = 1 << 20  # bytes of a webhook

# An escape in JSON: a pair that stands for one character, half of one, any other.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)

Model = TypeVar("Model", bound=BaseModel)


class Outcome(StrEnum):
    """What an answer means for a command: done, try again, or never."""

    DONE = "done"
    TRANSIENT = "transient"
    FORBIDDEN = "forbidden"  # credentials or rights that may be mended: tried a few times
    PERMANENT = "permanent"


class Deflected(HandoffFailed):
    """A desk turned the request away. Its words stay in the journal, also where nobody waited
    yet.
    """

    @property
    def text(self) -> str:
        return self.reason


class Ended(Deflected):
    """A desk's own conversation is over: whoever of that desk is still present leaves with it.
    The journal has it as `over`.
    """

    @property
    def over(self) -> str:
        return self.source


class Notable(Protocol):
    """What names the conversation of something that cannot be read."""

    def unreadable(self, fault: str) -> Event: ...


class Platform(Protocol):
    """A vendor. Implementations are frozen dataclasses that hold their settings."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def body_limit(self, request: Request) -> int:
        """Returns how many bytes of this POST's body are read, by its headers alone: none where
        they tell that it is not genuine, few where they prove nothing.
        """

    def handshake(self, request: Request) -> Response | None:
        """Returns the answer if the request is this vendor's proof of ownership. Raises
        Unauthenticated, DoorClosed.
        """

    def authenticate(self, request: Request) -> None:
        """Raises Unauthenticated for anything that is not genuine, DoorClosed where no secret
        is set.
        """

    def events(self, request: Request) -> Sequence[Event | Ephemeral]:
        """Returns what the whole body reports, in order. Never raises for what is genuine: see
        `read_or_noted`.
        """

    def call(self, command: ToCustomer | Signal) -> Call | None:
        """Returns the call that carries out a command, None where the platform has no such
        thing. Raises DoorClosed.
        """

    def outcome(self, answer: Answer) -> Outcome:
        """Returns what the answer to such a call means."""

    def sent_id(self, command: ToCustomer, answer: Answer) -> str | None:
        """Returns the platform's own id of what was sent, by which its receipts name it; None
        where that is ours.
        """


def parse_object(body: bytes) -> JsonObject:
    """Returns the JSON object of a body. Raises BadRequest `malformed-json`, `not-an-object`,
    `too-many-values`, `nested-too-deep`.
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
    """Returns the JSON object of a genuine body, as `parse_object` does. Half a character, as an
    emoji that was cut in two leaves it, becomes U+FFFD: a platform would send a refused body again
    for days, and all else in it with it.
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
    """Returns what `read` finds in something genuine. Whatever keeps it from that is alarmed, noted
    where a conversation can be named, and never raised: every platform sends again what is refused,
    some of them for days, and some hold up all else meanwhile.
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
    """Returns what `read` finds in one thing of many, or the note of what keeps it from that,
    counted in `faults`.
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
    """Says loudly that something genuine is dropped, once for each reason however many there
    are in a batch.
    """
    for reason, items in faults.items():
        message = "a signed webhook cannot be read; it was taken and dropped"
        log("ERROR", message, platform=platform, reason=reason, items=items)


def _depth(value: object) -> int:
    """Returns how many objects and lists stand within each other, without recursion of our own."""
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
    """Returns `value` as `model`. Raises BadRequest `schema`, naming the first field that is
    wrong.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise schema_error(error) from error


def schema_error(error: ValidationError) -> BadRequest:
    """Returns the refusal of a body, naming field and fault but never the value."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"]))
    fault = str(first["msg"]).removeprefix("Value error, ")
    return BadRequest("schema", f"{field}: {fault}." if field else f"{fault}.", field=field)


def outcome_of_status(status: int) -> Outcome:
    """Returns what an HTTP status means where a platform documents nothing else."""
    if 200 <= status < 300:
        return Outcome.DONE
    if status in (401, 408, 425, 429) or status >= 500:
        return Outcome.TRANSIENT
    return Outcome.FORBIDDEN if status == 403 else Outcome.PERMANENT


def error_status(answer: Answer) -> str | None:
    """Returns `error.status` of a Google-style error body, None where there is none."""
    try:
        error = pydantic_core.from_json(answer.body)["error"]
        return str(error["status"])
    except (ValueError, KeyError, TypeError, IndexError):
        return None
