"""Sends an answer while the client still sends its request."""

import asyncio
import contextlib

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

# As lingering_time and lingering_timeout of nginx:
# https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close
LINGER_SECONDS, SILENCE_SECONDS = 30.0, 5.0


class Lingering(Response):
    """The answer to a request whose body is not read to its end.

    It is sent at once, so that a client that listens can stop sending. The rest of the body is
    read and discarded before the answer ends: a client that is still sending when the connection
    is closed does not see the answer.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = {"type": "http.response.start", "status": self.status_code}
        await send({**head, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        await _discard(receive)
        await send({"type": "http.response.body"})


async def _discard(receive: Receive) -> None:
    """Reads while something comes, for at most LINGER_SECONDS."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            more = True
            while more:
                async with asyncio.timeout(SILENCE_SECONDS):
                    more = (await receive()).get("more_body", False)
