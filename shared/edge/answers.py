"""The base class of the models of answers, and the models of errors."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Answer(BaseModel):
    """A field that is None is left out of the JSON."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )


class ErrorDetail(Answer):
    """`reason` is a stable slug; `metadata` has what a program needs, such as the holder's name."""

    type: Annotated[str, Field(alias="@type")]
    reason: str
    domain: Literal["baton"]
    metadata: dict[str, str]


class ErrorBody(Answer):
    code: int
    message: str
    status: str
    details: tuple[ErrorDetail, ...]


class ErrorAnswer(Answer):
    error: ErrorBody
