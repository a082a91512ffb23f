"""What every ConversationStore counts for the reports: with the write that says so, once, and only added to."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import TooLarge, Unavailable
from shared.ports import ConversationStore, PreconditionFailed, Snapshot
from shared.reports.counts import Cell, Count, added, as_erased, difference
from shared.schemas.commands import State
from shared.schemas.measures import Name
from shared.stores.documents import shard
from shared.stores.firestore import FirestoreStore
from shared.stores.firestore_rpc import FirestoreRpc

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
EVER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)


def _cell(minutes: int = 0, **update: Any) -> Cell:
    values: dict[str, Any] = {"channel": "csku", "desk": "", "agent": "", "name": Name.REQUESTED, **update}
    return Cell(MIDNIGHT + timedelta(minutes=minutes), **values)


async def _counted(store: ConversationStore, since: datetime = EVER[0], until: datetime = EVER[1]) -> dict[Cell, int]:
    return {one.cell: one.number for one in added(await store.counted(since, until))}


async def _entry(store: ConversationStore, make: Any, native: str = "3333") -> Any:
    conversation = make.conversation(native)
    await make.commit(store, conversation, state=State.PENDING)
    (entry,) = await store.pending(conversation.id, 0, 1)
    return entry


async def test_counts_are_added_by_the_write_of_an_entry(store: ConversationStore, make: Any) -> None:
    entry = await _entry(store, make)
    waits = _cell(15, name=Name.WAITING, desk="csku", agent="Jane", bin=640)
    written = await store.update(entry, [Count(_cell(), 1), Count(waits, 2)])
    await store.update(written, [Count(waits, 1)])
    assert await _counted(store) == {_cell(): 1, waits: 3}


async def test_a_write_that_fails_counts_nothing(store: ConversationStore, make: Any) -> None:
    entry = await _entry(store, make)
    sent = Snapshot(entry.value.with_commands((make.command(State.SENT),)), entry.token)
    await store.update(sent, [Count(_cell(), 1)])
    with pytest.raises(PreconditionFailed):
        await store.update(sent, [Count(_cell(), 1)])
    assert await _counted(store) == {_cell(): 1}


async def test_a_range_begins_with_its_first_quarter_and_ends_before_its_last(
    store: ConversationStore, make: Any
) -> None:
    await store.count([Count(_cell(minutes), 1) for minutes in range(-45, 1485, 15)])
    day = await _counted(store, MIDNIGHT, MIDNIGHT + timedelta(days=1))
    assert sorted(cell.quarter for cell in day) == [MIDNIGHT + n * timedelta(minutes=15) for n in range(96)]
    hour = await _counted(store, MIDNIGHT - timedelta(minutes=30), MIDNIGHT + timedelta(minutes=30))
    assert len(hour) == 4


@pytest.mark.parametrize("agent", ["", "Jane Doe", "a.b`c\\d/e", "__name__", 'é 名 "quoted" [x]', "~*", "n" * 256])
async def test_any_name_can_be_counted(store: ConversationStore, agent: str) -> None:
    cell = _cell(agent=agent, desk="desk.`1`", name=Name.HANDLING, bin=0)
    await store.count([Count(cell, 2)])
    await store.count([Count(cell, 3)])
    assert await _counted(store) == {cell: 5}


async def test_what_is_corrected_to_nothing_is_not_there(store: ConversationStore) -> None:
    await store.count([Count(_cell(), 3), Count(_cell(15), 1)])
    await store.count(difference([Count(_cell(15), 2)], await store.counted(*EVER)))
    assert await _counted(store) == {_cell(15): 2}


async def test_copies_of_what_was_erased_are_kept_apart(store: ConversationStore, make: Any) -> None:
    entry = await _entry(store, make)
    await store.update(entry, [Count(_cell(), 2), *as_erased([Count(_cell(), 1)])])
    await store.count([Count(_cell(15), 1)])
    assert await _counted(store) == {_cell(): 2, _cell(15): 1}
    assert await store.counted(*EVER, erased=True) == [Count(_cell(erased=True), 1)]


async def test_many_at_once_lose_nothing(instance: Callable[[], ConversationStore], make: Any) -> None:
    stores = [instance(), instance()]
    entries = [await _entry(stores[0], make, f"c{n}") for n in range(20)]

    async def settle(n: int, entry: Any) -> None:
        for _ in range(1000):
            try:
                await stores[n % 2].update(entry, [Count(_cell(), 1)])
                return
            except PreconditionFailed:
                await asyncio.sleep(0.01)
        raise AssertionError("never written")

    await asyncio.gather(*(settle(n, entry) for n, entry in enumerate(entries)))
    assert await _counted(stores[0]) == {_cell(): 20}


async def test_more_cells_than_one_write_takes(store: ConversationStore) -> None:
    cells = [_cell(15 * (n % 300), name=Name.WAITING, bin=n) for n in range(450)]
    await store.count([Count(cell, 1) for cell in cells])
    assert await _counted(store) == dict.fromkeys(cells, 1)


async def test_a_frozen_store_sees_nothing_that_is_written_later(store: ConversationStore, make: Any) -> None:
    entry = await _entry(store, make)
    await store.count([Count(_cell(), 1)])
    async with store.frozen() as still:
        before = await _counted(still)
        await store.update(Snapshot(entry.value.with_commands((make.command(State.SENT),)), entry.token))
        await store.count([Count(_cell(), 1)])
        await make.commit(store, make.conversation("later"))
        assert await _counted(still) == before == {_cell(): 1}
        assert [one.address for one in (await still.conversations(None, 10)).items] == ["3333"]
        assert len(await still.pending(entry.value.conversation, 0, 10)) == 1
    assert await _counted(store) == {_cell(): 2}


async def test_conversations_are_paged_each_once(store: ConversationStore, make: Any) -> None:
    natives = [f"{'-+.~_='[n % 6]}{n}" for n in range(25)]
    await make.commit(store, *(make.conversation(native) for native in natives))
    found: list[str] = []
    page = await store.conversations(None, 7)
    found += [one.address for one in page.items]
    while page.cursor is not None:
        page = await store.conversations(page.cursor, 7)
        found += [one.address for one in page.items]
    assert sorted(found) == sorted(natives)


async def test_a_day_that_is_full_says_so_and_changes_nothing(
    fresh_project: str, firestore_emulator: str, clock: Any, make: Any
) -> None:
    """Firestore's documents end at 1 MiB; SQLite's tables do not."""
    store = FirestoreStore(FirestoreRpc(fresh_project, firestore_emulator), clock, timedelta(days=30))
    native = next(str(n) for n in range(1000) if shard(f"business_messages:{n}") == 0)
    entry = await _entry(store, make, native)
    cells = [_cell(agent=f"{n:04}" + "n" * 996, name=Name.FRAME) for n in range(1200)]
    with pytest.raises(Unavailable):
        await store.count([Count(cell, 1) for cell in cells])
    counted = await _counted(store)
    with pytest.raises(TooLarge):
        await store.update(entry, [Count(cell, 1) for cell in cells[-300:]])
    assert await _counted(store) == counted
    assert [one.token for one in await store.pending(entry.value.conversation, 0, 1)] == [entry.token]
    await store.close()
