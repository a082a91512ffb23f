"""One JSON line per outcome, as Cloud Logging reads it; never a body, a token or a phone number."""

import json
import sys
from typing import Literal

Severity = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Loggable = str | int | float | bool | None


def log(severity: Severity, message: str, **fields: Loggable) -> None:
    """Writes one line to standard output; fields that are None are left out."""
    line = {"severity": severity, "message": message, **{k: v for k, v in fields.items() if v is not None}}
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()
