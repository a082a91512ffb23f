"""What every ConversationStore can hold: odd ids, nulls, much text, and where it says no."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.errors import TooLarge, Unavailable
from shared.ports import Commit, ConversationStore, Snapshot
from shared.schemas.commands import State
from shared.schemas.notation import conversation_id
from shared.stores.documents import BODY_LIMIT

NATIVES = [
    "~=+-._", ".", "..", "__reserved__", "_", "a.b", "A", "a", "-", "=", "+", "%2F", "a/b", "../x",
    "ключ", "中文🙂",
    "+49 151 1234567", " ", "\x00", "x" * 128, "x" * 5000,
]  # fmt: skip


async def test_no_native_id_breaks_a_path_or_meets_another(
    store: ConversationStore, make: Any
) -> None:
    ids = [conversation_id("csku", native) for native in NATIVES]
    assert len(set(ids)) == len(NATIVES)
    conversations = [
        make.conversation("x", due=1).model_copy(update={"id": one, "address": one}) for one in ids
    ]
    await make.commit(store, *conversations, state=State.PENDING, due=0)
    for one in conversations:
        read = await store.load(one.id)
        assert read is not None
        assert read.value == one
        assert [entry.value.conversation for entry in await store.pending(one.id, 0, 10)] == [
            one.id
        ]
        assert len((await store.journal(one.id, None, 10)).items) == 1
    assert sorted((await store.due_conversations(make.at(1), None, 100)).items) == sorted(ids)
    assert sorted((await store.due_entries(make.at(1), None, 100)).items) == sorted(ids)


@pytest.mark.parametrize("name", [".", "..", "__x__", "a/b", "%41", "é"])
async def test_nor_does_an_entry_id(store: ConversationStore, make: Any, name: str) -> None:
    entry = make.entry(make.conversation("3333"), id=name)
    await store.commit(Commit([entry]))
    read = await store.entry(entry.conversation, name)
    assert read is not None
    assert read.value == entry


async def test_nulls_in_what_others_wrote_survive(store: ConversationStore, make: Any) -> None:
    body: dict[str, Any] = {
        "form": {"nothing": None, "list": [None, {"deep": None}], "zero": 0, "empty": {}}
    }
    entry = make.entry(make.conversation("3333"), commands=(make.command(**body),))
    await store.commit(Commit([entry]))
    read = await store.entry(entry.conversation, entry.id)
    assert read is not None
    assert read.value == entry
    assert read.value.commands[0].body == body  # type: ignore[union-attr]  # a Publish


@pytest.mark.parametrize("letter", ["a", "\u00e9", "中", "\U0001f642", '"', "\u0001"])
async def test_a_record_near_the_limit_is_kept_and_one_beyond_it_is_refused(
    store: ConversationStore, make: Any, letter: str
) -> None:
    size = len(
        make.entry(make.conversation("3333"), text=letter)
        .model_dump_json(exclude_none=True)
        .encode()
    )
    bare = len(
        make.entry(make.conversation("3333"), text="").model_dump_json(exclude_none=True).encode()
    )
    most = (BODY_LIMIT - bare) // (size - bare)
    fits, beyond = (
        make.entry(make.conversation("3333"), text=letter * n) for n in (most, most + 1)
    )

    with pytest.raises(TooLarge) as refused:
        await store.commit(Commit([beyond], [Snapshot(make.conversation("3333"), None)]))
    assert refused.value.reason == "too-large-to-store"
    assert await store.load("business_messages:3333") is None
    large = make.conversation("3333", customer_name=letter * (most - 1000))
    await store.commit(Commit([fits], [Snapshot(large, None)]))

    read, conversation = (
        await store.entry(fits.conversation, fits.id),
        await store.load("business_messages:3333"),
    )
    assert read is not None
    assert conversation is not None
    assert read.value == fits
    assert conversation.value == large


async def test_a_store_that_is_down_says_so_at_once_sqlite(tmp_path: Path, make: Any) -> None:
    from shared.stores.sqlite.store import SqliteStore

    (tmp_path / "file").write_text("in the way")
    await _is_down(SqliteStore(str(tmp_path / "file" / "state.sqlite")), make)


@pytest.mark.parametrize("emulator", ["127.0.0.1:1", "nowhere.invalid:443"])
async def test_a_store_that_is_down_says_so_at_once_firestore(
    emulator: str, clock: Any, make: Any, fresh_project: str
) -> None:
    from shared.stores.firestore.rpc import FirestoreRpc
    from shared.stores.firestore.store import FirestoreStore

    store = FirestoreStore(FirestoreRpc(fresh_project, emulator), clock, timedelta(days=30))
    await _is_down(store, make)
    await store.close()


async def _is_down(store: ConversationStore, make: Any) -> None:
    conversation = make.conversation("3333")
    entry = Snapshot(make.entry(conversation), None)
    started = time.monotonic()
    ends = await asyncio.gather(
        store.load(conversation.id),
        store.commit(Commit([entry.value], [Snapshot(conversation, None)])),
        store.entry(conversation.id, entry.value.id),
        store.pending(conversation.id, 0, 1),
        store.pending_count(conversation.id),
        store.queue("QUEUED", None, 1),
        store.journal(conversation.id, None, 1),
        store.due_conversations(make.at(0), None, 1),
        store.due_entries(make.at(0), None, 1),
        return_exceptions=True,
    )
    assert [getattr(end, "reason", end) for end in ends] == ["store-unavailable"] * len(ends)
    assert all(isinstance(end, Unavailable) for end in ends)
    assert time.monotonic() - started < 6
