"""Sends a body as it comes."""

import asyncio
import contextlib
from collections.abc import Mapping

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from shared.logs import log
from shared.schemas.http import Stream

LONGEST_SECONDS = 280.0  # a reader may be slow; less than the time limit of the function


class Streamed(StreamingResponse):
    """The answer with a body that is sent as it comes. It ends when the client is gone.

    A body that fails halfway is left incomplete: the server then closes the connection, so that
    the client does not take what it has for the whole.
    """

    def __init__(
        self, stream: Stream, status: int, headers: Mapping[str, str], content_type: str
    ) -> None:
        super().__init__(stream.chunks, status, headers, content_type)
        self._close = stream.close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await super().__call__(scope, receive, send)
        except Exception as error:
            fields = {"error": type(error).__name__, "reason": getattr(error, "reason", None)}
            log("WARNING", "an answer was cut off while it was sent", **fields)
        finally:
            with contextlib.suppress(Exception):
                await asyncio.shield(self._close())
