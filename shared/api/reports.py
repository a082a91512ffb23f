"""The report operations: rights, query parameters, and the answer as JSON or CSV."""

from collections.abc import Sequence

from shared.api import views
from shared.api.handlers import Ask
from shared.errors import BadRequest
from shared.reports.figures import BREAKDOWNS, reported
from shared.reports.period import period
from shared.reports.report import reports
from shared.reports.tables import Report, as_csv, as_json, as_json_together
from shared.schemas.http import Response

FORMATS = ("json", "csv")
OPEN_TO_DESKS = frozenset(BREAKDOWNS) - {"agent"}
By = tuple[str, ...]


async def report_handoffs(ask: Ask) -> Response:
    """Returns the outcome of handoffs. It contains no names of agents."""
    return await _answer(ask, _breakdowns(ask))


async def report_agents(ask: Ask) -> Response:
    """Returns what each agent did, which is personal data of employees."""
    breakdowns = [("agent", *others) for others in _breakdowns(ask)]
    return await _answer(ask, breakdowns)


def _breakdowns(ask: Ask) -> list[By]:
    """Returns the breakdowns of the query, at least one. Raises BadRequest."""
    given = [
        tuple(filter(None, by.split(","))) for by in ask.request.query.get("by", "").split(";")
    ]
    if not all(set(by) <= OPEN_TO_DESKS and len(set(by)) == len(by) for by in given) or len(
        set(given)
    ) < len(given):
        names = ", ".join(sorted(OPEN_TO_DESKS))
        raise BadRequest(
            "schema",
            f"by: give any of {names}, each once, by commas; several breakdowns by `;`.",
            field="by",
        )
    return given


async def _answer(ask: Ask, breakdowns: Sequence[By]) -> Response:
    query = ask.request.query
    empty = next((by for by in breakdowns if not reported(by)), None)
    if empty is not None:
        words = "a reason is of a request; kind and length are of messages; an agent has no request"
        raise BadRequest(
            "schema", f"by: {', '.join(empty)} cannot be combined: {words}.", field="by"
        )
    form = query.get("format", "json")
    if form not in FORMATS or (form == "csv" and len(breakdowns) > 1):
        formats = ", ".join(FORMATS)
        raise BadRequest(
            "schema",
            f"format: give one of {formats}; csv allows only one breakdown.",
            field="format",
        )
    asked = period(query.get("from"), query.get("to"), query.get("tz"), ask.ports.clock.now())
    found = await reports(ask.ports, asked, breakdowns)
    if form == "csv":
        return _as_csv(found[0])
    return views.json_response(as_json(found[0]) if len(found) == 1 else as_json_together(found))


def _as_csv(found: Report) -> Response:
    headers = {"content-disposition": 'attachment; filename="report.csv"'}
    return Response(
        body=as_csv(found).encode(), content_type="text/csv; charset=utf-8", headers=headers
    )
