"""Sessions of people: a cookie that the requests of a page carry in place of a key.

The cookie holds all that Baton must know, encrypted, so nothing is stored. A person who is no
longer in `BATON_AGENTS`, or whose key was taken away, loses the session at the next request.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from shared.errors import Forbidden
from shared.ports import Clock
from shared.schemas.http import Request
from shared.values import frozen

PAGE_HEADER = "baton-page"
# A page renews its session while it is open; a day of work is the longest.
IDLE, LONGEST, RENEW_AFTER = timedelta(hours=1), timedelta(hours=12), timedelta(minutes=5)


@frozen
class Session:
    """`by` is what the person signed in with: the SHA-256 of a key, or the terms of a SignIn.
    `begun` is when, and `issued` is when this cookie was made.
    """

    person: str
    by: str
    begun: datetime
    issued: datetime

    @property
    def until(self) -> datetime:
        return min(self.issued + IDLE, self.begun + LONGEST)


@frozen
class Sessions:
    """Makes and reads cookies. The first key makes them; each of `keys` reads them.

    The cookie has no Path, so browsers send it to the addresses that begin like the one that set
    it (RFC 6265, 5.1.4). Set by `.../v1/session` or `.../v1/me`, that is `.../v1/`, whatever is
    before it: the function's name, or nothing on its own host. Other functions do not get it.
    """

    keys: tuple[str, ...] = field(repr=False)
    clock: Clock
    secure: bool

    def begin(self, person: str, by: str) -> Session:
        """Returns a new session."""
        now = self.clock.now()
        return Session(person, by, begun=now, issued=now)

    def cookie(self, session: Session) -> str:
        """Returns the Set-Cookie header of a session."""
        from cryptography.fernet import Fernet  # imported here: most requests have a key

        said = json.dumps([session.person, session.by, int(session.begun.timestamp())]).encode()
        token = Fernet(_key(self.keys[0])).encrypt_at_time(said, int(session.issued.timestamp()))
        seconds = int((session.until - self.clock.now()).total_seconds())
        return self._header(token.decode().rstrip("="), max(seconds, 0))

    def no_cookie(self) -> str:
        """Returns the Set-Cookie header that ends a session."""
        return self._header("", 0)

    def of(self, request: Request) -> Session | None:
        """Returns the session of a request, None if it has none that is valid.

        Raises Forbidden for a request that another site could have made the browser send.
        """
        found = next(filter(None, map(self._read, self._tokens(request))), None)
        if found is not None:
            must_be_of_a_page(request)
        return found

    def renewed(self, session: Session) -> Session:
        """Returns the session with a new cookie's time, the same if it was made just now."""
        now = self.clock.now()
        if now < session.issued + RENEW_AFTER:
            return session
        return Session(session.person, session.by, session.begun, issued=now)

    @property
    def _name(self) -> str:
        # Browsers take a cookie of this name only over https. `__Host-` would need the path `/`,
        # where every function of the project would get the cookie.
        return "__Secure-baton" if self.secure else "baton"

    def _header(self, value: str, seconds: int) -> str:
        secure = "; Secure" if self.secure else ""
        return f"{self._name}={value}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"

    def _tokens(self, request: Request) -> Iterator[str]:
        for part in request.headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == self._name and value:
                yield value

    def _read(self, token: str) -> Session | None:
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet

        reader = MultiFernet([Fernet(_key(key)) for key in self.keys])
        padded = token + "=" * (-len(token) % 4)
        try:
            said, issued = reader.decrypt(padded), reader.extract_timestamp(padded)
        except (InvalidToken, ValueError):
            return None
        person, by, begun = json.loads(said)
        session = Session(person, by, _time(begun), _time(issued))
        return session if self.clock.now() < session.until else None


def must_be_of_a_page(request: Request) -> None:
    """Raises Forbidden unless a page of this origin sent the request.

    A form or link of another site cannot send the header, and a script of another site may not.
    Browsers say in Sec-Fetch-Site where a request comes from; those before 2023 send Origin.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    here = site == "same-origin"
    if site is None:
        here = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not (here and request.headers.get(PAGE_HEADER)):
        raise Forbidden(
            "other-site",
            f"A session counts only for requests of Baton's own pages, with the header"
            f" {PAGE_HEADER}: 1. Programs send a key.",
        )


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _key(secret: str) -> bytes:
    """Returns a key of the length that the cipher needs, from a secret of any length."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"session\0" + secret.encode()).digest())
