"""Keyed hashes and constant-time comparison; malformed input is simply not equal."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Protocol

from shared.errors import BatonError, DoorClosed, Unauthenticated
from shared.schemas.http import Request


def hmac_sha512_base64(key: str, message: bytes) -> str:
    return base64.b64encode(hmac.digest(key.encode(), message, hashlib.sha512)).decode()


def hmac_sha256_base64(key: str, message: bytes) -> str:
    return base64.b64encode(hmac.digest(key.encode(), message, hashlib.sha256)).decode()


def hmac_sha256_hex(key: str, message: bytes) -> str:
    return hmac.digest(key.encode(), message, hashlib.sha256).hex()


def same(given: str, expected: Iterable[str]) -> bool:
    """Returns whether `given` is one of `expected`, looking at each of them in constant time."""
    candidates = [hmac.compare_digest(_bytes(given), _bytes(one)) for one in expected]
    return any(candidates)


def require(given: str | None, expected: Iterable[str], setting: str) -> None:
    """Raises Unauthenticated unless `given` is one of `expected`, DoorClosed (naming `setting`)
    if there is none.
    """
    known = list(expected)
    if not known:
        raise DoorClosed(setting)
    if given is None or not same(given, known):
        raise Unauthenticated


class Checking(Protocol):
    """A platform, as far as it tells who sent something."""

    def authenticate(self, request: Request) -> None: ...


def is_genuine(platform: Checking, request: Request) -> bool:
    """Returns whether a platform knows a request by its headers alone."""
    try:
        platform.authenticate(request)
    except BatonError:
        return False
    return True


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
