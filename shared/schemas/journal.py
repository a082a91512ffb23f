"""The record of one event: what came, what Baton did, how that ended. Also the dedupe record and the outbox."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from shared.schemas.base import Ours
from shared.schemas.commands import Command, Lane, State
from shared.schemas.representative import Representative
from shared.schemas.times import Time


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


class JournalEntry(Ours):
    """`seq` is the conversation's version that this event made; `nonce` tells our own lost commit from a duplicate.

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
    digest: str | None = None
    text: str | None = None
    representative: Representative | None = None
    due_at: Time | None = None
    commands: tuple[Command, ...] = ()
    notified: Notified | None = None
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
        states = {command.state for command in self.commands}
        for state in (State.PENDING, State.UNKNOWN, State.BROKEN, State.FAILED, State.UNFRAMED):
            if state in states:
                return State.FAILED.value if state is State.BROKEN else state.value
        return "done" if states else self.verdict.value

    def with_commands(self, commands: tuple[Command, ...]) -> "JournalEntry":
        """Returns this entry with these commands, and with when the sweep must look at it next."""
        return self.model_copy(update={"commands": commands, "due_at": _next_due(commands, self.due_at or self.time)})


def _next_due(commands: tuple[Command, ...], until_tried: datetime | None) -> datetime | None:
    """What waits behind another in its lane is not due before that one: else who always fails stays longest due."""
    heads: dict[Lane, Command] = {}
    for command in commands:
        if command.state is State.PENDING:
            heads.setdefault(command.lane, command)
    return min((due for head in heads.values() if (due := head.retry_at or until_tried)), default=None)
