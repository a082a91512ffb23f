"""Entry point of notify_handoff, a notification of topic baton-handoffs: notifies the team."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared.bootstrap import root as bootstrap
from shared.edge import http as edge

bootstrap.announce("notify_handoff")


@functions_framework.aio.http
async def notify_handoff(request: Request) -> Response:
    """Returns the service's answer, or its error in Baton's one shape."""
    return await edge.answer(request, "notify_handoff", bootstrap.handler)
