"""Classes of values.

`dataclasses` writes and compiles six functions for each class, and a function makes 60 such classes
before its first answer. Three of the six can be the same for all, so they are here: that saves a
twentieth of a start.
"""

from dataclasses import dataclass, field, fields
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Returns the class as `dataclass(frozen=True, slots=True)` makes it."""
    made: Any = dataclass(frozen=True, slots=True, eq=False, repr=False)(cls)
    values = attrgetter(*(one.name for one in fields(made)))

    def equals(self: object, other: object) -> bool:
        return values(self) == values(other) if type(other) is type(self) else NotImplemented

    def hashed(self: object) -> int:
        return hash(values(self))

    made.__eq__, made.__hash__, made.__repr__ = equals, hashed, _shown
    as_given: type[T] = made
    return as_given


@recursive_repr()
def _shown(self: Any) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"
