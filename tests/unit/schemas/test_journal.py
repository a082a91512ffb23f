"""What a journal entry is stored as, and that one of an older Baton is still read."""

import json
from datetime import UTC, datetime

import pytest

from shared.handoff.visibility import body_of, words_for_desk
from shared.schemas.commands import CallDesk, Post, Publish
from shared.schemas.journal import JournalEntry, Sealed, Verdict
from shared.schemas.variables import Audience
from shared.stores.documents import from_entry, to_entry

ENTRY = JournalEntry(
    id="e", conversation="csku:1", seq=1, time=datetime(2026, 3, 1, tzinfo=UTC), source="csku:1",
    kind="user_message",
    verdict=Verdict.ACCEPTED, nonce="n", text=Sealed("hi"),
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


OF_AN_OLDER_BATON = {
    "id": "e", "conversation": "business_messages:1", "seq": 1, "time": "2026-03-01T00:00:00Z",
    "kind": "user_message",
    "source": "business_messages:1", "verdict": "accepted", "nonce": "n", "text": "hi",
    "commands": [
        {"id": "1", "kind": "publish", "topic": "baton-user-messages",
         "body": {"message": {"text": "hi"}, "audience": ["BOT"]}},
        {"id": "2", "kind": "post", "audience": "BOT", "body": {"message": {"text": "hi"}}},
        {"id": "3", "kind": "desk", "desk": "d", "platform": "ccai", "action": "say",
            "handoff": "h",
         "text": "[hidden]"},
    ],
}  # fmt: skip


def test_what_an_older_baton_stored_goes_out_as_it_was_stored() -> None:
    entry = to_entry(json.dumps(OF_AN_OLDER_BATON))
    publish, post, say = entry.commands
    assert isinstance(publish, Publish)
    assert isinstance(post, Post)
    assert isinstance(say, CallDesk)
    assert body_of(entry, publish) == {"message": {"text": "hi"}, "audience": ["BOT"]}
    assert body_of(entry, post) == {"message": {"text": "hi"}}
    assert words_for_desk(entry, say) == "[hidden]"
    assert to_entry(from_entry(entry).body) == entry


@pytest.mark.parametrize(
    ("fields", "ends"),
    [
        ({"over": "ccai:chat-1", "event_id": "any"}, True),
        ({"event_id": "ended:chat_ended:0a1b"}, True),  # as versions without `over` stored it
        ({"event_id": "chat_deflected:ended:0a1b"}, False),
        ({}, False),
    ],
)
def test_an_entry_tells_whether_its_event_ended_a_chat(fields: dict[str, str], ends: bool) -> None:
    entry = ENTRY.model_copy(update={"kind": "handoff_failed", **fields})
    assert entry.ends_chat == ends
    assert to_entry(from_entry(entry).body) == entry


def test_an_entry_that_ends_no_chat_is_stored_as_it_was_before_that_was_a_field() -> None:
    assert "over" not in json.loads(from_entry(ENTRY).body)
