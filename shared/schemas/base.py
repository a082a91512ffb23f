"""The base classes of models: `Ours` is strict and closed, `Stored` keeps unknown fields, `Theirs`
ignores them.

Their validators are built at first use, because no function uses all models: to build all takes
longer than to import them. Pydantic does not compare each field's name with its own methods'
(`protected_namespaces`): that takes a seventh of making the classes.
"""

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, JsonValue, StringConstraints
from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass as _ClassOfModels

    JsonObject = dict[str, JsonValue]
else:
    _ClassOfModels = type(BaseModel)
    # At run time pydantic would ask a Python function of each value which kind of JSON it is. What
    # is read as JSON is JSON, and what Baton makes is checked before it runs.
    JsonObject = dict[str, Any]
# Pydantic finds private attributes, and unknown fields that `extra="allow"` keeps, by this method.
# No model of Baton has the former, or reads the latter as attributes. A class that has the method
# looks up every field the slow way: that takes a twentieth of the instructions of an event.
if "__getattr__" in vars(BaseModel):
    del BaseModel.__getattr__  # type: ignore[attr-defined]  # pydantic hides it from type checkers
NonEmpty = Annotated[str, StringConstraints(min_length=1)]
_in_camel_case = cache(to_camel)


class _PlainClass(_ClassOfModels):
    """isinstance() on these classes is the built-in check. Pydantic's metaclass derives from
    ABCMeta, whose check runs in Python; each event is checked some fifty times.
    """

    __instancecheck__ = type.__instancecheck__


class Ours(BaseModel, metaclass=_PlainClass):
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


class Theirs(BaseModel):
    """Data that callers and platforms write. Unknown fields are ignored."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=_in_camel_case,
        populate_by_name=True,
        defer_build=True,
        protected_namespaces=(),
    )
