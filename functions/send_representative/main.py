"""Entry point of send_representative, the REST surface for bots and desks: /v1/conversations/...."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared import bootstrap, edge

bootstrap.announce("send_representative")


@functions_framework.aio.http
async def send_representative(request: Request) -> Response:
    """Returns the service's answer, or its error in Baton's one shape."""
    return await edge.answer(request, "send_representative", bootstrap.handler)
