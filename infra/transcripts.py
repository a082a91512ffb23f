"""What was said in a conversation, as lines: who, to whom it counts as, when, and how it ended. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import JsonValue

from shared.schemas.commands import Record, SendEvent, SendMessage
from shared.schemas.conversation import Conversation
from shared.schemas.journal import JournalEntry, Verdict
from shared.schemas.measures import Name
from shared.schemas.variables import Audience

FROM_USER = {"user_message", "suggestion_response", "survey_response", "authentication_response"}
SAID = {"bot_message": "assistant", "human_message": "human_agent"}
HAPPENED = {
    "human_requested", "handoff_failed", "unclaimed_timeout", "human_idle_timeout", "virtual_agent_joined",
    "virtual_agent_left", "link", "unlink",
}  # fmt: skip
TAKEN = {Verdict.ACCEPTED, Verdict.STALE}
FRAMES = {"REPRESENTATIVE_JOINED": "joined", "REPRESENTATIVE_LEFT": "left"}
MEASURED_FRAMES = {Name.FRAME: "joined", Name.HANDLING: "left"}
SHORTEST_HIDDEN = 3  # characters; a shorter value would mask half of what was said


@dataclass(frozen=True, slots=True)
class Line:
    """A message (`role` user, assistant or human_agent) or, with role None, an event.

    `reason` is why it happened, or why it was not said (like `outside-window`).
    """

    time: datetime
    kind: str
    outcome: str
    role: str | None = None
    name: str | None = None
    text: str | None = None
    reason: str | None = None


def lines(entry: JournalEntry) -> Iterator[Line]:
    """Yields what an entry adds to the transcript; a duplicate's record, a refusal or an echo adds nothing."""
    if entry.verdict not in TAKEN and entry.verdict is not Verdict.SUPPRESSED:
        return
    if entry.kind in HAPPENED:
        yield Line(entry.time, entry.kind, entry.outcome, reason=entry.reason)
    said = list(_said(entry))
    frames = list(_frames(entry))
    yield from (one for one in frames if one.kind == "joined")
    yield from said
    yield from (one for one in frames if one.kind == "left")
    yield from _notices(entry)


def _said(entry: JournalEntry) -> Iterator[Line]:
    role = "user" if entry.kind in FROM_USER else SAID.get(entry.kind)
    if role is None or entry.text is None:
        return
    name = entry.representative.display_name if entry.representative else None
    outcome = "suppressed" if entry.verdict is Verdict.SUPPRESSED else entry.outcome
    yield Line(entry.time, entry.kind, outcome, role, name, entry.text, entry.reason)


def _frames(entry: JournalEntry) -> Iterator[Line]:
    """Yields who joined and left: as the customer was told, or where another platform tells, as it was counted."""
    told = [command for command in entry.commands if isinstance(command, SendEvent)]
    for command in told:
        name = command.representative.display_name
        yield Line(entry.time, FRAMES[command.event_type], command.state.value, name=name, reason=entry.reason)
    records = (command for command in entry.commands if isinstance(command, Record) and not told)
    for measure in (measure for record in records for measure in record.measures if measure.name in MEASURED_FRAMES):
        kind = MEASURED_FRAMES[measure.name]
        yield Line(entry.time, kind, "done", name=measure.agent or None, reason=entry.reason)


def _notices(entry: JournalEntry) -> Iterator[Line]:
    """Yields what Baton itself told the customer."""
    if entry.kind in SAID:
        return
    for command in entry.commands:
        if isinstance(command, SendMessage):
            name, text = command.representative.display_name, command.content.summary
            yield Line(entry.time, "notice", command.state.value, "assistant", name, text)


_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.])(?:\+|00)?\(?\d(?:[ ./()-]{0,2}\d){6,14}(?!\w)")


@dataclass(frozen=True, slots=True)
class Mask:
    """Masks e-mail addresses, phone numbers (and what looks like one) and the values of hidden variables."""

    hidden: Sequence[str] = ()

    @classmethod
    def of(cls, conversation: Conversation) -> "Mask":
        """What the agent may not see, a reader of the transcript may not see either."""
        hidden = (one.value for one in conversation.variables if Audience.AGENT not in one.audiences)
        values = {leaf for value in hidden for leaf in _leaves(value) if len(leaf) >= SHORTEST_HIDDEN}
        return cls(sorted(values, key=len, reverse=True))

    def line(self, line: Line) -> Line:
        return replace(line, text=self.text(line.text), reason=self.text(line.reason))

    def text(self, text: str | None) -> str | None:
        if text is None:
            return None
        for value in self.hidden:
            text = re.sub(re.escape(value), "[hidden]", text, flags=re.IGNORECASE)
        return _PHONE.sub("[phone]", _MAIL.sub("[e-mail]", text))


def _leaves(value: JsonValue) -> Iterator[str]:
    """Returns the words and numbers of a value; a truth or a nothing tells nobody anything."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
