"""The applications of a local run beside the functions: each refuses and fails in Baton's one
shape, and says so.
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
    """Returns an application whose every answer that is not its routes' own is one of ours."""
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
    """Returns the answer to a fault of ours or of the disk's, having logged it."""
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
