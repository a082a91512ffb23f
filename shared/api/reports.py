"""The reports over HTTP: who may see which, what the query asks for, JSON or CSV."""

from shared.api import views
from shared.api.handlers import Ask
from shared.api.keys import must_be_admin, must_be_human
from shared.errors import BadRequest
from shared.reports.figures import BREAKDOWNS
from shared.reports.period import period
from shared.reports.tables import Report, as_csv, as_json
from shared.schemas.exchange import Response
from shared.services.report import report

FORMATS = ("json", "csv")


async def report_handoffs(ask: Ask) -> Response:
    """What came of handoffs; a desk's key may see it, as it names nobody."""
    must_be_human(ask.caller)
    return await _answer(ask, _by(ask, frozenset(BREAKDOWNS) - {"agent"}))


async def report_agents(ask: Ask) -> Response:
    """What each agent did. That is personal data of those who work here, so it needs an admin's key."""
    must_be_admin(ask.caller)
    others = _by(ask, frozenset(BREAKDOWNS) - {"agent"})
    return await _answer(ask, ("agent", *others))


def _by(ask: Ask, known: frozenset[str]) -> tuple[str, ...]:
    given = tuple(name for name in ask.request.query.get("by", "").split(",") if name)
    if not set(given) <= known or len(set(given)) < len(given):
        raise BadRequest("schema", f"by: any of {', '.join(sorted(known))}, each once, by commas.", field="by")
    return given


async def _answer(ask: Ask, by: tuple[str, ...]) -> Response:
    query = ask.request.query
    form = query.get("format", "json")
    if form not in FORMATS:
        raise BadRequest("schema", f"format: one of {', '.join(FORMATS)}.", field="format")
    asked = period(query.get("from"), query.get("to"), query.get("tz"), ask.ports.clock.now())
    found = await report(ask.ports, asked, by)
    return _as_csv(found) if form == "csv" else views.json_response(as_json(found))


def _as_csv(found: Report) -> Response:
    headers = {"content-disposition": 'attachment; filename="report.csv"'}
    return Response(body=as_csv(found).encode(), content_type="text/csv; charset=utf-8", headers=headers)
