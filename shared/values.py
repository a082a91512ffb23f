"""Classes of values.

`dataclasses` writes and compiles six functions for each class, and a function makes 60 such classes
before its first answer. Only the one that takes the values must be compiled for each: that saves a
tenth of a start. It sets the slots themselves, so an object is made in two thirds of the time.
"""

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Returns the class as `dataclass(frozen=True, slots=True)` makes it. All its fields are taken
    by position or by name.
    """
    made: Any = dataclass(slots=True, init=False, eq=False, repr=False)(cls)
    values = attrgetter(*(one.name for one in fields(made)))

    def equals(self: object, other: object) -> bool:
        return values(self) == values(other) if type(other) is type(self) else NotImplemented

    def hashed(self: object) -> int:
        return hash(values(self))

    made.__init__, made.__repr__, made.__reduce__ = _initialiser(made), _shown, _reduced
    made.__eq__, made.__hash__ = equals, hashed
    made.__setattr__, made.__delattr__ = _refuse_to_set, _refuse_to_delete
    as_given: type[T] = made
    return as_given


def _initialiser(cls: Any) -> Callable[..., None]:
    """Returns the function that sets the fields. It is compiled, as that of `dataclasses` is,
    because objects are made with every event.
    """
    known: dict[str, Any] = {"MISSING": MISSING}
    parameters, lines = ["self"], list[str]()
    for one in fields(cls):
        name, value, default = one.name, one.name, ""
        known[f"set_{name}"] = getattr(cls, name).__set__
        if one.default is not MISSING:
            known[f"of_{name}"], default = one.default, f"=of_{name}"
        elif one.default_factory is not MISSING:
            known[f"of_{name}"], default = one.default_factory, "=MISSING"
            value = f"of_{name}() if {name} is MISSING else {name}"
        parameters.append(name + default)
        lines.append(f"set_{name}(self, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines), known)  # noqa: S102
    made: Callable[..., None] = known["__init__"]
    return made


@recursive_repr()
def _shown(self: Any) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _reduced(self: Any) -> tuple[Any, ...]:
    """What copies and pickles are made of."""
    return type(self), tuple(getattr(self, one.name) for one in fields(self))


def _refuse_to_set(_self: object, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")
