"""Which targets are down, as far as one instance knows: a target that keeps failing is left alone
for a while.

closed ── FAILURES in a row, of CONVERSATIONS or more ──> open ── its pause is over ──> half open
   ^                                                       ^                              │     │
   │                                                       └── it fails: a longer pause ──┘     │
   └──────────────────────────── one try is answered for itself ────────────────────────────────┘

Half open, one call at a time is tried. A target that answers, though with errors, may refuse some
conversations and take others: the first try of each command passes an open circuit to it. So only
repetitions wait, and those whom it would serve do not wait for those whom it refuses. A target that
gives no answer is down for all.

What is not tried keeps its place in the outbox. A new instance knows nothing yet, and tries.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.logs import log

# one message that is at fault, in one conversation, says nothing of its target
FAILURES, CONVERSATIONS = 5, 3
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0
# so many calls that wait for an answer keep others from waiting as well
HANGING_SECONDS, MOST_HANGING = 4.0, 8
# half of what an instance works at once: the rest is for other targets
MOST_AT_ONCE, LONGEST_QUEUE_SECONDS = 20, 1.0


@dataclass(slots=True)
class Trial:
    """One try. `failed` says whether the target did not answer for itself; None where nothing was
    learned.

    `probes`: it finds out whether an open circuit can be closed. `answered`: the target gave an
    answer at all.
    """

    began: float
    probes: bool
    failed: bool | None = None
    answered: bool = True


@dataclass(slots=True)
class Circuit:
    """What is known of one target. Times are those of the caller's clock; how long a call takes
    is measured.
    """

    target: str
    failures: int = 0
    conversations: set[str] = field(default_factory=set)
    times_opened: int = 0
    open_until: datetime | None = None
    answers: bool = True
    running: list[Trial] = field(default_factory=list)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE))

    @property
    def is_open(self) -> bool:
        return self.open_until is not None

    def admits(self, now: datetime, *, first_try: bool) -> bool:
        """Returns whether the target may be tried now, as far as others' tries tell."""
        if self.open_until is not None and not (first_try and self.answers):
            return self._may_probe(now)
        long_ago = _measured() - HANGING_SECONDS
        return sum(trial.began < long_ago for trial in self.running) < MOST_HANGING

    def _may_probe(self, now: datetime) -> bool:
        is_due = self.open_until is not None and now >= self.open_until
        return is_due and not any(trial.probes for trial in self.running)

    async def takes(self, now: datetime, *, first_try: bool) -> bool:
        """Returns whether one more call may be made, at once; waits for room, though not for
        long.
        """
        if not self.admits(now, first_try=first_try) or not await self._finds_room():
            return False
        if not self.admits(now, first_try=first_try):
            self.room.release()
            return False
        return True

    async def _finds_room(self) -> bool:
        try:
            async with asyncio.timeout(LONGEST_QUEUE_SECONDS):
                return await self.room.acquire()
        except TimeoutError:
            return False

    @contextmanager
    def trial(self, conversation: str, now: datetime) -> Iterator[Trial]:
        """Is one try, which `takes` allowed just now; learns from it when it ends."""
        trial, was_open = Trial(_measured(), self._may_probe(now)), self.is_open
        self.running.append(trial)
        try:
            yield trial
        finally:
            self.running.remove(trial)
            self.room.release()
            if trial.failed is False:
                self._close()
            elif trial.failed:
                self.answers = trial.answered
                # others say nothing new of an open circuit
                if trial.probes or not (was_open or self.is_open):
                    self._fail(conversation, now)

    def _fail(self, conversation: str, now: datetime) -> None:
        self.failures += 1
        self.conversations.add(conversation)
        if self.is_open or (self.failures >= FAILURES and len(self.conversations) >= CONVERSATIONS):
            self._open(now)

    def _open(self, now: datetime) -> None:
        if self.is_open:
            log("WARNING", "a target is still down", target=self.target)
        else:
            log(
                "ERROR",
                "a target is down; what failed is tried again by one call at a time",
                target=self.target,
            )
        pause = min(FIRST_PAUSE * 2 ** min(self.times_opened, 10), LONGEST_PAUSE)
        self.times_opened += 1
        self.open_until = now + timedelta(seconds=pause * random.uniform(0.75, 1))
        self.conversations.clear()

    def _close(self) -> None:
        if self.is_open:
            log("INFO", "a target is well again", target=self.target)
        self.failures = self.times_opened = 0
        self.conversations.clear()
        self.open_until = None


class Circuits:
    def __init__(self) -> None:
        self._known: dict[str, Circuit] = {}

    def of(self, target: str) -> Circuit:
        return self._known.setdefault(target, Circuit(target))


def _measured() -> float:
    return asyncio.get_running_loop().time()
