"""One pass over a conversation's outbox: it reads the entries in sequence, and its lines work them
side by side.

A line walks all entries. Where a command fails for now its line stops, and the commands behind it
wait. An entry is written back once, when every line is past it. Where a line hangs, the others go
on with new entries.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.conversations.apply import apply
from shared.delivery.drain_line import DrainLine
from shared.errors import BatonError
from shared.outbox.attempt import attempt, end, is_joined, tell_the_team
from shared.outbox.in_flight import is_lost, lost, mark
from shared.outbox.parking import park
from shared.outbox.record import Work, record
from shared.outbox.tries import Attempt, is_past_patience, put_off
from shared.outbox.unheard import is_about_a_stranger
from shared.ports import Ports
from shared.schemas.commands import (
    CallDesk,
    Command,
    Record,
    SendEvent,
    SendMessage,
    State,
    TellTeam,
    ToCustomer,
)
from shared.schemas.conversation import Capabilities
from shared.schemas.notation import platform_of
from shared.schemas.own_events import JoinedLost, LineEmpty, TemplateLost

PAGE = 50
# how long the other lines wait for one that hangs, before they look for new entries
LOOK_AGAIN_SECONDS = 1.0
LOOK_AGAIN = timedelta(seconds=LOOK_AGAIN_SECONDS)
IN_ANOTHER_HAND = timedelta(seconds=0.2)  # it takes milliseconds, unless that instance died


class Drain:
    """`again`: another pass finds work. `next_try` is the earliest later try; `retry_at` is the
    earliest of those whose target is not down. `seen` is the highest sequence of its entries.
    """

    def __init__(self, ports: Ports, conversation: str) -> None:
        self.ports = ports
        self.conversation = conversation
        self.broken: dict[str, Work] = {}
        self.is_over = False
        self.failed = self.again = False
        self.seen = 0
        self.next_try: datetime | None = None
        self.retry_at: datetime | None = None
        self._waits_for_hand = False
        self._empty = set[str]()
        self._works: list[Work] = []
        self._lines: dict[str, DrainLine] = {}

    async def run(self) -> None:
        """Works the outbox once. Where one line ends in an error, the others end as they would,
        their outcomes are recorded, and the error is raised.
        """
        await self._ended(self._work_every_line())
        if self._empty:
            await self._forget_lines()
        if not self.is_over:
            self.again = self.again or any(work.moved for work in self._works)
            if not self._waits_for_hand:  # whose write would meet a conflict
                await park(self.ports, self._works)

    async def run_in_hand(self, works: Iterable[Work]) -> None:
        """Works entries that this instance has just committed, without reading the outbox. The
        caller leaves in `lines` of each what is to be worked, and knows that nothing older waits
        there.
        """
        self._take_in(works)
        await self._ended(self._work_what_is_taken_in())

    async def _ended(self, working: Awaitable[None]) -> None:
        """Returns once the lines have ended. Records the outcomes and raises the error of a line
        that ended in one.
        """
        try:
            await working
        finally:
            for line in self._lines.values():
                line.cancel()
        faults = [line.fault for line in self._lines.values() if line.fault is not None]
        if faults:
            await self._record_what_is_done()
            raise faults[0]

    async def _work_what_is_taken_in(self) -> None:
        if len(self._lines) == 1:  # as nearly always: no other line waits for its end
            await next(iter(self._lines.values())).run()
            return
        while await self._wait_for_lines():
            await self._record_what_is_done()

    async def _work_every_line(self) -> None:
        after, more = 0, True
        while more and not self.is_over:
            entries = await self.ports.store.pending(self.conversation, after, PAGE)
            works = [Work(entry) for entry in entries]
            self._take_in(works)
            is_busy = await self._wait_for_lines()
            if is_busy:
                await self._record_what_is_done()
            more = len(entries) == PAGE or is_busy
            after = entries[-1].value.seq if entries else after

    def _take_in(self, works: Iterable[Work]) -> None:
        for work in works:
            self._works.append(work)
            self.seen = max(self.seen, work.entry.value.seq)
            broken = (
                command for command in work.entry.value.commands if command.state is State.BROKEN
            )
            self.broken.update((command.id, work) for command in broken)
            for name in work.lines:
                self._lines.setdefault(name, DrainLine(self, name)).add(work)

    async def _wait_for_lines(self) -> bool:
        """Returns whether some line still works."""
        tasks = [task for line in self._lines.values() if (task := line.start()) is not None]
        _, running = await asyncio.wait(tasks, timeout=LOOK_AGAIN_SECONDS) if tasks else (None, ())
        return bool(running)

    async def _record_what_is_done(self) -> None:
        for work in self._works:
            if work.done and work.lines:
                with contextlib.suppress(BatonError):
                    await record(self.ports, work)

    async def waits(self, work: Work) -> bool:
        """Returns whether an outbox must be empty before anything of this entry reaches the
        customer, and is not: that of a conversation which became part of this one. What waits
        there is delivered first.
        """
        for line in work.entry.value.after:
            if line not in self._empty and not await self._is_empty(line):
                self.wait_until(self.ports.clock.now() + LOOK_AGAIN)
                return True
        return False

    async def _is_empty(self, line: str) -> bool:
        if await self.ports.store.pending_count(line):
            await Drain(self.ports, line).run()
            if await self.ports.store.pending_count(line):
                return False
        self._empty.add(line)
        return True

    async def _forget_lines(self) -> None:
        """Notes that outboxes are empty, so that later entries do not ask again."""
        lines = tuple(sorted(self._empty))
        event = LineEmpty(
            id=" ".join(lines),
            source=self.conversation,
            actor="delivery",
            lines=lines,
        )
        await apply(self.ports, event, limit=None)  # this delivery needs no wake-up

    async def settle(self, work: Work, command: Command) -> Attempt:
        """Returns the result of one try of the command; without a try where its target is left
        alone.
        """
        target = command.target(self.conversation)
        if target is None:
            return await self.note(work, command, await self._try(work, command))
        circuit, now = self.ports.circuits.of(target), self.ports.clock.now()
        if not await circuit.takes(now, first_try=command.attempts == 0):
            return await self.note(work, command, put_off(self.ports, work.entry.value, command))
        with circuit.trial(self.conversation, now) as trial:
            tried = await self._try(work, command)
            if tried is not None:
                trial.failed, trial.answered = tried.failed, tried.answered
                trial.unknown_to_it = tried.unknown_to_it
        return await self.note(work, command, tried)

    async def note(self, work: Work, command: Command, tried: Attempt | None) -> Attempt:
        """Keeps the result of a try; None means that another delivery has the command in hand."""
        if tried is None:
            return Attempt(work.stored(command.id) or command)
        after = work.done[command.id] = tried.command
        if is_joined(after) and self._is_lost(work, command, after.state):
            unseen = JoinedLost(
                id=after.id, source=self.conversation, actor="delivery", frame=after.id
            )
            await apply(self.ports, unseen, limit=None)  # this delivery needs no wake-up
        if isinstance(after, SendMessage) and after.reopens and after.state is State.FAILED:
            await self._end_what_waits(after)
        self.add(work, command, tried.added)
        self.failed = self.failed or (tried.failed is True and after.state is State.PENDING)
        if after.state is State.BROKEN:
            await self._hold_back_the_frame(work, after.id)
        elif (
            after.token is not None
        ):  # before its deadline, so that no other delivery takes it for lost
            await record(self.ports, work, counts=False)
            return replace(tried, command=work.stored(after.id) or after, added=())
        return tried

    async def _end_what_waits(self, template: SendMessage) -> None:
        """The customer was not asked to write, so nothing is gained by waiting for it."""
        lost = TemplateLost(
            id=template.id,
            source=self.conversation,
            actor="delivery",
            template=template.id,
            reason=template.error or "refused",
        )
        await apply(self.ports, lost, limit=None)  # this delivery needs no wake-up

    def _is_lost(self, work: Work, joined: Command, state: State) -> bool:
        """Returns whether the customer knows nothing of it: it was refused, or given up without a
        clear answer.
        """
        tried_for = self.ports.clock.now() - (joined.since or work.entry.value.time)
        is_old = tried_for > self.ports.policy.give_up_after or is_past_patience(self.ports, joined)
        return state is State.FAILED or (state is State.UNKNOWN and is_old)

    async def is_about_a_stranger(self, command: Command, unsaid: Collection[str]) -> bool:
        """Returns whether it is the LEFT of a human from whom the customer has seen no message."""
        done = (one for work in self._works for one in work.done.values())
        return await is_about_a_stranger(self.ports, self.conversation, command, done, unsaid)

    def add(self, work: Work, cause: Command, follows: tuple[Command, ...]) -> None:
        if follows:
            work.added[cause.id] = follows
            self.again = True

    async def _try(self, work: Work, command: Command) -> Attempt | None:
        if isinstance(command, CallDesk):
            # imported here: those who deliver in place call no desk
            from shared.desks.work import call_desk

            return await call_desk(self.ports, work, command)
        if self._recognises_ids(command):
            return await attempt(self.ports, work.entry.value, command)
        if is_lost(command):
            return end(self.ports, work.entry.value, lost(command))
        mine = await mark(self.ports, work, command)
        return None if mine is None else await attempt(self.ports, work.entry.value, mine)

    def has_frames(self, command: ToCustomer) -> bool:
        return self._channel_of(command).frames

    def _recognises_ids(self, command: Command) -> bool:
        """Returns whether its target recognises a repetition."""
        if isinstance(command, TellTeam):
            target = self.ports.team.named(command.to)
            return target is None or target.dedupes
        if not isinstance(command, ToCustomer):
            return True  # also who is active at a platform may be changed twice
        return self._channel_of(command).idempotent_sends

    def _channel_of(self, command: ToCustomer) -> Capabilities:
        return self.ports.policy.of(platform_of(command.shown_in(self.conversation)))

    async def _hold_back_the_frame(self, work: Work, frame: str) -> None:
        """Marks the frame as broken once the journal says so: another delivery may have sent its
        JOINED.
        """
        await record(self.ports, work, counts=False)
        stored = work.stored(frame)
        if stored is not None and stored.state is State.BROKEN:
            self.broken[frame] = work

    def unframe(self, work: Work, command: Command) -> None:
        """Ends a command whose JOINED never arrived. Its LEFT closes the frame once that is
        recorded.
        """
        ended = work.done[command.id] = command.model_copy(update={"state": State.UNFRAMED})
        if isinstance(ended, SendMessage) and not ended.reported:
            self.add(work, command, (tell_the_team(self.ports, work.entry.value, ended),))
        if isinstance(command, SendEvent) and command.frame in self.broken:
            work.closes.append((self.broken.pop(command.frame), command.frame))

    def wait_until(self, time: datetime | None, *, target_is_down: bool = False) -> None:
        self.next_try = min(filter(None, (self.next_try, time)), default=None)
        if not target_is_down:
            self.retry_at = min(filter(None, (self.retry_at, time)), default=None)

    def wait_for_another_hand(self) -> None:
        """Looks again soon at a command that the instance which accepted it delivers itself."""
        self._waits_for_hand = True
        self.wait_until(self.ports.clock.now() + IN_ANOTHER_HAND)

    async def leave(self, work: Work, line: str) -> None:
        """Writes the outcomes once all lines are past the entry; only then it closes the frames
        that other entries opened.
        """
        work.lines.discard(line)
        if work.lines:
            return
        for opener, frame in work.closes:
            if opener is work:
                work.close(frame)
        if work.done:
            await record(self.ports, work)
            self._count_later(work)
        for opener, frame in work.closes:
            if opener is not work:
                opener.close(frame)
                await record(self.ports, opener)
        if work.done and not work.entry.value.commands:
            self.is_over = True  # the conversation is being erased

    def _count_later(self, work: Work) -> None:
        """Schedules a later try for records that could not be counted now."""
        for command in work.done.values():
            if isinstance(command, Record) and command.state is State.PENDING:
                self.failed = True
                self.wait_until(command.next_look)
