"""What a journal entry is stored as, and that one of an older Baton is still read."""

import json
from datetime import UTC, datetime

import pytest

from shared.schemas.journal import JournalEntry, Verdict
from shared.schemas.variables import Audience
from shared.stores.documents import from_entry, to_entry

ENTRY = JournalEntry(
    id="e", conversation="csku:1", seq=1, time=datetime(2026, 3, 1, tzinfo=UTC), source="csku:1", kind="user_message",
    verdict=Verdict.ACCEPTED, nonce="n", text="hi",
)  # fmt: skip


@pytest.mark.parametrize("audiences", [(), (Audience.EVENT,), tuple(Audience)], ids=str)
def test_whom_words_were_captured_for_is_kept(audiences: tuple[Audience, ...]) -> None:
    captured = ENTRY.model_copy(update={"captured_for": audiences})
    assert to_entry(from_entry(captured).body) == captured


def test_an_entry_whose_words_were_not_captured_is_stored_as_it_was_before_that_was_noted() -> None:
    """So it is read by older instances too, while a new Baton is being deployed."""
    body = from_entry(ENTRY).body
    assert "captured_for" not in json.loads(body)
    assert to_entry(body) == ENTRY
