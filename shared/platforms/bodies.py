"""The bodies that others send: whether they are genuine, what they say as JSON, and what becomes of
one that cannot be read.

Signatures are compared in constant time, and malformed ones compare as unequal.
"""

import base64
import contextlib
import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import pydantic_core
from pydantic import BaseModel, ValidationError

from shared.errors import BadRequest, BatonError, DoorClosed, Unauthenticated
from shared.logs import log
from shared.schemas.base import JsonObject
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import Event
from shared.schemas.http import Request

# levels; the stored entry that contains the body must stay below the parser's limit of about 200
DEEPEST = 100
MOST_VALUES = 250_000  # 3 MB of WhatsApp statuses have 150,000; this many take at most 15 MB

# An escape in JSON: a surrogate pair, a lone surrogate, or any other.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)

Model = TypeVar("Model", bound=BaseModel)


def hmac_sha512_base64(key: str, message: bytes) -> str:
    """Returns the HMAC-SHA512 of the message in base64, as Google's `X-Goog-Signature`."""
    return base64.b64encode(hmac.digest(key.encode(), message, hashlib.sha512)).decode()


def hmac_sha256_base64(key: str, message: bytes) -> str:
    """Returns the HMAC-SHA256 of the message in base64."""
    return base64.b64encode(hmac.digest(key.encode(), message, hashlib.sha256)).decode()


def hmac_sha256_hex(key: str, message: bytes) -> str:
    """Returns the HMAC-SHA256 of the message in hexadecimal digits."""
    return hmac.digest(key.encode(), message, hashlib.sha256).hex()


def same(given: str, expected: Iterable[str]) -> bool:
    """Returns whether `given` is one of `expected`.

    Every one is compared, each in constant time.
    """
    mine, found = given.encode("utf-8", "surrogatepass"), False
    for one in expected:
        found |= hmac.compare_digest(mine, one.encode("utf-8", "surrogatepass"))
    return found


def require(given: str | None, expected: Iterable[str], setting: str) -> None:
    """Raises Unauthenticated unless `given` is one of `expected`, DoorClosed with `setting` if
    there is none.
    """
    known = list(expected)
    if not known:
        raise DoorClosed(setting)
    if given is None or not same(given, known):
        raise Unauthenticated


class Checking(Protocol):
    """The part of a platform that authenticates requests."""

    def authenticate(self, request: Request) -> None: ...


def is_genuine(platform: Checking, request: Request) -> bool:
    """Returns whether a request is authentic, for platforms that need only its headers for that."""
    try:
        platform.authenticate(request)
    except BatonError:
        return False
    return True


class Notable(Protocol):
    """A report whose conversation is known although it could not be read."""

    def unreadable(self, fault: str) -> Event:
        """Returns the event that is journalled in its place."""


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


def child(owner: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Returns an object in an object, an empty one if there is none."""
    value = owner.get(name)
    return value if isinstance(value, dict) else {}


def text_at(owner: Mapping[str, Any], name: str) -> str | None:
    """Returns a text in an object that is not empty, or None."""
    value = owner.get(name)
    return value if isinstance(value, str) and value else None


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
