"""The arithmetic of `make bench`: percentiles, budgets and prices. And its clock of other
processes, which is compared with what such a process says of itself.
"""

import os
import subprocess
import sys
import time

import pytest

from tests.benchmarks.arithmetic import (
    Budget,
    Figure,
    firestore_dollars,
    percentile,
    pubsub_dollars,
)
from tests.benchmarks.cpu import cpu_seconds


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        pytest.param([3.0, 1.0, 2.0], 0.5, 2.0, id="the middle of three"),
        pytest.param([4.0, 1.0, 3.0, 2.0], 0.5, 2.0, id="the lower of two in the middle"),
        pytest.param([float(n) for n in range(1, 101)], 0.99, 99.0, id="the 99th of a hundred"),
        pytest.param([float(n) for n in range(1, 51)], 0.99, 50.0, id="the last of fifty"),
        pytest.param([7.0], 0.99, 7.0, id="one value"),
        pytest.param([2.0, 1.0], 0.0, 1.0, id="the least"),
    ],
)
def test_a_percentile_is_the_value_at_the_nearest_rank(
    values: list[float], share: float, expected: float
) -> None:
    assert percentile(values, share) == expected


def test_a_million_events_cost_what_their_document_operations_cost() -> None:
    two_writes = firestore_dollars({"reads": 0, "writes": 200, "deletes": 0}, events=100)
    everything = firestore_dollars({"reads": 100, "writes": 300, "deletes": 100}, events=100)
    assert two_writes == pytest.approx(1.80)
    assert everything == pytest.approx(0.30 + 2.70 + 0.10)


def test_a_small_message_costs_a_kilobyte_each_way() -> None:
    assert pubsub_dollars(publishes=50, deliveries=50, events=50) == pytest.approx(2e9 / 2**40 * 40)


@pytest.mark.parametrize(
    ("budget", "figure", "verdict"),
    [
        (Budget("at most", 1.6, 1.25), 1.25, "goal met"),
        (Budget("at most", 1.6, 1.25), 1.6, "met"),
        (Budget("at most", 1.6, 1.25), 1.61, "NOT MET"),
        (Budget("at least", 1.0, 1.5), 1.5, "goal met"),
        (Budget("at least", 1.0, 1.5), 1.0, "met"),
        (Budget("at least", 1.0, 1.5), 0.99, "NOT MET"),
        (Budget("at most", 4.0), 3.1, "met"),
    ],
)
def test_a_figure_is_judged_by_its_budget(budget: Budget, figure: float, verdict: str) -> None:
    assert Figure("figure", figure, "x", budget).verdict == verdict
    assert Figure("figure", figure, "x").verdict == ""


BUSY = """
import threading, time
def work():
    while time.thread_time() < 0.1: pass
ended = threading.Thread(target=work)
ended.start(); ended.join(); work()
print(time.process_time(), flush=True)
input()
"""


def test_the_processor_time_of_another_process_is_what_it_says_of_itself() -> None:
    """It has a thread that has ended."""
    command = [sys.executable, "-c", BUSY]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as busy:
        assert busy.stdout is not None
        its_own = float(busy.stdout.readline())
        both = cpu_seconds([busy.pid, os.getpid()])
        mine = time.process_time()
        busy.communicate("")
    assert its_own >= 0.2
    assert both == pytest.approx(its_own + mine, abs=0.02)
