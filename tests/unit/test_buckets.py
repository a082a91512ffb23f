"""The documents that take a day's counts: as many as their load needs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.stores.documents import SHARDS, shard
from shared.stores.firestore.buckets import MOST, WINDOW, Buckets


@dataclass
class Clock:
    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


def written(
    buckets: Buckets, clock: Clock, a_second: float, windows: int = 1, *, contended: bool = False
) -> set[int]:
    """Writes at a rate for so many windows, and returns the documents of the last one."""
    documents = set[int]()
    for _ in range(windows):
        end, documents = clock.time + WINDOW, set[int]()
        while clock.time < end:
            documents.add(buckets.next_for(f"csku:{len(documents)}"))
            clock.time += timedelta(seconds=1 / a_second)
        if contended:
            buckets.note_contention()
    return documents


def test_without_load_a_conversation_has_one_document() -> None:
    clock = Clock()
    buckets = Buckets(clock)
    for _ in range(60):
        assert buckets.next_for("csku:1") == shard("csku:1")
        clock.time += timedelta(seconds=1)


def test_under_load_there_is_room_for_each_write() -> None:
    clock = Clock()
    documents = written(Buckets(clock), clock, a_second=20, windows=2)
    assert 3 * 20 < len(documents) <= 4 * 20


def test_others_who_write_too_double_the_documents_up_to_a_limit() -> None:
    clock = Clock()
    buckets = Buckets(clock)
    written(buckets, clock, 2, windows=2, contended=True)
    assert max(written(buckets, clock, 2)) >= SHARDS
    written(buckets, clock, 2, windows=9, contended=True)
    assert SHARDS < max(written(buckets, clock, 30)) < MOST


def test_after_the_load_there_are_few_again() -> None:
    clock = Clock()
    buckets = Buckets(clock)
    written(buckets, clock, 100, windows=2)
    documents = written(buckets, clock, 1, windows=8)
    assert max(documents) < SHARDS
