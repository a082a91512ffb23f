"""`python -m infra.recount [--from --to --tz]`: computes the counts of the reports from the journal
again, while everything runs.

Crashes and repetitions do not need it, because they count nothing twice. A restored backup, a
fault, or reports that reached their limit do. It works on whole days of UTC. Days whose journal has
begun to expire cannot be counted again, and stay as they are. It may run again at any time, also
beside another run.
"""

import argparse
import asyncio
import sys
from datetime import UTC, datetime, timedelta

from infra.command import run_tool
from infra.state import opened
from shared import logs
from shared.errors import BadRequest, BatonError
from shared.measures.counts import DAY, QUARTER, day_of
from shared.reports.period import period
from shared.reports.recount import TAKES, recount


async def run(arguments: argparse.Namespace) -> None:
    baton, now = opened(), datetime.now(UTC)
    span = period(arguments.since, arguments.until, arguments.tz, now)
    kept = day_of(now - timedelta(days=baton.settings.journal_ttl_days) + TAKES) + DAY
    since = max(day_of(span.since), kept)
    if since >= span.until:
        raise BadRequest(
            "schema",
            f"The journal is whole from {kept:%Y-%m-%d} on; nothing before can be recounted.",
        )
    done = await recount(baton.ports.store, since, span.until, now)
    wrong = sum(abs(one.number) for one in done.changed)
    last = day_of(span.until - QUARTER)
    print(
        f"{since:%Y-%m-%d} to {last:%Y-%m-%d}, days of UTC: {wrong or 'nothing'} had to be "
        f"corrected."
    )
    if done.spared:
        print(
            f"left as they are, as their journal has begun to expire: "
            f"{', '.join(f'{d:%Y-%m-%d}' for d in done.spared)}"
        )


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m infra.recount", description="Count anew from the journal."
    )
    parser.add_argument(
        "--from", dest="since", help="the first day, like 2026-11-01 (default: seven days ago)"
    )
    parser.add_argument("--to", dest="until", help="the day after the last one (default: tomorrow)")
    parser.add_argument("--tz", help="whose days these are, like Asia/Jakarta (default: UTC)")
    logs.hide("DEBUG")
    try:
        asyncio.run(run(parser.parse_args(given)))
    except BatonError as error:  # an entry counts once, however often it is written
        print(f"not recounted: {error.message}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    run_tool(main)
