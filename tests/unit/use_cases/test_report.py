"""Adding up a report leaves the event loop to the messages."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.measures.counts import Cell, Count
from shared.reports.period import period
from shared.reports.report import reports
from shared.schemas.measures import Name

DAY = datetime(2026, 3, 2, tzinfo=UTC)


class Watched(list[Count]):
    """Knows in which threads it was gone through."""

    def __init__(self, counts: list[Count]) -> None:
        super().__init__(counts)
        self.threads: set[int] = set()

    def __iter__(self) -> Iterator[Count]:
        self.threads.add(threading.get_ident())
        return super().__iter__()


async def test_what_was_read_once_is_added_up_in_a_thread_for_every_breakdown(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Watched] = []

    async def counted(since: datetime, until: datetime) -> list[Count]:
        read.append(Watched([Count(Cell(since, "sms", "", "", Name.REQUESTED), 1)]))
        return read[-1]

    monkeypatch.setattr(bench.store, "counted", counted)
    span = period("2026-03-02", "2026-03-06", "UTC", DAY)
    by_day, by_channel = await reports(bench.ports, span, [("day",), ("channel",)])
    assert [row.numbers["requested"] for row in by_day.rows.values()] == [1, 1]
    assert [row.numbers["requested"] for row in by_channel.rows.values()] == [2]
    assert len(read) == 2, "two days at once, each read once"
    assert all(one.threads and threading.get_ident() not in one.threads for one in read)
