"""Who signs in with Google: checks the ID tokens that Sign in with Google hands to a page.

https://developers.google.com/identity/gsi/web/guides/verify-google-id-token
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.errors import Forbidden, Unauthenticated, Unavailable
from shared.ports import Clock, Sender
from shared.schemas.http import Answer, Call, fresh_for
from shared.schemas.notation import sha256

CERTIFICATES = "https://www.googleapis.com/oauth2/v1/certs"
ISSUERS = ("accounts.google.com", "https://accounts.google.com")
SKEW_SECONDS = 10  # by which Google's clock and this one may differ
# A page sends a token at once. An older one was copied from somewhere.
NEWEST = timedelta(minutes=10)
AGAIN = timedelta(minutes=1)  # tokens with invented key ids must not become calls to Google


class GoogleSignIn:
    """A SignIn. `domains` are the Google Workspace domains whose people may sign in, all if empty.

    `certificates` is where Google publishes the certificates of the keys that sign its tokens.
    """

    def __init__(
        self,
        client_id: str,
        domains: tuple[str, ...],
        sender: Sender,
        clock: Clock,
        certificates: str = CERTIFICATES,
    ) -> None:
        self.client_id = client_id
        self.terms = sha256(" ".join([client_id, *sorted(domains)]))
        self._domains, self._sender, self._clock = domains, sender, clock
        self._url = certificates
        self._known: Mapping[str, str] = {}
        self._asked = self._good_until = datetime.min.replace(tzinfo=clock.now().tzinfo)
        self._one_at_a_time = asyncio.Lock()

    async def email(self, credential: str) -> str:
        """Returns the e-mail address of the person, in lower case.

        Raises Unauthenticated for what is no ID token for this client, Forbidden for an address
        that Google does not vouch for or of another domain, Unavailable.
        """
        claims = await self._claims(credential)
        email, domain = str(claims.get("email", "")).lower(), claims.get("hd")
        # For other addresses than these, Google does not know who has them today.
        vouched = domain is not None or email.endswith("@gmail.com")
        if not email or claims.get("email_verified") is not True or not vouched:
            raise Forbidden(
                "email-not-verified", "Google does not confirm that this address is yours."
            )
        if self._domains and domain not in self._domains:
            raise Forbidden("wrong-domain", "Accounts of this domain may not sign in here.")
        return email

    async def _claims(self, credential: str) -> Mapping[str, Any]:
        from google.auth import jwt

        try:
            header = jwt.decode_header(credential)  # type: ignore[no-untyped-call]  # has no types
            certificates = await self._certificates(header.get("kid"))
            if header.get("alg") != "RS256":
                raise Unauthenticated
            claims: Mapping[str, Any] = jwt.decode(  # type: ignore[no-untyped-call]  # as above
                credential,
                certs=certificates,
                audience=self.client_id,
                clock_skew_in_seconds=SKEW_SECONDS,
            )
            begun = claims["iat"] + NEWEST.total_seconds()
        # The library parses a token before it checks who signed it, so any error may come of it.
        except (ValueError, TypeError, LookupError, RecursionError):
            raise Unauthenticated from None
        if claims.get("iss") not in ISSUERS or begun < self._clock.now().timestamp():
            raise Unauthenticated
        return claims

    async def _certificates(self, key: object) -> Mapping[str, str]:
        """Returns Google's certificates by key ids. Keys change about once a day."""
        async with self._one_at_a_time:
            now = self._clock.now()
            changed = key not in self._known and now >= self._asked + AGAIN
            if now >= self._good_until or changed:
                self._asked = now
                answer = await self._sender.send(Call("GET", self._url, b""))
                self._known = _certificates_in(answer)
                self._good_until = now + fresh_for(answer)
            return self._known


def _certificates_in(answer: Answer | None) -> Mapping[str, str]:
    """Raises Unavailable."""
    try:
        found = json.loads(answer.body) if answer and answer.status == 200 else None
    except ValueError:
        found = None
    if not isinstance(found, dict) or not found:
        raise Unavailable("no-google-certificates", "Google does not answer; sign in again.")
    return found
