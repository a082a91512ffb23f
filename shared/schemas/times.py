"""Parsing and formatting of times: RFC 3339 with nanoseconds, Unix seconds,
`2024-11-15 16:46:31 UTC`.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, PlainSerializer, TypeAdapter, ValidationError

_PYDANTIC = TypeAdapter(AwareDatetime)


def parse_time(value: object) -> datetime:
    """Returns an aware time in UTC, truncated to microseconds.

    Raises ValueError if `value` is not a time.
    """
    if type(value) is datetime and value.tzinfo is UTC:  # as nearly all are that Baton makes
        return value
    if isinstance(value, bool) or not isinstance(value, int | str | datetime):
        raise ValueError("not a time")
    return _unix(value) if isinstance(value, int) else _from_text(value)


def _from_text(value: str | datetime) -> datetime:
    if isinstance(value, str):
        value = value.strip().removesuffix(" UTC") + ("Z" if value.strip().endswith(" UTC") else "")
        if value.lstrip("-").isdecimal():
            return _unix(float(value))
    try:
        return _PYDANTIC.validate_python(value).astimezone(UTC)
    except (ValidationError, OverflowError) as error:
        raise ValueError("not a time") from error


def _unix(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError("not a time") from error


def time_or_none(value: object) -> datetime | None:
    """Returns the time, or None if the value is not a time.

    For optional fields in which platforms send placeholders.
    """
    try:
        return parse_time(value)
    except ValueError:
        return None


def format_time(value: datetime) -> str:
    """Returns RFC 3339 in UTC with exactly six fractional digits, so that texts sort like times."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


Time = Annotated[
    datetime, BeforeValidator(parse_time), PlainSerializer(format_time, return_type=str)
]
