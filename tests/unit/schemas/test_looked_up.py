"""Fields of models are looked up without pydantic's `__getattr__`, and nothing needs it."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest
from pydantic import BaseModel

import shared
from shared.schemas.conversation import Conversation


def _models(of: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    for model in of.__subclasses__():
        yield model
        yield from _models(model)


def test_no_model_of_baton_has_private_attributes() -> None:
    for module in pkgutil.walk_packages(shared.__path__, "shared."):
        import_module(module.name)
    ours = [model for model in _models() if model.__module__.startswith("shared.")]
    assert len(ours) > 200
    assert [model.__qualname__ for model in ours if model.__private_attributes__] == []


def test_no_class_of_a_model_has_the_slow_look_up() -> None:
    assert [each for each in Conversation.__mro__ if "__getattr__" in vars(each)] == []


def test_a_field_that_is_not_there_is_named() -> None:
    known = Conversation.model_validate({"id": "csku:1", "address": "1", "x_newer": 1})
    assert known.model_extra == {"x_newer": 1}
    with pytest.raises(AttributeError, match="'Conversation' object has no attribute 'phases'"):
        known.phases  # type: ignore[attr-defined]  # noqa: B018  # the fault that is tested
