"""Slack: what people write in the threads of its desk, and the buttons that they press.

Signatures: https://docs.slack.dev/authentication/verifying-requests-from-slack
Events: https://docs.slack.dev/apis/events-api
People: https://docs.slack.dev/reference/methods/users.info
Files: https://docs.slack.dev/reference/objects/file-object
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pydantic_core

from shared.errors import DoorClosed, NotFound, Unauthenticated, Unavailable
from shared.platforms.base import USUAL_BODY, Outcome, Profile
from shared.platforms.bodies import hmac_sha256_hex, read_or_noted, require
from shared.platforms.linked_files import host_of
from shared.platforms.no_customers import NoCustomers
from shared.platforms.slack.answers import body_of, outcome_of, refusal_of
from shared.platforms.slack.desk import API
from shared.platforms.slack.names import NAME, native_thread, place_of, thread
from shared.platforms.slack.webhook import parsed, report_of, reported
from shared.schemas.base import JsonObject
from shared.schemas.details import Attachment
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import ByRepresentative, Event, HumanReacted
from shared.schemas.http import Answer, Call, Request, Response
from shared.values import frozen

OLDEST = timedelta(minutes=5)
FILES_HOST = "files.slack.com"
PERSON_SECONDS = 1.5  # Slack waits 3 seconds for an answer to an event
_STAMP = re.compile(r"[0-9]{1,11}")
_CHECK = b'"url_verification"'


@frozen
class Slack(NoCustomers):
    """Any of `signing_secrets` may sign. `now` is the time by which a signature is too old."""

    now: Callable[[], datetime]
    signing_secrets: tuple[str, ...] = field(default=(), repr=False)
    api_url: str = API
    bot_token: str | None = field(default=None, repr=False)
    name: str = NAME

    def body_limit(self, request: Request) -> int:
        signed = "x-slack-signature" in request.headers and self._is_recent(request)
        return USUAL_BODY if self.signing_secrets and signed else 0

    def handshake(self, request: Request) -> Response | None:
        """Answers the signed request by which Slack checks the address."""
        if request.method != "POST" or _CHECK not in request.body:
            return None
        self.authenticate(request)
        found = self._parsed(request)
        challenge = found.get("challenge")
        if found.get("type") != "url_verification" or not isinstance(challenge, str):
            return None
        return Response(body=pydantic_core.to_json({"challenge": challenge}))

    def authenticate(self, request: Request) -> None:
        """Checks the signature over time and body, which nobody may use again after five
        minutes.
        """
        stamp = request.headers.get("x-slack-request-timestamp", "")
        signed = f"v0:{stamp}:".encode("latin-1", "replace") + request.body
        expected = [f"v0={hmac_sha256_hex(one, signed)}" for one in self.signing_secrets]
        require(request.headers.get("x-slack-signature"), expected, "SLACK_SIGNING_SECRETS")
        if not self._is_recent(request):
            raise Unauthenticated

    def events(self, request: Request) -> Sequence[Event | Ephemeral]:
        return read_or_noted(
            NAME,
            lambda: reported(self._parsed(request)),
            lambda: report_of(self._parsed(request)),
        )

    def outcome(self, answer: Answer) -> Outcome:
        return outcome_of(answer)

    def refusal(self, answer: Answer) -> str | None:
        return refusal_of(answer)

    def person_lookup(self, person: str) -> Call:
        return self._read("users.info", PERSON_SECONDS, user=person)

    def profile(self, answer: Answer) -> Profile:
        """Returns the name that a person has chosen to be shown with, else their full name. Nothing
        is known of somebody whom the app may not see.
        """
        user = body_of(answer).get("user")
        known = user if isinstance(user, dict) else {}
        if not known and outcome_of(answer) not in (Outcome.PERMANENT, Outcome.FORBIDDEN):
            raise Unavailable("platform-failed", "Slack does not say who a person is.")
        found = known.get("profile")
        profile = found if isinstance(found, dict) else {}
        names = (profile.get("display_name"), profile.get("real_name"), known.get("real_name"))
        email = _text(profile.get("email"))
        return Profile(
            name=next(filter(None, map(_text, names)), None) or _text(known.get("name")),
            avatar=_text(profile.get("image_192")),
            email=email and email.lower(),
        )

    def place_lookup(self, event: ByRepresentative) -> Call | None:
        """A reaction names the message alone."""
        if not isinstance(event, HumanReacted):
            return None
        channel, ts = place_of(event.source.removeprefix(f"{NAME}:"))
        return self._read("conversations.replies", None, channel=channel, ts=ts, limit="1")

    def placed(self, event: ByRepresentative, answer: Answer) -> ByRepresentative | None:
        """https://docs.slack.dev/reference/methods/conversations.replies"""
        body = body_of(answer)
        if body.get("ok") is not True:
            if outcome_of(answer) in (Outcome.PERMANENT, Outcome.FORBIDDEN):
                return None
            raise Unavailable("platform-failed", "Slack does not say where a message is.")
        messages = body.get("messages")
        found = messages[0] if isinstance(messages, list) and messages else None
        root = _text(found.get("thread_ts")) if isinstance(found, dict) else None
        if root is None:
            return None
        channel, _ = place_of(event.source.removeprefix(f"{NAME}:"))
        where = {"source": thread(channel, root), "address": native_thread(channel, root)}
        return event.model_copy(update=where)

    @property
    def media_hosts(self) -> tuple[str, ...]:
        return FILES_HOST, host_of(self.api_url)

    def media_lookup(self, file: Attachment) -> Call | None:
        if file.id is None:
            raise NotFound("file-gone", "Slack has named no id of this file.")
        return self._read("files.info", None, file=file.id)

    def media_source(self, file: Attachment, found: Answer | None) -> Call:
        """Returns the call that fetches a file, with the token: only Slack's own host gets it."""
        body = body_of(found)
        known = body.get("file")
        if body.get("error") in ("file_not_found", "file_deleted"):
            raise NotFound("file-gone", "Slack has this file no longer.")
        if body.get("ok") is not True or not isinstance(known, dict):
            raise Unavailable("platform-failed", "Slack does not say where the file is.")
        url = _text(known.get("url_private_download")) or _text(known.get("url_private"))
        if url is None:
            raise NotFound("file-gone", "Slack names no address of this file.")
        trusted = host_of(url) in self.media_hosts
        return Call("GET", url, b"", auth=self._auth() if trusted else "none")

    def _parsed(self, request: Request) -> JsonObject:
        return parsed(request.body, request.headers.get("content-type", ""))

    def _is_recent(self, request: Request) -> bool:
        stamp = request.headers.get("x-slack-request-timestamp", "")
        if not _STAMP.fullmatch(stamp):
            return False
        return abs(self.now().timestamp() - int(stamp)) <= OLDEST.total_seconds()

    def _read(self, method: str, timeout: float | None, **query: str) -> Call:
        url = f"{self.api_url.rstrip('/')}/{method}?{urlencode(query)}"
        return Call("GET", url, b"", auth=self._auth(), timeout=timeout)

    def _auth(self) -> str:
        if not self.bot_token:
            raise DoorClosed("SLACK_BOT_TOKEN")
        return f"bearer:{self.bot_token}"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
