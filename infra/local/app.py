"""The local run as one ASGI application: all functions behind one port, the simulated platforms and
the sweep.
"""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import functions_framework.aio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.local import bot_view
from infra.local.applications import answer, failed
from infra.local.crm import Crm
from infra.local.customers import PATH as CUSTOMERS
from infra.local.customers import customers_application
from infra.local.gate import Gate
from infra.local.page_files import ADAPTER, FRAMED, in_our_frame, page_file
from infra.local.people import PATH as PEOPLE
from infra.local.people import people_application
from infra.local.simulators.comments import Comments
from infra.local.simulators.dialogflow import DialogflowSimulator
from infra.local.simulators.dialogflow_store import DialogflowStore
from infra.local.simulators.registry import csku, simulators
from shared.bootstrap import root as bootstrap
from shared.delivery.sweep import sweep
from shared.edge.http import where
from shared.errors import BatonError, NotFound
from shared.logs import log
from shared.stores.sqlite.file import unavailable

ROOT = Path(__file__).parents[2]
SWEEP_SECONDS = 1.0


class Local:
    """Dispatches on the first segment of the path. Runs the sweep and posts the platforms' webhooks
    while it serves.
    """

    def __init__(self, port: int, folder: Path) -> None:
        self._functions = {
            main.parent.name: load_function(main)
            for main in sorted(ROOT.glob("functions/*/main.py"))
        }
        self._gate = Gate(port)
        self.platforms = simulators(port, folder)
        self.csku = csku()
        self.dialogflow = DialogflowSimulator(DialogflowStore(str(folder / "dialogflow.sqlite")))
        secrets = bootstrap.baton().settings.crm_comment_secret
        self._crm = Crm(Comments(str(folder / "crm.sqlite"), secrets))
        self._bot = bot_view.bot_application(self.dialogflow.store)
        self._people = people_application()
        self._customers = customers_application(self.platforms)
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers every request in Baton's error shape, also where an error was not expected."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._answer(scope, receive, noting)
        except BatonError as error:
            await answer(error)(scope, receive, send)
        # an application that has begun an answer has logged its own error
        except Exception as error:
            if not begun:
                await failed(None, error)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._gate.check(scope)
        path = scope["path"]
        if self._gate.is_adapter(scope):
            await page_file(scope["method"], path, ADAPTER)(scope, receive, send)
            return
        if path.startswith("/receive_webhook/") and path.split("/")[2] in self.platforms:
            headers = {
                name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
            }
            receive = _overheard(
                receive, partial(self.platforms[path.split("/")[2]].overhear, headers=headers)
            )
        if path.startswith(FRAMED):
            send = in_our_frame(send)
        await self._application(scope["method"], path)(scope, receive, send)

    def _application(self, method: str, path: str) -> ASGIApp:
        first = path.split("/")[1]
        if path.startswith("/sim/dialogflow/"):
            return self.dialogflow
        if path.startswith("/sim/csku/"):
            return self.csku.application
        if path.startswith("/local/bot/"):
            return self._bot
        if path == PEOPLE:
            return self._people
        if path == CUSTOMERS:
            return self._customers
        if first == "sim" and path.split("/")[2:3] and path.split("/")[2] in self.platforms:
            return self.platforms[path.split("/")[2]]
        if first == "local":
            return self._crm.application
        if first in ("", "page"):
            return page_file(method, path)
        if first not in self._functions:
            known = ", ".join(f"/{name}" for name in self._functions)
            raise NotFound("unknown-path", f"There is nothing here. Try {known}.")
        return self._functions[first]

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._crm.listen(bootstrap.baton())
        works = [self._sweep, *(one.post_webhooks for one in self.platforms.values())]
        self._tasks = [asyncio.create_task(_for_ever(work)) for work in works]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await bootstrap.baton().close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _sweep(self) -> None:
        """Sweeps everything that an earlier run left, then what is due, every second."""
        ports = bootstrap.baton().ports
        until: datetime | None = datetime.max.replace(tzinfo=UTC)
        while True:
            try:
                await sweep(ports, until)
                until = None
            except BatonError as error:
                log("WARNING", "the sweep failed and will run again", reason=error.reason)
            await asyncio.sleep(SWEEP_SECONDS)


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    """Repeats `work`, also after an error such as a full disk: the run depends on each of its
    tasks.
    """
    while True:
        try:
            await work()
        except Exception as error:
            fields = {"error": type(error).__name__, "at": where(error)}
            log("ERROR", "a task of the local run failed and begins again", **fields)
        await asyncio.sleep(SWEEP_SECONDS)


def load_function(main: Path) -> ASGIApp:
    """Returns a function as the Functions Framework serves it. Removes the variables that the
    framework sets in the environment.
    """
    app: ASGIApp = functions_framework.aio.create_asgi_app(main.parent.name, str(main))  # type: ignore[no-untyped-call]  # the framework has no types
    for name in ("FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE"):
        os.environ.pop(name, None)
    return app


def _overheard(receive: Receive, listener: Callable[[bytes], None]) -> Receive:
    """Returns `receive`. It passes the whole body to the listener before the application receives
    the end of the body.
    """
    heard = bytearray()

    async def overheard() -> Message:
        message = await receive()
        if message["type"] == "http.request" and len(heard) < 1 << 20:
            heard.extend(message.get("body", b""))
            if not message.get("more_body"):
                _tell(listener, bytes(heard))
        return message

    return overheard


def _tell(listener: Callable[[bytes], None], body: bytes) -> None:
    """Raises Unavailable where the platform cannot store the body: Baton must not take it then."""
    try:
        listener(body)
    except sqlite3.Error as error:
        raise unavailable(error) from error
