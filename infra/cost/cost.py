"""`python -m infra.cost --messages 1000000` prints what Baton costs in a month.

Operations are those that the tests count on the emulators (operations.json, pages.json). Cloud Run
bills an instance in steps of 100 ms while it handles at least one request. The times of requests
are assumptions. Free tiers are left out, except for uptime checks.
"""

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.cost.prices import prices
from infra.deployables import Deployable, deployables
from infra.documents.alarms import ALARMS

OPERATIONS = json.loads(Path(__file__).with_name("operations.json").read_text())
PAGES = json.loads(Path(__file__).with_name("pages.json").read_text())
CUSTOMERS, ANSWERS = OPERATIONS
MILLION, HOUR = 1_000_000, 3600
MONTH = 30 * 24 * HOUR  # seconds
STEP = 100  # milliseconds
PUBLISHED_BYTES = 1000  # the least that is charged, and more than a wake-up has
LOGGED_BYTES = 1500  # a request: Cloud Run's own line, and Baton's
FILE_BYTES, FILE_MILLISECONDS = 1_000_000, 1000  # an assumption, from platform to reader
FILES_EACH = 100  # messages, one of them with a file: an assumption too
# Of an open desk page and an hour. That a page is open is said in every third of PRESENCE_SECONDS;
# a watch begins again every ten minutes. The others are assumptions: changes of a person's own
# conversations, how many these are, news of their customers' devices (typing begins and ends, a
# message has arrived and was read), changes of the queue, and how many customers wait.
DESKS, RENEWALS, WATCHES = 50, 120, 6
OWN_CHANGES, HELD, DEVICE_NEWS, QUEUE_CHANGES, WAITING = 200, 3, 300, 100, 10
LONG_POLLS = HOUR / 25  # requests where nothing changes
SWEEP_MILLISECONDS, SWEEP_READS = 200, 33
EVALUATED = 30  # seconds between two evaluations of an alarm
CHECK_SECONDS, CHECK_REGIONS = 300, 3
SECRETS, IMAGES_GB = 6, 1


@dataclass(frozen=True, slots=True)
class Line:
    """One row: what is charged, how many units of it, and by which price."""

    what: str
    units: float
    price: str

    @property
    def dollars(self) -> float:
        return prices().prices[self.price].of_units(self.units)


def of_messages(messages: float, at_once: int = 1) -> list[Line]:
    """Returns the costs of so many messages, half of them customers' and half answers to them.
    `at_once` requests share an instance.
    """
    total = dict.fromkeys(("reads", "writes", "publishes", "requests"), 0.0)
    cpu = memory = 0.0
    for kind in (CUSTOMERS, ANSWERS):
        for function, made in OPERATIONS[kind].items():
            for what in total:
                total[what] += made[what] * messages / 2
            seconds = billed_seconds(made["milliseconds"]) * messages / 2 / at_once
            cpu += seconds * deployables()[function].cpu
            memory += seconds * deployables()[function].memory_mb / 1024
    return [
        Line("Firestore: documents written", total["writes"], "firestore writes"),
        Line("Firestore: documents read", total["reads"], "firestore reads"),
        Line("Firestore: journal entries that expire", messages, "firestore deletes"),
        # Each message is charged when it is published and when it is delivered.
        Line("Pub/Sub", total["publishes"] * 2 * PUBLISHED_BYTES, "pubsub bytes"),
        Line("Cloud Run: requests", total["requests"], "run requests"),
        Line("Cloud Run: CPU", cpu, "run cpu"),
        Line("Cloud Run: memory", memory, "run memory"),
        Line("Logging", total["requests"] * LOGGED_BYTES, "logging"),
    ]


def of_files(files: float) -> list[Line]:
    """Returns the costs of so many files a month that are opened once, each on an instance of its
    own, and kept in a bucket for a month.
    """
    row, seconds = deployables()["relay_media"], billed_seconds(FILE_MILLISECONDS) * files
    return [
        Line("Cloud Run: requests", files, "run requests"),
        Line("Cloud Run: CPU", seconds * row.cpu, "run cpu"),
        Line("Cloud Run: memory", seconds * row.memory_mb / 1024, "run memory"),
        Line("Firestore: documents read", files, "firestore reads"),
        Line("traffic to readers", files * FILE_BYTES, "internet traffic"),
        Line("bucket: files kept", files * FILE_BYTES, "kept bytes"),
        Line("bucket: writes", files, "storage writes"),
        Line("bucket: reads", files, "storage reads"),
    ]


def of_desks(desks: int) -> list[Line]:
    """Returns what so many open desk pages cost in an hour, on as few instances as take them."""
    row, renewal = deployables()["send_representative"], PAGES["renewal"]
    instances = math.ceil(desks / row.concurrency)
    reads = RENEWALS * renewal["reads"] + WATCHES * (1 + 2 * HELD)
    reads += OWN_CHANGES * PAGES["change"]["reads"] + DEVICE_NEWS * PAGES["device"]["reads"]
    writes = RENEWALS * renewal["writes"] + DEVICE_NEWS * PAGES["device"]["writes"]
    shared = instances * (WATCHES * WAITING + QUEUE_CHANGES * PAGES["change"]["reads"])
    requests = desks * (LONG_POLLS + OWN_CHANGES + DEVICE_NEWS + QUEUE_CHANGES)
    return [
        Line("Firestore: documents read", desks * reads + shared, "firestore reads"),
        Line("Firestore: documents written", desks * writes, "firestore writes"),
        Line("Cloud Run: requests", requests, "run requests"),
        Line("Cloud Run: CPU", instances * HOUR * row.cpu, "run cpu"),
        Line("Cloud Run: memory", instances * HOUR * row.memory_mb / 1024, "run memory"),
        Line("Logging", requests * LOGGED_BYTES, "logging"),
    ]


def of_a_month() -> list[Line]:
    """Returns what a deployment costs however few messages come."""
    table, alerts = deployables(), json.loads(ALARMS.read_text())["alerts"]
    public = sum(row.public for row in table.values())
    checks = public * CHECK_REGIONS * MONTH / CHECK_SECONDS
    sweeps = MONTH / 60
    kept = sweeps * billed_seconds(SWEEP_MILLISECONDS) + checks * billed_seconds(STEP)
    return [
        *_warm(table),
        Line("sweep: queries", sweeps * SWEEP_READS, "firestore reads"),
        Line("sweep and uptime checks: requests", sweeps + checks, "run requests"),
        Line("sweep and uptime checks: CPU", kept, "run cpu"),
        Line("uptime checks (a million a month are free)", checks, "uptime checks"),
        Line("alarms", len(alerts), "alarm conditions"),
        Line("alarms: evaluations", len(alerts) * MONTH / EVALUATED, "alarm time series"),
        Line(
            "Cloud Scheduler",
            sum(row.schedule is not None for row in table.values()),
            "scheduler jobs",
        ),
        Line("secrets", SECRETS, "secret versions"),
        Line("images", IMAGES_GB, "images"),
    ]


def _warm(table: dict[str, Deployable]) -> Iterator[Line]:
    for name, row in table.items():
        if row.min_instances:
            seconds = row.min_instances * MONTH
            yield Line(f"warm instance of {name}: CPU", seconds * row.cpu, "run idle cpu")
            gib = seconds * row.memory_mb / 1024
            yield Line(f"warm instance of {name}: memory", gib, "run memory")


def billed_seconds(milliseconds: float) -> float:
    """Returns what Cloud Run bills for a request that is alone on its instance."""
    return math.ceil(milliseconds / STEP) * STEP / 1000


def table(messages: int = MILLION) -> str:
    """Returns a Markdown table of both kinds of costs."""
    known = prices()
    parts = {
        f"{messages:,} messages, one request at a time": of_messages(messages),
        f"{messages // FILES_EACH:,} files of 1 MB in these, with `MEDIA_BUCKET`": of_files(
            messages // FILES_EACH
        ),
        f"{DESKS} open desk pages for an hour": of_desks(DESKS),
        "a month, whatever comes": of_a_month(),
    }
    lines = ["| what | how many | dollars |", "|---|---|---|"]
    for title, rows in parts.items():
        lines += [f"| **{title}** | | **{sum(one.dollars for one in rows):.2f}** |"]
        lines += [_row(one) for one in rows]
    busy = sum(one.dollars for one in of_messages(messages, at_once=10))
    lines += [f"| **{messages:,} messages, ten requests at a time** | | **{busy:.2f}** |"]
    pages = list(dict.fromkeys(one.page for one in known.prices.values()))
    said = f"List prices of {known.region} in US dollars, looked up on {known.date}:"
    return "\n".join([*lines, "", said, "", *(f"- <{page}>" for page in pages)])


def _row(line: Line) -> str:
    of = prices().prices[line.price].of
    return f"| {line.what} | {line.units:,.0f} {of} | {line.dollars:.2f} |"


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m infra.cost", description="Print what Baton costs in a month."
    )
    parser.add_argument(
        "--messages", type=_whole, default=MILLION, help="of customers and to them, in a month"
    )
    print(table(parser.parse_args(given).messages))
    return 0


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError("give a whole number, like 1000000")
    return int(text)
