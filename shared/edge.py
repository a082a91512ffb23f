"""Starlette in, Starlette out, and the one table error -> answer. Nothing behind this door knows a framework."""

import time
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse

from shared import tracing
from shared.answers import error_response
from shared.errors import BatonError, TooLarge
from shared.logs import Severity, log
from shared.schemas.exchange import Request, Response

BODY_LIMIT = 1 << 20
PUSH_LIMIT = 16 << 20  # Pub/Sub's own limit of 10 MB, in base64 and wrapped

Handler = Callable[[Request], Awaitable[Response]]


async def answer(
    incoming: StarletteRequest, function: str, find: Callable[[str], Handler], *, limit: int = BODY_LIMIT
) -> StarletteResponse:
    """Returns what the function's handler answers, any BatonError as its error body, anything else as a bare 500."""
    started, span = time.perf_counter(), tracing.begin(incoming.headers)
    try:
        response = await find(function)(await read(incoming, function, limit))
    except BatonError as error:
        response = error_response(error)
    except ClientDisconnect:
        response = Response(499)
    except Exception as error:  # the last line of defence: every answer has one shape
        log("ERROR", "unexpected error", function=function, error=type(error).__name__, at=where(error))
        words = "Something went wrong here; the log says where. It may be sent again."
        response = error_response(BatonError("internal", words))
    _log(incoming, function, response, started, span.rpcs)
    headers = dict(response.headers)
    return StarletteResponse(response.body, response.status, headers, media_type=response.content_type)


async def read(incoming: StarletteRequest, function: str, limit: int = BODY_LIMIT) -> Request:
    """Returns the request as a plain value, its path without the function's name. Raises TooLarge at the limit."""
    body = bytearray()
    async for chunk in incoming.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge("body-too-large", f"The body may have at most {limit} bytes.")
    raw = incoming.scope.get("raw_path") or incoming.scope["path"].encode()
    path = "/" + raw.decode("latin-1").partition("?")[0].removeprefix(f"/{function}").lstrip("/")
    return Request(
        method=incoming.method,
        path=path,
        body=bytes(body),
        headers={name.lower(): value for name, value in incoming.headers.items()},
        query=dict(incoming.query_params),
    )


def _log(
    incoming: StarletteRequest, function: str, response: Response, started: float, rpcs: Mapping[str, int]
) -> None:
    looked: Severity = "DEBUG" if incoming.method == "GET" else "INFO"  # whoever polls must not drown what happened
    severity: Severity = "ERROR" if response.status >= 500 else "WARNING" if response.status >= 400 else looked
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    fields = {"method": incoming.method, "status": response.status, "latency_ms": milliseconds, **response.notes}
    log(severity, f"{function} {response.status}", function=function, rpcs=dict(rpcs) or None, **fields)


def where(error: Exception) -> str | None:
    """Returns file and line of a fault, never its message, which may hold what was sent."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else None
