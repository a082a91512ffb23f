"""The two kinds of model: ours (strict, closed) and theirs (tolerant of what we do not know)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, JsonValue, StringConstraints
from pydantic.alias_generators import to_camel

JsonObject = dict[str, JsonValue]
NonEmpty = Annotated[str, StringConstraints(min_length=1)]


class Ours(BaseModel):
    """What Baton itself writes and reads back; camelCase outside, snake_case inside."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )


class Theirs(BaseModel):
    """What callers and platforms write: unknown fields pass."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )
