"""Conflicts between writers of the same conversation.

Compare-and-set keeps writers apart. Within one instance the events of one conversation also take
turns, which avoids conflicts of the instance with itself. A writer that lost tries again, for a
bounded time.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from weakref import WeakValueDictionary

from shared.errors import Contended
from shared.ports import PreconditionFailed

T = TypeVar("T")
PATIENCE_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.25
LONGEST_WAIT_SECONDS = (
    0.5  # where the store hangs, the waiting events must not hang one after another
)

_LOCKS: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


@asynccontextmanager
async def in_turn(conversation: str) -> AsyncIterator[None]:
    """Waits for this conversation's turn. After LONGEST_WAIT_SECONDS it goes ahead without one."""
    lock = _LOCKS.get(conversation)
    if lock is None:  # no other event has it or waits for it, so no timer is needed
        lock = _LOCKS[conversation] = asyncio.Lock()
        mine: bool = await lock.acquire()
    else:
        mine = await _acquired(lock)
    try:
        yield
    finally:
        if mine:
            lock.release()


async def _acquired(lock: asyncio.Lock) -> bool:
    try:
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            return await lock.acquire()
    except TimeoutError:
        return False


async def until_uncontended(attempt: Callable[[], Awaitable[T]]) -> T:
    """Returns what `attempt` returns once it no longer raises PreconditionFailed. Raises
    Contended after 5 s.
    """
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + PATIENCE_SECONDS, FIRST_PAUSE
    while loop.time() < deadline:
        try:
            return await attempt()
        except PreconditionFailed:
            await asyncio.sleep(random.uniform(0, pause))
            pause = min(pause * 2, LONGEST_PAUSE)
    raise Contended
