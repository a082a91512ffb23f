"""`make bench`: Baton beside what a user would write instead, and beside the least that the same
RPCs cost.

Milliseconds are this machine's and the emulators', which neither sync nor replicate nor encrypt;
the ratios, counts and processor times are what carries over. List prices are those of one region,
without the free quota.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks import figures, measure, micro, paths, quiet, statuses
from tests.benchmarks.arithmetic import Figure
from tests.benchmarks.emulators import missing
from tests.benchmarks.measure import QUICK, Acks, Plan
from tests.benchmarks.servers import BUILD
from tests.benchmarks.table import acks_table, figures_table

STARTED = time.monotonic()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, under 90 s: an impression")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write every figure and sample there as well"
    )
    given = parser.parse_args()
    absent = missing() or ("node and npm are not on the PATH" if not shutil.which("npm") else None)
    if absent:
        print(f"make bench needs the Cloud SDK's emulators and Express: {absent}", file=sys.stderr)  # noqa: T201  # a command-line program
        return 1
    BUILD.mkdir(parents=True, exist_ok=True)
    before = quiet.noise(quiet.busy())
    rounds, found = _measure(QUICK if given.quick else Plan())
    noise = f"before: {before}\nafter: {quiet.noise(quiet.busy())}"
    print(f"\n{acks_table(rounds)}\n\n{figures_table(found)}\n\n{noise}\n")  # noqa: T201  # as above
    if given.json:
        given.json.write_text(json.dumps(_report(rounds, found) | {"noise": noise}, indent=2))
    return 0


def _measure(plan: Plan) -> tuple[list[Acks], list[Figure]]:
    rounds = list(_rounds(plan))
    found = figures.of_acks(rounds)
    _say(f"the same of servers that have taken {plan.grown:,} events each")
    found += figures.of_grown(measure.acks(plan, figures.GROWN, plan.grown), plan.grown)
    _say("every RPC 10 ms longer")
    found += figures.of_delay(measure.delayed(plan))
    _say(f"{measure.SENDERS} senders, {plan.events} events, one conversation and many")
    found += figures.of_contest(measure.contest(plan))
    _say(f"from end to end, in place and queued, {plan.turns} turns each")
    found += figures.of_paths(paths.end_to_end(plan.turns))
    _say("the RPCs of a dialogue of two functions")
    found += figures.of_dialogue(paths.dialogue(plan.turns))
    _say(f"{statuses.STATUSES} statuses in one webhook")
    found += figures.of_statuses(statuses.seconds(plan.starts))
    _say(f"{plan.starts} cold starts of each")
    found += figures.of_starts(measure.starts(plan))
    for kind, name in figures.KINDS.items():
        _say(f"document operations of {plan.counted} {name} events, taken and delivered")
        found += figures.of_operations(kind, measure.operations(kind, plan), plan.counted)
    _say("microseconds of pure work")
    return rounds, found + figures.of_micro(micro.run())


def _rounds(plan: Plan) -> Iterator[Acks]:
    for number in range(plan.rounds):
        _say(
            f"acks, round {number + 1} of {plan.rounds}: every server takes turns, at 1 client and "
            f"at 8"
        )
        yield measure.acks(plan)


def _say(what: str) -> None:
    print(f"[{time.monotonic() - STARTED:4.0f} s] {what}", flush=True)  # noqa: T201  # as above


def _report(rounds: list[Acks], found: list[Figure]) -> dict[str, Any]:
    return {
        "figures": [{**asdict(figure), "verdict": figure.verdict} for figure in found],
        "rounds": [asdict(one) for one in rounds],
    }


if __name__ == "__main__":
    sys.exit(main())
