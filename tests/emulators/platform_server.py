"""The simulated Business Messages, served from the test's own event loop; each call that it
gets is a boundary.
"""

import asyncio
import socket
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.types import Message, Receive, Scope, Send

from infra.local.settings import SIGNING_KEY
from infra.local.simulators.business_messages import PREFIX, BusinessMessagesSimulator
from infra.local.simulators.platform_store import PlatformStore
from tests.emulators.boundaries import Boundaries, Struck


class PlatformServer:
    """Serves from entering to leaving."""

    def __init__(self, path: Path, boundaries: Boundaries) -> None:
        self.store = PlatformStore(str(path))
        self.simulator = BusinessMessagesSimulator(self.store, "", SIGNING_KEY)
        self._boundaries = boundaries
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}{PREFIX}"
        self._server = uvicorn.Server(
            uvicorn.Config(self, lifespan="off", log_level="critical", access_log=False)
        )
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self._server.serve([self._socket]))
        while not self._server.started:
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.should_exit = self._server.force_exit = True
        if self._serving is not None:
            await self._serving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        work = partial(self._answer, scope, receive)
        try:
            answer = await self._boundaries.cross("platform call", scope["path"].encode(), work)
        except Struck:
            return
        for message in answer:
            await send(message)

    async def _answer(self, scope: Scope, receive: Receive) -> list[Message]:
        answer: list[Message] = []

        async def keep(message: Any) -> None:
            answer.append(message)

        await self.simulator(scope, receive, keep)
        return answer
