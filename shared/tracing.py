"""Trace context of the current request, which is passed on through topics, and the number of RPCs
that the request has made.

https://www.w3.org/TR/trace-context/, https://cloud.google.com/trace/docs/trace-context
"""

import re
from collections import Counter
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_CLOUD = re.compile(r"([0-9a-f]{32})(?:/\d+)?(?:;.*)?")


@dataclass(frozen=True, slots=True)
class Span:
    """`traceparent` is the header value to pass on; `trace` is the resource name for log lines."""

    traceparent: str | None = None
    trace: str | None = None
    rpcs: Counter[str] = field(default_factory=Counter)


_project: str | None = None
_current: ContextVar[Span | None] = ContextVar("span", default=None)


def name_project(project: str | None) -> None:
    """Sets the Google Cloud project that traces belong to.

    Without one, log lines carry no trace.
    """
    global _project  # once, at start
    _project = project


def begin(headers: Mapping[str, str]) -> Span:
    """Reads the trace headers and makes the result the current span of this task. Returns it.

    RPCs that were counted in the task before stay counted.
    """
    traceparent = headers.get("traceparent", "")
    known = _TRACEPARENT.fullmatch(traceparent)
    cloud = known or _CLOUD.fullmatch(headers.get("x-cloud-trace-context", ""))
    trace = f"projects/{_project}/traces/{cloud.group(1)}" if _project and cloud else None
    span = Span(traceparent if known else None, trace, current().rpcs)
    _current.set(span)
    return span


def current() -> Span:
    """Returns the span of this task, or an empty one outside of a request."""
    return _current.get() or Span()


def count(rpc: str) -> None:
    """Counts one RPC of the current request. `rpc` is the name that the log shows."""
    current().rpcs[rpc] += 1
