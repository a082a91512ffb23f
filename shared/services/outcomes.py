"""What a delivery made of journal entries, and how it is written back beside others who deliver the same."""

from dataclasses import dataclass, field

from shared.logs import log
from shared.ports import Ports, PreconditionFailed, Snapshot
from shared.schemas.commands import Command, Lane, State
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
        work.entry = await ports.store.update(Snapshot(merged, work.entry.token))
    except PreconditionFailed:
        current = await ports.store.entry(work.entry.value.conversation, work.entry.value.id)
        if current is not None:
            work.entry = current
            raise


def _merge(entry: JournalEntry, work: Work) -> JournalEntry:
    """Returns the entry with our outcomes, and with what follows from those that stand."""
    commands = tuple(_later(command, work.done.get(command.id)) for command in entry.commands)
    known = {command.id for command in commands}
    ended = {command.id for command in commands if command.state in (State.FAILED, State.UNKNOWN, State.BROKEN)}
    added = [one for cause, follows in work.added.items() if cause in ended for one in follows if one.id not in known]
    return entry.with_commands((*commands, *added))


def _later(stored: Command, ours: Command | None) -> Command:
    """What is settled stays settled; a broken frame may still close; what once was unsure stays so."""
    if ours is None or stored.state not in (State.PENDING, State.BROKEN):
        return stored
    if stored.state is State.BROKEN and ours.state is State.PENDING:
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
