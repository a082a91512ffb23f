"""Pushes a subscription to a function as Pub/Sub does, except that any number of answers may be
waited for.

The emulator opens a push subscription's window slowly, from two: it could not hold many
conversations at once.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

AGAIN_SECONDS = 0.3
Pull = Callable[[], Awaitable[list[dict[str, Any]]]]
Post = Callable[[Mapping[str, Any]], Awaitable[int]]


class Pusher:
    """Pushes in the order of each ordering key; what is not taken is pushed again, before what
    is behind it. `pull` waits until there is something.
    """

    def __init__(self, pull: Pull, post: Post) -> None:
        self._pull = pull
        self._post = post
        self._waiting: defaultdict[str, deque[dict[str, Any]]] = defaultdict(deque)
        self._workers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Runs until it is cancelled."""
        try:
            while True:
                for message in await self._pull():
                    self._take(message)
        finally:
            for worker in self._workers:
                worker.cancel()

    def _take(self, message: dict[str, Any]) -> None:
        key = message["orderingKey"]
        self._waiting[key].append(message)
        if len(self._waiting[key]) == 1:
            worker = asyncio.create_task(self._work(self._waiting[key]))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _work(self, waiting: deque[dict[str, Any]]) -> None:
        while waiting:
            while not await self._is_taken(waiting[0]):
                await asyncio.sleep(AGAIN_SECONDS)
            waiting.popleft()

    async def _is_taken(self, message: Mapping[str, Any]) -> bool:
        pushed = {name: value for name, value in message.items() if name != "orderingKey"}
        try:
            return 200 <= await self._post({"subscription": "pushed", "message": pushed}) < 300
        except aiohttp.ClientError:
            return False
