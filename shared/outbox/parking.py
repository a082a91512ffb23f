"""A command that waits behind an earlier entry's command is not due: otherwise each sweep would
read it, and wake the conversation without effect.

An entry whose commands all wait has no `due_at`. The entries before it guard it: the write that
removes its `due_at` also marks them. So a delivery that ends one of their commands knows of it, or
finds that the entry has changed. A guarding entry stays due after its own commands have ended,
until a pass that began later finds no entry behind it that is ready. So a crash at any point leaves
something due as long as there is work.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.errors import BatonError
from shared.outbox.record import Work
from shared.ports import Ports, PreconditionFailed, Snapshot
from shared.schemas.journal import JournalEntry

TOGETHER = 8  # entries in one write: an entry takes 1 MB at most, a write 10 MB


@dataclass(slots=True, eq=False)
class _Place:
    """The place of an entry: the lines in which it waits, and the places before it."""

    work: Work
    lines: set[str] = field(default_factory=set)
    behind: list["_Place"] = field(default_factory=list)
    guards: int | None = None

    @property
    def entry(self) -> JournalEntry:
        return self.work.entry.value

    @property
    def after(self) -> JournalEntry:
        """The entry in its new state. An entry that moved in this pass is left to a later pass."""
        guards = max(filter(None, (self.entry.guards, self.guards)), default=None)
        due = self.entry.due_at if self.work.moved else self.entry.due_behind(self.lines)
        return self.entry.model_copy(update={"guards": guards, "due_at": due})


async def park(ports: Ports, works: Sequence[Work]) -> None:
    """Makes waiting entries not due, and ends guards that are over. Best effort: a later pass does
    the rest.
    """
    places = _places(works)
    waiting = [place for place in places if place.lines and place.after != place.entry]
    with contextlib.suppress(PreconditionFailed, BatonError):
        for some in (waiting[n : n + TOGETHER] for n in range(0, len(waiting), TOGETHER)):
            heads = dict.fromkeys(
                head for place in some for head in place.behind if head not in some
            )
            await _write(ports, [*heads, *some])
        for place in places:
            if place.after != place.entry:
                await _write(ports, [place])
        for work in works:
            if not work.pending and work.entry.value.guards is not None:
                freed = work.entry.value.model_copy(update={"guards": None, "due_at": None})
                work.entry = await ports.store.update(Snapshot(freed, work.entry.token))


def _places(works: Sequence[Work]) -> list[_Place]:
    """Returns the places of the entries with pending commands, in sequence."""
    places, heads = (
        [_Place(work) for work in works if work.entry.value.pending],
        dict[str, _Place](),
    )
    for place in places:
        for line in {command.line for command in place.entry.pending}:
            head = heads.setdefault(line, place)
            if head is not place:
                place.lines.add(line)
                place.behind.append(head)
                head.guards = place.entry.seq
    return places


async def _write(ports: Ports, places: Sequence[_Place]) -> None:
    changes = [Snapshot(place.after, place.work.entry.token) for place in places]
    written = await ports.store.update_together(changes)
    for place, entry in zip(places, written, strict=True):
        place.work.entry = entry
