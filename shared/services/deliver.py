"""Delivery: fire what is due, then work the outbox, two lanes side by side, each strictly in order.

The outbox is the conversation's pending journal entries in sequence. A lane walks them all; where a command fails for
now the lane stops, and what is behind it waits. An entry is written back once, when both lanes are past it. Whoever
else delivers at the same time does no harm: the platform knows the ids, and outcomes are merged, never sent again.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from shared.logs import log
from shared.ports import Ports, PreconditionFailed, Snapshot
from shared.schemas.commands import Command, Lane, SendEvent, State
from shared.schemas.conversation import Conversation
from shared.schemas.events import Event, HumanIdleTimeout, UnclaimedTimeout
from shared.schemas.journal import JournalEntry
from shared.services.apply import apply
from shared.services.attempt import Attempt, attempt
from shared.services.erase import finish_erase
from shared.services.retry import until_uncontended

PAGE = 50


@dataclass(frozen=True, slots=True)
class Delivered:
    """How a delivery ended: whether something failed for now, and when the next try is due, if one is."""

    failed: bool
    next_try: datetime | None


async def deliver(ports: Ports, conversation: str, *, timers: bool = False) -> Delivered:
    """Returns when nothing more can be done now. Raises Unavailable."""
    if timers:
        await fire_timers(ports, conversation)
    drain = Drain(ports, conversation)
    await drain.run()
    if drain.added:
        drain.restart()
        await drain.run()
    return Delivered(drain.failed, drain.next_try)


async def fire_timers(ports: Ports, conversation: str) -> None:
    """Takes every timer that is due as an event, and goes on with an erase that was interrupted."""
    snapshot = await ports.store.load(conversation)
    while snapshot is not None and (event := _due(snapshot.value, ports)) is not None:
        if (await apply(ports, event, limit=None)).duplicate is not None:
            break
        snapshot = await ports.store.load(conversation)
    if snapshot is not None and snapshot.value.erasing:
        await finish_erase(ports, snapshot.value)


def _due(conversation: Conversation, ports: Ports) -> Event | None:
    timer = conversation.timer
    if timer is None or timer.due_at > ports.clock.now():
        return None
    kind = UnclaimedTimeout if timer.kind == "unclaimed" else HumanIdleTimeout
    return kind(
        id=f"{timer.armed}:{timer.n}",
        source=conversation.id,
        actor="timer",
        armed=timer.armed,
        n=timer.n,
    )


@dataclass(slots=True)
class _Work:
    """An entry on its way: what each of its commands came to, what was added, and how many lanes are past it."""

    entry: Snapshot[JournalEntry]
    done: dict[str, Command] = field(default_factory=dict)
    added: list[Command] = field(default_factory=list)
    passed: int = 0

    def commands(self, lane: Lane) -> list[Command]:
        return [c for c in self.entry.value.commands if c.lane is lane and c.state is State.PENDING]


class Drain:
    """One pass over what is pending, page by page, until both lanes stand or nothing is left."""

    def __init__(self, ports: Ports, conversation: str) -> None:
        self._ports = ports
        self._conversation = conversation
        self._page: list[_Work] = []
        self._broken: dict[str, _Work] = {}
        self._stands: set[Lane] = set()
        self.failed = self.added = False
        self.next_try: datetime | None = None

    def restart(self) -> None:
        """Lets another run look at the commands that this one added."""
        self._stands = set()
        self._broken = {}

    async def run(self) -> None:
        after, more = 0, True
        while more and len(self._stands) < len(Lane):
            entries = await self._ports.store.pending(self._conversation, after, PAGE)
            self._page = [_Work(entry) for entry in entries]
            self._find_broken_frames()
            await asyncio.gather(*map(self._walk, Lane))
            more = len(entries) == PAGE
            after = entries[-1].value.seq if entries else after

    def _find_broken_frames(self) -> None:
        for work in self._page:
            broken = (command for command in work.entry.value.commands if command.state is State.BROKEN)
            self._broken.update((command.id, work) for command in broken)

    async def _walk(self, lane: Lane) -> None:
        """Works one lane through the page; it stands where a command must wait, and nothing behind it is tried."""
        for work in self._page:
            for command in work.commands(lane):
                if lane not in self._stands and not await self._settle(work, command):
                    self._stands.add(lane)
            await self._leave_behind(work)

    async def _settle(self, work: _Work, command: Command) -> bool:
        """Returns whether the command is settled, so that its lane may go on."""
        if getattr(command, "frame", None) in self._broken:
            await self._unframe(work, command)
            return True
        if command.retry_at is None or command.retry_at <= self._ports.clock.now():
            result = await attempt(self._ports, work.entry.value, command)
            self._note(work, result)
            command = result.command
        if command.state is State.PENDING:
            self.next_try = min(filter(None, (self.next_try, command.retry_at)), default=None)
        return command.state is not State.PENDING

    def _note(self, work: _Work, result: Attempt) -> None:
        command = result.command
        work.done[command.id] = command
        work.added += result.added
        self.added = self.added or bool(result.added)
        self.failed = self.failed or command.state is State.PENDING
        if command.state is State.BROKEN:
            self._broken[command.id] = work

    async def _unframe(self, work: _Work, command: Command) -> None:
        """Ends a command whose JOINED never arrived; its LEFT closes the frame."""
        work.done[command.id] = command.model_copy(update={"state": State.UNFRAMED})
        if isinstance(command, SendEvent) and command.frame in self._broken:
            opener = self._broken.pop(command.frame)
            opener.done[command.frame] = next(
                c.model_copy(update={"state": State.FAILED})
                for c in (*opener.done.values(), *opener.entry.value.commands)
                if c.id == command.frame
            )
            if opener.passed == len(Lane):
                await _record(self._ports, opener)

    async def _leave_behind(self, work: _Work) -> None:
        work.passed += 1
        if work.passed == len(Lane) and work.done:
            await _record(self._ports, work)


async def _record(ports: Ports, work: _Work) -> None:
    """Writes outcomes by compare-and-set; on a conflict they are merged into what stands there now."""
    await until_uncontended(lambda: _try_to_record(ports, work))
    _log_outcomes(work)


async def _try_to_record(ports: Ports, work: _Work) -> None:
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


def _merge(entry: JournalEntry, work: _Work) -> JournalEntry:
    known = {command.id for command in entry.commands}
    commands = tuple(_later(command, work.done.get(command.id)) for command in entry.commands)
    added = tuple(command for command in work.added if command.id not in known and entry.commands)
    return entry.with_commands((*commands, *added))


def _later(stored: Command, ours: Command | None) -> Command:
    """What is settled stays settled; a broken frame may still close."""
    if ours is None or stored.state not in (State.PENDING, State.BROKEN):
        return stored
    return stored if stored.state is State.BROKEN and ours.state is State.PENDING else ours


def _log_outcomes(work: _Work) -> None:
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
