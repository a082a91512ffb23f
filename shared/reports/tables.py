"""A report as JSON and as CSV. Both have the same figures under the same names."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.reports import spreadsheets
from shared.reports.figures import (
    CLASSES,
    MESSAGE_CLASSES,
    Figures,
    Key,
    Timing,
    nothing,
    of_agents,
)
from shared.reports.period import Period
from shared.values import frozen


@frozen
class Report:
    """`total` is None if the sum of the rows is not meaningful."""

    period: Period
    by: Sequence[str]
    rows: Mapping[Key, Figures]
    total: Figures | None


def as_json(report: Report) -> dict[str, Any]:
    """Returns the JSON body of one report."""
    return {**_frame(report), **_breakdown(report)}


def as_json_together(reports: Sequence[Report]) -> dict[str, Any]:
    """Returns the JSON body of several reports on the same period with different breakdowns."""
    return {**_frame(reports[0]), "reports": [_breakdown(one) for one in reports]}


def _frame(report: Report) -> dict[str, Any]:
    return {
        "from": report.period.local(report.period.since).isoformat(),
        "to": report.period.local(report.period.until).isoformat(),
        "tz": report.period.zone.key,
        "classes": list(CLASSES),
        "messageClasses": list(MESSAGE_CLASSES),
        **({"total": _row(report.total)} if report.total else {}),
    }


def _breakdown(report: Report) -> dict[str, Any]:
    rows = [
        {"by": dict(zip(report.by, key, strict=True)), **_row(row)}
        for key, row in report.rows.items()
    ]
    return {"by": list(report.by), "rows": rows}


def as_csv(report: Report) -> str:
    """Returns a header and one line for each row, without distributions.

    Without a breakdown the line is the total.

    The header does not depend on the figures.
    """
    rows = report.rows or (
        {("",) * len(report.by): report.total} if report.total and not report.by else {}
    )
    names = list(_names(report.by))
    lines = [spreadsheets.header([*report.by, *names])]
    for key, row in rows.items():
        known = dict(_flat(row))
        lines.append(spreadsheets.row([*key, *map(known.get, names)]))
    return "".join(lines)


def _names(by: Sequence[str]) -> Iterator[str]:
    """Yields the names of all columns that a row of such a report may have."""
    row = nothing(by)
    yield from row.numbers
    if row.timings and not of_agents(by):
        yield "handoffRate"
    for name, timing in row.timings.items():
        known = {"without": timing.without, "open": timing.open}
        parts = (
            "count",
            "median",
            "p90",
            *(part for part, value in known.items() if value is not None),
        )
        yield from (f"{name}.{part}" for part in parts)


def _row(row: Figures) -> dict[str, Any]:
    rate = {} if row.handoff_rate is None else {"handoffRate": round(row.handoff_rate, 4)}
    return {
        **row.numbers,
        **rate,
        **{name: _timing(timing) for name, timing in row.timings.items()},
    }


def _timing(timing: Timing) -> dict[str, Any]:
    known = {
        "median": timing.median,
        "p90": timing.p90,
        "without": timing.without,
        "open": timing.open,
    }
    there = {name: value for name, value in known.items() if value is not None}
    return {"count": timing.count, **there, "distribution": list(timing.distribution)}


def _flat(row: Figures) -> Iterator[tuple[str, Any]]:
    for name, value in _row(row).items():
        if isinstance(value, dict):
            yield from (
                (f"{name}.{part}", one) for part, one in value.items() if part != "distribution"
            )
        else:
            yield name, value
