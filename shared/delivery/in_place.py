"""Delivery by the instance that accepted an event: after its commit, before it answers.

The instance holds the entry, so this takes no wake-up, no second function and no query. It takes
only lines that this function may work and in which nothing older waits; everything else, and what
fails here, is left to a wake-up. A call that outlasts the patience goes on after the answer, and
nothing depends on it.

The commit that stores the entry marks its commands as in this hand. Until that mark is over, other
deliveries leave them alone, so a slow target does not get everything twice. If this instance dies,
they are delivered after it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.conversations.apply import wake
from shared.delivery.drain import Drain
from shared.errors import BatonError
from shared.logs import log
from shared.outbox.record import Work
from shared.ports import Ports, Snapshot
from shared.schemas.commands import Command, Post, State, ToCustomer
from shared.schemas.conversation import Conversation
from shared.schemas.journal import JournalEntry
from shared.schemas.notation import platform_of
from shared.values import frozen

PATIENCE_SECONDS = 2.0  # how long an answer waits for its deliveries
# after the commit: a batch may take long; then the HTTP timeout, and a second
LATEST_START, IN_HAND = timedelta(seconds=2), timedelta(seconds=13)
# of one request: more is left to delivery, which has more time
MOST_CONVERSATIONS, MOST_ENTRIES = 4, 4
LOOK = 20  # pending entries
# a store that takes longer hangs, and the commit will be waited for as well
LOOK_SECONDS = 1.0
# after a query that found older work, and after a topic that could not be reached in time
BUSY_SECONDS, REST_SECONDS = 0.5, 30.0
REMEMBERED = 10_000  # conversations
_WAITS = (State.PENDING, State.BROKEN)


@dataclass(slots=True)
class _Known:
    """What this instance knows of a conversation's outbox: no entry up to `floor`, or up to the
    number of a line in `lines`, waits in that line.

    `hands` is the number of requests that have entries of it. `busy_until` is by the loop's clock.
    `version` is the latest that was seen: an earlier one is of a new life, after the old one
    expired.
    """

    version: int = 0
    floor: int = 0
    lines: dict[str, int] = field(default_factory=dict)
    hands: int = 0
    busy_until: float = 0.0

    def settled(self, line: str) -> int:
        return self.lines.get(line, self.floor)

    def sees(self, version: int) -> None:
        if version < self.version:
            self.floor, self.lines = 0, {}
        self.version = version


class DeliverInPlace:
    """`lines` names the lines that this function may work; "channel" stands for every channel."""

    def __init__(self, lines: Collection[str]) -> None:
        self._lines = frozenset(lines)
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._resting: dict[str, float] = {}
        self.running: set[asyncio.Task[bool]] = set()

    def hand(self, ports: Ports) -> "RequestHand":
        return RequestHand(self, ports)

    def may_work(self, ports: Ports, conversation: str, command: Command) -> bool:
        """Returns whether this function may execute the command now, and quickly."""
        line = command.line
        if (line.split(" ")[0] if line.startswith("channel") else line) not in self._lines:
            return False
        if isinstance(command, Post) and ports.webhooks.key is None:
            return False  # this function was not given the key
        if (
            isinstance(command, ToCustomer)
            and not ports.policy.of(platform_of(command.shown_in(conversation))).idempotent_sends
        ):
            return False
        target = command.target(conversation)
        if target is not None:
            return ports.circuits.of(target).is_quick
        return asyncio.get_running_loop().time() >= self._resting.get(line, 0.0)

    def known(self, conversation: str) -> _Known:
        known = self._known.get(conversation)
        if known is None:
            known = self._known[conversation] = _Known()
        else:
            self._known.move_to_end(conversation)
        if len(self._known) > REMEMBERED:
            self._forget_one()
        return known

    def rest(self, lines: Iterable[str]) -> None:
        """Leaves topics alone for a while."""
        until = asyncio.get_running_loop().time() + REST_SECONDS
        self._resting |= {line: until for line in lines if line.startswith("topic ")}

    def _forget_one(self) -> None:
        unused = next((id for id, known in self._known.items() if not known.hands), None)
        if unused is not None:
            del self._known[unused]


@dataclass(slots=True)
class _Kept:
    """The entries of one conversation that a request has committed, and their lines. `began` is
    when the first of them was marked as in hand.
    """

    began: datetime
    entries: list[Snapshot[JournalEntry]] = field(default_factory=list)
    lines: dict[str, set[str]] = field(default_factory=dict)  # by entry
    last: dict[str, int] = field(default_factory=dict)  # by line


class RequestHand:
    """What one request has accepted and delivers itself: the Hand of `shared.ports`."""

    def __init__(self, here: DeliverInPlace, ports: Ports) -> None:
        self._here = here
        self._ports = ports
        self._taken: dict[str, set[str]] = {}
        self._began: dict[str, datetime] = {}
        self._kept: dict[str, _Kept] = {}

    async def take(self, before: Conversation, entry: JournalEntry) -> JournalEntry:
        self._taken.pop(entry.id, None)
        mine = self._lines_of(entry)
        if mine and self._has_room(entry.conversation):
            mine = await self._free(before, mine)
        else:
            mine = set()
        if not mine:
            return entry
        self._taken[entry.id] = mine
        now = self._ports.clock.now()
        until, self._began[entry.id] = now + IN_HAND, now
        commands = [
            one.model_copy(update={"in_hand_until": until}) if one.line in mine else one
            for one in entry.commands
        ]
        return entry.model_copy(update={"commands": tuple(commands)})

    def keep(self, entry: JournalEntry, token: object) -> bool:
        lines = self._taken.pop(entry.id, None)
        if lines is None:
            return False
        kept = self._kept.get(entry.conversation)
        if kept is None:
            self._here.known(entry.conversation).hands += 1
            kept = self._kept[entry.conversation] = _Kept(self._began[entry.id])
        kept.entries.append(Snapshot(entry, token))
        kept.lines[entry.id] = lines
        kept.last |= dict.fromkeys(lines, entry.seq)
        return True

    async def deliver(self) -> Collection[str]:
        tasks = {
            asyncio.create_task(self._deliver(conversation, kept)): conversation
            for conversation, kept in self._kept.items()
        }
        if not tasks:
            return ()
        self._here.running.update(tasks)
        for task in tasks:
            task.add_done_callback(self._here.running.discard)
        done, late = await asyncio.wait(tasks, timeout=PATIENCE_SECONDS)
        for task in late:
            kept = self._kept[tasks[task]]
            self._here.rest(line for lines in kept.lines.values() for line in lines)
            task.add_done_callback(self._when_late(tasks[task]))
        return {
            *(tasks[task] for task in done if task.result()),
            *(tasks[task] for task in late if self._is_all_taken(self._kept[tasks[task]])),
        }

    def _lines_of(self, entry: JournalEntry) -> set[str]:
        """Returns the lines of an entry's commands that may be worked here, each of them whole."""
        lines: set[str] = set()
        left: set[str] = set()
        conversation = entry.conversation
        for one in entry.pending:
            line = one.line
            lines.add(line)
            waits = bool(entry.after) and line.startswith("channel")
            if waits or not self._here.may_work(self._ports, conversation, one):
                left.add(line)
        return lines - left

    def _has_room(self, conversation: str) -> bool:
        kept = self._kept.get(conversation)
        return (
            len(self._kept) < MOST_CONVERSATIONS
            if kept is None
            else len(kept.entries) < MOST_ENTRIES
        )

    async def _free(self, before: Conversation, lines: set[str]) -> set[str]:
        """Returns those of the lines in which nothing waits that is not in this hand. What the
        conversation and this instance's memory do not tell is read.
        """
        known, kept = self._here.known(before.id), self._kept.get(before.id)
        known.sees(before.version)
        if known.hands > (kept is not None):
            return set()  # another request of this instance has entries of it
        unsure = {line for line in lines if not self._is_free(known, before, line)}
        if not unsure or asyncio.get_running_loop().time() < known.busy_until:
            return lines - unsure
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                pending = await self._ports.store.pending(before.id, 0, LOOK)
        except (BatonError, TimeoutError):
            return lines - unsure
        waiting = {
            one.line for entry in pending for one in entry.value.commands if one.state in _WAITS
        }
        if len(pending) < LOOK:
            known.lines = {line: known.settled(line) for line in waiting}
            known.floor = before.version
        busy = {line for line in unsure if not self._is_free(known, before, line)}
        if busy:
            known.busy_until = asyncio.get_running_loop().time() + BUSY_SECONDS
        return lines - busy

    def _is_free(self, known: _Known, before: Conversation, line: str) -> bool:
        kept = self._kept.get(before.id)
        mine = kept.last.get(line, 0) if kept else 0
        return before.last_in(line) <= max(known.settled(line), mine)

    async def _deliver(self, conversation: str, kept: _Kept) -> bool:
        """Returns whether nothing of these entries is left."""
        if self._ports.clock.now() - kept.began > LATEST_START:
            self._here.known(conversation).hands -= 1
            return False
        works = [Work(entry) for entry in kept.entries]
        for work in works:
            work.lines &= kept.lines[work.entry.value.id]
        drain = Drain(self._ports, conversation)
        try:
            await drain.run_in_hand(works)
        except Exception as error:  # of any kind: what was accepted is durable, and answered so
            log(
                "WARNING",
                "a delivery in place failed; a wake-up will deliver",
                reason=error.reason if isinstance(error, BatonError) else type(error).__name__,
                conversation=conversation,
            )
            return False
        finally:
            known = self._here.known(conversation)
            known.hands -= 1
            self._note_settled(known, works, kept)
        return not drain.again and not any(work.entry.value.pending for work in works)

    def _note_settled(self, known: _Known, works: Iterable[Work], kept: _Kept) -> None:
        stuck: set[str] = set()
        for work in works:
            entry = work.entry.value
            stuck |= {one.line for one in entry.commands if one.state in _WAITS}
            for line in kept.lines[entry.id] - stuck:
                known.lines[line] = max(known.settled(line), entry.seq)
        self._here.rest(stuck & kept.last.keys())

    def _is_all_taken(self, kept: _Kept) -> bool:
        """Returns whether these entries have no line that a wake-up could work now."""
        return all(
            {one.line for one in entry.value.pending} <= kept.lines[entry.value.id]
            for entry in kept.entries
        )

    def _when_late(self, conversation: str) -> "_Wakes":
        return _Wakes(self._here, self._ports, conversation)


@frozen
class _Wakes:
    """Wakes a conversation of which a delivery that ended after the answer has left something."""

    here: DeliverInPlace
    ports: Ports
    conversation: str

    def __call__(self, task: asyncio.Task[bool]) -> None:
        if task.cancelled() or (task.exception() is None and task.result()):
            return
        waking = asyncio.create_task(self._wake())
        self.here.running.add(waking)
        waking.add_done_callback(self.here.running.discard)

    async def _wake(self) -> bool:
        await wake(self.ports, self.conversation)
        return True
