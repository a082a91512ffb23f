"""What simulated platforms share: faults, transcripts, and webhooks that are posted until Baton
takes them.
"""

import asyncio
import contextlib
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from infra.local.applications import application
from infra.local.simulators.bodies import object_of
from infra.local.simulators.faults import Faults
from infra.local.simulators.platform_store import PlatformStore

Handler = Callable[[Request], Any]


class Simulator(ABC):
    """An ASGI application below `prefix`, and a task that posts the customers' actions to Baton.

    `key` identifies a customer: a conversation id, or a telephone number with its `+`. Transcripts
    have one shape on every platform: rows of side, kind, id and body. The body is as close to
    Business Messages as the platform allows.
    """

    prefix: str
    api: str  # where the platform's own API begins; faults affect only this API
    kind_of_faults: type[Faults] = Faults

    def __init__(self, store: PlatformStore, webhook_url: str) -> None:
        self.store = store
        self.faults = self.kind_of_faults()
        self.typing: dict[str, str | None] = {}
        self._webhook_url = webhook_url
        self._news = asyncio.Event()
        routes = [*self.api_routes(), *self.customer_routes(), *self._common_routes()]
        self._rest = application(routes)

    @abstractmethod
    def api_routes(self) -> list[Route]:
        """Returns the routes that Baton calls."""

    @abstractmethod
    def customer_routes(self) -> list[Route]:
        """Returns the routes for the customer's actions."""

    @abstractmethod
    def signed(self, body: bytes) -> Mapping[str, str]:
        """Returns the headers that sign a webhook."""

    @abstractmethod
    def refusal(self, status: int, words: str, headers: dict[str, str] | None = None) -> Response:
        """Returns an error in the platform's own shape, for a fault that is switched on."""

    @abstractmethod
    def overhear(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Shows the messages of a webhook that was posted by hand, if its signature is valid."""

    def conversation_of(self, key: str) -> str:
        """Returns Baton's id of a customer's conversation."""
        raise NotImplementedError

    def is_api(self, path: str) -> bool:
        """Returns whether Baton calls this path, so that faults affect it."""
        return path.startswith(self.api)

    def key_of(self, given: str) -> str:
        """Returns the customer's key for the name in a path."""
        return given

    def new_id(self) -> str:
        """Returns the platform's own id of a new message."""
        return str(uuid.uuid4())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = {**scope, "root_path": self.prefix}
        if not self.is_api(scope["path"].removeprefix(self.prefix)):
            await self._rest(scope, receive, send)
            return
        if self.faults.strikes("slow"):
            await asyncio.sleep(self.faults.slow_seconds)
        if self.faults.strikes("drop_before"):
            await _drop(send)
            return
        fault = self._fault()
        if fault is not None:
            await fault(scope, receive, send)
            return
        if self.faults.strikes("drop_after"):
            await self._rest(scope, receive, _into_nothing)
            await _drop(send)
            return
        await self._rest(scope, receive, send)

    def _fault(self) -> Response | None:
        if self.faults.strikes("too_many"):
            return self.refusal(429, "Slow down.", {"retry-after": str(self.faults.retry_after)})
        if self.faults.strikes("server_error"):
            return self.refusal(500, "The simulated platform was told to fail.")
        return None

    def _common_routes(self) -> list[Route]:
        return [
            Route("/faults", self._get_faults, methods=["GET"]),
            Route("/faults", self._set_faults, methods=["PUT"]),
            Route("/customers", self._customers, methods=["GET"]),
            Route("/customers/{key}", self._transcript, methods=["GET"]),
        ]

    def customers(self) -> list[dict[str, Any]]:
        """Returns the customers, beginning with who was active last: the latest of each, and who
        types to them.
        """
        return [
            {
                **one,
                "conversation": self.conversation_of(one["id"]),
                "typing": self.typing.get(one["id"]),
            }
            for one in self.store.conversations()
        ]

    async def _customers(self, request: Request) -> Response:
        return JSONResponse({"customers": self.customers()})

    async def _transcript(self, request: Request) -> Response:
        key, after = self.key_of(request.path_params["key"]), request.query_params.get("after", "0")
        if not after.isdecimal():
            return google_error(400, "INVALID_ARGUMENT", "after must be a number.")
        shown = self.store.transcript(key, int(after))
        return JSONResponse({"transcript": shown, "typing": self.typing.get(key)})

    async def _get_faults(self, request: Request) -> Response:
        return JSONResponse(self.faults.model_dump())

    async def _set_faults(self, request: Request) -> Response:
        try:
            self.faults = self.kind_of_faults.model_validate(await json_of(request))
        except ValidationError as error:
            return google_error(400, "INVALID_ARGUMENT", error.errors()[0]["msg"])
        return JSONResponse(self.faults.model_dump())

    # Webhooks: posted in the order of events, each until Baton takes it.

    def report(self, body: dict[str, Any]) -> None:
        self.store.enqueue(body)
        self._news.set()

    async def let_baton_hear(self) -> None:
        """Waits a little until Baton has taken the webhooks, so that the next question to Baton
        finds the message.
        """
        for _ in range(50):
            if not self.store.webhooks(1):
                return
            await asyncio.sleep(0.01)

    async def post_webhooks(self) -> None:
        """Runs until it is cancelled."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            while True:
                await self._news.wait() if not self.store.webhooks(1) else None
                self._news.clear()
                waiting = self.store.webhooks(2)
                if len(waiting) == 2 and self.faults.strikes("reorder"):
                    waiting.reverse()
                for seq, body in waiting:
                    await self._post_until_taken(session, body)
                    self.store.delivered(seq)

    async def _post_until_taken(self, session: aiohttp.ClientSession, body: str) -> None:
        pause = 0.2
        while not await self._post(session, body):
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5)
        if self.faults.strikes("duplicate"):
            await self._post(session, body)

    async def _post(self, session: aiohttp.ClientSession, body: str) -> bool:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            headers = self.signed(body.encode())
            async with session.post(
                self._webhook_url, data=body.encode(), headers=headers
            ) as response:
                return self.is_taken(response.status)
        return False

    def is_taken(self, status: int) -> bool:
        """Returns whether an answer to a webhook means that Baton has it."""
        return status < 500 and status != 429


async def json_of(request: Request) -> dict[str, Any]:
    """Returns the JSON object of a body, an empty one for anything else."""
    return object_of(await request.body())


def google_error(
    code: int, status: str, message: str, headers: dict[str, str] | None = None
) -> Response:
    return JSONResponse(
        {"error": {"code": code, "status": status, "message": message}}, code, headers
    )


async def _drop(send: Send) -> None:
    """Begins an answer and does not end it; the server then closes the connection."""
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]}
    )


async def _into_nothing(message: Any) -> None:
    return None
