"""CCAI Platform: a desk that must be called.

Its webhooks report what agents and virtual agents do in a chat.

Signature and events:
https://docs.cloud.google.com/contact-center/ccai-platform/docs/chat-platform-api-guide
Basic authentication:
https://docs.cloud.google.com/contact-center/ccai-platform/docs/external-session-events
Files of agents:
https://docs.cloud.google.com/contact-center/ccai-platform/docs/agent-attachments-chat-api
"""

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime, timedelta

from shared.errors import DoorClosed, NotFound, Unauthenticated
from shared.platforms.base import USUAL_BODY
from shared.platforms.bodies import (
    hmac_sha256_base64,
    is_genuine,
    parse_signed,
    read_or_noted,
    require,
    same,
)
from shared.platforms.ccai.desk import address_of, login_of
from shared.platforms.ccai.names import EVERYTHING, FILE, NAME, Unofficial
from shared.platforms.ccai.sessions import session
from shared.platforms.ccai.webhook import report_of, reported, requests_after_failures
from shared.platforms.linked_files import host_of
from shared.platforms.no_customers import NoCustomers
from shared.schemas.base import JsonObject
from shared.schemas.details import Attachment
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import Event
from shared.schemas.http import Answer, Call, Request, Response
from shared.schemas.notation import parse_time
from shared.values import frozen


@frozen
class Ccai(NoCustomers):
    """`events_login` is the `user:password` of external session events. `api_user` is the tenant's
    subdomain: with it and the token agents' files are fetched.

    `oldest` is the maximum age of a signature, or None if the age is not checked. The format of the
    timestamp is not documented on a public page.

    `replaces_failed_agents`: a human is requested when a virtual agent leaves because it failed.
    """

    webhook_secrets: tuple[str, ...] = ()
    events_login: str | None = field(default=None, repr=False)
    unofficial: tuple[Unofficial, ...] = EVERYTHING
    oldest: timedelta | None = None
    now: Callable[[], datetime] | None = None
    replaces_failed_agents: bool = False
    api_url: str | None = None
    api_user: str | None = None
    api_token: str | None = field(default=None, repr=False)
    name: str = NAME

    def body_limit(self, request: Request) -> int:
        if _is_session(request):
            return USUAL_BODY if is_genuine(self, request) else 0
        return USUAL_BODY if self.webhook_secrets and "x-signature" in request.headers else 0

    def handshake(self, request: Request) -> Response | None:
        return None

    def authenticate(self, request: Request) -> None:
        """Checks a signature by any secret, or the login of session events.

        Both kinds of webhook share one URL.
        """
        if _is_session(request):
            logins = filter(None, [self.events_login])
            require(_login(request.headers["authorization"]), logins, "CCAI_EVENTS_PASSWORD")
            return
        if not self.webhook_secrets:
            raise DoorClosed("CCAI_WEBHOOK_SECRETS")
        stamp = request.headers.get("x-signature-timestamp", "")
        signed = stamp.encode("latin-1", "replace") + request.body
        expected = [hmac_sha256_base64(secret, signed) for secret in self.webhook_secrets]
        if not any(
            same(one, expected) for one in _signatures(request.headers.get("x-signature", ""))
        ):
            raise Unauthenticated
        self._check_age(stamp)

    def events(self, request: Request) -> Sequence[Event | Ephemeral]:
        raw = request.body
        if _is_session(request):
            return read_or_noted(NAME, lambda: session(parse_signed(raw), raw), lambda: None)
        return read_or_noted(
            NAME,
            lambda: self._reported(parse_signed(raw), raw),
            lambda: report_of(parse_signed(raw), raw),
        )

    # Files of agents.

    @property
    def media_hosts(self) -> tuple[str, ...]:
        return (host_of(self.api_url),) if self.api_url else ()

    def media_lookup(self, file: Attachment) -> Call | None:
        return None

    def media_source(self, file: Attachment, found: Answer | None) -> Call:
        known = FILE.fullmatch(file.id or "")
        if known is None:
            raise NotFound("file-gone", "The platform has named no such file.")
        url = address_of(self.api_url, f"/chats/{known['chat']}/media/{known['media']}")
        return Call("GET", url, b"", {"authorization": login_of(self.api_user, self.api_token)})

    def _reported(self, body: JsonObject, raw: bytes) -> Sequence[Event]:
        events = reported(body, raw, frozenset(self.unofficial))
        return (
            [*events, *requests_after_failures(events)] if self.replaces_failed_agents else events
        )

    def _check_age(self, stamp: str) -> None:
        if self.oldest is None or self.now is None:
            return
        try:
            age = self.now() - _instant(stamp)
        except ValueError as error:
            raise Unauthenticated from error
        if abs(age) > self.oldest:
            raise Unauthenticated


def _is_session(request: Request) -> bool:
    return (
        "x-signature" not in request.headers
        and request.headers.get("authorization", "")[:6].lower() == "basic "
    )


def _login(header: str) -> str | None:
    try:
        return base64.b64decode(header[6:].strip(), validate=True).decode()
    except ValueError:
        return None


def _signatures(header: str) -> list[str]:
    """Returns the signatures of `primary=<sig> secondary=<sig>`.

    The second is missing if there is only one secret.
    """
    named = (part.partition("=") for part in header.split())
    return [
        signature for name, _, signature in named if name in ("primary", "secondary") and signature
    ]


def _instant(stamp: str) -> datetime:
    """Returns a time in ISO form or as Unix seconds or milliseconds. Raises ValueError."""
    if re.fullmatch(r"[0-9]{13}", stamp):
        stamp = stamp[:10]
    return parse_time(re.sub(r" (?=[+-][0-9]{2}:?[0-9]{2}$)", "", stamp))
