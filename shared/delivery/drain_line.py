"""One line of an outbox on its way through the entries of a conversation.

A command that fails for now holds up those behind it, for as long as the policy's `line_patience`.
After that each of its tries is followed by a try of the next command. If that one arrives, the
target is up and the earlier command was at fault: it ends, and the line goes on in order. If it
fails as well, the target is down, and all wait.
"""

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from shared.outbox.attempt import end, is_joined, report
from shared.outbox.record import Work
from shared.outbox.tries import Attempt, is_past_patience
from shared.schemas.commands import Command, SendEvent, State, ToChannel

if TYPE_CHECKING:
    from shared.delivery.drain import Drain


class DrainLine:
    """`fault` is the error in which the line ended, if any."""

    def __init__(self, drain: "Drain", name: str) -> None:
        self._drain = drain
        self._name = name
        self._ahead: deque[Work] = deque()
        self._met: list[Work] = []  # entries that it is not past yet
        # commands that failed beyond their patience, and commands of their frames
        self._passed_over: list[tuple[Work, Command]] = []
        self._stands = False
        self._task: asyncio.Task[None] | None = None
        self.fault: Exception | None = None

    def add(self, work: Work) -> None:
        self._ahead.append(work)

    def start(self) -> asyncio.Task[None] | None:
        """Returns the running task, None where no work is left."""
        is_idle = self._task is None or self._task.done()
        if is_idle and self._ahead and self.fault is None:
            self._task = asyncio.create_task(self.run())
        return None if self._task is None or self._task.done() else self._task

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> None:
        """Works what is ahead. An error is left in `fault`."""
        try:
            await self._walk()
        except Exception as error:  # the other lines go on; the drain raises it in the end
            self.fault = error

    async def _walk(self) -> None:
        while self._ahead:
            work = self._ahead[0]
            for command in self._commands(work):
                if isinstance(command, ToChannel) and await self._drain.waits(work):
                    self._stands = True
                if not self._stands and not self._drain.is_over:
                    await self._take(work, command)
            self._met.append(self._ahead.popleft())
            if not self._passed_over:
                await self._leave()
        if self._passed_over:
            await self._stand()
            await self._leave()

    def _commands(self, work: Work) -> list[Command]:
        return [command for command in work.entry.value.pending if command.line == self._name]

    async def _leave(self) -> None:
        met, self._met = self._met, []
        for work in met:
            await self._drain.leave(work, self._name)

    async def _take(self, work: Work, command: Command) -> None:
        if _frame_of(command) in self._drain.broken:
            self._drain.unframe(work, command)
        elif self._is_in_frame_passed_over(command):
            self._passed_over.append((work, command))
        elif not self._is_due(command):
            await self._stand(work, command)
        elif await self._drain.is_about_a_stranger(command, unsaid := self._frames_passed_over()):
            if _frame_of(command) in unsaid:  # its JOINED may still arrive
                self._passed_over.append((work, command))
            else:
                self._drain.unframe(work, command)
        else:
            await self._try(work, command)

    async def _try(self, work: Work, command: Command) -> None:
        tried = await self._drain.settle(work, command)
        if tried.command.state is State.SENT and self._passed_over:
            await self._end_what_was_at_fault()
        elif tried.command.state is State.PENDING and self._gives_way(tried):
            self._passed_over.append((work, tried.command))
        elif tried.command.state is State.PENDING:
            await self._stand(work, tried.command, put_off=tried.put_off)

    def _is_due(self, command: Command) -> bool:
        """Returns whether to try the command now. Past its patience it is tried in turn with those
        before it, or because of a new one behind it.
        """
        now = self._drain.ports.clock.now()
        if command.next_look is None or command.next_look <= now:
            return True
        is_late = command.until is None and is_past_patience(self._drain.ports, command)
        return (
            is_late
            and command.gives_way
            and (bool(self._passed_over) or self._has_new_behind(command))
        )

    def _has_new_behind(self, command: Command) -> bool:
        """Returns whether, behind those past their patience, there is a command that was never
        tried.
        """
        behind = [one for work in self._ahead for one in self._commands(work)]
        behind = behind[[one.id for one in behind].index(command.id) + 1 :]
        first = next((one for one in behind if not is_past_patience(self._drain.ports, one)), None)
        return first is not None and first.attempts == 0 and first.next_look is None

    def _gives_way(self, tried: Attempt) -> bool:
        """Returns whether the next command may be tried. Where late arrival is not allowed, a
        command without an answer holds its line: its target may be up again since.
        """
        command = tried.command
        is_late = (
            tried.failed is True
            and command.gives_way
            and not tried.paced
            and is_past_patience(self._drain.ports, command)
        )
        return is_late and (tried.answered or command.may_be_late)

    def _is_in_frame_passed_over(self, command: Command) -> bool:
        """Returns whether its frame's JOINED is still to come. Such a command is not shown before
        it, unless a JOINED is only text on that channel.
        """
        frame = _frame_of(command)
        return frame is not None and any(
            isinstance(one, SendEvent) and one.id == frame and self._drain.has_frames(one)
            for _, one in self._passed_over
        )

    def _frames_passed_over(self) -> set[str]:
        return {one.id for _, one in self._passed_over if is_joined(one)}

    async def _end_what_was_at_fault(self) -> None:
        """Ends the commands passed over: the target took a later one, so they are at fault."""
        over, self._passed_over = self._passed_over, []
        for work, command in over:
            if _frame_of(command) in self._drain.broken:
                self._drain.unframe(work, command)
            elif not is_past_patience(self._drain.ports, command):
                self._drain.again = True  # its JOINED arrived by another delivery
            else:
                await self._end(work, command)

    async def _end(self, work: Work, command: Command) -> None:
        if command.may_be_late:
            tried = await self._drain.settle(work, command)
            if tried.command.state is not State.PENDING:
                return
            command = tried.command
        await self._drain.note(work, command, end(self._drain.ports, work.entry.value, command))

    async def _stand(
        self, work: Work | None = None, command: Command | None = None, *, put_off: bool = False
    ) -> None:
        """Stops the line for this pass. A command that fails beyond its patience is reported to the
        team once.
        """
        self._stands = True
        waiting, self._passed_over = self._passed_over, []
        if work is not None and command is not None:
            waiting.append((work, command))
        head = waiting[0][1]
        target = head.target(self._drain.conversation)
        is_down = put_off or (target is not None and self._drain.ports.circuits.of(target).is_open)
        if head.in_hand_until is not None:
            self._drain.wait_for_another_hand()
        self._drain.wait_until(head.next_look, target_is_down=is_down)
        for work, command in waiting:
            if (
                not is_down
                and not command.reported
                and is_past_patience(self._drain.ports, command)
            ):
                told = report(self._drain.ports, work.entry.value, command)
                work.done[command.id] = told.command
                self._drain.add(work, command, told.added)


def _frame_of(command: Command) -> str | None:
    # `getattr` takes 20 times as long where a model has no such field
    return vars(command).get("frame")
