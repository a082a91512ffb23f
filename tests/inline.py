"""The embedded store without its thread: to wake a thread and its loop for each operation costs
more than most operations. Tests of the store itself use the store as it is.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from shared.stores.sqlite.store import SqliteStore

T = TypeVar("T")


class InLoop(ThreadPoolExecutor):
    """Runs what it is given in the next step of the event loop, so that others may come between."""

    def submit(  # type: ignore[override]  # `run_in_executor` takes a future of the loop too
        self, work: Callable[..., T], /, *arguments: Any, **named: Any
    ) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def run() -> None:
            if done.cancelled():
                return
            try:
                done.set_result(work(*arguments, **named))
            except Exception as error:
                done.set_exception(error)

        loop.call_soon(run)
        return done


class InlineStore(SqliteStore):
    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._thread = InLoop()
