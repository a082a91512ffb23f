"""What a platform answers for itself, and the few things every platform does alike."""

import json
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import pydantic_core
from pydantic import BaseModel, ValidationError

from shared.errors import BadRequest
from shared.logs import log
from shared.schemas.base import JsonObject
from shared.schemas.commands import Signal, ToCustomer
from shared.schemas.conversation import Capabilities
from shared.schemas.events import Event, HandoffFailed
from shared.schemas.exchange import Answer, Call, Request, Response
from shared.schemas.passing import Passing

ENDED = "ended:"
DEEPEST = 100  # levels; a record that holds the body must itself stay within what its parser reads (about 200)

_HALF = re.compile("[\ud800-\udfff]")  # of a pair that stands for one character

Model = TypeVar("Model", bound=BaseModel)


class Outcome(StrEnum):
    """What an answer means for a command: done, try again, or never."""

    DONE = "done"
    TRANSIENT = "transient"
    FORBIDDEN = "forbidden"  # credentials or rights that may be mended: tried a few times
    PERMANENT = "permanent"


class Deflected(HandoffFailed):
    """A desk turned the request away. Its words stay in the journal, also where nobody waited yet."""

    @property
    def text(self) -> str:
        return self.reason


class Ended(Deflected):
    """A desk's own conversation is over: whoever of that desk is still present leaves with it.

    Its id begins with ENDED, by which the journal tells it from others that failed.
    """

    @property
    def over(self) -> str:
        return self.source


class Platform(Protocol):
    """A vendor. Implementations are frozen dataclasses that hold their settings."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def handshake(self, request: Request) -> Response | None:
        """Returns the answer if the request is this vendor's proof of ownership. Raises Unauthenticated, DoorClosed."""

    def authenticate(self, request: Request) -> None:
        """Raises Unauthenticated for anything that is not genuine, DoorClosed where no secret is set."""

    def events(self, request: Request) -> Sequence[Event | Passing]:
        """Returns what the whole body reports, in order. Raises BadRequest."""

    def call(self, command: ToCustomer | Signal) -> Call | None:
        """Returns the call that carries out a command, None where the platform has no such thing. Raises DoorClosed."""

    def outcome(self, answer: Answer) -> Outcome:
        """Returns what the answer to such a call means."""

    def sent_id(self, command: ToCustomer, answer: Answer) -> str | None:
        """Returns the platform's own id of what was sent, by which its receipts name it; None where that is ours."""


def parse_object(body: bytes) -> JsonObject:
    """Returns the JSON object of a body. Raises BadRequest `malformed-json`, `not-an-object`, `nested-too-deep`."""
    try:
        value = pydantic_core.from_json(body)
    except ValueError as error:
        raise BadRequest("malformed-json", f"The body is not JSON: {error}.") from error
    return _object(body, value)


def parse_signed(body: bytes) -> JsonObject:
    """Returns the JSON object of a genuine body, as `parse_object` does. Half a character, as an emoji that was cut in
    two leaves it, becomes U+FFFD: a platform would send a refused body again for days, and all else in it with it."""
    try:
        return parse_object(body)
    except BadRequest as error:
        if error.reason != "malformed-json":
            raise
        return _object(body, _mended(body))


def _mended(body: bytes) -> Any:
    try:
        value = json.loads(body.decode("utf-8", "replace"))
        return pydantic_core.from_json(_HALF.sub("\ufffd", json.dumps(value, ensure_ascii=False)))
    except (ValueError, RecursionError) as error:
        raise BadRequest("malformed-json", "The body is not JSON.") from error


def unreadable(platform: str, reason: str) -> list[Event | Passing]:
    """Says loudly that something genuine is dropped, and returns nothing in its place."""
    log("ERROR", "a signed webhook cannot be read; it was taken and dropped", platform=platform, reason=reason)
    return []


def _object(body: bytes, value: Any) -> JsonObject:
    if not isinstance(value, dict):
        raise BadRequest("not-an-object", "The body must be a JSON object.")
    if body.count(b"{") + body.count(b"[") > DEEPEST and _depth(value) > DEEPEST:
        raise BadRequest("nested-too-deep", f"The body is nested more than {DEEPEST} levels deep.")
    return value


def _depth(value: object) -> int:
    """Returns how many objects and lists stand within each other, without recursion of our own."""
    depth, level = 0, [value]
    while level:
        depth += 1
        inner = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list))
        level = [item for items in inner for item in items]
    return depth


def validate(model: type[Model], value: object) -> Model:
    """Returns `value` as `model`. Raises BadRequest `schema`, naming the first field that is wrong."""
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
