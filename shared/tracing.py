"""Trace context of the current request, which is passed on through topics, and the number of RPCs
that the request has made.

https://www.w3.org/TR/trace-context/, https://cloud.google.com/trace/docs/trace-context
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import field
from typing import Any

from shared.values import frozen

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_CLOUD = re.compile(r"([0-9a-f]{32})(?:/(\d+))?(?:;.*)?")


@frozen
class Span:
    """`traceparent` is the header value to pass on. `fields` are what each log line has of it.

    https://cloud.google.com/logging/docs/structured-logging#special-payload-fields
    """

    traceparent: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    execution: str | None = None
    rpcs: dict[str, int] = field(default_factory=dict)


_project: str | None = None
_current: ContextVar[Span | None] = ContextVar("span", default=None)


def name_project(project: str | None) -> None:
    """Sets the Google Cloud project that traces belong to.

    Without one, log lines carry no trace.
    """
    global _project  # once, at start
    _project = project


def name_execution(execution: str) -> None:
    """Sets the id of this task's request, by which Google's log viewer finds its lines."""
    _current.set(Span(execution=execution))


def begin(headers: Mapping[str, str]) -> Span:
    """Reads the trace headers and makes the result the current span of this task. Returns it.

    RPCs that were counted in the task before stay counted.
    """
    before = current()
    fields: dict[str, Any] = {}
    traceparent, context = headers.get("traceparent"), headers.get("x-cloud-trace-context")
    known = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    cloud = _CLOUD.fullmatch(context) if context else None
    trace = known or cloud
    if _project and trace:
        fields["logging.googleapis.com/trace"] = f"projects/{_project}/traces/{trace[1]}"
    if before.execution:
        fields["logging.googleapis.com/labels"] = {"execution_id": before.execution}
        if cloud and cloud[2]:
            fields["logging.googleapis.com/spanId"] = cloud[2]
    span = Span(traceparent if known else None, fields, before.execution, before.rpcs)
    _current.set(span)
    return span


def current() -> Span:
    """Returns the span of this task, or an empty one outside of a request."""
    return _current.get() or Span()


def count(rpc: str) -> None:
    """Counts one RPC of the current request. `rpc` is the name that the log shows."""
    rpcs = current().rpcs
    rpcs[rpc] = rpcs.get(rpc, 0) + 1
