"""The views of BigQuery say what Baton's own reports say, on the same generated week.

DuckDB stands in for the engine, and sqlglot for its dialect. Not checked: that BigQuery itself
takes the SQL, that Pub/Sub writes rows as the table here has them, and how either behaves at size.
"""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from shared.measures.bins import bin_of, value_of
from shared.measures.counts import Count, counts
from shared.reports.figures import break_down, figures
from shared.reports.tables import Report, as_json
from shared.schemas.measures import Measure, Name
from shared.schemas.notifications import Measured
from tests.soak import SOAKS
from tests.unit.reports.duckdb_engine import Engine
from tests.unit.reports.scripts import FROM, UNTIL, week
from tests.unit.reports.test_week import asked, steps

pytestmark = pytest.mark.soak

CONVERSATIONS = 5000 if SOAKS else 750
FOLDER = Path(__file__).parents[3] / "infra" / "terraform" / "bigquery"
ZONE = "Europe/Berlin"
KEYS = {  # as bigquery.tf has them
    "total": "'total'",
    "channel": "channel",
    "desk": "desk",
    "day": f"FORMAT_DATETIME('%F', DATETIME(started_at, '{ZONE}'))",
    "hour": f"FORMAT_DATETIME('%A %H', DATETIME(started_at, '{ZONE}'))",
}
TIMINGS = {
    "waiting": "waiting",
    "first_response": "firstResponse",
    "response": "response",
    "handling": "handling",
    "exchanged": "exchanged",
}
MESSAGES = {  # as bigquery.tf has them
    "kind": "of_",
    "length": "IF(size IS NULL, '', CAST(size AS STRING))",
}
WRITTEN = {
    "customer_messages": "customerMessages",
    "bot_messages": "botMessages",
    "human_messages": "humanMessages",
}
COUNTS = {
    "conversations": "conversations", "handed_off": "handedOff", "requested": "requested",
    "unasked": "unasked",
    "joined": "joined", "failed": "failed", "closed": "closed", "expired": "expired",
    "linked": "linked", "erased": "erased",
    "left_": "left", "returned": "returned", "with_human": "withHuman", "frames": "frames",
    "transferred": "transferred", "offered": "offered", "declined": "declined",
    "lapsed": "lapsed", "surveyed": "surveyed", "rated": "rated", "rating_sum": "ratingSum",
    "messages": "messages", **WRITTEN,
}  # fmt: skip


def sql(name: str, **given: str) -> str:
    """Returns a file as terraform fills it in, in DuckDB's dialect."""
    text = re.sub(
        r"\$\{(\w+)\}", lambda match: given[match[1]], (FOLDER / f"{name}.sql").read_text()
    )
    return sqlglot.transpile(text, read="bigquery", write="duckdb")[0]


@pytest.fixture(scope="module")
def messages() -> list[Measured]:
    found = (one for script in week(CONVERSATIONS, seed=4) for one in steps(script) if one[1])
    return [
        Measured(id=f"id-{n}", time=time, measures=tuple(some))
        for n, (time, some) in enumerate(found)
    ]


@pytest.fixture(scope="module")
def measures(messages: list[Measured]) -> list[Measure]:
    return [measure for message in messages for measure in message.measures]


@pytest.fixture(scope="module")
def counted(measures: list[Measure]) -> list[Count]:
    return counts(measures)


@pytest.fixture(scope="module")
def database(messages: list[Measured]) -> Iterator[Engine]:
    """The table as Pub/Sub would write it: other notifications among the measured, and two of three
    messages twice.

    It was switched on in the middle of a handoff, on the second day before the week.
    """
    with Engine() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            "create table handoffs (id varchar, type varchar, time timestamptz, measures "
            "struct(name varchar,"
            ' "at" timestamptz, channel varchar, desk varchar, agent varchar, seconds double,'
            ' number integer, "of" varchar, size integer)[])'
        )
        known = [*messages, _ending_of_what_began_before()]
        rows = [
            json.loads(one.model_dump_json())
            for n, one in enumerate(known)
            for _ in range(2 if n % 3 else 1)
        ]
        rows.append(
            {
                "id": "other",
                "type": "handoff.requested",
                "time": "2026-03-01T00:00:00Z",
                "measures": [],
            }
        )
        columns = [[row[name] for row in rows] for name in ("id", "type", "time", "measures")]
        connection.execute(
            "insert into handoffs select unnest($1), unnest($2), unnest($3)::timestamptz,"
            " unnest(from_json($4::json, "
            '\'[[{"name":"varchar","at":"timestamptz","channel":"varchar",'
            '"desk":"varchar","agent":"varchar","seconds":"double","number":"integer",'
            '"of":"varchar","size":"integer"}]]\'))',
            [*columns[:3], json.dumps(columns[3])],
        )
        connection.execute(f"create view measures as {sql('measures', handoffs='handoffs')}")
        yield connection


def _ending_of_what_began_before() -> Measured:
    switched_on = FROM.replace(hour=12) - timedelta(days=1)
    names = (
        Name.JOINED,
        Name.TAKEN,
        Name.FRAME,
        Name.RESPONDED,
        Name.ANSWERED,
        Name.LEFT,
        Name.HANDLING,
    )
    began = switched_on - timedelta(minutes=10)
    measures = [
        Measure(name=name, at=began, channel="business_messages", agent="Ana") for name in names
    ]
    return Measured(id="before", time=switched_on, measures=tuple(measures))


def rows_of(database: Engine, query: str, by: str) -> dict[str, dict[str, Any]]:
    return {row[by]: row for row in database.execute(query)}


def disagreements(view: dict[str, Any], said: dict[str, Any]) -> dict[str, list[str]]:
    """Returns the faults of each row that has some."""
    found = {key: faults(view[key], row) for key, row in said.items()}
    return {key: some for key, some in found.items() if some}


def faults(view: dict[str, Any], said: dict[str, Any]) -> list[str]:
    """Returns where a view's row says something else; the view's durations are exact, the
    report's stand for a bin.
    """
    found = [
        f"{column}: {view[column]} instead of {said[name]}"
        for column, name in COUNTS.items()
        if column in view and name in said and view[column] != said[name]
    ]
    for column, name in TIMINGS.items():
        if name in said:
            found.extend(_timing_faults(column, view, said[name]))
    return found


def _timing_faults(column: str, view: dict[str, Any], timing: dict[str, Any]) -> Iterator[str]:
    for part in ("count", "without", "open"):
        shown = view.get(f"{column}_{part}", timing.get(part))
        if shown != timing.get(part, shown):
            yield f"{column}_{part}: {shown} instead of {timing[part]}"
    for part in ("median", "p90"):
        exact = view[f"{column}_{part}"]
        if (None if exact is None else value_of(bin_of(exact))) != timing.get(part):
            yield f"{column}_{part}: {exact} instead of {timing.get(part)}"


@pytest.mark.parametrize("by", list(KEYS))
def test_a_view_says_what_the_report_says(database: Engine, counted: list[Count], by: str) -> None:
    view = rows_of(database, sql("report", by=by, key=KEYS[by], measures="measures"), by)
    span = asked(ZONE)
    total = as_json(Report(span, (), {}, figures(counted)))["total"]
    said = {"total": total} if by == "total" else _rows(by, counted)
    assert set(view) == set(said)
    assert disagreements(view, said) == {}
    if by == "total":
        assert view["total"]["handoff_rate"] == pytest.approx(total["handoffRate"], abs=0.0001)


EXPIRED = UNTIL.replace(hour=0) - timedelta(days=4)


@pytest.fixture(scope="module")
def whole(messages: list[Measured]) -> list[Count]:
    """What began on the second day that is left, or later: of a handoff of the first, the
    request may be gone.
    """
    since = EXPIRED + timedelta(days=1)
    return counts(one for message in messages for one in message.measures if one.at >= since)


@pytest.mark.parametrize(("name", "by"), [*(("report", by) for by in KEYS), ("agents", "agent")])
def test_a_view_of_what_has_not_expired_has_nothing_by_halves(
    database: Engine, whole: list[Count], name: str, by: str
) -> None:
    left = "create or replace table kept as select * from handoffs where time >= $1::timestamptz"
    database.execute(left, [EXPIRED.isoformat()])
    database.execute(f"create or replace view kept_measures as {sql('measures', handoffs='kept')}")
    view = rows_of(database, sql(name, by=by, key=KEYS.get(by, by), measures="kept_measures"), by)
    total = as_json(Report(asked(ZONE), (), {}, figures(whole)))["total"]
    said = {"total": total} if by == "total" else _rows(by, whole)
    assert set(view) == set(said)
    assert disagreements(view, said) == {}
    assert [
        value
        for row in view.values()
        for value in row.values()
        if isinstance(value, int) and value < 0
    ] == []


def test_a_view_of_agents_says_what_the_report_says(database: Engine, counted: list[Count]) -> None:
    view = rows_of(database, sql("agents", by="agent", measures="measures"), "agent")
    said = _rows("agent", counted)
    assert set(view) == set(said)
    assert disagreements(view, said) == {}


@pytest.mark.parametrize(("name", "by"), [("report", "desk"), ("agents", "agent")])
def test_a_view_has_the_figures_of_the_report_and_no_others(
    database: Engine, counted: list[Count], name: str, by: str
) -> None:
    view = rows_of(database, sql(name, by=by, key=by, measures="measures"), by)
    said = _rows(by, counted)
    parts = ("count", "median", "p90", "without", "open")
    columns = {shown: column for column, shown in COUNTS.items()} | {"handoffRate": "handoff_rate"}
    wanted = {columns[one] for row in said.values() for one in row if one in columns}
    wanted |= {
        f"{c}_{part}"
        for row in said.values()
        for c, n in TIMINGS.items()
        for part in row.get(n, ())
        if part in parts
    }
    assert {column for row in view.values() for column in row} == {by, *wanted}


@pytest.mark.parametrize("by", list(MESSAGES))
def test_a_view_of_messages_says_what_the_report_says(
    database: Engine, counted: list[Count], by: str
) -> None:
    """The view has a length by the characters with which its class begins."""
    query = sql("messages", by=by, key=MESSAGES[by], measures="measures")
    view = {row.pop(by): row for row in database.execute(query)}
    said = {
        key.partition(" ")[0] if by == "length" else key: {
            column: row[name] for column, name in WRITTEN.items()
        }
        for key, row in _rows(by, counted).items()
    }
    assert view == said


def test_a_view_of_reasons_says_what_the_report_says(
    database: Engine, counted: list[Count]
) -> None:
    view = rows_of(database, sql("reasons", by="reason", measures="measures"), "reason")
    said = _rows("reason", counted)
    assert {key: row["requested"] for key, row in view.items()} == {
        key: row["requested"] for key, row in said.items()
    }


def _rows(by: str, counted: Any) -> dict[str, Any]:
    span = asked(ZONE)
    rows = as_json(Report(span, (by,), break_down(counted, (by,), span), None))["rows"]
    return {row["by"][by]: row for row in rows}


def test_the_table_has_a_column_for_what_is_measured_and_none_for_a_customer() -> None:
    columns = {one["name"]: one for one in json.loads((FOLDER / "handoffs.json").read_text())}
    assert set(columns) == set(Measured.model_fields) - {"schema_version"}
    assert {one["name"] for one in columns["measures"]["fields"]} == set(Measure.model_fields)


@pytest.mark.parametrize(("by", "key"), [*KEYS.items(), *MESSAGES.items()])
def test_the_keys_are_those_of_terraform(by: str, key: str) -> None:
    written = (FOLDER.parent / "bigquery.tf").read_text().replace("${local.zone}", ZONE)
    assert re.search(rf'^ +{by} += "{re.escape(key)}"$', written, re.MULTILINE)
