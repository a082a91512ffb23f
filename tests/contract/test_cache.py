"""The cache, over a store that counts what it is asked."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Unavailable
from shared.ports import Commit, PreconditionFailed, Snapshot, Written
from shared.schemas.conversation import Conversation, Name
from shared.stores.cache import NEEDLESS_READS, CachedStore
from shared.stores.sqlite.store import SqliteStore


class CountingStore(SqliteStore):
    """Counts loads and commits; `answers` False loses the answer of a commit that was made."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.asked: Counter[str] = Counter()
        self.answers = True

    async def load(self, conversation: str, *, fresh: bool = True) -> Snapshot[Conversation] | None:
        self.asked["load"] += 1
        return await super().load(conversation, fresh=fresh)

    async def commit(self, commit: Commit) -> Written:
        self.asked["commit"] += 1
        written = await super().commit(commit)
        if not self.answers:
            raise Unavailable("store-unavailable", "The answer was lost.")
        return written


@pytest.fixture
async def counting(tmp_path: Path) -> AsyncIterator[CountingStore]:
    store = CountingStore(str(tmp_path / "state.sqlite"))
    yield store
    await store.close()


async def test_what_was_committed_is_not_read_again(counting: CountingStore, make: Any) -> None:
    cached = CachedStore(counting)
    await make.commit(cached, make.conversation("3333"))
    for version in (2, 3, 4):
        known = await cached.load("business_messages:3333", fresh=False)
        assert known is not None
        assert known.value.version == version - 1
        after = make.conversation("3333", version=version)
        await cached.commit(Commit([make.entry(after)], [Snapshot(after, known.token)]))
    assert counting.asked == {"commit": 4}


async def test_what_was_read_is_not_read_again_unless_it_must_be_fresh(
    counting: CountingStore, make: Any
) -> None:
    await make.commit(counting, make.conversation("3333"))
    cached = CachedStore(counting)
    for fresh, loads in ((False, 1), (False, 1), (True, 2), (False, 2)):
        await cached.load("business_messages:3333", fresh=fresh)
        assert counting.asked["load"] == loads


async def test_a_fresh_read_refreshes_the_copy(counting: CountingStore, make: Any) -> None:
    cached = CachedStore(counting)
    (written,) = await make.commit(cached, make.conversation("3333"))
    await counting.commit(
        Commit((), [Snapshot(make.conversation("3333", version=2), written.token)])
    )
    await cached.load("business_messages:3333", fresh=True)
    copy = await cached.load("business_messages:3333", fresh=False)
    assert copy is not None
    assert copy.value.version == 2


async def test_a_failed_precondition_forgets_every_conversation_of_the_commit(
    counting: CountingStore, make: Any
) -> None:
    cached = CachedStore(counting)
    _, second = await make.commit(cached, make.conversation("1"), make.conversation("2"))
    await counting.commit(Commit((), [Snapshot(make.conversation("2", version=2), second.token)]))
    rivals = [Snapshot(make.conversation(native, version=2), 1) for native in "12"]
    with pytest.raises(PreconditionFailed):
        await cached.commit(Commit((), rivals))
    for native, version in (("1", 1), ("2", 2)):
        read = await cached.load(f"business_messages:{native}", fresh=False)
        assert read is not None
        assert read.value.version == version
    assert counting.asked["load"] == 2


async def _written_by_another(
    counting: CountingStore, cached: CachedStore, make: Any, version: int
) -> None:
    """Another instance commits the next version, and this one commits what follows from its copy,
    and after a refusal from what it reads then.
    """
    known = await counting.load("business_messages:3333")
    assert known is not None
    theirs = make.conversation("3333", version=version)
    await counting.commit(Commit((), [Snapshot(theirs, known.token)]))
    counting.asked.clear()
    await _commits(cached, make, version + 1)


async def _commits(cached: CachedStore, make: Any, version: int) -> None:
    for _ in range(2):
        copy = await cached.load("business_messages:3333", fresh=False)
        assert copy is not None
        try:
            after = make.conversation("3333", version=version)
            await cached.commit(Commit((), [Snapshot(after, copy.token)]))
            return
        except PreconditionFailed:
            continue


async def test_a_conversation_that_others_write_is_read_first_after_one_refused_commit(
    counting: CountingStore, make: Any
) -> None:
    cached = CachedStore(counting)
    await make.commit(cached, make.conversation("3333"))
    asked = []
    for version in (2, 4, 6):
        await _written_by_another(counting, cached, make, version)
        asked.append(dict(counting.asked))
    assert asked == [{"commit": 2, "load": 1}, *[{"commit": 1, "load": 1}] * 2]


async def test_after_some_needless_reads_the_copies_are_relied_on_again(
    counting: CountingStore, make: Any
) -> None:
    cached = CachedStore(counting)
    await make.commit(cached, make.conversation("3333"))
    await _written_by_another(counting, cached, make, 2)
    counting.asked.clear()
    for version in range(4, 4 + NEEDLESS_READS + 2):
        await _commits(cached, make, version)
    assert counting.asked == {"commit": NEEDLESS_READS + 2, "load": NEEDLESS_READS}


async def test_a_lost_answer_forgets(counting: CountingStore, make: Any) -> None:
    cached = CachedStore(counting)
    (written,) = await make.commit(cached, make.conversation("3333"))
    counting.answers = False
    after = make.conversation("3333", version=2)
    with pytest.raises(Unavailable):
        await cached.commit(Commit([make.entry(after)], [Snapshot(after, written.token)]))
    read = await cached.load("business_messages:3333", fresh=False)
    assert read is not None
    assert read.value.version == 2


async def test_absence_is_not_remembered(counting: CountingStore, make: Any) -> None:
    cached = CachedStore(counting)
    assert await cached.load("business_messages:3333", fresh=False) is None
    await make.commit(counting, make.conversation("3333"))
    assert await cached.load("business_messages:3333", fresh=False) is not None


async def test_it_keeps_those_used_last(counting: CountingStore, make: Any) -> None:
    cached = CachedStore(counting, size=2)
    await make.commit(cached, make.conversation("1"), make.conversation("2"))
    await cached.load("business_messages:1", fresh=False)
    await make.commit(cached, make.conversation("3"))
    for native, loads in (("1", 0), ("3", 0), ("2", 1)):
        await cached.load(f"business_messages:{native}", fresh=False)
        assert counting.asked["load"] == loads


async def test_a_copy_is_found_by_any_of_its_names_while_it_lists_them(
    counting: CountingStore, make: Any
) -> None:
    cached = CachedStore(counting)
    names = tuple(Name(id=f"business_messages:{one}") for one in ("3333", "4444"))
    (written,) = await make.commit(cached, make.conversation("3333", names=names))
    counting.asked.clear()
    for name in names:
        copy = cached.copy_called(name.id)
        assert copy is not None
        assert copy.value.id == "business_messages:3333"
    fewer = make.conversation("3333", version=2, names=names[1:])
    await cached.commit(Commit((), [Snapshot(fewer, written.token)]))
    assert [cached.copy_called(one.id) is None for one in names] == [True, False]
    apart = make.conversation("3333", version=3, same_as="business_messages:5555")
    await cached.commit(Commit((), [Snapshot(apart, 2)]))
    assert [cached.copy_called(one.id) for one in names] == [None, None]
    assert counting.asked == {"commit": 2}
