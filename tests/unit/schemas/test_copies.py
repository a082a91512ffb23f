"""A copy of a conversation is as pydantic makes it, though it is made faster."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from shared.schemas.conversation import Conversation, Phase

STORED = """{
  "id": "csku:1", "address": "1", "version": 3, "uncounted": {"a": 1},
  "x_newer": {"of": ["a version"]}
}"""


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(
    "update", [None, {}, {"version": 4}, {"phase": Phase.HUMAN, "locale": "de"}, {"x_newer": 1}]
)
def test_a_copy_is_as_pydantic_makes_it(update: Mapping[str, Any] | None, deep: bool) -> None:
    before = Conversation.model_validate_json(STORED)
    ours = before.model_copy(update=update, deep=deep)
    theirs = BaseModel.model_copy(before, update=update, deep=deep)
    assert ours == theirs
    assert ours.model_dump_json(exclude_none=True) == theirs.model_dump_json(exclude_none=True)
    assert ours.model_fields_set == theirs.model_fields_set
    assert ours.model_extra == theirs.model_extra


def test_what_it_was_copied_from_stays() -> None:
    before = Conversation.model_validate_json(STORED)
    text, names = before.model_dump_json(), set(before.model_fields_set)
    after = before.model_copy(update={"locale": "de"})
    after.model_copy(update={"x_newer": 1, "customer_name": "Ana"})
    assert before.model_dump_json() == text
    assert before.model_fields_set == names
    assert after.model_extra == before.model_extra
