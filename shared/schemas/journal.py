"""The record of one event: what came, what Baton did, how that ended. Also the dedupe record
and the outbox.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Literal

from shared.schemas.base import JsonObject, Ours
from shared.schemas.commands import Command, Post, Publish, State
from shared.schemas.representative import Representative
from shared.schemas.sealed import Sealed
from shared.schemas.times import Time
from shared.schemas.variables import Audience

_ENDED_BEFORE = "ended:"  # begins the ids of such events; until 0.1.0 it was the only sign


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
    """How telling one target went, in entries of older versions; today that is the state of a
    TellTeam command.
    """

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
    """`seq` is the conversation's version that this event made, and so the order of the journal:
    `time` is by the clock of whichever instance accepted it. What is asked of the built-in bot has
    the `seq` of the words that it answers; of an event through a link the record in the reporting
    conversation has that of the channel. `nonce` tells our own lost commit from a duplicate.

    `occurred_at` is kept where the conversation may yet be joined to another, on which the event
    then acts. `native_id` is the platform's own id of the event where `event_id` only stands for
    it; people are not shown it. `text` is what was said. `captured_for` are those who may see the
    variable that the customer's words were captured as, None where they were captured as none.
    `form` is what the customer sent, in Business Messages form, while a command has still to tell
    it. Its words are in `text` alone: `words_at` is their place in it, as a payload and a field of
    it. A `marker` stands for another id of an event that has its entry elsewhere; people are not
    shown it. `over` is the desk's conversation that has no part in this customer's from this event
    on, if there is one.

    `due_at` is when the sweep must look here. An entry of which all waits behind commands of
    earlier entries has none: those entries `guard` it. `guards` is the last sequence that is
    guarded so. Until a later look has found how what it guards stands, such an entry stays pending
    and due, even if all of its own has ended.
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
    over: str | None = None
    due_at: Time | None = None
    guards: int | None = None
    commands: tuple[Command, ...] = ()
    notified: Notified | None = None
    asked: Asked | None = None
    marker: bool = False

    @property
    def pending_seq(self) -> int | None:
        """`seq` while delivery still has to look at this entry, else None."""
        is_pending = self.guards is not None or any(
            c.state in (State.PENDING, State.BROKEN) for c in self.commands
        )
        return self.seq if is_pending else None

    @property
    def ends_chat(self) -> bool:
        """Whether the event ended a desk's conversation. Entries of versions that had no
        `over` say so by the id of the event.
        """
        return self.over is not None or (self.event_id or "").startswith(_ENDED_BEFORE)

    @property
    def outcome(self) -> str:
        """How it ended: the verdict where there was nothing to do, else the worst state of its
        commands.
        """
        if self.notified is not None:
            return self.notified.state
        if self.asked is not None:
            return self.asked.state
        states = {command.state for command in self.commands}
        for state in (State.PENDING, State.UNKNOWN, State.BROKEN, State.FAILED, State.UNFRAMED):
            if state in states:
                return State.FAILED.value if state is State.BROKEN else state.value
        return "done" if states else self.verdict.value

    @property
    def pending(self) -> list[Command]:
        return [command for command in self.commands if command.state is State.PENDING]

    def with_commands(self, commands: tuple[Command, ...]) -> "JournalEntry":
        """Returns this entry with these commands, and with when the sweep must look at it next.

        One that guards others stays due as soon as something of its own has ended: what it guards
        may go on now. The customer's form is kept only as long as a command has still to tell it.
        """
        kept = {} if any(map(_tells_the_form, commands)) else {"form": None, "words_at": None}
        after = self.model_copy(update={"commands": commands, **kept})
        due = after.due_behind(())
        moved = len(after.pending) < len(self.pending)
        if self.guards is not None and (moved or due is None):
            due = min(filter(None, (due, self.due_at or self.time)))
        return after.model_copy(update={"due_at": due})

    def due_behind(self, lines: Collection[str]) -> datetime | None:
        """Returns when something can be done for it, given the lines in which it waits behind
        earlier entries.

        What waits behind another command is not due before that one: else what always fails stays
        longest due.
        """
        heads: dict[str, Command] = {}
        for command in self.pending:
            heads.setdefault(command.line, command)
        untried = self.due_at or self.time
        return min(
            (head.next_look or untried for line, head in heads.items() if line not in lines),
            default=None,
        )


def _tells_the_form(command: Command) -> bool:
    return (
        isinstance(command, Publish | Post)
        and bool(command.readers)
        and command.state is State.PENDING
    )
