"""The base classes of models: `Ours` is strict and closed, `Stored` keeps unknown fields, `Theirs`
ignores them.

Their validators are built at first use, because no function uses all models: to build all takes
longer than to import them. Pydantic does not compare each field's name with its own methods'
(`protected_namespaces`): that takes a seventh of making the classes.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, JsonValue, StringConstraints
from pydantic.alias_generators import to_camel

JsonObject = dict[str, JsonValue]
NonEmpty = Annotated[str, StringConstraints(min_length=1)]
_in_camel_case = cache(to_camel)
_set = object.__setattr__  # a frozen model has no other


class _Model(BaseModel):
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Returns what pydantic's own method returns, in half of its time: one event makes some
        ten copies. Deep copies, and unknown fields in `update`, are left to pydantic.
        """
        values = {**self.__dict__, **(update or {})}
        if deep or len(values) > len(self.__dict__):
            return super().model_copy(update=update, deep=deep)
        kind, extra = type(self), self.__pydantic_extra__
        copied = kind.__new__(kind)
        _set(copied, "__dict__", values)
        _set(copied, "__pydantic_extra__", extra and {**extra})
        _set(copied, "__pydantic_fields_set__", self.__pydantic_fields_set__.union(update or ()))
        _set(copied, "__pydantic_private__", None)  # no model has private attributes
        return copied


class Ours(_Model):
    """Data that Baton writes and reads back. Aliases are camelCase."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        alias_generator=_in_camel_case,
        populate_by_name=True,
        defer_build=True,
        protected_namespaces=(),
    )


class Stored(Ours):
    """Data in the store. Unknown fields are kept and written back unchanged.

    During a deployment, older and newer versions of Baton read and write the same documents.
    """

    model_config = ConfigDict(extra="allow")


class Theirs(_Model):
    """Data that callers and platforms write. Unknown fields are ignored."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=_in_camel_case,
        populate_by_name=True,
        defer_build=True,
        protected_namespaces=(),
    )
