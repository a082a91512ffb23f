"""The HTTP/1.1 server of the local run. It refuses what is no HTTP in Baton's error shape too."""

import sys

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from infra.local.gate import HEADERS_LIMIT, HeadersTooLarge
from shared.edge.error_response import error_response
from shared.errors import BadRequest, BatonError
from shared.schemas.http import Response

# The rest is read before the refusal: a connection that is closed with unread data loses the
# answer.
LONGEST_HEAD = 1 << 20


class OneShape(H11Protocol):
    def send_400_response(self, msg: str) -> None:
        """Sends the answer while the parser's error is handled."""
        told = error_response(_refusal(sys.exc_info()[1]))
        for event in (*_head(told), h11.Data(data=told.body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def _head(told: Response) -> list[h11.Response]:
    length = str(len(told.body)).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", length),
        (b"connection", b"close"),
    ]
    return [h11.Response(status_code=told.status, headers=headers)]


def _refusal(error: BaseException | None) -> BatonError:
    if getattr(error, "error_status_hint", 400) == 431:
        return HeadersTooLarge(
            "headers-too-large", f"Send at most {HEADERS_LIMIT} bytes of headers."
        )
    return BadRequest("not-http", "This is no HTTP request that can be read.")
