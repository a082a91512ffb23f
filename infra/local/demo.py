"""`make demo`: plays the vendor's walk-through of a handoff through the real functions over HTTP.
Beside each step of the page it prints the request, what the API answered, and what the customer's
phone showed then.

The exit code is 1 if a step gets another answer than expected, or if the phone's transcript breaks
an invariant.
"""

import argparse
import json
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.command import run_tool
from infra.local.oracle import violations
from infra.local.reference import CONVERSATION, PAGE, Part, Step
from infra.local.server import LocalServer, Reply

GREY, BOLD, PLAIN = ("\033[2m", "\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "", "")
WIDTH, COLUMN = 100, 12  # characters of a line, and of its label


def main(given: list[str] | None = None) -> int:
    what = "Replay the vendor's walk-through of a handoff."
    argparse.ArgumentParser(prog="python -m infra.local.demo", description=what).parse_args(given)
    with (
        tempfile.TemporaryDirectory(prefix="baton-demo-") as folder,
        LocalServer(Path(folder)) as server,
    ):
        print(f"{BOLD}Handoff from bot to live agent, through the functions at {server.url}{PLAIN}")
        faults = [fault for part in PAGE for fault in _play(server, part)]
        shown = server.transcript(CONVERSATION)
        path = f"/send_representative/v1/conversations/{CONVERSATION}/journal"
        journal = server.get(path, "dev-agent")
    print(f"\n{BOLD}What the journal says{PLAIN}\n")
    for entry in journal["entries"]:
        print(
            f"  {entry['time'][11:19]}  {entry['kind']:<16} {entry['outcome']:<9} "
            f"{GREY}{entry['actor']}{PLAIN}"
        )
    return _verdict([*faults, *violations(shown)])


def _play(server: LocalServer, part: Part) -> Iterator[str]:
    """Plays a part and prints it. Yields what was answered otherwise than expected."""
    print(f"\n{BOLD}{textwrap.fill(f'{part.number:>2}. {part.says}', WIDTH)}{PLAIN}")
    for step in part.steps:
        seen = len(server.transcript(CONVERSATION))
        answer = server.play(step)
        server.wait_until_quiet(CONVERSATION)
        print(f"\n    {step.title}")
        _row("request", _request(step))
        _row("answer", _answer(answer))
        for row in server.transcript(CONVERSATION)[seen:]:
            _row("phone", _bubble(row))
        if step.slip is not None:
            _row("slip", step.slip)
        if answer.status != step.expect:
            said = json.dumps(answer.body)
            yield f"{step.title}: expected {step.expect}, got {answer.status} {said}"


def _row(label: str, words: str) -> None:
    lines = textwrap.wrap(words, WIDTH - COLUMN - 4, break_on_hyphens=False)
    for number, line in enumerate(lines):
        print(f"    {GREY}{'' if number else label:<{COLUMN}}{PLAIN}{line}")


def _request(step: Step) -> str:
    body = json.dumps(step.body, ensure_ascii=False)
    return f"POST {step.path} {body}"


def _answer(answer: Reply) -> str:
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    said = f"{error['status']}: {error['message']}" if error else json.dumps(answer.body)
    return f"{answer.status} {said}"


def _bubble(row: dict[str, Any]) -> str:
    body = row["body"]
    who = body.get("representative", {})
    if row["kind"] == "event":
        verb = "joined" if body["eventType"] == "REPRESENTATIVE_JOINED" else "left"
        return f"--- {who.get('displayName')} {verb} ---"
    if row["side"] == "customer":
        return f"customer: {body.get('text', '')}"
    return f"{who['representativeType']} {who['displayName']}: {body.get('text', '')}"


def _verdict(faults: list[str]) -> int:
    for fault in faults:
        print(f"\nBROKEN  {fault}")
    if not faults:
        print("\nEvery step was answered as it should be, and every invariant holds.")
    return 1 if faults else 0


if __name__ == "__main__":
    run_tool(main)
