"""Entry point of deliver_outbox, a wake-up of topic baton-outbox: fires due timers, then sends the
waiting commands.
"""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared.bootstrap import root as bootstrap
from shared.edge import http as edge

bootstrap.announce("deliver_outbox")


@functions_framework.aio.http
async def deliver_outbox(request: Request) -> Response:
    """Returns the service's answer, or its error in Baton's one shape."""
    return await edge.answer(request, "deliver_outbox", bootstrap.handler)
