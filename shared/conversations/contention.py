"""Conflicts between writers of the same document. Compare-and-set keeps them apart: a writer that
lost tries again, for a bounded time.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.errors import Contended
from shared.ports import PreconditionFailed

T = TypeVar("T")
PATIENCE_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.25


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
