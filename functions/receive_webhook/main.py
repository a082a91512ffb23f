"""Entry point of receive_webhook, a platform's webhook: POST|GET /<platform>."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared.bootstrap import root as bootstrap
from shared.edge import http as edge

bootstrap.announce("receive_webhook")


@functions_framework.aio.http
async def receive_webhook(request: Request) -> Response:
    """Returns the service's answer, or its error in Baton's one shape."""
    return await edge.answer(request, "receive_webhook", bootstrap.handler)
