"""Starlette in, Starlette out, and the one table error -> answer. Nothing behind this door
knows a framework.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import functions_framework.aio
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route, request_response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from shared import tracing
from shared.edge.error_response import error_response
from shared.errors import BatonError, TooBusy, TooLarge, TooSlow
from shared.logs import Severity, log
from shared.schemas.http import Door, Request, Response

BODIES_AT_ONCE = 32 << 20  # bytes of all bodies that a process holds; an instance has 512 MiB
# of that, for bodies so small: large ones cannot keep them out
FOR_SMALL_ONES, SMALL = 8 << 20, 64 << 10
BODY_SECONDS, DISCARD_SECONDS = 10.0, 1.0

_LATE = "the body is late"
_held = 0  # bytes


async def answer(
    incoming: StarletteRequest, function: str, find: Callable[[str], Door]
) -> StarletteResponse:
    """Returns what the function's handler answers, any BatonError as its error body, anything
    else as a bare 500.
    """
    started, span = time.perf_counter(), tracing.begin(incoming.headers)
    try:
        with _Room() as room:
            response = await _handled(incoming, function, find(function), room)
    except BatonError as error:
        response = error_response(error)
    except ClientDisconnect:
        response = Response(499)
    except Exception as error:  # the last line of defence: every answer has one shape
        log(
            "ERROR",
            "unexpected error",
            function=function,
            error=type(error).__name__,
            at=where(error),
        )
        words = "Something went wrong here; the log says where. It may be sent again."
        response = error_response(BatonError("internal", words))
    _log(incoming, function, response, started, span.rpcs)
    headers = dict(response.headers)
    return StarletteResponse(
        response.body, response.status, headers, media_type=response.content_type
    )


async def _handled(
    incoming: StarletteRequest, function: str, door: Door, room: "_Room"
) -> Response:
    bare = _bare(incoming, function)
    limit, declared = door.body_limit(bare), bare.declared
    if not limit:
        if declared > SMALL:
            await _discard(incoming)
        return await door.handle(bare)
    try:
        if declared > limit:
            raise _too_large(limit)
        room.take(declared)
        body = await _body_in_time(incoming, limit, room)
    except (TooLarge, TooBusy):
        await _discard(incoming)
        raise
    return await door.handle(Request(bare.method, bare.path, body, bare.headers, bare.query))


async def _body_in_time(incoming: StarletteRequest, limit: int, room: "_Room") -> bytes:
    """Returns the body. A timer of our own: `asyncio.timeout` takes ten times as long, in each
    healthy request.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # a server serves each request in one
    timer = asyncio.get_running_loop().call_later(BODY_SECONDS, task.cancel, _LATE)
    try:
        return await _body(incoming, limit, room)
    except asyncio.CancelledError as error:
        if error.args != (_LATE,):
            raise
        task.uncancel()
        raise TooSlow(
            "body-too-slow", f"The body did not arrive within {BODY_SECONDS:g} seconds."
        ) from None
    finally:
        timer.cancel()


async def _discard(incoming: StarletteRequest) -> None:
    """Reads on for a moment and keeps nothing: whoever still writes while the connection is
    closed sees no answer.
    """
    if "expect" in incoming.headers:  # they wait for the answer before they write
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            more = True
            while more:
                more = (await incoming.receive()).get("more_body", False)


async def _body(incoming: StarletteRequest, limit: int, room: "_Room") -> bytes:
    chunks, size = list[bytes](), 0
    async for chunk in incoming.stream():
        if chunk:
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            room.take(size)
            chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> TooLarge:
    return TooLarge("body-too-large", f"The body may have at most {limit} bytes.")


class _Room:
    """What one request holds of this process's memory for bodies. What a request declares counts
    before it is read, until the request is answered: the body stays until then.
    """

    def __init__(self) -> None:
        self._mine = 0

    def take(self, size: int) -> None:
        """Makes room for so many bytes in all. Raises TooBusy where others hold too many."""
        global _held
        more = size - self._mine
        if more <= 0:
            return
        if _held + more > (BODIES_AT_ONCE if size <= SMALL else BODIES_AT_ONCE - FOR_SMALL_ONES):
            raise TooBusy
        _held += more
        self._mine = size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        global _held
        _held -= self._mine


def _bare(incoming: StarletteRequest, function: str) -> Request:
    """Returns the request as a plain value without its body, its path without the function's
    name.
    """
    raw = incoming.scope.get("raw_path") or incoming.scope["path"].encode()
    path = "/" + raw.decode("latin-1").partition("?")[0].removeprefix(f"/{function}").lstrip("/")
    return Request(
        method=incoming.method,
        path=path,
        headers={name.lower(): value for name, value in incoming.headers.items()},
        query=dict(incoming.query_params),
    )


class _EveryRequest(Starlette):
    """The application of a function. The framework's own has routes for seven methods and answers
    all else itself, in words; here each request reaches the function, PROPFIND, `GET *` and
    /robots.txt too.
    """

    def __init__(self, routes: Sequence[Route], **options: Any) -> None:
        super().__init__(**options)
        serve = request_response(routes[-1].endpoint)

        async def serve_http(scope: Scope, receive: Receive, send: Send) -> None:
            await (serve if scope["type"] == "http" else WebSocketClose())(scope, receive, send)

        self.router.default = serve_http


functions_framework.aio.Starlette = _EveryRequest  # type: ignore[attr-defined,assignment]  # it has no setting for that


def _log(
    incoming: StarletteRequest,
    function: str,
    response: Response,
    started: float,
    rpcs: Mapping[str, int],
) -> None:
    # whoever polls must not drown what happened
    looked: Severity = "DEBUG" if incoming.method == "GET" else "INFO"
    severity: Severity = (
        "ERROR" if response.status >= 500 else "WARNING" if response.status >= 400 else looked
    )
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    fields = {
        "method": incoming.method,
        "status": response.status,
        "latency_ms": milliseconds,
        **response.notes,
    }
    log(
        severity,
        f"{function} {response.status}",
        function=function,
        rpcs=dict(rpcs) or None,
        **fields,
    )


def where(error: Exception) -> str | None:
    """Returns file and line of a fault, never its message, which may hold what was sent."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else None
