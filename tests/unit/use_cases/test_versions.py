"""Versions of Baton side by side on one store, as in every upgrade and rollback.

What an older version wrote is read. What a newer one wrote is read as far as it is known, and the
rest is written back. What cannot be read is answered 503, and spoils no list.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter

from shared.conversations.apply import apply
from shared.customers.erase import erase
from shared.delivery.deliver import deliver
from shared.delivery.wake_ups import deliver_outbox
from shared.errors import Unreadable
from shared.ports import Commit, Snapshot
from shared.reports.recount import entries_of
from shared.schemas.base import Stored
from shared.schemas.commands import SendMessage, State
from shared.schemas.conversation import Conversation
from shared.schemas.http import Request
from shared.schemas.journal import JournalEntry
from shared.stores.documents import from_conversation, from_entry, to_conversation, to_entry
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.test_erase import conversation_full_of_words, entry_full_of_words
from tests.unit.use_cases.test_lines import says

# All that the version before 0.1.0 stored, one document of each shape: a handoff at each kind of
# desk, on each channel, with a bot, an erase and a customer whom no human answered.
OLD = json.loads(Path(__file__).with_name("written_before_0_1.json").read_text())
NEWER = {"x_newer": {"a": [1, {"b": None}]}}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yields the models that a field may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _reachable(*roots: type[BaseModel]) -> set[type[BaseModel]]:
    found, left = set[type[BaseModel]](), list(roots)
    while left:
        model = left.pop()
        if model not in found:
            found.add(model)
            left += [one for field in model.model_fields.values() for one in _models(_whole(field))]
    return found


def _whole(field: Any) -> Any:
    return field.annotation


def test_every_model_that_is_stored_keeps_what_it_does_not_know() -> None:
    stored = _reachable(Conversation, JournalEntry)
    assert len(stored) > 30
    assert [one.__name__ for one in stored if one.model_config.get("extra") != "allow"] == []


def _with_newer_fields(value: Any) -> Any:
    """Returns a document as a version would write it that knows one field more of everything."""
    if isinstance(value, list):
        return [_with_newer_fields(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {**{name: _with_newer_fields(one) for name, one in value.items()}, **NEWER}


def _documents() -> Iterator[tuple[type[Stored], dict[str, Any]]]:
    for document in OLD["conversations"]:
        yield Conversation, document
    for document in OLD["journal"]:
        yield JournalEntry, document
    yield Conversation, json.loads(from_conversation(conversation_full_of_words()).body)
    yield JournalEntry, json.loads(from_entry(entry_full_of_words(1)).body)


def _read(model: type[Stored], document: dict[str, Any]) -> Any:
    body = json.dumps(document)
    return to_conversation(body) if model is Conversation else to_entry(body)


def _written(stored: Any) -> Any:
    written = from_conversation if isinstance(stored, Conversation) else from_entry
    return json.loads(written(stored).body)


def _missing(expected: Any, found: Any, path: str = "") -> list[str]:
    """Returns where something of `expected` is not in `found`; nulls are not written."""
    if isinstance(expected, dict):
        return [
            gap
            for name, one in expected.items()
            if one is not None
            for gap in (
                _missing(one, found[name], f"{path}.{name}")
                if name in found
                else [f"{path}.{name} is missing"]
            )
        ]
    if isinstance(expected, list) and len(expected) == len(found):
        return [
            gap
            for place, pair in enumerate(zip(expected, found, strict=True))
            for gap in _missing(*pair, f"{path}.{place}")
        ]
    return [] if expected == found else [f"{path} is {found!r}, not {expected!r}"]


def test_what_an_older_version_wrote_is_read_and_written_back_whole() -> None:
    for model, document in _documents():
        assert _missing(document, _written(_read(model, document))) == []


def test_what_a_newer_version_added_is_written_back_as_it_was() -> None:
    for model, document in _documents():
        newer = _with_newer_fields(document)
        changed = _read(model, newer).model_copy(update={"version": 7, "seq": 7})
        kept = {**newer, **{name: 7 for name in ("version", "seq") if name in document}}
        assert _missing(kept, _written(changed)) == []


def test_a_command_that_is_settled_keeps_what_a_newer_version_added() -> None:
    entry = entry_full_of_words(1)
    newer = _read(JournalEntry, _with_newer_fields(json.loads(from_entry(entry).body)))
    settled = tuple(one.model_copy(update={"state": State.SENT}) for one in newer.commands)
    for command in _written(newer.with_commands(settled))["commands"]:
        assert command["state"] == "sent"
        assert command["x_newer"] == NEWER["x_newer"]


@pytest.mark.parametrize(
    "wake_up", [{"conversation": "csku:1"}, {"conversation": "csku:1", **NEWER}]
)
async def test_a_wake_up_of_a_newer_version_is_taken(bench: Bench, wake_up: Any) -> None:
    data = base64.b64encode(json.dumps({"schema_version": 1, **wake_up}).encode()).decode()
    body = json.dumps({"message": {"data": data, "messageId": "1"}}).encode()
    assert (await deliver_outbox(bench.ports, Request("POST", "/", body))).status == 200


async def test_a_platform_gets_nothing_that_a_newer_version_added(bench: Bench) -> None:
    message = next(one for one in entry_full_of_words(1).commands if isinstance(one, SendMessage))
    newer = _with_newer_fields(message.model_dump(mode="json", exclude_none=True))
    command = TypeAdapter(SendMessage).validate_json(json.dumps(newer))
    assert "x_newer" in command.model_dump_json()
    assert "x_newer" not in json.dumps(command.content.shown)
    assert "x_newer" not in json.dumps(command.representative.shown)


async def test_conversations_of_an_older_version_go_on(bench: Bench) -> None:
    for document in OLD["conversations"]:
        old = to_conversation(json.dumps(document))
        journal = [one for one in OLD["journal"] if one["conversation"] == old.id]
        entries = [to_entry(json.dumps(one)) for one in journal]
        await bench.store.commit(Commit(entries, [Snapshot(old, None)]))
    for document in OLD["conversations"]:
        if not document["id"].startswith("business_messages:"):
            continue
        await apply(bench.ports, says("Are you still there?", document["id"]))
        await deliver(bench.ports, document["id"])
        await erase(bench.ports, document["id"], "admin")
        left = [one.model_dump_json() async for one in entries_of(bench.store, document["id"])]
        assert not any("still there" in one for one in left)


@pytest.mark.parametrize(
    "change",
    [
        {"form_version": 2},
        {"phase": "ON_HOLD"},
        {"humans": "Jane"},
    ],
)
def test_what_cannot_be_read_is_unreadable_and_the_log_names_no_value(
    change: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    document = {**OLD["conversations"][0], **change}
    with pytest.raises(Unreadable):
        to_conversation(json.dumps(document))
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["fields"] == next(iter(change))
    assert "Jane" not in line


def test_an_unknown_kind_of_command_is_unreadable() -> None:
    document = json.loads(from_entry(entry_full_of_words(1)).body)
    document["commands"][0]["kind"] = "of-a-newer-version"
    with pytest.raises(Unreadable):
        to_entry(json.dumps(document))
