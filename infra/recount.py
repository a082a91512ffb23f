"""`python -m infra.recount [--from --to --tz]`: makes the reports' counts what the journal says, while everything runs.

It is not needed for crashes or repetitions, which count nothing twice, but after a restored backup, a fault, or reports
that could take no more. Older days than the journal keeps cannot be recounted, and are left as they are. One at a
time: what two correct at once is corrected twice, which the next one mends.
"""

import argparse
import asyncio
import sys
from datetime import UTC, datetime, timedelta

from shared import bootstrap, logs
from shared.errors import BadRequest, BatonError
from shared.reports.counts import QUARTER, quarter_of
from shared.reports.period import period
from shared.services.recount import recount


async def run(arguments: argparse.Namespace) -> None:
    baton, now = bootstrap.baton(), datetime.now(UTC)
    span = period(arguments.since, arguments.until, arguments.tz, now)
    kept = quarter_of(now - timedelta(days=baton.settings.journal_ttl_days)) + QUARTER
    since = max(span.since, kept)
    if since >= span.until:
        raise BadRequest("schema", f"The journal begins {kept:%Y-%m-%d %H:%M} UTC; nothing before can be recounted.")
    changed = await recount(baton.ports.store, since, span.until)
    wrong = sum(abs(one.number) for one in changed)
    print(f"{since:%Y-%m-%d %H:%M} to {span.until:%Y-%m-%d %H:%M} UTC: {wrong or 'nothing'} had to be corrected.")


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.recount", description="Count anew from the journal.")
    parser.add_argument("--from", dest="since", help="the first day, like 2026-11-01 (default: seven days ago)")
    parser.add_argument("--to", dest="until", help="the day after the last one (default: tomorrow)")
    parser.add_argument("--tz", help="whose days these are, like Asia/Jakarta (default: UTC)")
    logs.hide("DEBUG")
    try:
        asyncio.run(run(parser.parse_args(given)))
    except BatonError as error:
        print(f"not recounted: {error.message}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
