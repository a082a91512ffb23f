"""Reports: what was counted in a period, broken down. Their cost is that of the period, not of the history in it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from shared.ports import Ports
from shared.reports.figures import Breakdown
from shared.reports.period import Period
from shared.reports.tables import Report

AT_ONCE = timedelta(days=2)  # what is in memory as it was stored


async def report(ports: Ports, period: Period, by: Sequence[str]) -> Report:
    """Returns the figures of the whole period and of each row. Raises Unavailable."""
    breakdown = Breakdown(by, period)
    for since, until in _parts(period):
        breakdown.add(await ports.store.counted(since, until))
    return Report(period, by, breakdown.rows, breakdown.total)


def _parts(period: Period) -> Iterator[tuple[datetime, datetime]]:
    """Yields the period in whole days of UTC, in which the stores keep what was counted."""
    since = period.since
    while since < period.until:
        midnight = since.replace(hour=0, minute=0)
        until = min(midnight + AT_ONCE, period.until)
        yield since, until
        since = until
