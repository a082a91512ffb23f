"""Applications of the local run other than the functions. Each refuses and fails in Baton's error
shape, and logs what failed.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from shared.edge.error_response import error_response
from shared.edge.http import where
from shared.errors import BatonError, MethodNotAllowed, NotFound
from shared.logs import log
from shared.stores.sqlite.file import is_storage, unavailable


def application(routes: Sequence[BaseRoute]) -> Starlette:
    """Returns an application with these routes. Every other answer has Baton's error shape."""
    handlers: dict[Any, Any] = {
        HTTPException: _no_route,
        BatonError: lambda request, error: answer(error),
        ClientDisconnect: lambda request, error: Response(status_code=499),
        sqlite3.Error: failed,
        Exception: failed,  # the framework raises it again; Local ends it there
    }
    return Starlette(routes=routes, exception_handlers=handlers)


def answer(error: BatonError) -> Response:
    """Returns the answer that an error carries."""
    told = error_response(error)
    return Response(told.body, told.status, dict(told.headers), told.content_type)


def failed(request: Request | None, error: Exception) -> Response:
    """Logs an internal error or an error of the disk, and returns the answer to it."""
    if isinstance(error, sqlite3.Error) and is_storage(error):
        refusal: BatonError = unavailable(error)
    else:
        refusal = BatonError("internal", "Something went wrong here; the log says where.")
    fields = {"reason": refusal.reason, "error": type(error).__name__, "at": where(error)}
    log("ERROR", f"the local run answers {refusal.code}", **fields)
    return answer(refusal)


def _no_route(request: Request, error: HTTPException) -> Response:
    if error.status_code == 405:
        return answer(MethodNotAllowed((error.headers or {}).get("Allow", "another method")))
    return answer(NotFound("unknown-path", "There is nothing at this path."))
