"""Structured logs: one JSON line per outcome, in the format of Cloud Logging.

No line may contain a body, a token or a phone number.
"""

import json
import re
import sys
from collections.abc import Mapping
from typing import Literal

from pydantic_core import to_json

from shared import tracing

Severity = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Loggable = str | int | float | bool | Mapping[str, int] | None


_hidden: set[Severity] = set()


def hide(severity: Severity) -> None:
    """Drops log lines of this severity from now on. Used where the log is read in a terminal."""
    _hidden.add(severity)


def log(severity: Severity, message: str, **fields: Loggable) -> None:
    """Writes one JSON line to standard output. Fields that are None are left out."""
    if severity in _hidden:
        return
    line = {
        "severity": severity,
        "message": message,
        **{k: v for k, v in fields.items() if v is not None},
        **tracing.current().fields,
    }
    try:
        text = to_json(line).decode()
    except ValueError:  # half a surrogate pair: UTF-8 has no bytes for it, JSON an escape
        text = json.dumps(line)
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError:  # a failed log write must not fail the request that was served
        pass


def sanitised(given: str) -> str:
    """Returns a host or an origin from a request in a form that is safe to log: at most 100
    characters, others than those of a URL's authority replaced by "?".
    """
    return re.sub(r"[^A-Za-z0-9.:/\[\]_-]", "?", given)[:100]
