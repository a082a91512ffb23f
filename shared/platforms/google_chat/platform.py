"""Google Chat: a desk that must be called. Its events report what people do in the threads.

https://developers.google.com/workspace/chat/receive-respond-interactions
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from urllib.parse import quote

import pydantic_core

from shared.errors import BatonError, NotFound, Unauthenticated, Unavailable
from shared.platforms.base import USUAL_BODY, Profile, error_status
from shared.platforms.bodies import read_or_noted
from shared.platforms.google_chat.names import NAME
from shared.platforms.google_chat.proofs import Proofs
from shared.platforms.google_chat.webhook import picture_of, report_of, reported
from shared.platforms.linked_files import host_of
from shared.platforms.no_customers import NoCustomers
from shared.schemas.details import Attachment
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import Event
from shared.schemas.http import Answer, Call, Request, Response
from shared.schemas.people import Person
from shared.values import frozen


@frozen
class GoogleChat(NoCustomers):
    """`proofs` say which requests are genuine. `auth` is that of a service account of the Chat
    app's project: with it people's files are fetched. `people` are those of `BATON_AGENTS`.
    """

    now: Callable[[], datetime]
    proofs: Proofs
    api_url: str = "https://chat.googleapis.com"
    auth: str = "none"
    people: Mapping[str, Person] = field(default_factory=dict)
    name: str = NAME

    def body_limit(self, request: Request) -> int:
        """A token proves nothing before its signature is checked, but one for somebody else is no
        reason to read on.
        """
        try:
            return USUAL_BODY if self.keys_lookup(request) is not None else 0
        except BatonError:
            return 0

    def handshake(self, request: Request) -> Response | None:
        return None

    def keys_lookup(self, request: Request) -> Call | None:
        return self.proofs.keys_lookup(request)

    def authenticate_with(self, request: Request, keys: Answer) -> None:
        self.proofs.check(request, keys, self.now())

    def authenticate(self, request: Request) -> None:
        """Refuses all: without Google's certificates nothing is proved."""
        self.keys_lookup(request)
        raise Unauthenticated

    def events(self, request: Request) -> Sequence[Event | Ephemeral]:
        raw = request.body
        return read_or_noted(NAME, lambda: reported(raw, self.people), lambda: report_of(raw))

    def person_lookup(self, person: str) -> Call:
        """https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.members/get"""
        return Call("GET", f"{self.api_url.rstrip('/')}/v1/{quote(person)}", b"", auth=self.auth)

    def profile(self, answer: Answer) -> Profile:
        try:
            member = pydantic_core.from_json(answer.body)["member"]
            name, email = member.get("displayName"), member.get("email")
        except (ValueError, LookupError, TypeError, AttributeError):
            words = "The platform does not say who this is. Send it again."
            raise Unavailable("person-unknown", words) from None
        return Profile(
            name=name if isinstance(name, str) else None,
            avatar=picture_of(member),
            email=email.lower() if isinstance(email, str) else None,
        )

    def refusal(self, answer: Answer) -> str | None:
        return error_status(answer)

    @property
    def media_hosts(self) -> tuple[str, ...]:
        return (host_of(self.api_url),)

    def media_lookup(self, file: Attachment) -> Call | None:
        return None

    def media_source(self, file: Attachment, found: Answer | None) -> Call:
        """https://developers.google.com/workspace/chat/api/reference/rest/v1/media/download"""
        if not file.id or ".." in file.id:
            raise NotFound("file-gone", "Google Chat has named no such file.")
        url = f"{self.api_url.rstrip('/')}/v1/media/{quote(file.id, safe='/=')}?alt=media"
        return Call("GET", url, b"", auth=self.auth)
