"""A generated week of 1,000 conversations (of 5,000 in `make soak`): every figure of every report
equals what is worked out independently.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.handoff.machine import decide
from shared.handoff.policy import Policy
from shared.handoff.routing.desk import Desk
from shared.handoff.routing.hours import Hours
from shared.measures.counts import Count, counts
from shared.reports.figures import break_down, figures
from shared.reports.period import Period, period
from shared.reports.tables import Report, as_json
from shared.schemas.commands import Record
from shared.schemas.conversation import Capabilities, Conversation
from shared.schemas.events import Event
from shared.schemas.measures import Measure
from shared.schemas.own_events import CountDue, HumanIdleTimeout, UnclaimedTimeout
from tests.soak import SOAKS
from tests.unit.reports.answers import expected, faults, key_of
from tests.unit.reports.scripts import (
    FROM,
    IDLE_AFTER,
    REMINDERS,
    UNCLAIMED_AFTER,
    UNTIL,
    Fact,
    Script,
    week,
)

pytestmark = pytest.mark.soak

CONVERSATIONS = 5000 if SOAKS else 1000

WEEKDAYS: dict[str, Any] = dict.fromkeys("mon tue wed thu fri sat sun".split(), ("09:00-17:00",))
DAILY = Hours(time_zone="UTC", **WEEKDAYS)
POLICY = Policy(
    unclaimed_after=timedelta(seconds=UNCLAIMED_AFTER),
    unclaimed_reminders=REMINDERS,
    human_idle_after=timedelta(seconds=IDLE_AFTER),
    capabilities={"csku": Capabilities(delivers=False)},
    desks=(
        Desk(name="own", channels=("csku",)),
        Desk(name="jakarta", languages=("id",)),
        Desk(name="berlin", languages=("de",)),
        Desk(name="tokyo", languages=("ja",), hours=DAILY),
        Desk(name="worldwide", languages=("fr",)),
    ),
)
BERLIN = ZoneInfo("Europe/Berlin")
OF_AGENTS = {
    "taken", "frame", "quiet", "waiting", "first_response", "response", "handling", "human_message",
}  # fmt: skip
MESSAGES = {"customer_message", "bot_message", "human_message"}


def played(script: Script) -> Iterator[Measure]:
    """Yields what the machine measures of a script."""
    for _, measures in steps(script):
        yield from measures


def steps(script: Script) -> Iterator[tuple[datetime, list[Measure]]]:
    """Yields what the machine measures of each event of a script, timers among them, and when."""
    conversation = POLICY.newcomer(script.id, script.id)
    for at, event in [*script.events, (UNTIL, None)]:
        while conversation.due_at is not None and conversation.due_at <= at:
            due = conversation.due_at
            conversation, measures = _step(conversation, _fired(conversation, due), due)
            yield due, measures
        if event is not None:
            conversation, measures = _step(conversation, event, at)
            yield at, measures
    if conversation.count_at is not None:
        due = conversation.count_at
        yield due, _step(conversation, _count(conversation), due)[1]


def _step(
    conversation: Conversation, event: Event, now: datetime
) -> tuple[Conversation, list[Measure]]:
    decision = decide(conversation, event, now, POLICY)
    records = [command for command in decision.commands if isinstance(command, Record)]
    return decision.conversation, [measure for record in records for measure in record.counted]


def _count(conversation: Conversation) -> Event:
    return CountDue(id=str(conversation.version), source=conversation.id, actor="timer")


def _fired(conversation: Conversation, due: datetime) -> Event:
    timer = conversation.timer
    if timer is None or timer.due_at > due:
        return _count(conversation)
    kind = UnclaimedTimeout if timer.kind == "unclaimed" else HumanIdleTimeout
    return kind(
        id=f"{timer.armed}:{timer.n}",
        source=conversation.id,
        actor="timer",
        armed=timer.armed,
        n=timer.n,
    )


@pytest.fixture(scope="module")
def scripts() -> list[Script]:
    return list(week(CONVERSATIONS))


@pytest.fixture(scope="module")
def counted(scripts: list[Script]) -> list[Count]:
    return counts(measure for script in scripts for measure in played(script))


@pytest.fixture(scope="module")
def facts(scripts: list[Script]) -> list[Fact]:
    return [fact for script in scripts for fact in script.facts]


def asked(
    zone: str = "Europe/Berlin", since: str = "2026-03-23", until: str = "2026-03-30"
) -> Period:
    return period(since, until, zone, FROM)


def within(found: Iterable[Count], span: Period) -> list[Count]:
    return [one for one in found if span.since <= one.cell.quarter < span.until]


def test_the_week_has_the_hour_that_the_clocks_skip() -> None:
    span = asked()
    assert (span.since, span.until) == (FROM, UNTIL)
    assert span.until - span.since == timedelta(hours=167)


def test_the_whole_week(counted: list[Count], facts: list[Fact]) -> None:
    total = as_json(Report(asked(), (), {}, figures(counted)))["total"]
    assert faults(total, expected(facts)) == []
    assert total["requested"] > 0.6 * CONVERSATIONS
    closed = [fact for fact in facts if (fact.desk, fact.name) == ("tokyo", "closed")]
    assert len(closed) > CONVERSATIONS // 25
    some = CONVERSATIONS // 250
    ends = ("failed", "expired", "returned", "unasked", "withHuman")
    assert min(total[name] for name in ends) >= some
    timings = ("waiting", "response", "handling")
    assert min(total[name]["open"] for name in timings) >= some


@pytest.mark.parametrize("by", ["channel", "day", "hour", "desk", "agent"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"])
def test_every_row(counted: list[Count], facts: list[Fact], by: str, zone: str) -> None:
    """Kathmandu is 5:45 h off, St. John's 3:30 h: their hours and days begin within hours of
    UTC.
    """
    span, somebodys = asked(zone), by == "agent"
    mine: defaultdict[str, list[Fact]] = defaultdict(list)
    key = key_of(by, span.zone)
    for fact in facts:
        known = fact.name in OF_AGENTS or not somebodys
        if span.since <= fact.at < span.until and known:
            mine[key(fact)].append(fact)
    rows = as_json(Report(span, (by,), break_down(within(counted, span), (by,), span), None))[
        "rows"
    ]
    said = {row["by"][by]: row for row in rows}
    assert set(said) == set(mine)
    found = {
        one: faults(said[one], expected(some, somebodys=somebodys)) for one, some in mine.items()
    }
    assert {one: fault for one, fault in found.items() if fault} == {}


@pytest.mark.parametrize("by", ["kind", "length", "length,desk"])
def test_messages_by_kind_and_length(counted: list[Count], facts: list[Fact], by: str) -> None:
    names, span = tuple(by.split(",")), asked()
    keys = [key_of(name, span.zone) for name in names]
    written: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for fact in facts:
        if fact.name in MESSAGES:
            written[tuple(key(fact) for key in keys)][fact.name] += 1
    rows: Any = as_json(Report(span, names, break_down(counted, names, span), None))["rows"]
    found = {
        tuple(row["by"].values()): {
            name: row[shown]
            for name, shown in (
                ("customer_message", "customerMessages"),
                ("bot_message", "botMessages"),
                ("human_message", "humanMessages"),
            )
            if row[shown]
        }
        for row in rows
    }
    assert found == {key: dict(some) for key, some in written.items()}


def test_requests_by_reason(counted: list[Count], facts: list[Fact]) -> None:
    """Numbers are masked, and what may tell of a customer is one reason with all others."""
    wanted = Counter(fact.of for fact in facts if fact.name == "requested")
    found = break_down(counted, ("reason",), asked())
    assert {reason: row.numbers["requested"] for (reason,), row in found.items()} == wanted
    assert set(wanted) == {"refund", "order #", "(other)", "asked", "needed"}


@pytest.mark.parametrize("by", ["channel", "day", "hour", "desk", "channel,desk,hour"])
def test_every_row_adds_up(counted: list[Count], by: str) -> None:
    """A request is waited out, ends otherwise or is open; of all handoffs each has one outcome
    or is open.
    """
    outcomes = ("failed", "closed", "expired", "linked", "erased", "left", "returned", "withHuman")
    names = tuple(by.split(","))
    rows: Any = as_json(Report(asked(), names, break_down(counted, names, asked()), None))["rows"]
    for row in rows:
        waiting = row["waiting"]
        assert row["requested"] == waiting["count"] + waiting["without"] + waiting["open"], row[
            "by"
        ]
        assert (
            row["requested"] + row["unasked"]
            == sum(row[name] for name in outcomes) + waiting["open"]
        ), row["by"]
        assert (
            min(
                waiting["open"],
                row["withHuman"],
                row["response"]["open"],
                row["firstResponse"]["open"],
            )
            >= 0
        )


def test_hours_come_in_the_order_of_the_week(counted: list[Count]) -> None:
    span = asked()
    hours = [key[0] for key in break_down(within(counted, span), ("hour",), span)]
    assert hours[0] == "Monday 00"
    assert hours[-1].startswith("Sunday")
    assert "Sunday 02" not in hours, "the clocks skipped it"
    assert [hour.split()[0] for hour in hours] == sorted(
        (h.split()[0] for h in hours), key=lambda day: _place(day)
    )


def _place(day: str) -> int:
    return "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split().index(day)


def test_two_breakdowns_at_once(counted: list[Count], facts: list[Fact]) -> None:
    span = asked()
    rows: Any = as_json(
        Report(span, ("channel", "day"), break_down(counted, ("channel", "day"), span), None)
    )["rows"]
    day = key_of("day", BERLIN)
    mine: defaultdict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        mine[fact.channel, day(fact)].append(fact)
    for row in rows:
        assert faults(row, expected(mine[row["by"]["channel"], row["by"]["day"]])) == []
