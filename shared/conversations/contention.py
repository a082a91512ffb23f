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


async def until_uncontended(attempt: Callable[[], Awaitable[T]], since: float | None = None) -> T:
    """Returns what `attempt` returns once it no longer raises PreconditionFailed. It is called
    once at least. Raises Contended 5 s after `since`, a time of the running loop (without it: now).
    """
    loop = asyncio.get_running_loop()
    began, pause = loop.time() if since is None else since, FIRST_PAUSE
    while True:
        try:
            return await attempt()
        except PreconditionFailed:
            if loop.time() >= began + PATIENCE_SECONDS:
                raise Contended from None
            await asyncio.sleep(random.uniform(0, pause))
            pause = min(pause * 2, LONGEST_PAUSE)
