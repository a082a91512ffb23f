"""What this instance watches for the pages that are open. Everybody who watches the same shares one
watch, which lingers between two requests of a page: so a change is read once, however many look.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Iterable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from shared.ports import ConversationStore

T = TypeVar("T")
LINGERS_SECONDS = 5.0  # a page asks again at once
PAUSE_SECONDS = 0.2  # after a watch that the store has ended


class Watch(Generic[T]):
    """One watch, and the latest of what it has yielded."""

    def __init__(self, begin: Callable[[], AsyncGenerator[T, None]]) -> None:
        self._begin = begin
        self._seen: list[T] = []
        self._fault: Exception | None = None
        self.changed = asyncio.Event()  # a new one after each change
        self.users = 0
        self.task = asyncio.create_task(self._run())

    async def latest(self) -> T:
        """Returns the latest value, once there is one. Raises the error that ended the watch."""
        while not self._seen and self._fault is None:
            await self.changed.wait()
        if self._fault is not None:
            raise self._fault
        return self._seen[-1]

    @property
    def has_failed(self) -> bool:
        return self._fault is not None

    async def _run(self) -> None:
        try:
            while True:
                async with aclosing(self._begin()) as values:
                    async for value in values:
                        self._seen = [value]
                        self._announce()
                await asyncio.sleep(PAUSE_SECONDS)
        except Exception as error:  # of any kind: each who watches raises it
            self._fault = error
            self._announce()

    def _announce(self) -> None:
        announced, self.changed = self.changed, asyncio.Event()
        announced.set()


class Watches:
    """The watches of this instance, by what they are of."""

    def __init__(self) -> None:
        self._open: dict[Hashable, Watch[Any]] = {}

    @asynccontextmanager
    async def on(
        self, what: Hashable, begin: Callable[[], AsyncGenerator[T, None]]
    ) -> AsyncIterator[Watch[T]]:
        """Yields the watch of `what`. `begin` opens it where there is none that works."""
        watch = self._open.get(what)
        if watch is None or watch.has_failed:
            watch = self._open[what] = Watch(begin)
        watch.users += 1
        try:
            yield watch
        finally:
            watch.users -= 1
            asyncio.get_running_loop().call_later(LINGERS_SECONDS, self._leave, what, watch)

    def _leave(self, what: Hashable, watch: Watch[Any]) -> None:
        if watch.users:
            return
        watch.task.cancel()
        if self._open.get(what) is watch:
            del self._open[what]


_WATCHES: WeakKeyDictionary[ConversationStore, Watches] = WeakKeyDictionary()


def watches_of(store: ConversationStore) -> Watches:
    """Returns the watches of this instance on a store."""
    return _WATCHES.setdefault(store, Watches())


async def any_of(changes: Iterable[asyncio.Event], seconds: float) -> None:
    """Returns when one of these changes has come, or after so many seconds."""
    waiting = [asyncio.create_task(one.wait()) for one in changes]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
