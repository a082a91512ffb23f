"""Entry point of send_representative: the API below /v1/, and the pages for people, /desk/,
/reports/ and /sign_in/.
"""

from functools import partial
from pathlib import Path

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared.bootstrap import root as bootstrap
from shared.edge import http as edge

bootstrap.announce("send_representative")
FIND = partial(bootstrap.handler, folder=Path(__file__).parent)


@functions_framework.aio.http
async def send_representative(request: Request) -> Response:
    """Returns the service's answer, or its error in Baton's one shape."""
    return await edge.answer(request, "send_representative", FIND)
