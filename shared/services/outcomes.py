"""What a delivery made of journal entries, and how it is written back beside others who deliver the same."""

from dataclasses import dataclass, field

from shared.errors import TooLarge
from shared.logs import log
from shared.ports import Ports, PreconditionFailed, Snapshot
from shared.reports.counts import counts_of
from shared.schemas.commands import Command, Lane, Record, State
from shared.schemas.journal import JournalEntry
from shared.services.retry import until_uncontended


@dataclass(slots=True)
class Work:
    """An entry on its way: what its commands came to, what each of them added, how many lanes are past it.

    `closes` are the broken frames that end here, each with the entry that opened it.
    """

    entry: Snapshot[JournalEntry]
    done: dict[str, Command] = field(default_factory=dict)
    added: dict[str, tuple[Command, ...]] = field(default_factory=dict)
    closes: list[tuple["Work", str]] = field(default_factory=list)
    passed: int = 0

    def commands(self, lane: Lane) -> list[Command]:
        return [c for c in self.entry.value.commands if c.lane is lane and c.state is State.PENDING]

    def stored(self, command: str) -> Command | None:
        return next((c for c in self.entry.value.commands if c.id == command), None)

    def with_command(self, command: Command) -> JournalEntry:
        """Returns the entry with this command in the place of its own."""
        entry = self.entry.value
        return entry.with_commands(tuple(command if one.id == command.id else one for one in entry.commands))

    def close(self, frame: str) -> None:
        """Ends the JOINED of a broken frame; until then whatever follows in it is held back."""
        opener = self.done.get(frame) or self.stored(frame)
        if opener is not None:
            self.done[frame] = opener.model_copy(update={"state": State.FAILED})


async def record(ports: Ports, work: Work) -> None:
    """Writes outcomes by compare-and-set; on a conflict they are merged into what stands there now."""
    await until_uncontended(lambda: _try_to_record(ports, work))
    _log_outcomes(work)


async def _try_to_record(ports: Ports, work: Work) -> None:
    merged = _merge(work.entry.value, work)
    if merged == work.entry.value:
        return
    try:
        work.entry = await _write(ports, work.entry, merged)
    except PreconditionFailed:
        current = await ports.store.entry(work.entry.value.conversation, work.entry.value.id)
        if current is not None:
            work.entry = current
            raise


async def _write(ports: Ports, before: Snapshot[JournalEntry], merged: JournalEntry) -> Snapshot[JournalEntry]:
    """Counts what this very write records as counted; reports that are full must not hold up what was delivered."""
    known = {command.id for command in before.value.commands if command.state is State.SENT}
    fresh = [c for c in merged.commands if isinstance(c, Record) and c.state is State.SENT and c.id not in known]
    try:
        return await ports.store.update(Snapshot(merged, before.token), counts_of(fresh))
    except TooLarge as error:
        log("ERROR", "the reports cannot take any more of this day", conversation=merged.conversation)
        failed = {record.id: record.model_copy(update=_failed(error)) for record in fresh}
        uncounted = merged.with_commands(tuple(failed.get(command.id, command) for command in merged.commands))
        return await ports.store.update(Snapshot(uncounted, before.token))


def _failed(error: TooLarge) -> dict[str, object]:
    return {"state": State.FAILED, "error": error.reason}


def _merge(entry: JournalEntry, work: Work) -> JournalEntry:
    """Returns the entry with our outcomes, and with what follows from those that stand."""
    commands = tuple(_later(command, work.done.get(command.id)) for command in entry.commands)
    known = {command.id for command in commands}
    over = (State.FAILED, State.UNKNOWN, State.BROKEN, State.UNFRAMED)
    ended = {command.id for command in commands if command.state in over}
    added = [one for cause, follows in work.added.items() if cause in ended for one in follows if one.id not in known]
    return entry.with_commands((*commands, *added))


def _later(stored: Command, ours: Command | None) -> Command:
    """What is settled stays settled; a broken frame may still close; what once was unsure stays so.

    A command that another delivery has marked since is that one's to judge, unless it is known to have been sent.
    """
    if ours is None or stored.state not in (State.PENDING, State.BROKEN):
        return stored
    if stored.state is State.BROKEN and ours.state is State.PENDING:
        return stored
    if stored.token != ours.token and ours.state is not State.SENT:
        return stored
    if not stored.ambiguous:
        return ours
    state = State.UNKNOWN if ours.state is State.FAILED and stored.state is State.PENDING else ours.state
    return ours.model_copy(update={"ambiguous": True, "state": state})


def _log_outcomes(work: Work) -> None:
    for command in work.done.values():
        if command.state in (State.FAILED, State.UNKNOWN, State.BROKEN, State.UNFRAMED):
            log(
                "ERROR",
                "a delivery failed for good",
                conversation=work.entry.value.conversation,
                command=command.id,
                kind=command.kind,
                state=command.state.value,
                reason=command.error,
            )
