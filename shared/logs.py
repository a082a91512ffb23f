"""One JSON line per outcome, as Cloud Logging reads it; never a body, a token or a phone number."""

import json
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

from shared import tracing

Severity = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Loggable = str | int | float | bool | Mapping[str, int] | None


_hidden: set[Severity] = set()


def hide(severity: Severity) -> None:
    """Keeps lines of this severity back from now on, where people read along."""
    _hidden.add(severity)


def log(severity: Severity, message: str, **fields: Loggable) -> None:
    """Writes one line to standard output; fields that are None are left out.

    The trace field is what makes Cloud Logging show the line under its request.
    https://cloud.google.com/logging/docs/structured-logging#special-payload-fields
    """
    if severity in _hidden:
        return
    line = {
        "severity": severity,
        "message": message,
        **{k: v for k, v in fields.items() if v is not None},
    }
    trace = tracing.current().trace
    if trace is not None:
        line["logging.googleapis.com/trace"] = trace
    with suppress(OSError):  # a log on a full disk must not turn what was done into an error
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def sanitised(given: str) -> str:
    """Returns a host or an origin that a stranger sent in a form that a log may hold."""
    return re.sub(r"[^A-Za-z0-9.:/\[\]_-]", "?", given)[:100]
