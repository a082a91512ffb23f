"""Taking turns within one instance: events of one conversation decide one after another, not
against each other.

Compare-and-set keeps them apart anyway; turns only save the conflicts that an instance would make
with itself.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

LONGEST_WAIT_SECONDS = 0.5  # a store that hangs must not make those who wait hang one after another

_LOCKS: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


@asynccontextmanager
async def in_turn(conversation: str) -> AsyncIterator[None]:
    """Waits for its turn, though not for long: whoever waited too long goes ahead."""
    lock = _LOCKS.setdefault(conversation, asyncio.Lock())
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
