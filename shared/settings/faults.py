"""Error messages for invalid settings: which setting, where in it, and what to give instead.

They contain no values. People are counted, because their ids are personal data.
"""

import json
from collections.abc import Iterable, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_WORDS = {
    "extra_forbidden": "there is no such key",
    "missing": "is missing",
    "tuple_type": 'give a list, like ["id"]',
    "frozen_set_type": 'give a list, like ["2026-12-25"]',
    "dict_type": "give an object, in braces",
    "model_type": 'give an object, like {"name": "berlin"}',
    "model_attributes_type": 'give an object, like {"name": "Jane Doe"}',
    "date_from_datetime_parsing": "give a date like 2026-12-25",
    "date_parsing": "give a date like 2026-12-25",
}


def faults(error: ValidationError, given: Mapping[str, str]) -> str:
    """Returns all faults of the settings `given`, whose names are in lower case."""
    return "; ".join(f"{_where(fault, given)}: {_what(fault)}" for fault in error.errors())


def _where(fault: ErrorDetails, given: Mapping[str, str]) -> str:
    setting, *path = fault["loc"]
    if setting == "baton_agents":
        path[:1] = [_position(one, given.get("baton_agents", "")) for one in path[:1]]
    inside = ".".join(
        _step(one, path[:n], given.get(str(setting), "")) for n, one in enumerate(path)
    )
    return f"{str(setting).upper()} {inside}".strip()


def _position(person: int | str, text: str) -> str:
    return str([one.lower() for one in json.loads(text)].index(str(person)) + 1)


def _step(one: int | str, before: Iterable[int | str], text: str) -> str:
    """Returns a step of the path: a name where there is one, else the position counted from 1."""
    if isinstance(one, str):
        return one
    return _name(one, text) if not list(before) else str(one + 1)


def _name(index: int, text: str) -> str:
    try:
        return str(json.loads(text)[index]["name"])
    except (ValueError, LookupError, TypeError):
        return str(index + 1)


def _what(fault: ErrorDetails) -> str:
    return _WORDS.get(fault["type"], fault["msg"].removeprefix("Value error, "))
