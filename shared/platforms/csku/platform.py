"""CSKU AI: a desk that delivers to its customers itself.

Its webhooks report messages of customers, agents and its AI.

https://docs.csku.ai/webhooks/events/agent-message-out, /webhooks/authentication,
/webhooks/retry-mechanism
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.errors import BadRequest
from shared.platforms.base import USUAL_BODY
from shared.platforms.bodies import child, is_genuine, parse_signed, read_or_noted, require, text_at
from shared.platforms.linked_files import LinkedFiles
from shared.platforms.no_customers import NoCustomers
from shared.schemas.base import JsonObject
from shared.schemas.content import Content
from shared.schemas.details import Attachment, Details
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import (
    BotMessage,
    Event,
    HumanMessage,
    HumanRequested,
    Unknown,
    UserMessage,
)
from shared.schemas.http import Request, Response
from shared.schemas.notation import conversation_id, sha256, time_or_none
from shared.schemas.platform_context import PlatformContext
from shared.schemas.representative import NAME_LIMIT, Representative, RepresentativeType
from shared.schemas.texts import shortened
from shared.values import frozen

NAME = "csku"
_ACTOR = f"platform:{NAME}"
_NEED_HUMAN = {0: False, 1: True, "0": False, "1": True, "false": False, "true": True}
_HUMAN, _BOT = RepresentativeType.HUMAN, RepresentativeType.BOT


@frozen
class _Report:
    """A webhook body.

    Only the conversation is required; other fields may be missing or hold a placeholder. `message`
    and its `content` are empty then. `common` are the fields that every event has.
    """

    body: JsonObject
    event: str
    message: JsonObject
    content: JsonObject
    common: Mapping[str, Any]

    @property
    def need_human(self) -> bool | None:
        flag = self.body.get("need_human")
        if isinstance(flag, str):
            return _NEED_HUMAN.get(flag.lower())
        return _NEED_HUMAN.get(flag) if isinstance(flag, int) else None

    def unreadable(self, fault: str) -> Unknown:
        return Unknown(**self.common, name="unreadable", fault=fault)

    def attachment(self) -> Attachment | None:
        """Returns the file of a message, None if it is a text. The names of its fields are not
        known, so its link is the first one.
        """
        kind = text_at(self.content, "type") or "text"
        if kind == "text":
            return None
        links = (
            one
            for one in self.content.values()
            if isinstance(one, str) and one.startswith(("https://", "http://"))
        )
        return Attachment(kind=kind, link=next(links, None))

    def said(self, attachment: Attachment | None) -> str:
        """Returns the words of the message. Media becomes a link or its kind."""
        text = text_at(self.content, "text") or text_at(self.content, "caption")
        if attachment is None:
            return text or "[empty]"
        shown = attachment.link or f"[{attachment.kind}]"
        return f"{text}\n{shown}" if text else shown

    def words_of(self, kind: RepresentativeType, role: str) -> dict[str, Any]:
        """Returns who said what. Facts are never refused for their content: overlong text is split
        later.
        """
        name = text_at(child(self.message, role), "name") or text_at(self.message, "sender_name")
        shown = name and shortened(name, NAME_LIMIT)
        return {
            "representative": Representative(representative_type=kind, display_name=shown),
            "content": Content.of_fact(self.said(self.attachment())),
        }


def _name(value: object) -> str | None:
    """Returns a text or number, cut to the length of a name; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return shortened(value, NAME_LIMIT) if isinstance(value, str) and value else None


def _context(body: JsonObject, message: JsonObject) -> PlatformContext | None:
    """Returns the channel, business and user that the body names, None if it names none."""
    channel, user = child(message, "channel"), child(message, "user")
    business = child(message, "bisnis")
    found = {
        "label": _name(body.get("conversation_label")),
        "channel_id": _name(channel.get("id")),
        "channel_name": _name(channel.get("name")),
        "channel_engine": _name(channel.get("engine")),
        "business_id": _name(business.get("id")),
        "business_name": _name(business.get("name")),
        "user_id": _name(user.get("id")),
        "user_name": _name(user.get("name")),
        "sender_name": _name(message.get("sender_name")),
    }
    return PlatformContext(**found) if any(found.values()) else None


def _customer_spoke(report: _Report) -> list[Event]:
    attachment = report.attachment()
    said = UserMessage(
        **report.common,
        form={},
        said=report.said(attachment),
        details=Details(attachments=(attachment,)) if attachment else None,
        customer_name=_name(report.body.get("conversation_label")),
    )
    return [said, *_asks_for_human(report)]


def _agent_spoke(report: _Report) -> list[Event]:
    return [HumanMessage(**report.common, **report.words_of(_HUMAN, "agent"))]


def _ai_spoke(report: _Report) -> list[Event]:
    said = BotMessage(
        **report.common, **report.words_of(_BOT, "ai"), human_needed=report.need_human
    )
    return [said, *_asks_for_human(report)]


def _asks_for_human(report: _Report) -> list[Event]:
    if not report.need_human:
        return []
    return [HumanRequested(**report.common, reason="CSKU AI says that a human is needed")]


_EVENTS: Mapping[str, Callable[[_Report], list[Event]]] = {
    "channel.message_in": _customer_spoke,
    "agent.message_out": _agent_spoke,
    "ai.message_generated": _ai_spoke,
}


def _reported(raw: bytes) -> list[Event]:
    body = parse_signed(raw)
    if not isinstance(body.get("event"), str):
        raise BadRequest("schema", "event: must be a string.", field="event")
    message = body.get("message")
    if message is None and body.get("conversation_id") is None:
        return []  # the test request of their troubleshooting page
    report = _report(body)
    read = _EVENTS.get(report.event) if isinstance(message, dict) else None
    return read(report) if read else [Unknown(**report.common, name=report.event)]


def _report(body: JsonObject) -> _Report:
    named = body.get("conversation_id")
    if isinstance(named, bool) or not isinstance(named, (str, int)) or named == "":
        fault = "conversation_id: must be a text that is not empty, or a whole number."
        raise BadRequest("schema", fault, field="conversation_id")
    native, event, message = str(named), body.get("event"), child(body, "message")
    event = event if isinstance(event, str) else "unreadable"
    message_id = message.get("id")
    if not isinstance(message_id, (str, int)) or message_id == "":
        message_id = sha256(repr(sorted(body.items())))
    common = {
        # with the event's name, because one message may be reported by several events
        "id": f"{event}:{message_id}",
        "source": conversation_id(NAME, native),
        "address": native,
        "actor": _ACTOR,
        "occurred_at": time_or_none(body.get("timestamp")),
        "context": _context(body, message),
    }
    return _Report(body, event, message, child(message, "content"), common)


@frozen
class Csku(LinkedFiles, NoCustomers):
    """CSKU AI's webhooks. Any of `webhook_secrets` is accepted. `media_hosts` have the files of its
    messages; its pages do not say which these are.
    """

    webhook_secrets: tuple[str, ...] = ()
    media_hosts: tuple[str, ...] = ()
    name: str = NAME

    def body_limit(self, request: Request) -> int:
        return USUAL_BODY if is_genuine(self, request) else 0

    def handshake(self, request: Request) -> Response | None:
        return None

    def authenticate(self, request: Request) -> None:
        """Compares the secret in `Authorization`, which has no scheme.

        As the docs advise, white space around both is ignored.
        """
        given = request.headers.get("authorization")
        secrets = map(str.strip, self.webhook_secrets)
        require(given.strip() if given is not None else None, secrets, "CSKU_WEBHOOK_SECRETS")

    def events(self, request: Request) -> Sequence[Event | Ephemeral]:
        return read_or_noted(
            NAME, lambda: _reported(request.body), lambda: _report(parse_signed(request.body))
        )
