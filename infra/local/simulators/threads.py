"""What simulated platforms share whose chats are threads, in which colleagues write and press
buttons. A customer's key is a thread.
"""

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

import aiohttp
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.simulators.simulator import Simulator, json_of

POST_SECONDS = 10


class ThreadSimulator(Simulator):
    """`gives_up`: an event that Baton does not take is sent again as the vendor documents it, each
    for itself. Otherwise every event is sent until Baton takes it, in the order of events.
    """

    gives_up = False
    _passed: asyncio.Event | None = None

    @abstractmethod
    def pauses(self, body: str) -> Iterable[float]:
        """Yields the seconds before each repetition of an event, as the vendor documents them. At
        their end the vendor gives the event up.
        """

    @abstractmethod
    def threads(self) -> list[str]:
        """Returns the threads that the app has begun, the oldest first."""

    @abstractmethod
    def messages(self, key: str) -> list[dict[str, Any]]:
        """Returns the messages of a thread, the oldest first."""

    @abstractmethod
    def acts(self, key: str, body: dict[str, Any]) -> bool:
        """Lets a person act in a thread. `body` has their `name`, perhaps their `email`, and the
        button that they `press`, or their `text` and perhaps a `file`. Returns False where the
        thread shows no such button.
        """

    def customer_routes(self) -> list[Route]:
        return [
            Route("/threads", self._threads, methods=["GET"]),
            Route("/threads/{key}", self._thread, methods=["GET"]),
            Route("/threads/{key}/people", self._person_acts, methods=["POST"]),
            Route("/waiting", self._waiting, methods=["GET"]),
            Route("/later", self._later, methods=["POST"]),
        ]

    async def post_webhooks(self) -> None:
        if not self.gives_up:
            await super().post_webhooks()
            return
        timeout, posted = aiohttp.ClientTimeout(total=POST_SECONDS), 0
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            asyncio.TaskGroup() as repeating,
        ):
            while True:
                if not (waiting := self.store.webhooks(100, after=posted)):
                    await self._news.wait()
                self._news.clear()
                for posted, body in waiting:
                    if await self._post(session, body):
                        self.store.delivered(posted)
                    else:
                        repeating.create_task(self._repeat(session, posted, body))

    async def _repeat(self, session: aiohttp.ClientSession, seq: int, body: str) -> None:
        for pause in self.pauses(body):
            await self._passes(pause)
            if await self._post(session, body):
                break
        self.store.delivered(seq)

    async def _passes(self, seconds: float) -> None:
        """Returns after this time, or once somebody lets the time pass."""
        self._passed = self._passed or asyncio.Event()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._passed.wait(), seconds)

    async def _later(self, request: Request) -> Response:
        """Lets all pauses before repetitions pass. Returns how many events wait."""
        if self._passed is not None:
            self._passed.set()
            self._passed = None
        return await self._waiting(request)

    async def _waiting(self, request: Request) -> Response:
        return JSONResponse({"waiting": len(self.store.webhooks(100))})

    def _was_done(self, body: dict[str, Any]) -> bool:
        return "id" in body and self.store.keeps("act", str(body["id"]))

    async def _threads(self, request: Request) -> Response:
        return JSONResponse({"threads": self.threads()})

    async def _thread(self, request: Request) -> Response:
        return JSONResponse({"messages": self.messages(request.path_params["key"])})

    async def _person_acts(self, request: Request) -> Response:
        """What is asked again under its `id` happens once."""
        body, key = await json_of(request), request.path_params["key"]
        if key not in self.threads() or not body.get("name"):
            return JSONResponse({"error": "There is no such thread, or no name."}, 404)
        with self.store.whole():
            if not self._was_done(body) and not self.acts(key, body):
                return JSONResponse({"error": "There is no such button."}, 409)
            if "id" in body:
                self.store.keep("act", str(body["id"]), True)
        await self.let_baton_hear()
        return JSONResponse({"thread": key})
