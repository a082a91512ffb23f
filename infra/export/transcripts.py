"""The lines of a transcript: who spoke, as which role, when, and what became of it. Pure.

A transcript is for readers who may read what human agents may read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from shared.handoff.visibility import attachments_of, plain_text_for
from shared.media_links import MediaName
from shared.schemas.commands import Command, Record, SendEvent, SendMessage, State, ToCustomer
from shared.schemas.details import Attachment
from shared.schemas.journal import JournalEntry, Verdict
from shared.schemas.measures import Name
from shared.schemas.variables import Audience

FROM_USER = {
    "user_message", "suggestion_response", "survey_response", "authentication_response",
    "reaction", "call_permission", "edited", "revoked",
}  # fmt: skip
SAID = {
    "bot_message": "assistant",
    "overheard": "assistant",
    "human_message": "human_agent",
}
HAPPENED = {
    "human_requested", "handoff_failed", "unclaimed_timeout", "human_idle_timeout",
    "virtual_agent_joined",
    "virtual_agent_left", "link", "unlink", "floor_moved",
}  # fmt: skip
TAKEN = {Verdict.ACCEPTED, Verdict.STALE}
FRAMES = {"REPRESENTATIVE_JOINED": "joined", "REPRESENTATIVE_LEFT": "left"}
MEASURED_FRAMES = {Name.FRAME: "joined", Name.HANDLING: "left"}
NOT_SHOWN = {State.FAILED, State.UNKNOWN, State.BROKEN}


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file of a message. `reporter` is the conversation that reported the message. `saved` is
    where the export has saved it.
    """

    name: MediaName
    reporter: str
    file: Attachment
    saved: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A message (`role` user, assistant or human_agent) or, with role None, an event.

    `reason` is why it happened, or why it was not delivered (like `outside-window`). `captured_for`
    is as in JournalEntry.
    """

    time: datetime
    kind: str
    outcome: str
    role: str | None = None
    name: str | None = None
    text: str | None = None
    reason: str | None = None
    captured_for: tuple[Audience, ...] | None = None
    files: tuple[NamedFile, ...] = ()


def lines(entry: JournalEntry) -> Iterator[Line]:
    """Yields the lines that an entry adds. Records of duplicates, refusals and echoes add none."""
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
    role, said = (
        "user" if entry.kind in FROM_USER else SAID.get(entry.kind),
        plain_text_for(Audience.AGENT, entry),
    )
    if role is None or said is None:
        return
    name = entry.representative.display_name if entry.representative else None
    outcome = "suppressed" if entry.verdict is Verdict.SUPPRESSED else entry.outcome
    reason = entry.reason or _fault(entry.commands)
    files = tuple(
        NamedFile(MediaName(entry.conversation, entry.id, index), entry.source, file)
        for index, file in enumerate(attachments_of(entry))
    )
    for_whom = entry.captured_for
    yield Line(entry.time, entry.kind, outcome, role, name, said, reason, for_whom, files)


def _frames(entry: JournalEntry) -> Iterator[Line]:
    """Yields who joined and left: as the customer was shown, or as it was counted where another
    platform shows it.
    """
    told = [command for command in entry.commands if isinstance(command, SendEvent)]
    for command in told:
        name = command.representative.display_name
        reason = entry.reason or _fault([command])
        yield Line(
            entry.time, FRAMES[command.event_type], command.state.value, name=name, reason=reason
        )
    records = (command for command in entry.commands if isinstance(command, Record) and not told)
    for measure in (
        measure
        for record in records
        for measure in record.measures
        if measure.name in MEASURED_FRAMES
    ):
        kind = MEASURED_FRAMES[measure.name]
        yield Line(entry.time, kind, "done", name=measure.agent or None, reason=entry.reason)


def _notices(entry: JournalEntry) -> Iterator[Line]:
    """Yields Baton's own notices to the customer."""
    if entry.kind in SAID:
        return
    for command in entry.commands:
        if isinstance(command, SendMessage):
            name, text = command.representative.display_name, command.content.summary
            yield Line(
                entry.time,
                "notice",
                command.state.value,
                "assistant",
                name,
                text,
                _fault([command]),
            )


def _fault(commands: Iterable[Command]) -> str | None:
    """Returns why the customer was not shown something, None where they were."""
    lost = (one for one in commands if isinstance(one, ToCustomer) and one.state in NOT_SHOWN)
    return next((one.error for one in lost if one.error), None)
