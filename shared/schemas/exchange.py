"""Plain HTTP values, so that platforms and services never see a framework's request."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is raw (percent-encoded) without the function's name; header names are lower case."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """`notes` are for the log line of this request and are not sent."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str | float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP call to make. `auth` is `none`, `bearer:<token>` or `google:<scope>`; it never reaches a log.

    `timeout` is in seconds, from beginning to end; None leaves it to the sender. `per_second` is how many calls this
    host takes of one customer, None where no such limit is documented.
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
