"""Google Business Messages: the format in which bots and desks talk to Baton.

Google closed the service on 2024-07-31.

Webhook:
https://developers.google.com/business-communications/business-messages/guides/how-to/message/receive
REST: https://developers.google.com/business-communications/business-messages/reference/rest
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pydantic_core

from shared.errors import BadRequest
from shared.platforms.base import Outcome, error_status
from shared.platforms.bodies import (
    child,
    hmac_sha512_base64,
    parse_signed,
    read_or_noted,
    require,
    text_at,
)
from shared.platforms.google import answer_to_proof, body_limit, outcome_of
from shared.platforms.linked_files import GOOGLE_HOSTS, LinkedFiles, host_of
from shared.platforms.suggestions import all_of, left_out
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
from shared.schemas.content import CardContent, Content, ContentInfo, Image, Suggestion
from shared.schemas.content_rules import ACTIONS
from shared.schemas.conversation import Capabilities
from shared.schemas.details import Attachment, Details
from shared.schemas.ephemeral import Ephemeral, Receipt, Typing
from shared.schemas.events import (
    AuthenticationResponse,
    Event,
    FromUser,
    HumanRequested,
    SuggestionResponse,
    SurveyResponse,
    Unknown,
    UserMessage,
)
from shared.schemas.http import Answer, Call, Request, Response
from shared.schemas.notation import conversation_id, sha256, time_or_none
from shared.schemas.representative import NAME_LIMIT
from shared.schemas.texts import shortened
from shared.values import frozen

NAME = "business_messages"
SCOPE = "https://www.googleapis.com/auth/businessmessages"
CAPABILITIES = Capabilities(
    text_limit=3072,
    frames=True,
    labels=True,
    typing=True,
    receipts=True,
    rich_cards=True,
    idempotent_sends=True,
    surveys=True,
    media={"image": 5 << 20},
    media_types={"image": ("image/jpeg", "image/jpg", "image/png")},
    captions=("image",),
)
_ONLY_RCS = {*ACTIONS} - {"openUrlAction", "dialAction"}
# A picture comes as its address: the platform signs it for seven days.
_IMAGE = re.compile(r"https://storage\.googleapis\.com/business-messages-[a-z0-9-]+/\S+")
_BOOLEANS = {"true": True, "false": False}
_ACTOR = f"platform:{NAME}"


@frozen
class _Report:
    """A webhook body with the conversation that it names, the only required field. Other fields may
    be missing or hold a placeholder.
    """

    body: JsonObject
    conversation: str
    address: str

    @property
    def locale(self) -> str | None:
        context = child(self.body, "context")
        found = text_at(context, "resolvedLocale") or text_at(
            child(context, "userInfo"), "userDeviceLocale"
        )
        return shortened(found, 64, mark="") if found else None

    def common(self, payload: str, event_id: str | None = None) -> dict[str, Any]:
        body = self.body
        created = text_at(child(body, payload), "createTime")
        # Receipts have no documented id for deduplication; they get a hash of the body.
        return {
            "id": event_id
            or text_at(body, "requestId")
            or sha256(pydantic_core.to_json(body).decode()),
            "source": self.conversation,
            "address": self.address,
            "actor": _ACTOR,
            "occurred_at": time_or_none(created) or time_or_none(text_at(body, "sendTime")),
        }

    def unreadable(self, fault: str) -> Unknown:
        return Unknown(**self.common("unreadable"), name="unreadable", fault=fault)

    def from_user(
        self,
        kind: type[FromUser],
        payload: str,
        event_id: str | None,
        said: str | None,
        details: Details | None = None,
    ) -> FromUser:
        user = child(child(self.body, "context"), "userInfo")
        named = text_at(user, "displayName")
        return kind(
            **self.common(payload, event_id),
            form=self.body,
            said=said,
            details=details,
            locale=self.locale,
            customer_name=shortened(named, NAME_LIMIT) if named else None,
        )


def _message(report: _Report) -> Event:
    message = child(report.body, "message")
    said = text_at(message, "text")
    is_image = said is not None and _IMAGE.fullmatch(said)
    details = Details(attachments=(Attachment(kind="image", link=said),)) if is_image else None
    return report.from_user(UserMessage, "message", text_at(message, "messageId"), said, details)


def _suggestion(report: _Report) -> Event:
    said = text_at(child(report.body, "suggestionResponse"), "text")
    return report.from_user(SuggestionResponse, "suggestionResponse", None, said)


def _survey(report: _Report) -> Event:
    survey = child(report.body, "surveyResponse")
    said = text_at(survey, "questionResponseText") or text_at(survey, "rating")
    return report.from_user(SurveyResponse, "surveyResponse", None, said)


def _authentication(report: _Report) -> Event:
    return report.from_user(AuthenticationResponse, "authenticationResponse", None, None)


def _receipts(report: _Report) -> Ephemeral:
    return Receipt(source=report.conversation, form=report.body)


def _user_status(report: _Report) -> Event | Ephemeral:
    """Returns the event of a user status.

    Google's own samples send booleans as strings. A sample may contain both fields.
    """
    if _boolean(report, "requestedLiveAgent"):
        common = {**report.common("userStatus"), "form": report.body}
        return HumanRequested(
            **common, locale=report.locale, reason="the customer asked for a person"
        )
    is_typing = _boolean(report, "isTyping")
    if is_typing is not None:
        return Typing(source=report.conversation, form=report.body, is_typing=is_typing)
    return Unknown(**report.common("userStatus"), name="userStatus")


def _boolean(report: _Report, field: str) -> bool | None:
    status = report.body["userStatus"]
    value = status.get(field) if isinstance(status, dict) else None
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _BOOLEANS:
        return _BOOLEANS[value.strip().lower()]
    raise BadRequest(
        "schema", f"userStatus.{field} must be true or false.", field=f"userStatus.{field}"
    )


_PAYLOADS: Mapping[str, Callable[[_Report], Event | Ephemeral]] = {
    "message": _message,
    "suggestionResponse": _suggestion,
    "userStatus": _user_status,
    "receipts": _receipts,
    "surveyResponse": _survey,
    "authenticationResponse": _authentication,
}


@frozen
class BusinessMessages(LinkedFiles):
    """`auth` is as in `Call.auth`.

    Any of `signing_keys` may sign: by the reference these are the partner key and the client token.
    """

    signing_keys: tuple[str, ...] = ()
    client_token: str | None = None
    api_url: str = "https://businessmessages.googleapis.com"
    auth: str = "none"
    name: str = NAME
    capabilities: Capabilities = CAPABILITIES

    def body_limit(self, request: Request) -> int:
        return body_limit(request, self.signing_keys)

    def handshake(self, request: Request) -> Response | None:
        tokens = filter(None, [self.client_token])
        return answer_to_proof(request, tokens, "BUSINESS_MESSAGES_CLIENT_TOKEN")

    def authenticate(self, request: Request) -> None:
        expected = (hmac_sha512_base64(key, request.body) for key in self.signing_keys)
        require(request.headers.get("x-goog-signature"), expected, "BUSINESS_MESSAGES_SIGNING_KEYS")

    def events(self, request: Request) -> Sequence[Event | Ephemeral]:
        return read_or_noted(
            NAME, lambda: [_reported(_report(request.body))], lambda: _report(request.body)
        )

    def call(self, command: ToChannel | Signal) -> Call | None:
        base = f"{self.api_url.rstrip('/')}/v1/conversations/{quote(command.to, safe='')}"
        if isinstance(command, SendMessage):
            content = _shown(command.content)
            return self._call(
                "POST",
                f"{base}/messages",
                {"messageId": command.id, **content, **_speaker(command)},
            )
        if isinstance(command, SendEvent):
            return self._event(base, command.id, command.event_type, _speaker(command))
        if isinstance(command, SendSurvey):
            return self._call("POST", f"{base}/surveys?surveyId={quote(command.id, safe='')}", {})
        if isinstance(command, MoveFloor | SendReaction):
            return None  # Business Messages knows one sender, and no reactions
        if command.kind == "READ":
            url = f"{base}/messages/{quote(command.message_id or '', safe='')}/receipt"
            return self._call("PATCH", url, {"receiptType": "READ"})
        return self._event(base, command.id, command.kind, _speaker(command))

    def outcome(self, answer: Answer) -> Outcome:
        return outcome_of(answer)

    def refusal(self, answer: Answer) -> str | None:
        return error_status(answer)

    def sent_id(self, command: ToChannel, answer: Answer) -> str | None:
        return None

    @property
    def media_hosts(self) -> tuple[str, ...]:
        return (*GOOGLE_HOSTS, host_of(self.api_url))

    def _event(self, base: str, event_id: str, event_type: str, speaker: JsonObject) -> Call:
        return self._call(
            "POST",
            f"{base}/events?eventId={quote(event_id, safe='')}",
            {"eventType": event_type, **speaker},
        )

    def _call(self, method: str, url: str, body: JsonObject) -> Call:
        return Call(
            method,
            url,
            pydantic_core.to_json(body),
            {"content-type": "application/json"},
            self.auth,
        )


def _shown(content: Content) -> JsonObject:
    """Returns the message without the actions that only RCS supports. Of files it has pictures."""
    file = content.file
    if file is not None and file.file_url is not None:
        info = ContentInfo(file_url=file.file_url, alt_text=file.alt_text)
        content = content.model_copy(update={"file": None, "image": Image(content_info=info)})
    suggestions = tuple(filter(_has_suggestion, content.suggestions))
    card = content.rich_card
    if card is not None and card.standalone_card is not None:
        standing = card.standalone_card
        one = standing.model_copy(update={"card_content": _card(standing.card_content)})
        card = card.model_copy(update={"standalone_card": one})
    if card is not None and card.carousel_card is not None:
        contents = tuple(map(_card, card.carousel_card.card_contents))
        carousel = card.carousel_card.model_copy(update={"card_contents": contents})
        card = card.model_copy(update={"carousel_card": carousel})
    whole = content.model_copy(update={"suggestions": suggestions, "rich_card": card})
    if len(all_of(whole)) < len(all_of(content)):
        left_out("a suggestion was left out that only RCS has", NAME)
    return whole.shown


def _card(card: CardContent) -> CardContent:
    return card.model_copy(update={"suggestions": tuple(filter(_has_suggestion, card.suggestions))})


def _has_suggestion(suggestion: Suggestion) -> bool:
    return suggestion.action is None or not set(suggestion.action.model_extra or {}) & _ONLY_RCS


def _speaker(command: SendMessage | SendEvent | Signal) -> JsonObject:
    if command.representative is None:
        return {}
    return {"representative": command.representative.shown}


def _report(raw: bytes) -> _Report:
    body = _unwrapped(parse_signed(raw))
    # As readers of protocol buffers do, this takes the name in either spelling.
    native = body.get("conversationId", body.get("conversation_id"))
    if not isinstance(native, str) or not native:
        fault = "conversationId: must be a text that is not empty."
        raise BadRequest("schema", fault, field="conversationId")
    return _Report(body, conversation_id(NAME, native), native)


def _reported(report: _Report) -> Event | Ephemeral:
    for payload, read in _PAYLOADS.items():
        found = report.body.get(payload)
        if found is not None:
            if not isinstance(found, dict):
                raise BadRequest("schema", f"{payload}: must be an object.", field=payload)
            return read(report)
    return Unknown(**report.common("unknown"), name="no known payload")


def _unwrapped(body: JsonObject) -> JsonObject:
    """Returns the payload.

    The reference describes a base64 wrapping in `message.data`, but every sample is plain, so both
    are accepted.
    """
    message = body.get("message")
    if (
        "conversationId" in body
        or not isinstance(message, dict)
        or not isinstance(message.get("data"), str)
    ):
        return body
    try:
        return parse_signed(base64.b64decode(str(message["data"]), validate=True))
    except ValueError as error:  # not base64, or not ASCII
        raise BadRequest(
            "malformed-base64", "message.data is not base64.", field="message.data"
        ) from error
