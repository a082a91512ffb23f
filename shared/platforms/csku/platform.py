"""CSKU AI: a desk that delivers to its customers itself.

Its webhooks report messages of customers, agents and its AI.

https://docs.csku.ai/webhooks/events/agent-message-out, /webhooks/authentication,
/webhooks/retry-mechanism
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import Field, StrictInt, StrictStr

from shared.errors import BadRequest
from shared.platforms.base import USUAL_BODY
from shared.platforms.bodies import is_genuine, parse_signed, read_or_noted, require, validate
from shared.platforms.linked_files import LinkedFiles
from shared.platforms.no_customers import NoCustomers
from shared.schemas.base import JsonObject, Theirs
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
# where a body has the fields of a context: object by object; `bisnis` is the business
_IN_CONTEXT: Mapping[tuple[str, ...], Mapping[str, str]] = {
    (): {"label": "conversation_label"},
    ("message", "channel"): {
        "channel_id": "id",
        "channel_name": "name",
        "channel_engine": "engine",
    },
    ("message", "bisnis"): {"business_id": "id", "business_name": "name"},
    ("message", "user"): {"user_id": "id", "user_name": "name"},
    ("message",): {"sender_name": "sender_name"},
}
_NEED_HUMAN = {0: False, 1: True, "0": False, "1": True, "false": False, "true": True}


class _Envelope(Theirs):
    conversation_id: StrictStr | StrictInt = Field(alias="conversation_id")


@frozen
class _Report:
    """A webhook body.

    Only the conversation is required; other fields may be missing or hold a placeholder.
    """

    body: JsonObject
    native: str
    event: str

    def get(self, *path: str) -> Any:
        value: Any = self.body
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def text(self, *path: str) -> str | None:
        value = self.get(*path)
        return value if isinstance(value, str) and value else None

    @property
    def need_human(self) -> bool | None:
        flag = self.get("need_human")
        return (
            _NEED_HUMAN.get(flag.lower() if isinstance(flag, str) else flag)
            if isinstance(flag, str | int)
            else None
        )

    @property
    def message_id(self) -> str:
        found = self.get("message", "id")
        return (
            str(found)
            if isinstance(found, str | int) and found != ""
            else sha256(repr(sorted(self.body.items())))
        )

    def common(self) -> dict[str, Any]:
        """Returns the fields that every event has.

        The id contains the event's name, because one message may be reported by several events.
        """
        return {
            "id": f"{self.event}:{self.message_id}",
            "source": conversation_id(NAME, self.native),
            "address": self.native,
            "actor": f"platform:{NAME}",
            "occurred_at": time_or_none(self.get("timestamp")),
            "context": self.context(),
        }

    def context(self) -> PlatformContext | None:
        """Returns the channel, business and user that the body names, None if it names none."""
        found = dict[str, str | None]()
        for path, names in _IN_CONTEXT.items():
            within = self.get(*path)
            if isinstance(within, dict):
                found |= {field: _name(within.get(key)) for field, key in names.items()}
        return PlatformContext(**found) if any(found.values()) else None

    def unreadable(self, fault: str) -> Unknown:
        return Unknown(**self.common(), name="unreadable", fault=fault)

    def content(self) -> Content:
        """Returns the message.

        Facts are never refused for their content: media becomes a link or its kind, and overlong
        text is split later.
        """
        return Content.of_fact(self.said())

    def said(self) -> str:
        text = self.text("message", "content", "text") or self.text("message", "content", "caption")
        attachment = self.attachment()
        shown = [attachment.link or f"[{attachment.kind}]"] if attachment else []
        return "\n".join(filter(None, [text, *shown])) or "[empty]"

    def attachment(self) -> Attachment | None:
        """Returns the file of a message, None if it is a text. The names of its fields are not
        known, so its link is the first one.
        """
        content = self.get("message", "content")
        parts = content.values() if isinstance(content, dict) else ()
        kind = self.text("message", "content", "type") or "text"
        links = (
            one for one in parts if isinstance(one, str) and one.startswith(("https://", "http://"))
        )
        return None if kind == "text" else Attachment(kind=kind, link=next(links, None))

    def speaker(self, kind: RepresentativeType, role: str) -> Representative:
        name = self.text("message", role, "name") or self.text("message", "sender_name")
        return Representative(
            representative_type=kind, display_name=name and shortened(name, NAME_LIMIT)
        )


def _name(value: object) -> str | None:
    """Returns a text or number, cut to the length of a name; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return shortened(value, NAME_LIMIT) if isinstance(value, str) and value else None


def _customer_spoke(report: _Report) -> list[Event]:
    attachment = report.attachment()
    said = UserMessage(
        **report.common(),
        form={},
        said=report.said(),
        details=Details(attachments=(attachment,)) if attachment else None,
        customer_name=_name(report.get("conversation_label")),
    )
    return [said, *_asks_for_human(report)]


def _agent_spoke(report: _Report) -> list[Event]:
    who = report.speaker(RepresentativeType.HUMAN, "agent")
    return [HumanMessage(**report.common(), representative=who, content=report.content())]


def _ai_spoke(report: _Report) -> list[Event]:
    who = report.speaker(RepresentativeType.BOT, "ai")
    said = BotMessage(
        **report.common(),
        representative=who,
        content=report.content(),
        human_needed=report.need_human,
    )
    return [said, *_asks_for_human(report)]


def _asks_for_human(report: _Report) -> list[Event]:
    if not report.need_human:
        return []
    return [HumanRequested(**report.common(), reason="CSKU AI says that a human is needed")]


_EVENTS: Mapping[str, Callable[[_Report], list[Event]]] = {
    "channel.message_in": _customer_spoke,
    "agent.message_out": _agent_spoke,
    "ai.message_generated": _ai_spoke,
}


def _reported(raw: bytes) -> list[Event]:
    body = parse_signed(raw)
    if not isinstance(body.get("event"), str):
        raise BadRequest("schema", "event: must be a string.", field="event")
    if body.get("message") is None and body.get("conversation_id") is None:
        return []  # the test request of their troubleshooting page
    report = _report(body)
    read = _EVENTS.get(report.event) if isinstance(body.get("message"), dict) else None
    return read(report) if read else [Unknown(**report.common(), name=report.event)]


def _report(body: JsonObject) -> _Report:
    native = str(validate(_Envelope, body).conversation_id)
    if not native:
        raise BadRequest("schema", "conversation_id: must not be empty.", field="conversation_id")
    event = body.get("event")
    return _Report(body, native, event if isinstance(event, str) else "unreadable")


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
