"""`make demo`: plays the reference conversation through the real functions over HTTP, and prints it
as a transcript.

https://developers.google.com/business-communications/business-messages/guides/how-to/conversations/bot-live-agent-handoff
The exit code is 1 if a step gets another answer than expected, or if the transcript breaks an
invariant.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from infra.command import run_tool
from infra.local.oracle import violations
from infra.local.reference import PLATFORM, STEPS, Step
from infra.local.server import LocalServer

GREY, BOLD, PLAIN = ("\033[2m", "\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


def main(given: list[str] | None = None) -> int:
    what = "Replay the reference conversation."
    argparse.ArgumentParser(prog="python -m infra.local.demo", description=what).parse_args(given)
    with (
        tempfile.TemporaryDirectory(prefix="baton-demo-") as folder,
        LocalServer(Path(folder)) as server,
    ):
        print(
            f"{BOLD}The reference conversation, through the real functions at {server.url}{PLAIN}\n"
        )
        faults = [fault for step in STEPS if (fault := _play(server, step))]
        shown = server.transcript("3333")
        journal = server.get("/send_representative/v1/conversations/3333/journal", "dev-agent")
    print(f"\n{BOLD}What the customer saw{PLAIN}\n")
    for row in shown:
        print(f"  {_line(row)}")
    print(f"\n{BOLD}What the journal says{PLAIN}\n")
    for entry in journal["entries"]:
        print(
            f"  {entry['time'][11:19]}  {entry['kind']:<16} {entry['outcome']:<9} "
            f"{GREY}{entry['actor']}{PLAIN}"
        )
    return _verdict([*faults, *violations(shown)])


def _play(server: LocalServer, step: Step) -> str | None:
    answer = server.play(step)
    server.wait_until_quiet("3333")
    print(f"  {GREY}{answer.status}{PLAIN}  {step.title}")
    if answer.status == step.expect:
        return None
    return f"{step.title}: expected {step.expect}, got {answer.status} {json.dumps(answer.body)}"


def _line(row: dict[str, Any]) -> str:
    body, side = row["body"], row["side"]
    who = body.get("representative", {})
    label = f"{who.get('representativeType', '')} {who.get('displayName', '')}".strip()
    if row["kind"] == "event":
        verb = "joined" if body["eventType"] == "REPRESENTATIVE_JOINED" else "left"
        return f"{'':12}--- {who.get('displayName')} {verb} ---"
    sender = "customer" if side == "customer" else PLATFORM
    return f"{sender:<12}{label + ': ' if label else ''}{body.get('text', '')}"


def _verdict(faults: list[str]) -> int:
    for fault in faults:
        print(f"\nBROKEN  {fault}")
    if not faults:
        print("\nEvery step was answered as it should be, and every invariant holds.")
    return 1 if faults else 0


if __name__ == "__main__":
    run_tool(main)
