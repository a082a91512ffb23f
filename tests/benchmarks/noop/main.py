"""The least that functions-framework can serve: the floor under every function."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response


@functions_framework.aio.http
async def noop(request: Request) -> Response:
    await request.body()
    return Response(b"{}")
