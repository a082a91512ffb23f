"""How ids and times are written.

Ids of conversations are `<platform>:<native id>`. Other ids are derived by hashing, so that the
same thing always has the same id.

Times are read in many forms, RFC 3339 with nanoseconds, Unix seconds and `2024-11-15 16:46:31 UTC`,
and written in one.
"""

import hashlib
import re
import uuid
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, core_schema

BARE_PLATFORM = "business_messages"
_PLAIN = re.compile(r"[A-Za-z0-9_.~=+-]{1,128}")
_PHONE = re.compile(r"\+[0-9]{5,}")
_HIDDEN = re.compile(r"h-[0-9a-f]{32}")
_PREFIXED = re.compile(r"([a-z][a-z_]*):(.+)", re.DOTALL)
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "baton")
_PYDANTIC = TypeAdapter(AwareDatetime)


def conversation_id(platform: str, native: str) -> str:
    """Returns `<platform>:<native>`.

    The native id is hashed if it cannot be used in a URL or a document name. It is also hashed if
    it contains a phone number, because ids occur in URLs and logs.
    """
    if not _PLAIN.fullmatch(native) or _PHONE.search(native) or not native.strip("."):
        native = hidden(native)
    return f"{platform}:{native}"


def hidden(native: str) -> str:
    """Returns a hash that replaces a native id. The same id always gives the same hash."""
    return "h-" + sha256(native)[:32]


def sent_key(platform: str, native: str) -> str:
    """Returns the key under which a message is found by the id that its platform gave it."""
    return hidden(f"{platform}:{native}")


def is_hidden(native: str) -> bool:
    """Returns whether `native` is such a hash."""
    return _HIDDEN.fullmatch(native) is not None


def parse_conversation_id(text: str) -> str:
    """Returns the canonical id of a caller's text.

    An id without a platform belongs to Business Messages.
    """
    prefixed = _PREFIXED.fullmatch(text)
    return conversation_id(*prefixed.groups()) if prefixed else conversation_id(BARE_PLATFORM, text)


def platform_of(conversation: str) -> str:
    """Returns the platform of a conversation id."""
    return conversation.partition(":")[0]


def entry_id(source: str, kind: str, native: str) -> str:
    """Returns the journal id of an event, the same for every delivery.

    It reveals nothing of the content.
    """
    return sha256("\n".join((source, kind, native)))[:40]


def command_id(conversation: str, entry: str, index: int | str) -> str:
    """Returns a UUID, which RCS requires. The same command always gets the same one."""
    return str(uuid.uuid5(_NAMESPACE, f"{conversation}\n{entry}\n{index}"))


def sha256(text: str) -> str:
    """Returns the SHA-256 of a text in hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


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
    return _utc_text(value if value.tzinfo is UTC else value.astimezone(UTC))


@lru_cache(4096)  # an instance writes each time of a conversation with every event
def _utc_text(value: datetime) -> str:
    """Returns the same as `format_time`, of a time in UTC. The cache cannot tell the two moments of
    another zone's repeated hour apart.
    """
    return value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


class _ReadAndWritten:
    """As `BeforeValidator(parse_time), PlainSerializer(format_time, return_type=str)`. For these,
    pydantic looks at the signatures of both functions in every field of every model: a fifth of the
    time that it takes to build the validators of the first request. What is read is in UTC, so the
    cached function writes it: an event writes eight times.
    """

    @staticmethod
    def __get_pydantic_core_schema__(_source: object, _handler: object) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(
            _utc_text, return_schema=core_schema.str_schema()
        )
        return core_schema.no_info_before_validator_function(
            parse_time, core_schema.datetime_schema(), serialization=written
        )


Time = Annotated[datetime, _ReadAndWritten]
