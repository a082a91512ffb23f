"""The ASGI application of a function, in place of the framework's own.

The framework's application has routes for seven methods only and answers other requests itself, as
plain text. Its layers catch errors, convert results and give each request an id, and its log stream
parses every line again to add that id. Together they take more time than the server itself. Here
every request reaches the function, for example PROPFIND, `GET *` and /robots.txt. The function has
an answer for every error (see `http`), and `logs` writes the id.
"""

import contextlib
import inspect
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import functions_framework.aio
from functions_framework.execution_id import ExecutionContext, execution_context_var
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from shared import tracing

_ID = b"function-execution-id"
_LONGEST_ID = 64


class Application:
    """Serves the function of the framework's last route. What else the framework gives is left
    out.
    """

    def __init__(self, routes: Sequence[Route], **_: Any) -> None:
        self._function: Callable[[Request], Awaitable[Response]] = inspect.unwrap(
            routes[-1].endpoint
        )
        self._has_ids: bool = functions_framework._enable_execution_id_logging()  # type: ignore[no-untyped-call]  # the framework has no types

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if self._has_ids:
                tracing.name_execution(_execution(scope))
            response = await self._function(Request(scope, receive, send))
            await response(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        else:
            await _live(receive, send)


def _execution(scope: Scope) -> str:
    """Returns the id of this execution. Lines that the framework writes have it as well."""
    known = ""
    for name, value in scope["headers"]:
        if name == _ID:
            known = value.decode("latin-1")
            break
    if not (0 < len(known) <= _LONGEST_ID and known.isascii() and known.isalnum()):
        known = f"{random.getrandbits(48):012x}"
    execution_context_var.set(ExecutionContext(known))  # type: ignore[arg-type,no-untyped-call]  # as above
    return known


async def _live(receive: Receive, send: Send) -> None:
    """Answers what the server says of its own life. A function has nothing to do then."""
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


functions_framework.aio.Starlette = Application  # type: ignore[attr-defined,assignment]  # the framework has no setting for this

# The framework passes none of these settings on to its servers. The front end keeps connections for
# 600 s. Gunicorn would close them after 2 s, and a request that is sent meanwhile is lost. Gunicorn
# would also open a socket for commands, such as to stop. Nothing uses it. All servers of a user
# would share its file, and where the file cannot be made, each start would log an error. Uvicorn
# would search the headers of each request for the client's address, for which no function asks.
with contextlib.suppress(ImportError):  # there is none on Windows
    from gunicorn import config  # type: ignore[import-untyped]  # it has no types
    from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]  # as above

    config.Keepalive.default = 620
    config.ControlSocketDisable.default = True
    UvicornWorker.CONFIG_KWARGS = {**UvicornWorker.CONFIG_KWARGS, "proxy_headers": False}
