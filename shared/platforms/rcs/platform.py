"""RCS for Business: customers are telephone numbers, and all agents of a partner share one webhook
queue.

Webhook:
https://developers.google.com/business-communications/rcs-business-messaging/guides/integrate/webhooks
REST: https://developers.google.com/business-communications/rcs-business-messaging/reference/rest
"""

from collections.abc import AsyncIterator, Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from urllib.parse import quote

import pydantic_core

from shared.errors import Unauthenticated
from shared.platforms.base import Outcome, error_status
from shared.platforms.bodies import hmac_sha512_base64, require
from shared.platforms.google import answer_to_proof, body_limit, outcome_of
from shared.platforms.linked_files import GOOGLE_HOSTS, LinkedFiles, host_of
from shared.platforms.phones import completed, language_of, parties
from shared.platforms.rcs.outgoing import content_message
from shared.platforms.rcs.webhook import NAME, reported, signed_data
from shared.platforms.unverified import SAFE, Fact
from shared.schemas.base import JsonObject
from shared.schemas.commands import (
    MoveFloor,
    SendEvent,
    SendMessage,
    SendReaction,
    SendSurvey,
    Signal,
    ToChannel,
)
from shared.schemas.content import File
from shared.schemas.conversation import Capabilities
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import Event
from shared.schemas.http import Answer, Call, Request, Response
from shared.schemas.notation import command_id
from shared.values import frozen

SCOPE = "https://www.googleapis.com/auth/rcsbusinessmessaging"
# https://developers.google.com/business-communications/rcs-business-messaging/reference/rest/v1/files/create
UPLOAD_SECONDS = 240.0
MEDIA_TYPES = {
    "image": ("image/jpeg", "image/jpg", "image/gif", "image/png"),
    "video": (
        *("video/h263", "video/m4v", "video/mp4", "video/mpeg", "video/mpeg4"),
        "video/webm",
    ),
    "audio": (
        *("audio/aac", "audio/mp3", "audio/mpeg", "audio/mpg", "audio/mp4", "audio/mp4-latm"),
        *("audio/3gpp", "application/ogg", "audio/ogg"),
    ),
    "document": ("application/pdf",),
}
CAPABILITIES = Capabilities(
    text_limit=3072,
    frames=False,
    labels=False,
    typing=True,
    receipts=True,
    rich_cards=True,
    idempotent_sends=True,
    caller_ids=False,
    window_hours=None,
    media=dict.fromkeys(MEDIA_TYPES, 100 << 20),
    media_types=MEDIA_TYPES,
)


@frozen
class Rcs(LinkedFiles):
    """`client_tokens` verify webhooks and sign their bodies.

    An agent and its partner may each have one.

    `facts` are the unverified facts to rely on. `language` is used if the customer's is unknown.
    """

    client_tokens: tuple[str, ...] = ()
    api_url: str = "https://rcsbusinessmessaging.googleapis.com"
    auth: str = "none"
    traffic_type: str | None = "SERVICEREQUEST"
    facts: AbstractSet[Fact] = SAFE
    language: str = "en"
    now: Callable[[], datetime] | None = None
    name: str = NAME
    capabilities: Capabilities = CAPABILITIES

    def body_limit(self, request: Request) -> int:
        return body_limit(request, self.client_tokens)

    def handshake(self, request: Request) -> Response | None:
        """Answers with the secret as plain text, as the guide requires.

        An older sample of Google's answers with JSON.
        """
        return answer_to_proof(request, self.client_tokens, "RCS_CLIENT_TOKENS")

    def authenticate(self, request: Request) -> None:
        """Checks the signature of the decoded `message.data`.

        The rest of the body is not signed.
        """
        data = signed_data(request.body)
        expected = [hmac_sha512_base64(token, data or b"") for token in self.client_tokens]
        require(request.headers.get("x-goog-signature"), expected, "RCS_CLIENT_TOKENS")
        if data is None:
            raise Unauthenticated

    def events(self, request: Request) -> Sequence[Event | Ephemeral]:
        """Never raises for a signed body: one 400 would stop the webhooks of all agents of the
        partner.
        """
        return completed(reported(request.body, self.facts), self.language, self.now)

    def call(self, command: ToChannel | Signal) -> Call | None:
        if isinstance(command, SendMessage):
            traffic: JsonObject = (
                {"messageTrafficType": self.traffic_type} if self.traffic_type else {}
            )
            body: JsonObject = {
                "contentMessage": content_message(
                    command.content, language_of(parties(command.to)[1])
                ),
                **traffic,
            }
            return self._call(command, "agentMessages", "messageId", body)
        if (
            isinstance(command, SendEvent | SendSurvey | SendReaction | MoveFloor)
            or command.kind == "TYPING_STOPPED"
        ):
            return None  # RCS has no frames, surveys or end of typing
        if command.kind == "TYPING_STARTED":
            return self._call(command, "agentEvents", "eventId", {"eventType": "IS_TYPING"})
        if not command.message_id:
            return None
        return self._call(
            command,
            "agentEvents",
            "eventId",
            {"eventType": "READ", "messageId": command.message_id},
        )

    def outcome(self, answer: Answer) -> Outcome:
        """RCS answers a repeated id like the first one.

        If it ever answers ALREADY_EXISTS, the message was sent as well.
        """
        return outcome_of(answer)

    def refusal(self, answer: Answer) -> str | None:
        return error_status(answer)

    def sent_id(self, command: ToChannel, answer: Answer) -> str | None:
        """Returns the id that receipts contain. It is known before the message is sent."""
        return _uuid(command)

    def upload(self, to: str, file: File, chunks: AsyncIterator[bytes]) -> Call:
        """https://developers.google.com/business-communications/rcs-business-messaging/reference/rest/v1/files/create

        Messages may name the file for 60 days.
        """
        agent, _ = parties(to)
        url = f"{self.api_url.rstrip('/')}/upload/v1/files?agentId={quote(agent, safe='')}"
        headers = {"content-type": file.mime_type or "", "content-length": str(file.size or 0)}
        return Call("POST", url, b"", headers, self.auth, timeout=UPLOAD_SECONDS, stream=chunks)

    def uploaded_id(self, answer: Answer) -> str | None:
        try:
            found = pydantic_core.from_json(answer.body)["name"]
        except (ValueError, KeyError, TypeError, IndexError):
            return None
        return found if isinstance(found, str) and found else None

    @property
    def media_hosts(self) -> tuple[str, ...]:
        return (*GOOGLE_HOSTS, host_of(self.api_url))

    def _call(
        self, command: ToChannel | Signal, what: str, id_field: str, body: JsonObject
    ) -> Call:
        agent, phone = parties(command.to)
        base = f"{self.api_url.rstrip('/')}/v1/phones/{quote(phone, safe='+')}/{what}"
        url = f"{base}?{id_field}={_uuid(command)}&agentId={quote(agent, safe='')}"
        return Call(
            "POST",
            url,
            pydantic_core.to_json(body),
            {"content-type": "application/json"},
            self.auth,
        )


def _uuid(command: ToChannel | Signal) -> str:
    """Returns the message's UUID, which RCS requires.

    The caller's own id is never used, even if it is a UUID. Such ids are unique in their
    conversation only, and RCS silently drops a message whose id the agent has used before.
    """
    return command_id(command.to, command.id, NAME)
