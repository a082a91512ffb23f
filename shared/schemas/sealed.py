"""A wrapper for content that some readers must not see.

It cannot be printed, joined or sent by accident.

Only `handoff.visibility` opens it, for a given reader; a test checks that. The stored form is the
plain content.
"""

from typing import Any, Generic, TypeVar, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")
HIDDEN = "[hidden]"


class Sealed(Generic[T]):
    """Content of type T. Its repr is `[hidden]`."""

    __slots__ = ("_content",)

    def __init__(self, content: T) -> None:
        self._content = content

    def __repr__(self) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        held = handler.generate_schema(get_args(source)[0])
        sealing = core_schema.no_info_after_validator_function(cls, held)
        sealed = core_schema.union_schema(
            [core_schema.is_instance_schema(cls), sealing], mode="left_to_right"
        )
        opening = core_schema.plain_serializer_function_ser_schema(unsealed, return_schema=held)
        return core_schema.json_or_python_schema(sealing, sealed, serialization=opening)


def unsealed(sealed: Sealed[T]) -> T:
    """Returns the content. Only `handoff.visibility` may call this."""
    return sealed._content
