"""Plain HTTP values, so that platforms and use cases do not depend on a web framework."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import field
from datetime import timedelta

from shared.values import frozen


@frozen
class Request:
    """`path` is percent-encoded and has no function name; header names are in lower case.

    Where a door takes the body as it comes, that is `chunks`, and `body` is empty.
    """

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    chunks: AsyncIterator[bytes] | None = None

    @property
    def declared(self) -> int:
        """The content-length in bytes, 0 if it is missing or invalid."""
        length = self.headers.get("content-length", "")
        return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


@frozen
class Stream:
    """A body that is sent as it comes. `close` is awaited once, when the body was sent or the
    client is gone, also if no chunk was read.
    """

    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]


@frozen
class Response:
    """`stream` is sent in place of `body`. `notes` are added to the request's log line and are
    not sent.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str | float | None] = field(default_factory=dict)
    stream: Stream | None = None


BODY_LIMIT = 1 << 20  # bytes of what a caller sends
FUNCTION_HEADER = "baton-function"  # names the function that answered: it shows a wrong address
PUSH_LIMIT = 16 << 20  # Pub/Sub's own limit of 10 MB, in base64 and wrapped

Handler = Callable[[Request], Awaitable[Response]]


@frozen
class Door:
    """How a function handles requests.

    `body_limit` gets the request without its body and returns how many bytes of body may be read
    before `handle` is called. It returns 0 if the answer does not depend on the body. Where
    `is_streamed` is true, `handle` reads the body as it comes, and limits it itself.
    """

    handle: Handler
    body_limit: Callable[[Request], int]
    is_streamed: Callable[[Request], bool] = lambda _: False


@frozen
class Pace:
    """A documented rate limit. All calls with the same `of` share it.

    `burst` calls may be made at once. They use up the calls of the time after them.
    """

    of: str
    per_second: float
    burst: int = 1


@frozen
class Call:
    """An HTTP call to make.

    `auth` is `none`, `bearer:<token>` or `google:<scope>`; it is never logged.

    `timeout` is the total time in seconds; None uses the sender's default. `paces` are the
    rate limits that it counts for. `stream` is sent in place of `body`, as it comes.
    """

    method: str
    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: str = "none"
    timeout: float | None = None
    paces: tuple[Pace, ...] = ()
    stream: AsyncIterator[bytes] | None = None


@frozen
class Answer:
    """The response to a call. Header names are in lower case."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


KEPT, LONGEST_KEPT = timedelta(hours=1), timedelta(days=1)


def fresh_for(answer: Answer | None) -> timedelta:
    """Returns for how long an answer is good, by its Cache-Control and Age (RFC 9111, 4.2)."""
    headers = answer.headers if answer else {}
    lasts = re.search(r"\bmax-age=([0-9]{1,9})", headers.get("cache-control", ""))
    age = re.fullmatch(r"[0-9]{1,9}", headers.get("age", "0"))
    if lasts is None:
        return KEPT
    seconds = int(lasts[1]) - (int(age[0]) if age else 0)
    return max(timedelta(), min(timedelta(seconds=seconds), LONGEST_KEPT))
