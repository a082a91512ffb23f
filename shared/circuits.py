"""Circuit breakers, one for each target, in the memory of one instance.

closed ── too many in a row, of CONVERSATIONS or more ─> open ── its pause is over ──> half open
   ^                                                       ^                              │     │
   │                                                       └── it fails: a longer pause ──┘     │
   └──────────────────────────── one try succeeds ──────────────────────────────────────────────┘

A half-open circuit lets one call at a time through.

A target that refuses Baton's credentials opens its circuit at the first try, and gets no first
tries: every call would be refused.

A target that answers with errors may refuse some conversations and accept others. So the first try
of each command passes an open circuit to such a target, and only repetitions wait. A target that
gives no answer gets no first tries either.

A command that is not tried keeps its place in the outbox. A new instance starts with every circuit
closed.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.logs import log

# Both must be reached: one faulty message or conversation does not mean that the target is down.
FAILURES, CONVERSATIONS = 5, 3
# Errors of a target that answers are cheap, and a rate limit refuses many calls in a row by chance.
ANSWERED_FAILURES = 10
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0
# With MOST_HANGING calls older than HANGING_SECONDS, further calls are not made.
HANGING_SECONDS, MOST_HANGING = 4.0, 8
# A target is slow for a while after two slow calls in a row, or a very slow one: a request that
# waits to be answered does not call it then. A single one may be the first over a new connection.
SLOW_SECONDS, VERY_SLOW_SECONDS, SLOW_FOR_SECONDS = 0.5, 2.0, 30.0
# One target gets at most half of the calls of an instance, so that others are served as well.
MOST_AT_ONCE, LONGEST_QUEUE_SECONDS = 20, 1.0


@dataclass(slots=True)
class Trial:
    """One call to a target.

    `failed`: True if the target could not serve the call, None if the call says nothing about the
    target. `probes`: the call decides whether an open circuit can be closed. `answered`: the target
    sent a response, also one with an error status. `unknown_to_it`: it refuses Baton's credentials.
    """

    began: float
    probes: bool
    failed: bool | None = None
    answered: bool = True
    unknown_to_it: bool = False


@dataclass(slots=True)
class Circuit:
    """The state of one target. `refused_at`: when it last refused Baton's credentials.

    `open_until` and `now` are times of the caller's clock. The age of a running call is measured
    with the event loop's clock, in seconds, and so is `slow_until`.
    """

    target: str
    failures: int = 0
    conversations: set[str] = field(default_factory=set)
    times_opened: int = 0
    open_until: datetime | None = None
    refused_at: datetime | None = None
    answers: bool = True
    running: list[Trial] = field(default_factory=list)
    slow: int = 0  # calls in a row
    slow_until: float = 0.0
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE))

    @property
    def is_open(self) -> bool:
        """Whether the circuit is open or half open."""
        return self.open_until is not None

    @property
    def is_quick(self) -> bool:
        """Whether the circuit is closed, calls were not slow of late, and none that runs is."""
        now = _measured()
        is_late = any(now - trial.began > SLOW_SECONDS for trial in self.running)
        return not self.is_open and now >= self.slow_until and not is_late

    def admits(self, now: datetime, *, first_try: bool) -> bool:
        """Returns whether the circuit allows a call now: it is closed, or the call is a first
        try to a target that answers, or the call may probe.
        """
        if self.open_until is not None and not (first_try and self.answers):
            return self._may_probe(now)
        long_ago = _measured() - HANGING_SECONDS
        return sum(trial.began < long_ago for trial in self.running) < MOST_HANGING

    def _may_probe(self, now: datetime) -> bool:
        is_due = self.open_until is not None and now >= self.open_until
        return is_due and not any(trial.probes for trial in self.running)

    async def takes(self, now: datetime, *, first_try: bool) -> bool:
        """Returns whether one more call may be made now.

        Waits at most LONGEST_QUEUE_SECONDS for a free slot. The caller must then use `trial`, which
        frees the slot.
        """
        if not self.admits(now, first_try=first_try) or not await self._finds_room():
            return False
        # The circuit may have opened while this call waited for its slot.
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
        """Runs one call that `takes` has just allowed, and updates the circuit from its result."""
        trial, was_open = Trial(_measured(), self._may_probe(now)), self.is_open
        self.running.append(trial)
        try:
            yield trial
        finally:
            self.running.remove(trial)
            self.room.release()
            self._note_pace(_measured() - trial.began)
            if trial.failed is False:
                self._close()
            elif trial.failed:
                self.answers = trial.answered and not trial.unknown_to_it
                self.refused_at = now if trial.unknown_to_it else self.refused_at
                # While the circuit is open, only a probe changes its pause.
                if trial.probes or not (was_open or self.is_open):
                    self._fail(conversation, now, trial)

    def _note_pace(self, seconds: float) -> None:
        self.slow = self.slow + 1 if seconds > SLOW_SECONDS else 0
        if self.slow > 1 or seconds > VERY_SLOW_SECONDS:
            self.slow_until = _measured() + SLOW_FOR_SECONDS

    def _fail(self, conversation: str, now: datetime, trial: Trial) -> None:
        self.failures += 1
        self.conversations.add(conversation)
        most = ANSWERED_FAILURES if self.answers else FAILURES
        is_down = self.failures >= most and len(self.conversations) >= CONVERSATIONS
        if self.is_open or is_down or trial.unknown_to_it:
            self._open(now, trial)

    def _open(self, now: datetime, trial: Trial) -> None:
        if self.is_open:
            log("WARNING", "a target is still down", target=self.target)
        elif trial.unknown_to_it:
            log(
                "ERROR",
                "a target refuses the credentials; what waits is sent once they are renewed",
                target=self.target,
            )
        else:
            log(
                "ERROR",
                "a target is down; what failed is tried again by one call at a time",
                target=self.target,
            )
        pause = min(FIRST_PAUSE * 2 ** min(self.times_opened, 10), LONGEST_PAUSE)
        self.times_opened += 1
        # Jitter, so that instances do not probe the target at the same moment.
        self.open_until = now + timedelta(seconds=pause * random.uniform(0.75, 1))
        self.conversations.clear()

    def _close(self) -> None:
        if self.is_open:
            log("INFO", "a target is well again", target=self.target)
        self.failures = self.times_opened = 0
        self.conversations.clear()
        self.open_until = None


class Circuits:
    """The circuits of all targets that this instance has called."""

    def __init__(self) -> None:
        self._known: dict[str, Circuit] = {}

    def of(self, target: str) -> Circuit:
        """Returns the target's circuit, a new closed one at the first call."""
        return self._known.setdefault(target, Circuit(target))


def _measured() -> float:
    return asyncio.get_running_loop().time()
