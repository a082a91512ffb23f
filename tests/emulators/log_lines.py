"""What a line of the log must be, and what must never stand in one."""

import json
from collections.abc import Iterable
from typing import Any

SEVERITIES = ("DEBUG", "INFO", "WARNING", "ERROR")


def faults(lines: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """Returns what is wrong with these lines, in plain words."""
    found: list[str] = []
    for line in lines:
        found += [f"says {secret!r}: {line}" for secret in secrets if secret in line]
        found += [f"{fault}: {line}" for fault in _of_form(line)]
    return found


def _of_form(line: str) -> list[str]:
    try:
        fields = json.loads(line)
    except ValueError:
        return ["is not JSON"]
    if not isinstance(fields, dict) or fields.get("severity") not in SEVERITIES:
        return ["has no severity"]
    if not fields.get("message"):
        return ["has no message"]
    return _of_final(fields) if "status" in fields else []


def _of_final(fields: dict[str, Any]) -> list[str]:
    missing = [name for name in ("function", "method", "latency_ms") if name not in fields]
    is_idle = fields["status"] in (400, 401, 404, 405, 413) or fields.get("events") == 0
    return missing if is_idle or "rpcs" in fields else [*missing, "has no rpcs"]


def final_lines(lines: Iterable[str], function: str) -> list[dict[str, Any]]:
    """Returns the line that ends each request of a function."""
    parsed = (json.loads(line) for line in lines)
    return [line for line in parsed if line.get("function") == function and "status" in line]
