"""The short-lived token of an agent's browser: HS256, minted by the CRM's own back end."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeGuard

import jwt

from shared.errors import DoorClosed, Unauthenticated
from shared.schemas.http import Request
from shared.schemas.names import is_one_line

AUDIENCE = "baton"
LONGEST = timedelta(minutes=10)
LEEWAY = timedelta(seconds=30)
LONGEST_NAME = 128


def agent_of(request: Request, keys: tuple[str, ...], now: datetime) -> str:
    """Returns the agent (`sub`) of a token that one of `keys` signed for Baton and that ends within
    ten minutes.

    Raises DoorClosed where there are no keys, Unauthenticated for every other fault.
    """
    if not keys:
        raise DoorClosed("BRIDGE_TOKEN_KEYS")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    claims = next((claims for key in keys if (claims := _claims(token, key)) is not None), None)
    if scheme.lower() != "bearer" or claims is None or not _counts_now(claims, now):
        raise Unauthenticated
    return _name(claims["sub"])


def _claims(token: str, key: str) -> dict[str, object] | None:
    """Returns the claims of a token, None unless `key` signed it. Only HS256 counts: a token that
    names another algorithm, such as `none`, is no token. The caller checks its times.
    """
    options: Any = {  # the library's TypedDict lags behind its options
        "require": ["exp", "aud", "sub"],
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
    }
    try:
        return dict(
            jwt.decode(token, key, algorithms=["HS256"], audience=AUDIENCE, options=options)
        )
    except (jwt.PyJWTError, UnicodeError):
        return None


def _counts_now(claims: Mapping[str, object], now: datetime) -> bool:
    begins, ends = claims.get("nbf", 0), claims["exp"]
    if not (_is_number(begins) and _is_number(ends)):
        return False
    return begins <= (now + LEEWAY).timestamp() and _is_soon(ends, now)


def _is_soon(ends: float, now: datetime) -> bool:
    return (now - LEEWAY).timestamp() < ends <= (now + LONGEST + LEEWAY).timestamp()


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _name(agent: object) -> str:
    """Returns the agent's name. The name is part of the journal and of every id, so it must be one
    short line. Raises Unauthenticated.
    """
    if not isinstance(agent, str) or not 0 < len(agent) <= LONGEST_NAME or not is_one_line(agent):
        raise Unauthenticated
    return agent
