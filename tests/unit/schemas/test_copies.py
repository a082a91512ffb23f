"""A copy of one of Baton's models is what pydantic's own copy is."""

from typing import Any

import pytest
from pydantic import BaseModel

from shared.schemas.base import Ours
from shared.schemas.conversation import Conversation, Phase, Timer
from shared.schemas.measures import Progress, Visit
from shared.schemas.notation import parse_time

BEGUN = parse_time("2026-11-30T10:00:00Z")
VISIT = Visit(began_at=BEGUN, latest_at=BEGUN)
OF_A_NEWER_VERSION = Conversation.model_validate_json('{"id": "c:1", "address": "1", "newer": [1]}')
TIMER = Timer(kind="idle", armed=1, n=1, due_at=BEGUN)


@pytest.mark.parametrize(
    ("model", "update"),
    [
        (Conversation(id="c:1", address="1"), {"phase": Phase.HUMAN, "version": 2}),
        (Conversation(id="c:1", address="1"), {}),
        (Conversation(id="c:1", address="1"), None),
        (Conversation(id="c:1", address="1"), {"of_no_field": 1}),
        (OF_A_NEWER_VERSION, {"version": 2}),
        (OF_A_NEWER_VERSION, {"newer": [2]}),
        (Progress(visit=VISIT), {"visit": None}),
        (Progress.model_construct(visit=VISIT), {"turn_desk": "berlin"}),
        (TIMER, {"n": 2}),
    ],
)
@pytest.mark.parametrize("deep", [False, True])
def test_a_copy_is_pydantics_own(model: Ours, update: Any, *, deep: bool) -> None:
    ours = model.model_copy(update=update, deep=deep)
    theirs = BaseModel.model_copy(model, update=update, deep=deep)
    assert type(ours) is type(theirs) is type(model)
    assert ours == theirs
    assert ours.model_fields_set == theirs.model_fields_set
    assert ours.model_extra == theirs.model_extra
    assert ours.model_dump_json() == theirs.model_dump_json()


def test_a_copy_leaves_its_original_alone() -> None:
    before = OF_A_NEWER_VERSION.model_dump_json(), set(OF_A_NEWER_VERSION.model_fields_set)
    copied = OF_A_NEWER_VERSION.model_copy(update={"version": 2})
    extra = copied.model_extra
    assert extra is not None
    extra["newer"] = [3]
    assert (OF_A_NEWER_VERSION.model_dump_json(), OF_A_NEWER_VERSION.model_fields_set) == before
