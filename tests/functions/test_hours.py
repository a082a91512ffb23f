"""Outside business hours, through the real functions: the customer is informed each time, the team
once.
"""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.server import LocalServer
from infra.local.talk import BASE, Talk

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def shut(outside: str, **more: Any) -> dict[str, Any]:
    """Returns a desk that opens in three days."""
    day = (datetime.now(UTC) + timedelta(days=3)).weekday()
    hours = {"time_zone": "Asia/Jakarta", DAYS[day]: ["09:00-17:00"]}
    return {"name": "jakarta", "hours": hours, "outside": outside, **more}


def told(talk: Talk) -> Counter[str]:
    talk.server.wait_until_quiet(talk.id)
    handoffs = [
        one for one in talk.journal() for c in one["commands"] if c.get("topic") == "baton-handoffs"
    ]
    return Counter(f"{one['kind']} {one.get('reason')}" for one in handoffs)


@pytest.mark.parametrize("asking", ["the customer", "the bot"])
def test_outside_hours_the_customer_is_informed_each_time_and_the_team_once(
    start: Callable[..., LocalServer], asking: str
) -> None:
    talk = Talk.open(start(BATON_DESKS=json.dumps([shut("fail")])))
    for number in range(3):
        if asking == "the customer":
            assert talk.asks_for_human(f"r-{number}").status == 200
            assert talk.asks_for_human(f"r-{number}").status == 200  # it came twice
        else:
            assert (
                talk.post(
                    ":requestHuman", {"reason": "refund", "requestId": f"r-{number}"}, "dev-bot"
                ).status
                == 200
            )
    shown = talk.seen()
    assert len(shown) == 3
    assert all(
        "nobody is here right now" in one and "09:00 (Asia/Jakarta time)" in one for one in shown
    )
    assert told(talk) == {"human_requested outside-hours": 1}
    state = talk.state()
    assert (state["phase"], state["closedUntil"][:10]) == ("BOT", shown[0].split(", ")[2][:10])


def test_where_it_is_set_so_the_customer_waits_and_learns_their_place(
    start: Callable[..., LocalServer],
) -> None:
    server = start(
        BATON_DESKS=json.dumps([shut("wait", channels=["business_messages"])]), UNCLAIMED_AFTER="1"
    )
    first, second = Talk.open(server), Talk.open(server)
    for talk in (first, second):
        assert talk.asks_for_human().status == 200
        server.wait_until(lambda one=talk: one.state()["phase"] == "QUEUED")  # type: ignore[misc]  # bound at once
    second.customer_says("Position?", "m-2")
    server.wait_until(lambda: len(second.seen()) == 3)
    told_at_once, place, opening = second.seen()
    assert "You are in line" in told_at_once
    assert place == "BOT Hello World Agent: You are in line. People ahead of you: 1."
    assert opening == told_at_once
    places = [(one.state()["queuePosition"], one.state()["desk"]) for one in (first, second)]
    assert places == [(1, "jakarta"), (2, "jakarta")]
    assert told(first) == {"human_requested the customer asked for a person": 1}
    assert server.get(f"{BASE}?phase=QUEUED", "dev-agent")["conversations"][0]["desk"] == "jakarta"


def test_another_desk_that_is_open_gets_it(start: Callable[..., LocalServer]) -> None:
    talk = Talk.open(start(BATON_DESKS=json.dumps([shut("fail"), {"name": "worldwide"}])))
    assert talk.asks_for_human().status == 200
    talk.server.wait_until(lambda: talk.state()["phase"] == "QUEUED")
    assert (talk.state()["desk"], talk.seen()) == ("worldwide", [])
