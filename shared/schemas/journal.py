"""The record of one event: what came, what Baton did, how that ended. Also the dedupe record and the outbox."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from shared.schemas.base import JsonObject, Ours
from shared.schemas.commands import Command, Lane, Post, Publish, State
from shared.schemas.representative import Representative
from shared.schemas.sealed import Sealed
from shared.schemas.times import Time
from shared.schemas.variables import Audience


class Verdict(StrEnum):
    """What the machine made of an event."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    ECHO = "echo"
    STALE = "stale"
    SUPPRESSED = "suppressed"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


class Notified(Ours):
    """How telling one target went. `until`: whoever tells it now is given up after this time."""

    target: str
    state: Literal["in-flight", "sent", "unknown", "failed"]
    until: Time | None = None
    attempts: int = 0
    error: str | None = None


class Asked(Ours):
    """How asking the built-in bot went. `until`: whoever asks now is given up after this time.

    `answer` is what the bot said, kept until all that follows from it is accepted.
    """

    bot: str
    state: Literal["in-flight", "answered", "done", "unknown", "failed", "skipped"]
    until: Time | None = None
    answer: JsonObject | None = None
    error: str | None = None


class JournalEntry(Ours):
    """`seq` is the conversation's version that this event made; `nonce` tells our own lost commit from a duplicate.

    `occurred_at` is kept where the conversation may yet be joined to another, on which the event then acts.
    `native_id` is the platform's own id of the event where `event_id` only stands for it; people are not shown it.
    `text` is what was said. `captured_for` are those who may see the variable that the customer's words were captured
    as, None where they were captured as none.
    `form` is what the customer sent, in Business Messages form, while a command has still to tell it. Its words are in
    `text` alone: `words_at` is their place in it, as a payload and a field of it.
    A `marker` stands for another id of an event that has its entry elsewhere; people are not shown it.
    """

    id: str
    conversation: str
    seq: int
    time: Time
    kind: str
    source: str
    verdict: Verdict
    nonce: str
    actor: str | None = None
    reason: str | None = None
    event_id: str | None = None
    native_id: str | None = None
    digest: str | None = None
    text: Sealed[str] | None = None
    captured_for: tuple[Audience, ...] | None = None
    form: Sealed[JsonObject] | None = None
    words_at: tuple[str, str] | None = None
    occurred_at: Time | None = None
    representative: Representative | None = None
    due_at: Time | None = None
    commands: tuple[Command, ...] = ()
    notified: Notified | None = None
    asked: Asked | None = None
    marker: bool = False

    @property
    def pending_seq(self) -> int | None:
        """`seq` while delivery still has to look at this entry, else None."""
        return self.seq if any(c.state in (State.PENDING, State.BROKEN) for c in self.commands) else None

    @property
    def outcome(self) -> str:
        """How it ended: the verdict where there was nothing to do, else the worst state of its commands."""
        if self.notified is not None:
            return self.notified.state
        if self.asked is not None:
            return self.asked.state
        states = {command.state for command in self.commands}
        for state in (State.PENDING, State.UNKNOWN, State.BROKEN, State.FAILED, State.UNFRAMED):
            if state in states:
                return State.FAILED.value if state is State.BROKEN else state.value
        return "done" if states else self.verdict.value

    def with_commands(self, commands: tuple[Command, ...]) -> "JournalEntry":
        """Returns this entry with these commands, and with when the sweep must look at it next.

        The customer's form is kept only as long as a command has still to tell it.
        """
        kept = {} if any(map(_tells_the_form, commands)) else {"form": None, "words_at": None}
        due_at = _next_due(commands, self.due_at or self.time)
        return self.model_copy(update={"commands": commands, "due_at": due_at, **kept})


def _tells_the_form(command: Command) -> bool:
    return isinstance(command, Publish | Post) and bool(command.readers) and command.state is State.PENDING


def _next_due(commands: tuple[Command, ...], until_tried: datetime | None) -> datetime | None:
    """What waits behind another in its line is not due before that one: else who always fails stays longest due."""
    heads: dict[tuple[Lane, str], Command] = {}
    for command in commands:
        if command.state is State.PENDING:
            heads.setdefault((command.lane, command.line), command)
    return min((due for head in heads.values() if (due := head.next_look or until_tried)), default=None)
