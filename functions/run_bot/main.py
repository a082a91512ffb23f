"""Entry point of run_bot, a message of topic baton-user-messages: the built-in bot answers."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared.bootstrap import root as bootstrap
from shared.edge import http as edge

bootstrap.announce("run_bot")


@functions_framework.aio.http
async def run_bot(request: Request) -> Response:
    """Returns the service's answer, or its error in Baton's one shape."""
    return await edge.answer(request, "run_bot", bootstrap.handler)
