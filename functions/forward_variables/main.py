"""Entry point of forward_variables: POST / takes what an agent's browser reports, GET /bridge.js
serves the script.
"""

from functools import partial
from pathlib import Path

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared.bootstrap import root as bootstrap
from shared.edge import http as edge

bootstrap.announce("forward_variables")
FIND = partial(bootstrap.handler, folder=Path(__file__).parent)


@functions_framework.aio.http
async def forward_variables(request: Request) -> Response:
    """Returns the service's answer, or its error in Baton's one shape."""
    return await edge.answer(request, "forward_variables", FIND)
