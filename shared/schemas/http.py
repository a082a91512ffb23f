"""Plain HTTP values, so that platforms and services never see a framework's request."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is raw (percent-encoded) without the function's name; header names are lower case."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def declared(self) -> int:
        """How many bytes its body has, as far as the headers tell."""
        length = self.headers.get("content-length", "")
        return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


@dataclass(frozen=True, slots=True)
class Response:
    """`notes` are for the log line of this request and are not sent."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str | float | None] = field(default_factory=dict)


BODY_LIMIT = 1 << 20  # bytes of what a caller sends
PUSH_LIMIT = 16 << 20  # Pub/Sub's own limit of 10 MB, in base64 and wrapped

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Door:
    """What a function does with a request. `body_limit` sees all of it but the body, and says how
    many bytes of that are read before `handle` is called: none where the answer does not depend on
    them.
    """

    handle: Handler
    body_limit: Callable[[Request], int]


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP call to make. `auth` is `none`, `bearer:<token>` or `google:<scope>`; it never
    reaches a log.

    `timeout` is in seconds, from beginning to end; None leaves it to the sender. `per_second` is
    how many calls this host takes of one customer, None where no such limit is documented.
    """

    method: str
    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: str = "none"
    timeout: float | None = None
    per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came back with; header names are lower case."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
