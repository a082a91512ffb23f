"""Converts Starlette requests and responses.

Code behind this module does not depend on a web framework.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse
from starlette.types import Scope

from shared import tracing
from shared.edge import application as _  # noqa: F401  # it takes the place of the framework's
from shared.edge.error_response import error_response
from shared.edge.lingering import Lingering
from shared.edge.streamed import Streamed
from shared.errors import BatonError, TooBusy, TooLarge, TooSlow
from shared.logs import Severity, log
from shared.schemas.http import FUNCTION_HEADER, Door, Request, Response

BODIES_AT_ONCE = 32 << 20  # bytes of all bodies that a process holds; an instance has 512 MiB
# FOR_SMALL_ONES is the part that only bodies up to SMALL may use, so that large ones cannot
# block them; both are in bytes.
FOR_SMALL_ONES, SMALL = 8 << 20, 64 << 10
BODY_SECONDS = 10.0
STREAMS_AT_ONCE = 20  # bodies that are read as they come; each takes a few MB

_LATE = "the body is late"
_held = 0  # bytes
_streams = 0


async def answer(
    incoming: StarletteRequest, function: str, find: Callable[[str], Door]
) -> StarletteResponse:
    """Returns the response of the function's handler.

    A BatonError becomes its error body, any other exception a 500. An aborted request counts as
    499.
    """
    started, bare = time.perf_counter(), _bare(incoming.scope, function)
    span, body = tracing.begin(bare.headers), _Body()
    try:
        response = await _handled(incoming, bare, find(function), body)
    except BatonError as error:
        response = error_response(error)
    except ClientDisconnect:
        response = Response(499)  # nginx's status for a client that closed the connection
    except Exception as error:  # so that an unexpected error has the same format
        log(
            "ERROR",
            "unexpected error",
            function=function,
            error=type(error).__name__,
            at=where(error),
        )
        words = "Something went wrong here; the log says where. It may be sent again."
        response = error_response(BatonError("internal", words))
    finally:
        body.leave()
    _log(bare.method, function, response, started, span.rpcs)
    headers = {**response.headers, FUNCTION_HEADER: function}
    if response.stream is not None:
        return Streamed(response.stream, response.status, headers, response.content_type)
    # With Expect the client waits for the answer before it sends the body.
    is_lingering = body.is_unread and "expect" not in bare.headers
    answered = Lingering if is_lingering else StarletteResponse
    return answered(response.body, response.status, headers, media_type=response.content_type)


async def _handled(
    incoming: StarletteRequest, bare: Request, door: Door, body: "_Body"
) -> Response:
    if door.is_streamed(bare):
        return await _streamed(incoming, door, bare, body)
    limit, declared = door.body_limit(bare), bare.declared
    if not limit:
        body.is_unread = declared > SMALL  # the server itself reads that much
        return await door.handle(bare)
    body.is_unread = True
    if declared > limit:
        raise _too_large(limit)
    body.take(declared)
    whole = await _body_in_time(incoming, limit, body)
    return await door.handle(Request(bare.method, bare.path, whole, bare.headers, bare.query))


async def _streamed(
    incoming: StarletteRequest, door: Door, bare: Request, body: "_Body"
) -> Response:
    """Returns the answer of a handler that reads the body as it comes.

    Raises TooBusy if too many do that at once.
    """
    global _streams
    body.is_unread = True
    if _streams >= STREAMS_AT_ONCE:
        raise TooBusy
    _streams += 1
    try:
        return await door.handle(replace(bare, chunks=_chunks(incoming, body)))
    finally:
        _streams -= 1


async def _chunks(incoming: StarletteRequest, body: "_Body") -> AsyncGenerator[bytes, None]:
    """Returns the body as it comes. Raises TooSlow where nothing comes for BODY_SECONDS."""
    while body.is_unread:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                message = await incoming.receive()
        except TimeoutError:
            raise TooSlow(
                "body-too-slow", f"Nothing of the body came for {BODY_SECONDS:g} seconds."
            ) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body.is_unread = message.get("more_body", False)
        if chunk := message.get("body", b""):
            yield chunk


async def _body_in_time(incoming: StarletteRequest, limit: int, body: "_Body") -> bytes:
    """Returns the body. Raises TooSlow after BODY_SECONDS.

    It uses its own timer, because `asyncio.timeout` takes ten times as long on every request. What
    has arrived with the request's head, as nearly every body, comes in one piece.
    """
    loop, receive = asyncio.get_running_loop(), incoming.receive
    task = asyncio.current_task(loop)
    assert task is not None  # noqa: S101  # servers run each request in a task
    timer = loop.call_later(BODY_SECONDS, task.cancel, _LATE)
    chunks: list[bytes] = []
    size = 0
    try:
        while body.is_unread:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body.is_unread = message.get("more_body", False)
            if chunk := message.get("body", b""):
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                body.take(size)
                chunks.append(chunk)
    except asyncio.CancelledError as error:
        if error.args != (_LATE,):
            raise
        task.uncancel()
        raise TooSlow(
            "body-too-slow", f"The body did not arrive within {BODY_SECONDS:g} seconds."
        ) from None
    finally:
        timer.cancel()
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> TooLarge:
    return TooLarge("body-too-large", f"The body may have at most {limit} bytes.")


class _Body:
    """What one request's body holds of this process's memory for bodies, and whether some of it is
    still to be read.

    A declared length counts before the body is read. It counts until the request is answered,
    because the body stays in memory until then.
    """

    def __init__(self) -> None:
        self._mine = 0
        self.is_unread = False

    def take(self, size: int) -> None:
        """Reserves memory so that this request holds `size` bytes in all.

        Raises TooBusy if the limit of the process is reached.
        """
        global _held
        more = size - self._mine
        if more <= 0:
            return
        if _held + more > (BODIES_AT_ONCE if size <= SMALL else BODIES_AT_ONCE - FOR_SMALL_ONES):
            raise TooBusy
        _held += more
        self._mine = size

    def leave(self) -> None:
        """Gives back what this request holds."""
        global _held
        _held -= self._mine


def _bare(scope: Scope, function: str) -> Request:
    """Returns the request as a plain value without its body.

    The function's name is removed from its path.
    """
    raw = scope.get("raw_path") or scope["path"].encode()
    path = "/" + raw.decode("latin-1").partition("?")[0].removeprefix(f"/{function}").lstrip("/")
    named, query = scope["headers"], scope["query_string"]
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in named}
    asked = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {}
    return Request(scope["method"], path, b"", headers, asked)


def _log(
    method: str,
    function: str,
    response: Response,
    started: float,
    rpcs: Mapping[str, int],
) -> None:
    # Polling is logged as DEBUG, so that it does not hide other lines.
    looked: Severity = "DEBUG" if method == "GET" else "INFO"
    status = response.status
    severity: Severity = "ERROR" if status >= 500 else "WARNING" if status >= 400 else looked
    log(
        severity,
        f"{function} {status}",
        function=function,
        rpcs=rpcs or None,
        method=method,
        status=status,
        latency_ms=round((time.perf_counter() - started) * 1000, 1),
        **response.notes,
    )


def where(error: Exception) -> str | None:
    """Returns the file and line of an exception.

    Its message is left out, because it may contain data of the request.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else None
