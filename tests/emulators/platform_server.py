"""The simulated Business Messages, served from the test's own event loop; each call that it
gets is a boundary.
"""

from functools import partial
from pathlib import Path
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from infra.local.settings import SIGNING_KEY
from infra.local.simulators.business_messages import PREFIX, BusinessMessagesSimulator
from infra.local.simulators.platform_store import PlatformStore
from tests.emulators.boundaries import Boundaries, Struck
from tests.served import Served


class PlatformServer(Served):
    """Serves from entering to leaving."""

    def __init__(self, path: Path, boundaries: Boundaries) -> None:
        super().__init__(self)
        self.store = PlatformStore(str(path))
        self.simulator = BusinessMessagesSimulator(self.store, "", SIGNING_KEY)
        self._boundaries = boundaries
        self.url += PREFIX

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
