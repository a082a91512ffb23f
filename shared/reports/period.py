"""The period of a report: local days or hours of a time zone, as quarters of an hour in UTC."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.errors import BadRequest
from shared.measures.counts import QUARTER, quarter_of
from shared.values import frozen

Day = TypeVar("Day", bound=date)
LONGEST = timedelta(days=400)
DEFAULT_DAYS = 7
YEARS = range(2000, 3000)


@frozen
class Period:
    """The time from `since` until before `until`, both in UTC. `zone` is used for display."""

    since: datetime
    until: datetime
    zone: ZoneInfo

    def local(self, moment: datetime) -> datetime:
        """Returns the moment in the period's time zone."""
        return moment.astimezone(self.zone)


def period(since: str | None, until: str | None, zone: str | None, now: datetime) -> Period:
    """Returns the period of a query.

    The default is the last seven days, including today, in UTC.

    `since` is the first day. `until` is the first day after the period, or a local time on a
    quarter of an hour. Raises BadRequest.
    """
    where = _zone(zone or "UTC")
    tomorrow = now.astimezone(where).date() + timedelta(days=1)
    end = _moment(until, where, "to") if until else _midnight(tomorrow, where)
    first = end.astimezone(where).date() - timedelta(days=DEFAULT_DAYS)
    begin = _moment(since, where, "from") if since else _midnight(first, where)
    if not begin < end or end - begin > LONGEST:
        raise BadRequest(
            "schema",
            f"from, to: `from` must be before `to`, by at most {LONGEST.days} days.",
            field="from",
        )
    return Period(begin, end, where)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadRequest(
            "schema",
            "tz: give a name of the IANA time zone database, like Asia/Jakarta.",
            field="tz",
        ) from error


def _moment(text: str, zone: ZoneInfo, field: str) -> datetime:
    try:
        if len(text) <= len("2026-11-20"):
            return _midnight(_in_range(date.fromisoformat(text), field), zone)
        given = _in_range(datetime.fromisoformat(text), field)
        moment = (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)
    except ValueError as error:
        wanted = f"{field}: give a day like 2026-11-20, or a time like 2026-11-20T08:00."
        raise BadRequest("schema", wanted, field=field) from error
    if quarter_of(moment) != moment:
        raise BadRequest(
            "schema", f"{field}: give a time on a full quarter of an hour.", field=field
        )
    return moment


def _in_range(day: Day, field: str) -> Day:
    if day.year not in YEARS:
        raise BadRequest(
            "schema", f"{field}: give a year between {YEARS[0]} and {YEARS[-1]}.", field=field
        )
    return day


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Returns the beginning of the local day in UTC.

    If the clocks skip midnight, it is the day's first quarter.
    """
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    while start.astimezone(zone).date() < day:
        start += QUARTER
    return start
