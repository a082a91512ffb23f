"""HMAC signatures and constant-time comparison. Malformed input compares as unequal."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Protocol

from shared.errors import BatonError, DoorClosed, Unauthenticated
from shared.schemas.http import Request


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
    candidates = [hmac.compare_digest(_bytes(given), _bytes(one)) for one in expected]
    return any(candidates)


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


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
