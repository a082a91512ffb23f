"""JSON bodies as the simulated platforms read them, with no code of Baton's."""

from datetime import UTC, datetime
from typing import Any

import pydantic_core


def object_of(body: bytes) -> dict[str, Any]:
    """Returns the JSON object of a body, an empty one for anything else."""
    try:
        value = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def at(value: object, *path: str | int) -> Any:
    """Returns what stands at a path of names and indexes, None where nothing does."""
    for step in path:
        try:
            value = value[step]  # type: ignore[index]  # what has no index raises TypeError
        except (KeyError, IndexError, TypeError):
            return None
    return value


def now() -> str:
    """Returns the present time as RFC 3339 in UTC, the form of Google's JSON timestamps."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
