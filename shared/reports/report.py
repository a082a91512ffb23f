"""Reports on a period. Their cost depends on the period, not on the age of the deployment."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from shared.measures.counts import Count
from shared.ports import Ports
from shared.reports.figures import Breakdown
from shared.reports.period import Period
from shared.reports.tables import Report

AT_ONCE = timedelta(days=2)  # the part of the period whose stored documents are in memory at once


async def reports(
    ports: Ports, period: Period, breakdowns: Sequence[Sequence[str]]
) -> list[Report]:
    """Returns a report for each breakdown, from one reading of the period.

    Counts are added up in a thread, so that the event loop stays free for messages. Raises
    Unavailable.
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
    """Yields the period in parts of whole UTC days, because the stores keep counts by day."""
    since = period.since
    while since < period.until:
        midnight = since.replace(hour=0, minute=0)
        until = min(midnight + AT_ONCE, period.until)
        yield since, until
        since = until
