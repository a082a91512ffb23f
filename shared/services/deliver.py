"""Delivery: fire what is due, then work the outbox, its lanes side by side, each strictly in order.

The outbox is the conversation's pending journal entries in sequence. A lane walks them all; where a command fails for
now the lane stops, and what is behind it waits. An entry is written back once, when every lane is past it. Whoever
else delivers at the same time does no harm: the platform knows the ids, and outcomes are merged, never sent again.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime

from shared.errors import BatonError
from shared.ports import Ports
from shared.schemas.commands import CallDesk, Command, Lane, Record, SendEvent, SendMessage, State, TellTeam, ToCustomer
from shared.schemas.conversation import Conversation
from shared.schemas.events import Event
from shared.schemas.ids import platform_of
from shared.schemas.own_events import ChatIdleTimeout, HumanIdleTimeout, JoinedLost, UnclaimedTimeout
from shared.schemas.times import format_time
from shared.services.apply import apply
from shared.services.attempt import Attempt, attempt, end, is_joined, tell_the_team
from shared.services.desk import call_desk
from shared.services.erase import finish_erase
from shared.services.in_flight import is_lost, lost, mark
from shared.services.outcomes import Work, record

PAGE = 50
_TIMEOUTS = {"unclaimed": UnclaimedTimeout, "idle": HumanIdleTimeout, "chat": ChatIdleTimeout}
_Track = tuple[Lane, str]  # of one customer's channels, and of their handoffs, none waits for another


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
    return _TIMEOUTS[timer.kind](
        id=f"{timer.armed}:{timer.n}:{format_time(timer.due_at)}",
        source=conversation.id,
        actor="timer",
        armed=timer.armed,
        n=timer.n,
    )


class Drain:
    """One pass over what is pending, page by page, until every lane stands or nothing is left."""

    def __init__(self, ports: Ports, conversation: str) -> None:
        self._ports = ports
        self._conversation = conversation
        self._page: list[Work] = []
        self._broken: dict[str, Work] = {}
        self._stands: set[_Track] = set()
        self._is_over = False
        self.failed = self.added = False
        self.next_try: datetime | None = None

    def restart(self) -> None:
        """Lets another run look at the commands that this one added."""
        self._stands = set()
        self._broken = {}

    async def run(self) -> None:
        after, more = 0, True
        while more and not self._is_over and len({lane for lane, _ in self._stands}) < len(Lane):
            entries = await self._ports.store.pending(self._conversation, after, PAGE)
            self._page = [Work(entry) for entry in entries]
            self._find_broken_frames()
            await self._work_every_lane()
            more = len(entries) == PAGE
            after = entries[-1].value.seq if entries else after

    async def _work_every_lane(self) -> None:
        """Where one lane ends in an error, the others still end as they would, and what they did is recorded."""
        results = await asyncio.gather(*map(self._walk, Lane), return_exceptions=True)
        faults = [result for result in results if isinstance(result, BaseException)]
        if faults:
            for work in self._page:
                if work.done and work.passed < len(Lane):
                    with contextlib.suppress(BatonError):
                        await record(self._ports, work)
            raise faults[0]

    def _find_broken_frames(self) -> None:
        for work in self._page:
            broken = (command for command in work.entry.value.commands if command.state is State.BROKEN)
            self._broken.update((command.id, work) for command in broken)

    async def _walk(self, lane: Lane) -> None:
        """Works one lane through the page; it stands where a command must wait, and nothing behind it is tried."""
        for work in self._page:
            for command in work.commands(lane):
                track = lane, command.line
                if not self._is_over and track not in self._stands and not await self._settle(work, command):
                    self._stands.add(track)
            await self._leave_behind(work)

    async def _settle(self, work: Work, command: Command) -> bool:
        """Returns whether the command is settled, so that its lane may go on."""
        if getattr(command, "frame", None) in self._broken:
            self._unframe(work, command)
            return True
        if command.next_look is None or command.next_look <= self._ports.clock.now():
            command = await self._attempt(work, command)
        if command.state is State.PENDING:
            self.next_try = min(filter(None, (self.next_try, command.next_look)), default=None)
        return command.state is not State.PENDING

    async def _attempt(self, work: Work, command: Command) -> Command:
        result = await self._try(work, command)
        if result is None:
            return work.stored(command.id) or command
        work.done[command.id] = result.command
        if is_joined(command) and result.command.state is State.FAILED:
            unseen = JoinedLost(id=command.id, source=self._conversation, actor="delivery", frame=command.id)
            await apply(self._ports, unseen, limit=None)
        if result.added:
            work.added[command.id] = result.added
            self.added = True
        self.failed = self.failed or result.command.state is State.PENDING
        if result.command.state is State.BROKEN:
            await self._hold_back_the_frame(work, command.id)
        elif result.command.token is not None:  # before its deadline, so that nobody takes it for lost
            await record(self._ports, work, counts=False)
        return (result.command.token and work.stored(command.id)) or result.command

    async def _try(self, work: Work, command: Command) -> Attempt | None:
        """Returns None where another delivery has the command in hand."""
        if isinstance(command, CallDesk):
            return await call_desk(self._ports, work, command)
        if self._recognises_ids(command):
            return await attempt(self._ports, work.entry.value, command)
        if is_lost(command):
            return end(self._ports, work.entry.value, lost(command))
        mine = await mark(self._ports, work, command)
        return None if mine is None else await attempt(self._ports, work.entry.value, mine)

    def _recognises_ids(self, command: Command) -> bool:
        """Returns whether whoever gets it knows a repetition."""
        if isinstance(command, TellTeam):
            target = self._ports.team.named(command.to)
            return target is None or target.dedupes
        if not isinstance(command, ToCustomer):
            return True
        return self._ports.policy.of(platform_of(command.shown_in(self._conversation))).idempotent_sends

    async def _hold_back_the_frame(self, work: Work, frame: str) -> None:
        """A JOINED counts as broken once the journal says so: another delivery may have brought it through."""
        await record(self._ports, work, counts=False)
        stored = work.stored(frame)
        if stored is not None and stored.state is State.BROKEN:
            self._broken[frame] = work

    def _unframe(self, work: Work, command: Command) -> None:
        """Ends a command whose JOINED never arrived; its LEFT closes the frame, once that is on record itself."""
        ended = work.done[command.id] = command.model_copy(update={"state": State.UNFRAMED})
        if isinstance(ended, SendMessage):
            work.added[command.id] = (tell_the_team(self._ports, work.entry.value, ended),)
            self.added = True
        if isinstance(command, SendEvent) and command.frame in self._broken:
            work.closes.append((self._broken.pop(command.frame), command.frame))

    def _count_later(self, work: Work) -> None:
        """What could not be counted now is tried again, as what could not be sent is."""
        for command in work.done.values():
            if isinstance(command, Record) and command.state is State.PENDING:
                self.failed = True
                self.next_try = min(filter(None, (self.next_try, command.next_look)), default=None)

    async def _leave_behind(self, work: Work) -> None:
        """Writes what the lanes did; only then are the frames closed that other entries opened."""
        work.passed += 1
        if work.passed < len(Lane):
            return
        for opener, frame in work.closes:
            if opener is work:
                work.close(frame)
        if work.done:
            await record(self._ports, work)
            self._count_later(work)
        for opener, frame in work.closes:
            if opener is not work:
                opener.close(frame)
                await record(self._ports, opener)
        if work.done and not work.entry.value.commands:
            self._is_over = True  # the conversation is being erased
