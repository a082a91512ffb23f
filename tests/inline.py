"""The embedded store without its thread: to wake a thread and its loop for each operation costs
more than most operations. A new file is a copy of an empty one, and no write waits for the disk: no
test switches the machine off. Tests of the store itself use the store as it is.
"""

import asyncio
import functools
import sqlite3
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
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

    def _work(self, work: Callable[..., T], *arguments: object) -> T:
        if self._connection is None:
            if self._path != ":memory:" and not Path(self._path).exists():
                Path(self._path).write_bytes(_empty())
            super()._work(_waits_for_no_disk)
        return super()._work(work, *arguments)


@functools.cache
def _empty() -> bytes:
    """Returns what is in the file of a store to which nothing was written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "baton.sqlite")
        store = SqliteStore(str(path))
        store._work(lambda connection: None)
        assert store._connection is not None
        store._connection.close()
        return path.read_bytes()


def _waits_for_no_disk(connection: sqlite3.Connection) -> None:
    connection.execute("pragma synchronous = off")
