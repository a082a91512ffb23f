"""Words that may be hidden from somebody become text in one place only."""

import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.schemas.base import JsonObject, Ours
from shared.schemas.journal import Sealed, unsealed

ROOT = Path(__file__).parents[3]
MAY_OPEN = {"shared/handoff/visibility.py", "shared/schemas/journal.py"}


class Record(Ours):
    words: Sealed[str]
    form: Sealed[JsonObject] | None = None


def test_nothing_but_visibility_opens_what_is_sealed() -> None:
    sources = [
        path
        for folder in ("shared", "infra", "functions")
        for path in (ROOT / folder).rglob("*.py")
    ]
    opening = re.compile(r"\bunsealed\b|\._content\b")
    assert {
        str(path.relative_to(ROOT)) for path in sources if opening.search(path.read_text())
    } == MAY_OPEN
    named = re.findall(r"\bunsealed\b", (ROOT / "shared/schemas/journal.py").read_text())
    assert len(named) == 2, "the journal has its definition, and opens it only to store it"


def test_it_cannot_become_text_by_accident() -> None:
    sealed = Sealed("4111 1111")
    assert {str(sealed), repr(sealed), f"{sealed}", f"{[sealed]}"} == {"[hidden]", "[[hidden]]"}
    assert "4111" not in repr(Record(words=sealed))
    with pytest.raises(TypeError):
        json.dumps(sealed)
    with pytest.raises(TypeError):
        sealed + ""  # type: ignore[operator]  # that is the point


def test_it_is_stored_as_what_it_holds_and_read_again() -> None:
    record = Record(words=Sealed("hi"), form=Sealed({"message": {"text": None}}))
    stored = record.model_dump_json(exclude_none=True)
    assert json.loads(stored) == {"words": "hi", "form": {"message": {"text": None}}}
    assert Record.model_validate_json(stored) == record
    assert unsealed(Record.model_validate({"words": "hi"}).words) == "hi"
    with pytest.raises(ValidationError):
        Record.model_validate_json('{"words": 1}')
