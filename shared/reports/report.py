"""Reports: what was counted in a period, broken down. Their cost is that of the period, not of
the history in it.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from shared.measures.counts import Count
from shared.ports import Ports
from shared.reports.figures import Breakdown
from shared.reports.period import Period
from shared.reports.tables import Report

AT_ONCE = timedelta(days=2)  # what is in memory as it was stored


async def reports(
    ports: Ports, period: Period, breakdowns: Sequence[Sequence[str]]
) -> list[Report]:
    """Returns the figures of the whole period and of each row, broken down in each way, of one
    reading.

    What is read is added up in a thread, so that messages go on beside it. Raises Unavailable.
    """
    made = [Breakdown(by, period) for by in breakdowns]
    for since, until in _parts(period):
        await asyncio.to_thread(_add, made, await ports.store.counted(since, until))
    return [
        Report(period, by, one.rows, one.total) for by, one in zip(breakdowns, made, strict=True)
    ]


def _add(made: Iterable[Breakdown], counts: Sequence[Count]) -> None:
    for one in made:
        one.add(counts)


def _parts(period: Period) -> Iterator[tuple[datetime, datetime]]:
    """Yields the period in whole days of UTC, in which the stores keep what was counted."""
    since = period.since
    while since < period.until:
        midnight = since.replace(hour=0, minute=0)
        until = min(midnight + AT_ONCE, period.until)
        yield since, until
        since = until
