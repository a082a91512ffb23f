"""Matrix: a homeserver reports what happens in the rooms of handoffs to Baton, which is an
application service there.

https://spec.matrix.org/v1.17/application-service-api/
"""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import field
from urllib.parse import quote

import pydantic_core

from shared.errors import DoorClosed, NotFound, Unauthenticated, Unavailable
from shared.platforms.base import Profile
from shared.platforms.bodies import is_genuine, parse_signed, read_or_noted, require, same
from shared.platforms.linked_files import host_of
from shared.platforms.matrix.names import NAME, Homeserver
from shared.platforms.matrix.webhook import FILE, reported
from shared.platforms.no_customers import NoCustomers
from shared.schemas.details import Attachment
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import Event
from shared.schemas.http import Answer, Call, Request, Response
from shared.values import frozen

# A transaction of Synapse has up to 100 events of 64 KB, and as many of typing and receipts.
TRANSACTION = 8 << 20
_ROUTE = re.compile(r"(?:/matrix)?/_matrix/app/v1/(transactions|users|rooms|ping)(?:/[^/]+)?")
_BELOW = re.compile(r"(?:/matrix)?/_matrix/")


@frozen
class Matrix(NoCustomers):
    """Any of `hs_tokens` proves a request. `places` are the rooms whose members desks invite; what
    is said there is not for customers.
    """

    hs_tokens: tuple[str, ...] = field(default=(), repr=False)
    as_token: str | None = field(default=None, repr=False)
    api_url: str | None = None
    home: Homeserver = field(default_factory=Homeserver)
    places: AbstractSet[str] = frozenset()
    name: str = NAME

    def body_limit(self, request: Request) -> int:
        return TRANSACTION if self.reports(request) and is_genuine(self, request) else 0

    def reports(self, request: Request) -> bool:
        return _route(request) == "transactions" and request.method == "PUT"

    def handshake(self, request: Request) -> Response | None:
        """Answers a ping, and whether Baton makes users and aliases when the homeserver asks: it
        makes them before.
        """
        route = _route(request)
        if self.reports(request) or not _BELOW.match(request.path):
            return None
        self.authenticate(request)
        if route == "ping" and request.method == "POST":
            return Response(body=b"{}")
        if route in ("users", "rooms") and request.method == "GET":
            return _error(404, "M_NOT_FOUND", "Baton has no such user or room.")
        if route is not None:
            return _error(405, "M_UNRECOGNIZED", "This path has no such method.")
        return _error(404, "M_UNRECOGNIZED", "Baton has no such path.")

    def authenticate(self, request: Request) -> None:
        """Checks the token of the homeserver. Old homeservers send it in the query too, where it
        must be the same.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        known = token.strip() if scheme.lower() == "bearer" else None
        require(known, self.hs_tokens, "MATRIX_HS_TOKENS")
        also = request.query.get("access_token")
        if also is not None and not same(also, self.hs_tokens):
            raise Unauthenticated

    def events(self, request: Request) -> Sequence[Event | Ephemeral]:
        return read_or_noted(
            NAME,
            lambda: reported(parse_signed(request.body), self.home, self.places),
            lambda: None,
        )

    # People.

    def person_lookup(self, person: str) -> Call:
        return self._get(f"/_matrix/client/v3/profile/{quote(person, safe='')}")

    def profile(self, answer: Answer) -> Profile:
        """Returns the name. Pictures are left out: only users of the homeserver may see them."""
        if answer.status in (401, 408, 425, 429) or answer.status >= 500:
            raise Unavailable("platform-failed", "The homeserver does not say who wrote.")
        try:
            body = pydantic_core.from_json(answer.body)
        except ValueError:
            raise Unavailable("platform-failed", "The homeserver does not say who wrote.") from None
        name = body.get("displayname") if answer.status == 200 and isinstance(body, dict) else None
        return Profile(name=name if isinstance(name, str) and name.strip() else None)

    # Files of people.

    @property
    def media_hosts(self) -> tuple[str, ...]:
        return (host_of(self.api_url),) if self.api_url else ()

    def media_lookup(self, file: Attachment) -> Call | None:
        return None

    def media_source(self, file: Attachment, found: Answer | None) -> Call:
        """https://spec.matrix.org/v1.17/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid"""
        if file.id is None or not FILE.fullmatch(file.id):
            raise NotFound("file-gone", "The message names no file of Matrix.")
        server, _, media = file.id.removeprefix("mxc://").partition("/")
        path = f"/_matrix/client/v1/media/download/{quote(server, safe='')}/{media}"
        return self._get(path)

    def _get(self, path: str) -> Call:
        """Returns a call as the sender. Raises DoorClosed."""
        if not self.api_url:
            raise DoorClosed("MATRIX_API_URL")
        if not self.as_token:
            raise DoorClosed("MATRIX_AS_TOKEN")
        return Call("GET", f"{self.api_url.rstrip('/')}{path}", b"", auth=f"bearer:{self.as_token}")


def _route(request: Request) -> str | None:
    found = _ROUTE.fullmatch(request.path.rstrip("/"))
    return found[1] if found else None


def _error(status: int, code: str, message: str) -> Response:
    """Returns an error in the form of Matrix, which the homeserver reads."""
    return Response(status, pydantic_core.to_json({"errcode": code, "error": message}))
