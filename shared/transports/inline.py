"""The queue of a local run: it starts deliveries in this process and retries them.

A crash loses the queue, but not the outbox, from which `sweep` wakes deliveries again.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable

from shared.errors import BatonError, Unavailable
from shared.logs import log
from shared.schemas.notifications import OUTBOX, WakeUp

Subscriber = Callable[[bytes], Awaitable[None]]
Deliver = Callable[[str, bool], Awaitable[float | None]]
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 600.0


class InlineQueue:
    """A Publisher.

    `deliver` returns the seconds until a retry is due, or None if nothing is pending.

    Subscribers of other topics are awaited, so a message that they refuse stays in the outbox.
    """

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._subscribers: defaultdict[str, list[Subscriber]] = defaultdict(list)
        self._workers: dict[str, _Worker] = {}

    def subscribe(
        self, topic: str, subscriber: Subscriber, *, patience: float | None = None
    ) -> None:
        """Adds a subscriber to a topic.

        With `patience`, a publication waits at most that many seconds for it and then raises
        Unavailable.

        The subscriber continues in the background. The outbox publishes the same message again
        later and gets its result.
        """
        self._subscribers[topic].append(
            subscriber if patience is None else _Patient(subscriber, patience)
        )

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        """Wakes a delivery if the topic is the outbox, else awaits the topic's subscribers.

        Raises what they raise.
        """
        if topic == OUTBOX:
            self._wake(WakeUp.model_validate_json(body))
            return
        for subscriber in self._subscribers[topic]:
            await subscriber(body)

    def _wake(self, wake_up: WakeUp) -> None:
        conversation = wake_up.conversation
        worker = self._workers.get(conversation)
        if worker is None:
            worker = self._workers[conversation] = _Worker(conversation, self._deliver)
            worker.task = asyncio.create_task(self._run(conversation, worker))
        worker.wake(wake_up.timers)

    async def _run(self, conversation: str, worker: "_Worker") -> None:
        """Runs the worker and removes it in the same step in which it ends, so that no wake-up
        reaches an ended worker.
        """
        try:
            await worker.run()
        finally:
            del self._workers[conversation]


class _Worker:
    """Delivers one conversation.

    Wake-ups during a delivery are merged into one further delivery.
    """

    def __init__(self, conversation: str, deliver: Deliver) -> None:
        self._conversation = conversation
        self._deliver = deliver
        self._alarm = asyncio.Event()
        self._timers = False
        self._faults = 0
        self.task: asyncio.Task[None] | None = None

    def wake(self, timers: bool) -> None:
        self._timers = self._timers or timers
        self._alarm.set()

    async def run(self) -> None:
        pause: float | None = 0.0
        while pause is not None or self._alarm.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._alarm.wait(), pause)
            self._alarm.clear()
            timers, self._timers = self._timers, False
            pause = await self._look(timers)

    async def _look(self, timers: bool) -> float | None:
        try:
            pause = await self._deliver(self._conversation, timers)
            self._faults = 0
            return pause
        except BatonError as error:
            log(
                "WARNING",
                "delivery will be tried again",
                conversation=self._conversation,
                reason=error.reason,
            )
        # An unexpected error must not end the retries of this conversation.
        except Exception as error:
            log(
                "ERROR",
                "delivery failed unexpectedly",
                conversation=self._conversation,
                error=type(error).__name__,
            )
        # The retry must do what this delivery was woken for.
        self._timers = self._timers or timers
        self._faults += 1
        return _pause(self._faults)


class _Patient:
    """A subscriber that is awaited for a limited time and then continues in the background.

    A repeated publication of the same body awaits the same run.
    """

    def __init__(self, subscriber: Subscriber, seconds: float) -> None:
        self._subscriber = subscriber
        self._seconds = seconds
        self._running: dict[bytes, asyncio.Future[None]] = {}

    async def __call__(self, body: bytes) -> None:
        """Raises what the subscriber raises, and Unavailable while it is still running."""
        task = self._running.get(body) or self._begin(body)
        done, _ = await asyncio.wait([task], timeout=self._seconds)
        if not done:
            raise Unavailable("still-at-it", "The subscriber is still running.")
        task.result()

    def _begin(self, body: bytes) -> asyncio.Future[None]:
        """Starts the subscriber.

        When it ends its result is read and forgotten, also if no publication is waiting.
        """
        task = self._running[body] = asyncio.ensure_future(self._subscriber(body))
        task.add_done_callback(lambda ended: (self._running.pop(body), ended.exception()))
        return task


def _pause(faults: int) -> float:
    """Returns the seconds to wait after this number of faults in a row."""
    return float(min(FIRST_PAUSE * 2 ** min(faults - 1, 20), LONGEST_PAUSE))
