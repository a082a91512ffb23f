"""The request being served: its trace, which travels on through topics, and the RPCs that it has
cost so far.

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
    """`traceparent` is what goes on to others, `trace` the resource name that log lines carry."""

    traceparent: str | None = None
    trace: str | None = None
    rpcs: Counter[str] = field(default_factory=Counter)


_project: str | None = None
_current: ContextVar[Span | None] = ContextVar("span", default=None)


def name_project(project: str | None) -> None:
    """Notes whose traces these are; without a project log lines carry none."""
    global _project  # once, at start
    _project = project


def begin(headers: Mapping[str, str]) -> Span:
    """Returns what these headers say, which is the span of all that follows in this task; RPCs
    counted stay counted.
    """
    traceparent = headers.get("traceparent", "")
    known = _TRACEPARENT.fullmatch(traceparent)
    cloud = known or _CLOUD.fullmatch(headers.get("x-cloud-trace-context", ""))
    trace = f"projects/{_project}/traces/{cloud.group(1)}" if _project and cloud else None
    span = Span(traceparent if known else None, trace, current().rpcs)
    _current.set(span)
    return span


def current() -> Span:
    """Returns the span of this task, an empty one outside of any request."""
    return _current.get() or Span()


def count(rpc: str) -> None:
    """Notes an RPC that the current request has made."""
    current().rpcs[rpc] += 1
