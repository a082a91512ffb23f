"""Entry point of relay_media: GET /<token> hands out the file of a message that a link names."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared.bootstrap import root as bootstrap
from shared.edge import http as edge

bootstrap.announce("relay_media")


@functions_framework.aio.http
async def relay_media(request: Request) -> Response:
    """Returns the service's answer, or its error in Baton's one shape."""
    return await edge.answer(request, "relay_media", bootstrap.handler)
