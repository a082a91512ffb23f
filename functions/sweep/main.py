"""Entry point of sweep, the scheduler's call: wakes every conversation whose due_at has passed."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared.bootstrap import root as bootstrap
from shared.edge import http as edge

bootstrap.announce("sweep")


@functions_framework.aio.http
async def sweep(request: Request) -> Response:
    """Returns the service's answer, or its error in Baton's one shape."""
    return await edge.answer(request, "sweep", bootstrap.handler)
