"""The outcomes of a delivery, and how they are written to journal entries beside other deliveries
of the same entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.conversations.contention import until_uncontended
from shared.errors import TooLarge, Unavailable
from shared.logs import log
from shared.measures.counts import counts_of
from shared.outbox.attempt import settled
from shared.outbox.tries import Result, again, is_final, tried_by
from shared.platforms.base import Outcome
from shared.ports import Ports, PreconditionFailed, Snapshot
from shared.schemas.commands import Command, KeepMedia, Publish, Record, State, TellTeam
from shared.schemas.journal import JournalEntry


@dataclass(slots=True)
class Work:
    """An entry in delivery: the outcomes of its commands, the commands that each of them added, and
    the lines that have not passed it.

    `closes` are the broken frames that end here, each with the entry that opened it. `pending` are
    the commands that waited when it was read.
    """

    entry: Snapshot[JournalEntry]
    done: dict[str, Command] = field(default_factory=dict)
    added: dict[str, tuple[Command, ...]] = field(default_factory=dict)
    closes: list[tuple["Work", str]] = field(default_factory=list)
    pending: list[Command] = field(init=False)
    lines: set[str] = field(init=False)
    logged: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.pending = self.entry.value.pending
        self.lines = {command.line for command in self.pending}

    @property
    def moved(self) -> bool:
        """Whether a command ended since the read for which others may have waited."""
        return self.entry.value.guards is not None and len(self.entry.value.pending) < len(
            self.pending
        )

    def stored(self, command: str) -> Command | None:
        return next((c for c in self.entry.value.commands if c.id == command), None)

    def with_command(self, command: Command) -> JournalEntry:
        """Replaces the command in the entry."""
        entry = self.entry.value
        return entry.with_commands(
            tuple(command if one.id == command.id else one for one in entry.commands)
        )

    def close(self, frame: str) -> None:
        """Ends the JOINED of a broken frame; until then the commands of the frame are held back."""
        opener = self.done.get(frame) or self.stored(frame)
        if opener is not None:
            self.done[frame] = opener.model_copy(update={"state": State.FAILED})


async def record(ports: Ports, work: Work, *, counts: bool = True) -> None:
    """Writes outcomes by compare-and-set; on a conflict it merges them into the entry that stands
    now.

    Without `counts` the measures are left for a later write. With them, a measure that cannot be
    counted now is counted later; it never prevents the write of the rest.
    """
    await until_uncontended(lambda: _try_to_record(ports, work, counts))
    _log_outcomes(ports, work)


async def _try_to_record(ports: Ports, work: Work, counts: bool) -> None:
    merged = _merge(work.entry.value, work, counts)
    if vars(merged) == vars(work.entry.value):  # == of models is slow where they differ
        return
    fresh = _fresh(work.entry.value, merged)
    try:
        work.entry = await ports.store.update(Snapshot(merged, work.entry.token), counts_of(fresh))
    except TooLarge as error:
        log(
            "ERROR",
            "the reports cannot take any more of this day",
            conversation=merged.conversation,
        )
        work.done |= {
            one.id: one.model_copy(update={"state": State.FAILED, "error": error.reason})
            for one in fresh
        }
        raise PreconditionFailed from error
    except (PreconditionFailed, Unavailable) as error:
        if isinstance(error, Unavailable) and not fresh:
            raise
        await _look_again(ports, work, fresh, error)


async def _look_again(ports: Ports, work: Work, fresh: Sequence[Record], error: Exception) -> None:
    """Reads the entry after a failed write. Raises PreconditionFailed unless the entry is gone. An
    unchanged entry means that another writer holds the counts.

    If the write whose answer is missing takes effect later, the next write finds that the entry has
    changed.
    """
    current = await ports.store.entry(work.entry.value.conversation, work.entry.value.id)
    if current is None:
        return
    if current.token == work.entry.token:
        work.done |= {one.id: _put_off(ports, work.entry.value, one) for one in fresh}
    work.entry = current
    raise PreconditionFailed from error


def _put_off(ports: Ports, entry: JournalEntry, record: Record) -> Command:
    pending = record.model_copy(update={"state": State.PENDING})
    result = Result(Outcome.TRANSIENT, "the counts are contended", arrived=False)
    tried = tried_by(pending, result)
    return (
        settled(tried, State.FAILED)
        if is_final(ports, entry, tried, result)
        else again(ports, tried).command
    )


def _fresh(before: JournalEntry, merged: JournalEntry) -> list[Record]:
    """Returns the records that this very write would record as counted."""
    known = {command.id for command in before.commands if command.state is State.SENT}
    return [
        c
        for c in merged.commands
        if isinstance(c, Record) and c.state is State.SENT and c.id not in known
    ]


def _merge(entry: JournalEntry, work: Work, counts: bool) -> JournalEntry:
    """Returns the entry with our outcomes, and with the commands that follow from those that
    stand.
    """
    ours = {one.id: one for one in work.done.values() if counts or not isinstance(one, Record)}
    commands = tuple(_later(command, ours.get(command.id)) for command in entry.commands)
    known = {command.id for command in commands}
    over = (State.FAILED, State.UNKNOWN, State.BROKEN, State.UNFRAMED)
    ended = {command.id for command in commands if command.state in over or command.reported}
    added = [
        one
        for cause, follows in work.added.items()
        if cause in ended
        for one in follows
        if one.id not in known
    ]
    return entry.with_commands((*commands, *added))


def _later(stored: Command, ours: Command | None) -> Command:
    """Returns the later of two states of a command. A settled state stays, though a broken frame
    may close; an ambiguous command stays ambiguous.

    A command that another delivery has marked since is for that one to judge, unless it is known to
    be sent.
    """
    if ours is None or stored.state not in (State.PENDING, State.BROKEN):
        return stored
    if stored.state is State.BROKEN and ours.state is State.PENDING:
        return stored
    if stored.token != ours.token and ours.state is not State.SENT:
        return stored
    if stored.reported and not ours.reported:
        ours = ours.model_copy(update={"reported": True})
    if not stored.ambiguous:
        return ours
    state = (
        State.UNKNOWN
        if ours.state is State.FAILED and stored.state is State.PENDING
        else ours.state
    )
    return ours.model_copy(update={"ambiguous": True, "state": state})


def _log_outcomes(ports: Ports, work: Work) -> None:
    """Logs each command once, however often its entry is written. Metrics read both kinds of
    lines.
    """
    # What is published stays in the project, and says nothing about a platform's delay.
    outward = [one for one in work.done.values() if not isinstance(one, Publish | KeepMedia)]
    sent = {one.id for one in outward if one.state is State.SENT} - work.logged
    if sent:
        work.logged |= sent
        delay = (ports.clock.now() - work.entry.value.time).total_seconds()
        log(
            "INFO",
            "delivered",
            conversation=work.entry.value.conversation,
            commands=len(sent),
            delay_seconds=round(max(delay, 0.0), 3),
        )
    for command in work.done.values():
        ended = command.state in (State.FAILED, State.UNKNOWN, State.BROKEN, State.UNFRAMED)
        if ended and command.id not in work.logged:
            work.logged.add(command.id)
            log(
                "ERROR",
                "a delivery failed for good",
                conversation=work.entry.value.conversation,
                command=command.id,
                kind=command.kind,
                target=command.to if isinstance(command, TellTeam) else None,
                state=command.state.value,
                reason=command.error,
            )
