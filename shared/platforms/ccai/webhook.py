"""Converts the CCAI Platform's chat webhook to events. All chats of a tenant share one URL.

https://docs.cloud.google.com/contact-center/ccai-platform/docs/chat-platform-api-guide
Its envelope and most event names are unofficial: see `names.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from shared.platforms.base import Deflected, Ended
from shared.platforms.ccai.names import (
    CREATED,
    FILE,
    KEEP_WAITING,
    NAME,
    OURS,
    Unofficial,
    chat,
    created,
    end_user,
    end_user_by_id,
)
from shared.schemas.base import JsonObject
from shared.schemas.content import Content, File
from shared.schemas.events import (
    BotMessage,
    ChatCreated,
    Event,
    HumanJoined,
    HumanLeft,
    HumanMessage,
    HumanRequested,
    Unknown,
    VirtualAgentJoined,
    VirtualAgentLeft,
)
from shared.schemas.notation import sha256, time_or_none
from shared.schemas.representative import NAME_LIMIT, Representative, RepresentativeType
from shared.schemas.texts import shortened
from shared.schemas.variables import Provenance
from shared.schemas.virtual_agents import VirtualAgentSession, tells_failure
from shared.values import frozen

_NAMES = ("name", "display_name", "full_name", "first_name")
_REASONS = ("reason", "deflection_reason", "deflection", "status")
_OFFERS = ("deflection_channels", "deflection_options", "options")
# Statuses of a chat that is over. `va_dismissed`: the customer left its virtual agent alone.
# https://docs.cloud.google.com/contact-center/ccai-platform/docs/resume-a-chat
_OVER = ("finished", "dismissed", "va_dismissed")


@frozen
class Report:
    """One webhook body.

    `digest` is a hash of its bytes, because no id is documented for events or messages.
    """

    body: JsonObject
    native: str
    name: str
    digest: str

    def get(self, *path: str) -> Any:
        value: Any = self.body
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def common(self) -> dict[str, Any]:
        return {
            "id": f"{self.name}:{self.digest}",
            "source": chat(self.native),
            "address": f"chat-{self.native}",
            "actor": f"platform:{NAME}",
            "occurred_at": time_or_none(self.get("timestamp")),
        }

    def unreadable(self, fault: str) -> Unknown:
        return Unknown(**self.common(), name="unreadable", fault=fault)

    @property
    def sender(self) -> JsonObject:
        """The person whom the event is about. The key differs between events."""
        for path in (("body", "sender"), ("body", "participant"), ("sender",)):
            if isinstance(found := self.get(*path), dict):
                return found
        return {}

    @property
    def by(self) -> str:
        return str(self.sender.get("type"))

    def speaker(self, kind: RepresentativeType) -> Representative:
        return Representative(representative_type=kind, display_name=name_of(self.sender, kind))

    def agent(self) -> dict[str, Any]:
        """Returns the agent who acts, also by their id: two may have one name."""
        number, who = self.sender.get("id"), self.speaker(RepresentativeType.HUMAN)
        return {"representative": who, "native_person": str(number) if is_id(number) else None}

    def content(self) -> Content:
        """Returns the message. Facts are never refused for their content: overlong text is split
        later.
        """
        file = self.file()
        if file is not None:
            return Content(file=file)
        return Content.of_fact(self.said())

    def file(self) -> File | None:
        """Returns the file that an agent has attached, None if its id is not named. The message
        has it where the messages that Baton may send have it.

        Agents attach files of many types, also as photos, and the webhook does not say which. A
        channel refuses those that it does not take, so the customer gets a link.
        """
        message = self.get("body", "message")
        inner = self.get("body", "message", "content")
        holders = [one for one in (inner, message) if isinstance(one, dict)]
        media = next((one for h in holders if is_id(one := h.get("media_id"))), None)
        id = f"{self.native}/{media}"
        if media is None or FILE.fullmatch(id) is None:
            return None
        caption = next((one for one in (h.get("caption") for h in holders) if one), None)
        return File(source_id=id, alt_text=caption if isinstance(caption, str) else None)

    def said(self) -> str:
        """Returns the text, a link, or the kind in brackets."""
        message, kind = self.get("body", "message", "content"), self.get("body", "message", "type")
        if isinstance(message, str) and message:
            return message
        values = message.values() if isinstance(message, dict) else ()
        texts = [one for one in values if isinstance(one, str) and one]
        links = [one for one in texts if one.startswith(("https://", "http://"))]
        return (links or texts or [f"[{kind if isinstance(kind, str) and kind else 'message'}]"])[0]

    @property
    def status(self) -> str | None:
        """The chat's new status, where the body names it."""
        given = [self.get(*path, "status") for path in (("body", "chat"), ("chat",))]
        return next((one for one in given if isinstance(one, str)), None)

    def offer(self) -> str | None:
        """Returns the id of the escalation in which the customer may keep waiting, None where that
        is not offered.
        """
        for path in (("body", "escalation"), ("escalation",), ("body", "deflection"), ("body",)):
            found = self.get(*path)
            if not isinstance(found, dict):
                continue
            offered = next((one for one in map(found.get, _OFFERS) if isinstance(one, list)), [])
            native = found.get("escalation_id", found.get("id"))
            if is_id(native) and KEEP_WAITING in offered:
                return str(native)
        return None

    def why(self) -> str:
        """Returns the reason that the body gives, such as `after_hours` or `over_capacity`."""
        for holder in (
            ("body",),
            ("body", "escalation"),
            ("body", "deflection"),
            ("escalation",),
            (),
        ):
            found = self.get(*holder) if holder else self.body
            reasons = [found.get(one) for one in _REASONS] if isinstance(found, dict) else []
            said = next((one for one in reasons if isinstance(one, str) and one), None)
            if said:
                return shortened(said, 100)
        return "no reason given"


def is_id(value: object) -> bool:
    """Returns whether this is an id, a number or a text."""
    return isinstance(value, int | str) and not isinstance(value, bool) and bool(value)


def name_of(person: Mapping[str, object], kind: RepresentativeType) -> str | None:
    """Returns a person's name.

    An agent without a name is named by number, so that two agents stay distinct.
    """
    name = next(
        (one for one in map(person.get, _NAMES) if isinstance(one, str) and one.strip()), None
    )
    number = person.get("id")
    if name is None and kind is RepresentativeType.HUMAN and isinstance(number, int | str):
        return shortened(f"Agent {number}", NAME_LIMIT)
    return name and shortened(name.strip(), NAME_LIMIT)


def reported(body: JsonObject, raw: bytes, trusted: frozenset[Unofficial]) -> Sequence[Event]:
    """Returns the events of a genuine body, none if it names no chat."""
    report = report_of(body, raw)
    if report is None:
        return []
    needs, read = _reader(report, trusted)
    found = read(report) if needs is None or needs in trusted else None
    return [Unknown(**report.common(), name=report.name)] if found is None else found


def report_of(body: JsonObject, raw: bytes) -> Report | None:
    """Returns the body with its chat, or None if it names no chat."""
    name, native = body.get("event_type"), _chat_of(body)
    if native is None:
        return None
    named = shortened(name, 64) if isinstance(name, str) and name else "unnamed"
    return Report(body, native, named, sha256(raw.decode("latin-1")))


def _chat_of(body: JsonObject) -> str | None:
    inner = body.get("body")
    holders = [body, inner if isinstance(inner, dict) else {}]
    given = [holder.get("chat_id") for holder in holders]
    given += [chat.get("id") for holder in holders if isinstance(chat := holder.get("chat"), dict)]
    return next(
        (
            str(one)
            for one in given
            if isinstance(one, int | str) and not isinstance(one, bool) and one
        ),
        None,
    )


def _created(report: Report) -> list[Event]:
    """Returns the event for the chat, and one for the end user's conversation if the end user is
    known.
    """
    at = report.common() | {"id": created(report.native)}
    theirs = _end_user(report)
    told = (
        [ChatCreated(**{**at, "source": theirs, "address": theirs}, chat=chat(report.native))]
        if theirs
        else []
    )
    return [Unknown(**at, name=CREATED), *told]


def _end_user(report: Report) -> str | None:
    """Returns the end user's conversation by the identifier that Baton chose, else by the
    platform's number.
    """
    paths = (
        ("body", "end_user"),
        ("body", "chat", "end_user"),
        ("end_user",),
        ("chat", "end_user"),
    )
    found = [one for path in paths if isinstance(one := report.get(*path), dict)]
    found += [report.sender] if report.by == "end_user" else []
    names = [one.get("identifier") for one in found]
    ids = [one.get("id") for one in found] + [
        report.get(*path, "end_user_id") for path in (("body",), ("body", "chat"), ())
    ]
    ours = next((one for one in names if isinstance(one, str) and one.startswith(OURS)), None)
    if ours is not None:
        return end_user(ours)
    known = (one for one in ids if isinstance(one, int | str) and not isinstance(one, bool) and one)
    return next(map(end_user_by_id, known), None)


def _message(report: Report) -> list[Event] | None:
    """Returns the events of a message.

    Messages of end users are echoes of what Baton posted for the customer.
    """
    if report.by == "end_user":
        return []
    if report.by == "agent":
        return [HumanMessage(**report.common(), **report.agent(), content=report.content())]
    if report.by == "virtual_agent":
        who = report.speaker(RepresentativeType.BOT)
        return [BotMessage(**report.common(), representative=who, content=report.content())]
    return None


def _joined(report: Report) -> list[Event] | None:
    if report.by == "virtual_agent":
        session = _session(report)
        return [
            VirtualAgentJoined(
                **report.common(),
                name=session.virtual_agent_name,
                session=session,
            )
        ]
    if report.by == "agent":
        return [HumanJoined(**report.common(), **report.agent())]
    return None


def _left(report: Report) -> list[Event] | None:
    if report.by == "virtual_agent":
        session = _session(report)
        return [
            VirtualAgentLeft(
                **report.common(),
                name=session.virtual_agent_name,
                reason=session.finish_reason,
                session=session,
            )
        ]
    if report.by == "agent":
        return [HumanLeft(**report.common(), **report.agent())]
    return None


def _session(report: Report) -> VirtualAgentSession:
    """Returns what the webhook says of the virtual agent's session. The place of `finish_reason`
    is not documented for webhooks.
    """
    places = (report.sender, report.get("body"), report.body)
    found = [one.get("finish_reason") for one in places if isinstance(one, dict)]
    return VirtualAgentSession(
        id=f"chat-{report.native}",
        virtual_agent_name=name_of(report.sender, RepresentativeType.BOT),
        finish_reason=next(
            (shortened(one, 500) for one in found if isinstance(one, str) and one), None
        ),
        provenance=Provenance(signed=True),
    )


def requests_after_failures(events: Sequence[Event]) -> list[HumanRequested]:
    """Returns a request for a human for each virtual agent that left because it failed."""
    return [
        HumanRequested(
            id=f"{event.id}:failed",
            source=event.source,
            address=event.address,
            actor=event.actor,
            occurred_at=event.occurred_at,
            reason=event.reason or "",
        )
        for event in events
        if isinstance(event, VirtualAgentLeft) and tells_failure(event.reason)
    ]


def _ended(report: Report) -> list[Event]:
    """Returns the end of a chat, also by an event that is only known by the chat's new status."""
    ended = report.common() | {"id": f"ended:{report.name}:{report.digest}"}
    dismissed = "dismissed" in report.name or "dismissed" in (report.status or "")
    did = "dismissed" if dismissed else "ended"
    return [Ended(**ended, reason=f"the desk {did} the chat")]


def _deflected(report: Report, trusted: frozenset[Unofficial]) -> list[Event]:
    why = f"the desk turned the chat away: {report.why()}"
    keep = report.offer() if Unofficial.WAITING in trusted else None
    return [Deflected(**report.common(), reason=why, keep=keep)]


_Read = Callable[[Report], list[Event] | None]
_READERS: Mapping[str, tuple[Unofficial, _Read]] = {
    CREATED: (Unofficial.CREATED, _created),
    "message_received": (Unofficial.MESSAGES, _message),
    "participant_joined": (Unofficial.PARTICIPANTS, _joined),
    "participant_left": (Unofficial.PARTICIPANTS, _left),
    "chat_ended": (Unofficial.ENDINGS, _ended),
}


def _reader(report: Report, trusted: frozenset[Unofficial]) -> tuple[Unofficial | None, _Read]:
    """Returns the reader of an event and the fact that it needs.

    The names of deflections and dismissals are not documented, so every name with `deflect` or
    `dismissed` is accepted, and every other event that says that the chat is over.
    """
    if "deflect" in report.name:
        return Unofficial.ENDINGS, partial(_deflected, trusted=trusted)
    if report.name in _READERS:
        return _READERS[report.name]
    if "dismissed" in report.name or report.status in _OVER:
        return Unofficial.ENDINGS, _ended
    return None, lambda _: None
