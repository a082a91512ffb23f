"""Whether a request comes from Google Chat: the bearer token in its `authorization` header.

https://developers.google.com/workspace/chat/verify-requests-from-chat documents two forms. Which
one an app gets is chosen in its configuration, as the authentication audience:

- the project's number: a JWT that chat@system.gserviceaccount.com has signed with its own keys
- the URL of the HTTP endpoint: an ID token of Google's for chat@system.gserviceaccount.com

An app that is reached through Pub/Sub gets the ID token of the account that its push subscription
names. https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeGuard

import pydantic_core

from shared.errors import DoorClosed, Unauthenticated, Unavailable, UnknownKey
from shared.schemas.http import Answer, Call, Request
from shared.values import frozen

CHAT_ACCOUNT = "chat@system.gserviceaccount.com"
KEYS_URL = "https://www.googleapis.com"
CHAT_KEYS = f"/service_accounts/v1/metadata/x509/{CHAT_ACCOUNT}"
GOOGLE_KEYS = "/oauth2/v1/certs"
GOOGLE = ("accounts.google.com", "https://accounts.google.com")
LEEWAY = timedelta(seconds=60)
LONGEST = 4096  # characters of a token
_NUMBER = re.compile(r"[0-9]{1,20}")


@frozen
class Proofs:
    """`audience` is the project's number or the webhook's URL, as the app's configuration has it.
    `push_account` is the e-mail address of a Pub/Sub push subscription's account, if there is one.
    `keys_url` is where the certificates are published.
    """

    audience: str | None = None
    push_account: str | None = None
    keys_url: str = KEYS_URL

    def keys_lookup(self, request: Request) -> Call | None:
        """Returns the call that fetches the certificates of the token's issuer; None for a request
        whose token cannot be genuine.

        Raises DoorClosed.
        """
        claims = self._claimed(request)
        if claims is None:
            return None
        path = CHAT_KEYS if claims["iss"] == CHAT_ACCOUNT else GOOGLE_KEYS
        return Call("GET", f"{self.keys_url.rstrip('/')}{path}", b"")

    def check(self, request: Request, keys: Answer, now: datetime) -> None:
        """Raises Unauthenticated unless the token is genuine and counts now; UnknownKey where
        another key may have signed it, Unavailable where Google has not given its certificates.
        """
        certificates, token = _certificates(keys), _token(request)
        claims = _verified(token, certificates)
        if claims is None or not self._is_for_us(claims) or not _counts_now(claims, now):
            raise Unauthenticated

    def _claimed(self, request: Request) -> Mapping[str, Any] | None:
        """Returns what a token says of itself, before it is verified, None if that does not fit."""
        if not self.audience:
            raise DoorClosed("GOOGLE_CHAT_AUDIENCE")
        claims = _unverified(_token(request))
        return claims if claims is not None and self._is_for_us(claims) else None

    def _is_for_us(self, claims: Mapping[str, Any]) -> bool:
        """A token of Google's is made for any account that asks for it, so its e-mail address must
        be one of those that are expected. A project's number is no audience for the tokens of
        anybody but Google Chat itself and the push subscription.
        """
        if claims.get("aud") != self.audience:
            return False
        if claims.get("iss") == CHAT_ACCOUNT:
            return _NUMBER.fullmatch(self.audience or "") is not None
        email = claims.get("email") if claims.get("email_verified") is True else None
        by_chat = email == CHAT_ACCOUNT and not _NUMBER.fullmatch(self.audience or "")
        by_push = self.push_account is not None and email == self.push_account
        return claims.get("iss") in GOOGLE and (by_chat or by_push)


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and len(token) <= LONGEST else ""


def _unverified(token: str) -> Mapping[str, Any] | None:
    """Returns the claims of a token that names RS256 and a key."""
    import jwt  # imported here and below: most processes never need it

    try:
        whole = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    header, claims = whole["header"], whole["payload"]
    is_ours = header.get("alg") == "RS256" and isinstance(header.get("kid"), str)
    return claims if is_ours and isinstance(claims, dict) else None


def _verified(token: str, certificates: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Returns the claims of a token that one of the keys has signed. Its times and its audience
    are checked by the caller. Raises UnknownKey.
    """
    import jwt
    from cryptography.x509 import load_pem_x509_certificate

    options: Any = {
        "require": ["exp", "iat", "iss", "aud"],
        "verify_aud": False,
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
    }
    try:
        pem = certificates.get(jwt.get_unverified_header(token)["kid"])
        if pem is None:
            raise UnknownKey
        key: Any = load_pem_x509_certificate(pem.encode()).public_key()
        return dict(jwt.decode(token, key, algorithms=["RS256"], options=options))
    except (jwt.PyJWTError, ValueError, LookupError, TypeError, RecursionError):
        return None


def _certificates(keys: Answer) -> Mapping[str, str]:
    """Returns the certificates by the ids of their keys. Raises Unavailable."""
    try:
        found = pydantic_core.from_json(keys.body) if keys.status == 200 else None
    except ValueError:
        found = None
    if not isinstance(found, dict) or not found:
        raise Unavailable("no-keys", "The platform does not give its keys. Send it again.")
    return {name: pem for name, pem in found.items() if isinstance(pem, str)}


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _counts_now(claims: Mapping[str, Any], now: datetime) -> bool:
    begins, ends = claims["iat"], claims["exp"]
    if not (_is_number(begins) and _is_number(ends)):
        return False
    return begins <= (now + LEEWAY).timestamp() and (now - LEEWAY).timestamp() < ends
