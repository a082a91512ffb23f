"""What Baton costs: steps of 100 ms, conditions of alarms, and prices of one day."""

import json
import re
from datetime import date

import pytest

from infra.cost import cost
from infra.cost.prices import FILE, prices
from infra.deployables import deployables
from infra.documents.alarms import ALARMS


@pytest.mark.parametrize(
    ("milliseconds", "seconds"), [(1, 0.1), (100, 0.1), (101, 0.2), (250, 0.3), (1000, 1.0)]
)
def test_cloud_run_bills_in_steps_of_100_ms(milliseconds: float, seconds: float) -> None:
    assert cost.billed_seconds(milliseconds) == pytest.approx(seconds)


def test_every_price_has_its_page_and_the_day_on_which_it_was_looked_up() -> None:
    known = prices()
    assert date.fromisoformat(known.date) >= date(2026, 11, 1)
    assert all("google.com/" in one.page for one in known.prices.values())
    used = {
        line.price
        for line in (*cost.of_messages(1), *cost.of_files(1), *cost.of_desks(1), *cost.of_a_month())
    }
    assert used <= set(known.prices)


def test_no_other_file_has_prices() -> None:
    """One file to look at when a price changes."""
    found = [
        path
        for room in ("infra", "tests")
        for path in (FILE.parents[2] / room).rglob("*.py")
        if re.search(r"\b0\.(09|03|40|000024)\b", path.read_text())
        and "pricing" in path.read_text()
    ]
    assert found == []


def test_every_alarm_is_a_condition_that_is_paid() -> None:
    (line,) = (one for one in cost.of_a_month() if one.price == "alarm conditions")
    assert line.units == len(json.loads(ALARMS.read_text())["alerts"])


def test_more_messages_cost_in_proportion_and_busy_instances_less() -> None:
    once, twice = cost.of_messages(1000), cost.of_messages(2000)
    assert [2 * one.units for one in once] == [one.units for one in twice]
    alone = sum(one.dollars for one in cost.of_messages(1_000_000))
    busy = sum(one.dollars for one in cost.of_messages(1_000_000, at_once=10))
    assert busy < alone < 20


def test_files_cost_in_proportion_and_more_than_messages() -> None:
    file = sum(one.dollars for one in cost.of_files(1_000_000))
    message = sum(one.dollars for one in cost.of_messages(1_000_000))
    assert message < file < 200
    twice = sum(one.dollars for one in cost.of_files(2_000_000))
    assert twice == pytest.approx(2 * file)


def test_operations_are_counted_for_functions_that_exist() -> None:
    functions = {name for made in cost.OPERATIONS.values() for name in made}
    assert functions <= set(deployables())


def test_what_a_month_has_free_costs_nothing() -> None:
    checks = prices().prices["uptime checks"]
    assert checks.of_units(checks.free) == 0
    assert checks.of_units(checks.free + 1000) == pytest.approx(checks.dollars)


@pytest.mark.parametrize("given", ["-1", "1.5", "many", ""])
def test_a_number_of_messages_that_is_none(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cost.main([f"--messages={given}"])
    assert "give a whole number" in capsys.readouterr().err


def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert cost.main(["--messages", "500"]) == 0
    assert "| **500 messages, one request at a time** |" in capsys.readouterr().out


def test_an_open_desk_costs_less_than_a_cent_an_hour() -> None:
    """Fifty share an instance, which is most of it."""
    assert sum(one.dollars for one in cost.of_desks(50)) / 50 < 0.005
    ones = [one.units for one in cost.of_desks(10) if one.price == "firestore writes"]
    assert ones == [10 * (120 + 300)]  # that pages are open, and news of the customers' devices
