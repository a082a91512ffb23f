"""What every ConversationStore counts for the reports: with the write that says so, once, and
only added to.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import TooLarge, Unavailable
from shared.measures.counts import DAY, Cell, Count, Tally, added, counts, in_tally
from shared.ports import ConversationStore, PreconditionFailed, Snapshot
from shared.schemas.commands import State
from shared.schemas.measures import Measure, Name
from shared.stores.firestore.counts import writes
from shared.stores.firestore.rpc import FirestoreRpc
from shared.stores.firestore.store import FirestoreStore

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
NOW = MIDNIGHT + timedelta(hours=12)
EVER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)


def _cell(minutes: int = 0, **update: Any) -> Cell:
    values: dict[str, Any] = {
        "channel": "csku",
        "desk": "",
        "agent": "",
        "name": Name.REQUESTED,
        **update,
    }
    return Cell(MIDNIGHT + timedelta(minutes=minutes), **values)


async def _counted(
    store: ConversationStore, since: datetime = EVER[0], until: datetime = EVER[1]
) -> dict[Cell, int]:
    """Returns what reports show."""
    return {
        one.cell: one.number
        for one in added(in_tally(await store.counted(since, until), Tally.COUNTED))
    }


async def _corrected(store: ConversationStore) -> dict[Cell, int]:
    found = in_tally(await store.counted(*EVER, (Tally.CORRECTED,)), Tally.COUNTED)
    return {one.cell: one.number for one in found}


async def _entry(store: ConversationStore, make: Any, native: str = "3333") -> Any:
    conversation = make.conversation(native)
    await make.commit(store, conversation, state=State.PENDING)
    (entry,) = await store.pending(conversation.id, 0, 1)
    return entry


async def test_counts_are_added_by_the_write_of_an_entry(
    store: ConversationStore, make: Any
) -> None:
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
    await make.count(store, *(Count(_cell(minutes), 1) for minutes in range(-45, 1485, 15)))
    day = await _counted(store, MIDNIGHT, MIDNIGHT + timedelta(days=1))
    assert sorted(cell.quarter for cell in day) == [
        MIDNIGHT + n * timedelta(minutes=15) for n in range(96)
    ]
    hour = await _counted(store, MIDNIGHT - timedelta(minutes=30), MIDNIGHT + timedelta(minutes=30))
    assert len(hour) == 4


@pytest.mark.parametrize(
    "agent", ["", "Jane Doe", "a.b`c\\d/e", "__name__", 'é 名 "quoted" [x]', "~*", "n" * 256]
)
async def test_any_name_can_be_counted(store: ConversationStore, make: Any, agent: str) -> None:
    cell = _cell(agent=agent, desk="desk.`1`", name=Name.HANDLING, bin=0)
    await make.count(store, Count(cell, 2))
    await make.count(store, Count(cell, 3))
    assert await _counted(store) == {cell: 5}
    await store.correct(*EVER, [Count(cell, -1)], NOW)
    assert await _counted(store) == {cell: 4}


@pytest.mark.parametrize("agent", ["\\" * 256, "\x01" * 256, "`" * 256, "😀" * 256, "n" * 256, ""])
def test_a_name_fits_into_a_path_and_stays_itself(agent: str) -> None:
    """Firestore takes paths of 1,500 bytes:
    https://cloud.google.com/firestore/quotas#collections_documents_and_fields
    """
    measures = [
        Measure(name=Name.FIRST_RESPONSE, at=MIDNIGHT - timedelta(minutes=1),
            channel="business_messages",
                desk="d" * 64, agent=one, seconds=10**7)
        for one in (agent, agent[:-1] + "x")
    ]  # fmt: skip
    cells = [one.cell for one in counts(measures)]
    assert len(set(cells)) == 2
    for write in writes("root", [Count(cell, 1) for cell in cells], 0, DAY, MIDNIGHT):
        assert max(len(one["field_path"].encode()) for one in write["update_transforms"]) <= 1500


async def test_what_is_corrected_to_nothing_is_not_there(
    store: ConversationStore, make: Any
) -> None:
    await make.count(store, Count(_cell(), 3), Count(_cell(15), 1))
    await store.correct(*EVER, [Count(_cell(), -3), Count(_cell(15), 1)], NOW)
    assert await _counted(store) == {_cell(15): 2}


async def test_a_correction_replaces_the_one_that_was_there(
    store: ConversationStore, make: Any
) -> None:
    tomorrow = _cell(1440)
    await make.count(store, Count(_cell(), 3))
    for _ in range(2):
        await store.correct(
            *EVER, [Count(_cell(), 2), Count(_cell(15), 1), Count(tomorrow, 1)], NOW
        )
        assert await _corrected(store) == {_cell(): 2, _cell(15): 1, tomorrow: 1}
    await store.correct(MIDNIGHT, MIDNIGHT + DAY, [Count(_cell(), -1)], NOW)
    assert await _corrected(store) == {_cell(): -1, tomorrow: 1}
    await store.correct(*EVER, [], NOW)
    assert await _corrected(store) == {}
    assert await _counted(store) == {_cell(): 3}


async def test_what_was_read_earlier_replaces_no_later_correction(store: ConversationStore) -> None:
    """Nor where the later one has come to nothing; of another day it is as good as any."""
    tomorrow = _cell(1440)
    before, later = NOW - timedelta(minutes=1), NOW + timedelta(minutes=1)
    await store.correct(*EVER, [Count(_cell(), 2)], NOW)
    await store.correct(*EVER, [Count(_cell(), 5), Count(tomorrow, 1)], before)
    assert await _corrected(store) == {_cell(): 2, tomorrow: 1}
    await store.correct(*EVER, [Count(_cell(), 2)], later)
    await store.correct(*EVER, [Count(_cell(), 5)], NOW)
    assert await _corrected(store) == {_cell(): 2}
    await store.correct(*EVER, [], later)
    await store.correct(*EVER, [Count(_cell(), 5), Count(tomorrow, 1)], NOW)
    assert await _corrected(store) == {}
    await store.correct(*EVER, [Count(_cell(), 7)], later)
    assert await _corrected(store) == {_cell(): 7}


async def test_copies_of_what_was_erased_are_kept_apart(
    store: ConversationStore, make: Any
) -> None:
    entry = await _entry(store, make)
    await store.update(entry, [Count(_cell(), 2), *in_tally([Count(_cell(), 1)], Tally.ERASED)])
    await make.count(store, Count(_cell(15), 1))
    assert await _counted(store) == {_cell(): 2, _cell(15): 1}
    assert await store.counted(*EVER, (Tally.ERASED,)) == [Count(_cell(tally=Tally.ERASED), 1)]


async def test_many_at_once_lose_nothing(
    instance: Callable[[], ConversationStore], make: Any
) -> None:
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


async def test_more_cells_than_one_write_takes(store: ConversationStore, make: Any) -> None:
    cells = [_cell(15 * (n % 300), name=Name.WAITING, bin=n) for n in range(450)]
    await make.count(store, *(Count(cell, 1) for cell in cells))
    assert await _counted(store) == dict.fromkeys(cells, 1)
    await store.correct(*EVER, [Count(cell, 1) for cell in cells], NOW)
    assert await _counted(store) == dict.fromkeys(cells, 2)


async def test_a_frozen_store_sees_nothing_that_is_written_later(
    store: ConversationStore, make: Any
) -> None:
    entry = await _entry(store, make)
    await make.count(store, Count(_cell(), 1))
    async with store.frozen() as still:
        before = await _counted(still)
        await store.update(
            Snapshot(entry.value.with_commands((make.command(State.SENT),)), entry.token)
        )
        await make.count(store, Count(_cell(), 1))
        await store.correct(*EVER, [Count(_cell(), 5)], NOW)
        await make.commit(store, make.conversation("later"))
        assert await _counted(still) == before == {_cell(): 1}
        assert [one.address for one in (await still.conversations(None, 10)).items] == [
            "3333",
            "counts-1",
        ]
        assert len(await still.pending(entry.value.conversation, 0, 10)) == 1
    assert await _counted(store) == {_cell(): 7}


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


@pytest.fixture
async def firestore(
    fresh_project: str, firestore_emulator: str, clock: Any
) -> AsyncIterator[FirestoreStore]:
    store = FirestoreStore(
        FirestoreRpc(fresh_project, firestore_emulator), clock, timedelta(days=30)
    )
    yield store
    await store.close()


async def test_a_day_that_is_full_says_so_and_changes_nothing_but_can_be_erased_and_corrected(
    firestore: FirestoreStore, make: Any
) -> None:
    """Firestore's documents end at 1 MiB; SQLite's tables do not."""
    cells = [_cell(agent=f"{n:04}" + "n" * 996, name=Name.FRAME) for n in range(1200)]
    entry = await _entry(firestore, make)
    for n in range(4):
        entry = await firestore.update(
            entry, [Count(cell, 1) for cell in cells[200 * n : 200 * n + 200]]
        )
    counted = await _counted(firestore)
    with pytest.raises(TooLarge):
        await firestore.update(entry, [Count(cell, 1) for cell in cells[800:]])
    assert await _counted(firestore) == counted
    assert [one.token for one in await firestore.pending(entry.value.conversation, 0, 1)] == [
        entry.token
    ]
    copies = in_tally([Count(cell, 1) for cell in cells], Tally.ERASED)
    for n in range(0, len(copies), 200):
        entry = await firestore.update(entry, copies[n : n + 200])
    assert set(await firestore.counted(*EVER, (Tally.ERASED,))) == set(copies)
    await firestore.correct(*EVER, [Count(cell, 1) for cell in cells[800:]], NOW)
    assert await _counted(firestore) == dict.fromkeys(cells, 1)


async def test_a_correction_that_was_interrupted_is_done_again(
    firestore: FirestoreStore, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    corrections = [Count(_cell(agent=f"{n}"), 1) for n in range(100)]
    commit, left = firestore._rpc.commit, iter(range(100))

    async def ends_early(writes: Any) -> Any:
        if next(left) == 3:
            raise Unavailable("store-unavailable", "told to fail")
        return await commit(writes)

    with monkeypatch.context() as patched:
        patched.setattr(firestore._rpc, "commit", ends_early)
        with pytest.raises(Unavailable):
            await firestore.correct(*EVER, corrections, NOW)
    assert 0 < len(await _corrected(firestore)) < 100
    await firestore.correct(*EVER, corrections, NOW)
    assert await _corrected(firestore) == {one.cell: 1 for one in corrections}


async def test_a_day_keeps_its_journal_end_when_the_setting_changes(
    firestore: FirestoreStore, firestore_emulator: str, fresh_project: str, clock: Any, make: Any
) -> None:
    """That is when the earliest entry of those that counted on it expires, by the setting of
    its time.
    """
    short = FirestoreStore(
        FirestoreRpc(fresh_project, firestore_emulator), clock, timedelta(days=8)
    )
    await make.count(firestore, Count(_cell(), 1))
    await make.count(short, Count(_cell(15), 1))
    await make.count(firestore, Count(_cell(30), 1), Count(_cell(1440), 1))
    entered = make.at(1)
    ends = await firestore.journal_ends(*EVER)
    assert {day: round((end - entered) / DAY) for day, end in ends.items()} == {
        MIDNIGHT: 8,
        MIDNIGHT + DAY: 30,
    }
    await short.close()


class _Seen(list[Any]):
    """Documents that know in which threads they were gone through."""

    def __init__(self, documents: list[Any]) -> None:
        super().__init__(documents)
        self.threads: set[int] = set()

    def __iter__(self) -> Iterator[Any]:
        self.threads.add(threading.get_ident())
        return super().__iter__()


async def test_documents_of_counts_are_taken_apart_in_a_thread(
    firestore: FirestoreStore, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make.count(firestore, Count(_cell(), 1))
    query, seen = firestore._rpc.query, list[_Seen]()

    async def watched(parent: str, asked: Any) -> list[Any]:
        seen.append(_Seen(await query(parent, asked)))
        return seen[-1]

    monkeypatch.setattr(firestore._rpc, "query", watched)
    assert await _counted(firestore) == {_cell(): 1}
    assert [threading.get_ident() in one.threads for one in seen if one.threads] == [False]
