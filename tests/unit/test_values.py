"""A frozen class of ours is as the standard library makes it."""

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any, Generic, TypeVar

import pytest

from shared.values import frozen

T = TypeVar("T")


def _of(decorator: Any) -> Any:
    @decorator
    class Both(Generic[T]):
        """Of all kinds of fields that there are."""

        number: T
        text: str = "t"
        secret: str = field(default="s", repr=False)
        several: tuple[Any, ...] = field(default_factory=tuple)

    return Both


OURS, THEIRS, OTHER = _of(frozen), _of(dataclass(frozen=True, slots=True)), _of(frozen)


@pytest.mark.parametrize("given", [(1,), (1, "u"), (1, "u", "x", (2, "three"))])
def test_it_is_shown_changed_and_taken_apart_as_theirs(given: tuple[Any, ...]) -> None:
    ours, theirs = OURS(*given), THEIRS(*given)
    assert repr(ours) == repr(theirs)
    assert asdict(ours) == asdict(theirs)
    assert repr(replace(ours, text="new")) == repr(replace(theirs, text="new"))
    assert [one.name for one in fields(ours)] == [one.name for one in fields(theirs)]
    assert ours.__match_args__ == theirs.__match_args__


@pytest.mark.parametrize("kind", [OURS, THEIRS])
def test_equal_values_are_equal_and_have_one_hash(kind: Any) -> None:
    one, same, another = kind(1, "a"), kind(1, "a"), kind(1, "b")
    assert one == same
    assert hash(one) == hash(same)
    assert one != another
    assert one != OTHER(1, "a")
    assert one != (1, "a", "s", ())
    assert len({one, same, another}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(kind([]))


@pytest.mark.parametrize("kind", [OURS, THEIRS])
def test_nothing_of_it_can_be_changed_or_added(kind: Any) -> None:
    one = kind(1)
    with pytest.raises(FrozenInstanceError):
        one.text = "new"
    with pytest.raises(FrozenInstanceError):
        del one.text
    with pytest.raises((FrozenInstanceError, TypeError)):
        one.more = "new"
    assert not hasattr(one, "__dict__")


@pytest.mark.parametrize("kind", [OURS, THEIRS])
def test_one_that_holds_itself_can_be_shown(kind: Any) -> None:
    kept: list[Any] = []
    one = kind(kept)
    kept.append(one)
    assert "number=[...]" in repr(one)


@pytest.mark.parametrize("given", [(), (1, "t", "s", (), 5)])
def test_it_takes_what_theirs_takes(given: tuple[Any, ...]) -> None:
    for kind in (OURS, THEIRS):
        with pytest.raises(TypeError, match="__init__"):
            kind(*given)
        with pytest.raises(TypeError, match="unexpected keyword argument 'more'"):
            kind(1, more=2)
        assert kind(number=1, several=(2,)) == kind(1, several=(2,)) != kind(1)


def test_copies_and_pickles_are_equal() -> None:
    one = Kept("a", ["b"])
    for same in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):  # noqa: S301
        assert same == one
        assert same is not one
    assert copy.deepcopy(one).several is not one.several


def test_what_is_made_by_default_is_made_for_each() -> None:
    assert Kept("a").several is not Kept("a").several


def test_a_value_is_checked_after_it_is_set() -> None:
    with pytest.raises(ValueError, match="empty"):
        Kept("")


@frozen
class Kept:
    text: str
    several: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.text:
            raise ValueError("empty")


def test_a_class_of_one_field() -> None:
    @frozen
    class One:
        text: str

    assert (One("a"), hash(One("a")), repr(One("a"))) == (
        One("a"),
        hash(One("a")),
        f"{One.__qualname__}(text='a')",
    )
    assert One("a") != One("b")
