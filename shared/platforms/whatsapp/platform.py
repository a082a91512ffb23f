"""WhatsApp Business Platform (Cloud API): no ids of ours, no frames, and free-form messages only
within 24 hours of the customer's last message.

Webhook:
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint
Messages:
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
Thread control, where another sender may be active on the number:
https://developers.facebook.com/documentation/business-messaging/whatsapp/conversation-routing
Errors:
https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import field
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pydantic_core

from shared.errors import DoorClosed, Unauthenticated
from shared.platforms.base import Outcome, outcome_of_status
from shared.platforms.bodies import hmac_sha256_hex, require
from shared.platforms.multipart import FormWithFile
from shared.platforms.phones import completed, e164, forms_of, language_of, parties
from shared.platforms.unverified import SAFE, Fact
from shared.platforms.whatsapp import media
from shared.platforms.whatsapp.outgoing import (
    BODY_LIMIT,
    CAPTIONS,
    LONG_BODY,
    TEXT_LIMIT,
    message_of,
    plain_message_of,
)
from shared.platforms.whatsapp.webhook import (
    AI_AGENT,
    APP_NAME,
    GROUP,
    NAME,
    USER_ID,
    Numbers,
    reported,
)
from shared.schemas.base import JsonObject
from shared.schemas.commands import (
    GiveFloor,
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
from shared.schemas.details import Attachment
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import Event
from shared.schemas.http import Answer, Call, Pace, Request, Response
from shared.schemas.notation import hidden
from shared.schemas.texts import shortened
from shared.values import frozen

# https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
# A sticker that does not move may have 100 KB only; nothing shows here whether it does.
MEDIA = {
    "image": 5 << 20,
    "video": 16 << 20,
    "audio": 16 << 20,
    "voice": 16 << 20,
    "document": 100 << 20,
    "sticker": 500 << 10,
}
UPLOAD_SECONDS = 240.0
_OFFICE = "application/vnd.openxmlformats-officedocument"
_PICTURES, _FILMS = ("image/jpeg", "image/png"), ("video/mp4", "video/3gpp")
_RECORDINGS = ("audio/aac", "audio/mp4", "audio/mpeg", "audio/amr", "audio/ogg")
MEDIA_TYPES = {
    "image": _PICTURES,
    "video": _FILMS,
    "audio": _RECORDINGS,
    "voice": ("audio/ogg",),
    "document": (
        "text/plain",
        "application/pdf",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        f"{_OFFICE}.wordprocessingml.document",
        f"{_OFFICE}.spreadsheetml.sheet",
        f"{_OFFICE}.presentationml.presentation",
        *(*_PICTURES, *_FILMS, *_RECORDINGS),
    ),
    "sticker": ("image/webp",),
}

CAPABILITIES = Capabilities(
    text_limit=TEXT_LIMIT,
    frames=False,
    labels=False,
    typing=True,
    receipts=True,
    rich_cards=False,
    idempotent_sends=False,
    caller_ids=False,
    window_hours=24,
    replies=True,
    reactions=True,
    floor=True,
    templates=True,
    media=MEDIA,
    media_types=MEDIA_TYPES,
    captions=CAPTIONS,
)

# Meta asks clients to handle errors by code, but its list was not available: these codes are
# UNVERIFIED, from copies of it.
# The service, or the number, is unavailable for now.
_LATER = {2, 131000, 131016, 131057, 133004}
# Rate limits: of the app, the account, the number, this pair of numbers.
_TOO_FAST = {4, 80007, 130429, 131056}
# A wrong parameter, a customer who cannot be reached, a number that may not be written to yet,
# more than 24 hours since the customer's last message.
_NEVER = {100, 131026, 131030, 131047}
_EXPIRED = 190
_LONG_NUMBER = re.compile(r"\d{7,}")
REFUSAL_LIMIT = 120


# Numbers that are also in the WhatsApp Business app have 20.
# https://developers.facebook.com/documentation/business-messaging/whatsapp/throughput
PER_SECOND = 80.0
# Messages to one customer: one in six seconds, and up to 45 at once that use up the time after
# them. UNVERIFIED: from copies of Meta's page on messaging limits.
PAIR_PER_SECOND, PAIR_BURST = 1 / 6, 45

# Batches have up to 3 MB.
# https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview
BATCH = 4 << 20


@frozen
class WhatsApp:
    """Any of `app_secrets` may sign. `api_url` contains the version of the API.

    `facts` are the unverified facts to rely on. `groups`: each group of people is a conversation,
    else groups are left alone. `language` is used if the customer's is unknown.
    `per_second` messages may be sent from one number.
    """

    app_secrets: tuple[str, ...] = ()
    verify_token: str | None = None
    api_url: str = "https://graph.facebook.com/v23.0"
    access_token: str | None = field(default=None, repr=False)
    app_name: str = APP_NAME
    numbers: Numbers = field(default_factory=Numbers, compare=False)
    facts: AbstractSet[Fact] = SAFE
    groups: bool = False
    language: str = "en"
    per_second: float = PER_SECOND
    now: Callable[[], datetime] | None = None
    name: str = NAME
    capabilities: Capabilities = CAPABILITIES

    def canonical(self, native: str) -> str:
        number, _, customer = native.partition(":")
        known = e164(customer)
        return f"{number}:{forms_of(known)[0]}" if known else native

    def business_of(self, address: str) -> str | None:
        number, customer = parties(address)
        return None if customer.startswith(GROUP) else number or None

    def body_limit(self, request: Request) -> int:
        return BATCH if self.app_secrets and "x-hub-signature-256" in request.headers else 0

    def handshake(self, request: Request) -> Response | None:
        """Answers the GET request by which Meta verifies the URL, if its token is
        `verify_token`.
        """
        if request.method != "GET" or "hub.mode" not in request.query:
            return None
        require(
            request.query.get("hub.verify_token"),
            filter(None, [self.verify_token]),
            "WHATSAPP_VERIFY_TOKEN",
        )
        if request.query["hub.mode"] != "subscribe":
            raise Unauthenticated
        return Response(
            body=request.query.get("hub.challenge", "").encode(), content_type="text/plain"
        )

    def authenticate(self, request: Request) -> None:
        expected = [
            f"sha256={hmac_sha256_hex(secret, request.body)}" for secret in self.app_secrets
        ]
        require(request.headers.get("x-hub-signature-256"), expected, "WHATSAPP_APP_SECRETS")

    def events(self, request: Request) -> Sequence[Event | Ephemeral]:
        """Never raises for a signed body: WhatsApp would send the whole batch again for days."""
        found = reported(request.body, self.app_name, self.facts, self.numbers, groups=self.groups)
        return completed(found, self.language, self.now)

    def call(self, command: ToChannel | Signal) -> Call | None:
        _, customer = parties(command.to)
        if isinstance(command, MoveFloor):
            return self._thread_control(command)
        is_group = customer.startswith(GROUP)
        to: JsonObject = {"recipient_type": "group", "to": customer.removeprefix(GROUP)}
        whom: JsonObject = {"recipient_type": "individual", **self._whom(customer)}
        if isinstance(command, SendReaction):
            shown: JsonObject = {"message_id": command.about, "emoji": command.emoji or ""}
            reaction: JsonObject = {"type": "reaction", "reaction": shown}
            return self._call(command, {**(to if is_group else whom), **reaction})
        if isinstance(command, SendMessage):
            answered: JsonObject = (
                {"context": {"message_id": command.about}} if command.about else {}
            )
            if is_group:
                return self._call(command, {**to, **answered, **plain_message_of(command.content)})
            long_body = LONG_BODY if Fact.WHATSAPP_LONG_LISTS in self.facts else BODY_LIMIT
            said = message_of(
                command.content,
                language_of(f"+{customer}"),
                long_body,
                asks_contact=Fact.WHATSAPP_REQUEST_CONTACT in self.facts,
            )
            return self._call(command, {**whom, **answered, **said})
        if (
            isinstance(command, SendEvent | SendSurvey)
            or command.kind == "TYPING_STOPPED"
            or not command.message_id
        ):
            # WhatsApp has no frames, surveys or end of typing. Typing refers to a message.
            return None
        typing: JsonObject = (
            {"typing_indicator": {"type": "text"}} if command.kind == "TYPING_STARTED" else {}
        )
        return self._call(command, {"status": "read", "message_id": command.message_id, **typing})

    def outcome(self, answer: Answer) -> Outcome:
        """Returns the meaning of an answer.

        An answer with an error of the Graph API means that nothing was sent, also with a 5xx. Its
        code says whether a retry can succeed, if the status leaves it open.
        """
        by_status = outcome_of_status(answer.status)
        if by_status is Outcome.DONE:
            return by_status
        code = _error_code(answer) if Fact.WHATSAPP_ERROR_CODES in self.facts else None
        if answer.status == 401 or code == _EXPIRED:
            return Outcome.CREDENTIALS
        if code in _NEVER:
            return Outcome.PERMANENT
        if code in _TOO_FAST:
            return Outcome.PACED
        is_of_service = code is not None and answer.status >= 500
        return Outcome.NOT_TAKEN if code in _LATER or is_of_service else by_status

    def refusal(self, answer: Answer) -> str | None:
        """Returns the code and the message of the error. Its details are left out, because they
        may contain the customer's number, and so is any long number in the message.
        """
        code, message = _error_code(answer), _at(answer, "error", "message")
        if code is None:
            return None
        words = message.removeprefix(f"(#{code})").strip() if isinstance(message, str) else ""
        return shortened(f"{code} {_LONG_NUMBER.sub('…', words)}".strip(), REFUSAL_LIMIT)

    def sent_id(self, command: ToChannel, answer: Answer) -> str | None:
        """Returns a hash of the wamid that statuses will contain, or None if the answer has
        none.
        """
        found = _at(answer, "messages", 0, "id")
        return hidden(found) if isinstance(found, str) and found else None

    def upload(self, to: str, file: File, chunks: AsyncIterator[bytes]) -> Call:
        """https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media

        Messages may name the file for 30 days.
        """
        number, _ = parties(to)
        mime_type = file.mime_type or ""
        fields = {"messaging_product": "whatsapp", "type": mime_type}
        form = FormWithFile(fields, file.name, mime_type, file.size or 0, chunks)
        return Call(
            "POST",
            self._url(number, "media"),
            b"",
            form.headers,
            self._auth,
            timeout=UPLOAD_SECONDS,
            paces=(Pace(f"whatsapp {number}", self.per_second),),
            stream=form.body(),
        )

    def uploaded_id(self, answer: Answer) -> str | None:
        found = _at(answer, "id")
        return str(found) if found and isinstance(found, str | int) else None

    def _url(self, number: str, path: str) -> str:
        return f"{self.api_url.rstrip('/')}/{quote(number, safe='')}/{path}"

    @property
    def _auth(self) -> str:
        """Raises DoorClosed."""
        if not self.access_token:
            raise DoorClosed("WHATSAPP_ACCESS_TOKEN")
        return f"bearer:{self.access_token}"

    @property
    def media_hosts(self) -> tuple[str, ...]:
        return media.hosts(self.api_url)

    def media_lookup(self, file: Attachment) -> Call | None:
        return media.lookup(self.api_url, self.access_token, file)

    def media_source(self, file: Attachment, found: Answer | None) -> Call:
        return media.source(self.api_url, self.access_token, file, found)

    def _thread_control(self, command: MoveFloor) -> Call | None:
        """Returns None for a group of people, where no other sender is."""
        _, customer = parties(command.to)
        if customer.startswith(GROUP):
            return None
        action: JsonObject = {"action": "take"}
        if isinstance(command, GiveFloor):
            back: JsonObject = {"action": "pass", "control_pass": {"target_role": AI_AGENT}}
            action = back if command.shared else {"action": "release"}
        return self._call(command, {**self._whom(customer), **action}, "thread_control")

    def _whom(self, customer: str) -> JsonObject:
        """UNVERIFIED: a user id has a field of its own, by third-party texts and not by the
        platform's reference.
        """
        own = Fact.WHATSAPP_RECIPIENT in self.facts and USER_ID.fullmatch(customer)
        return {"recipient" if own else "to": _with_plus(customer)}

    def _call(self, command: ToChannel | Signal, body: JsonObject, path: str = "messages") -> Call:
        number, _ = parties(command.to)
        whole = pydantic_core.to_json({"messaging_product": "whatsapp", **body})
        paces = [Pace(f"whatsapp {number}", self.per_second)]
        if isinstance(command, SendMessage):
            paces.append(Pace(f"whatsapp {command.to}", PAIR_PER_SECOND, PAIR_BURST))
        return Call(
            "POST",
            self._url(number, path),
            whole,
            {"content-type": "application/json"},
            self._auth,
            paces=tuple(paces),
        )


def _with_plus(customer: str) -> str:
    """Returns a number with its plus sign: Meta puts the calling code of the business before a
    number without one. Webhooks name customers without it. A user id stays as it is.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers
    """
    return e164(customer) or customer


def _error_code(answer: Answer) -> int | None:
    code = _at(answer, "error", "code")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _at(answer: Answer, *path: str | int) -> Any:
    try:
        value = pydantic_core.from_json(answer.body)
        for step in path:
            value = value[step]
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    return value
