"""Judges a handoff layer from outside: by its webhook, its Business Messages API, and what its
customers see. It shares no code with any layer.

    python -m tests.conformance --api URL --webhook URL --keys bot=KEY desk=KEY signing=KEY
        [--platform-port PORT] [--unclaimed-after S] [--idle-after S] [--claim :claim]
        [--restart COMMAND]
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.conformance.layer import Layer
from tests.conformance.oracle import INVARIANTS, Finding
from tests.conformance.phone import Phone
from tests.conformance.runner import Abilities, run, usable, vectors


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    what = (__doc__ or "").partition("\n\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=what)
    parser.add_argument("--api", required=True, help="the address before /v1")
    parser.add_argument("--webhook", required=True, help="where the platform reports to the layer")
    words = "bearer keys of the bot and of the desk, and the key that signs the platform's webhooks"
    parser.add_argument("--keys", required=True, nargs=3, type=_key, metavar="NAME=KEY", help=words)
    parser.add_argument("--platform-host", default="127.0.0.1")
    parser.add_argument("--platform-port", type=int, default=8099)
    parser.add_argument("--unclaimed-after", type=float, help="seconds until no human came")
    parser.add_argument("--idle-after", type=float, help="seconds until a silent human leaves")
    parser.add_argument("--claim", default="", help="path of a claim below the conversation")
    parser.add_argument("--restart", help="command that kills the layer and starts it again")
    parser.add_argument(
        "--patience", type=float, default=20.0, help="seconds to wait for a message"
    )
    asked = parser.parse_args(given)
    if {name for name, _ in asked.keys} != {"bot", "desk", "signing"}:
        parser.error("--keys are bot=KEY desk=KEY signing=KEY")
    return asked


def _key(given: str) -> tuple[str, str]:
    name, _, key = given.partition("=")
    return name, key


def left_out(known: Sequence[Mapping[str, Any]], chosen: Sequence[Mapping[str, Any]]) -> str:
    """Returns a line for each vector that did not run, with the arguments that it needs."""
    rest = [vector for vector in known if vector not in chosen]
    return "".join(
        f"left out: {vector['name']}, which needs --{' --'.join(vector['needs'])}\n".replace(
            "_", "-"
        )
        for vector in rest
    )


def table(chosen: Sequence[Mapping[str, Any]], found: Sequence[Finding]) -> str:
    """Returns a row for each invariant: how many vectors ran for it, and what does not hold."""
    rows = []
    for name, words in INVARIANTS.items():
        ran = sum(vector["invariant"] == name for vector in chosen)
        broken = [one for one in found if one.invariant == name]
        verdict = "FAILS" if broken else ("holds" if ran else "not run")
        rows.append(f"{name:<12} {ran:>3}  {verdict:<8} {words}")
        rows += [f"    {one.vector}: {one.what}" for one in broken]
    return "\n".join(rows)


def main(given: Sequence[str] | None = None) -> int:
    asked = arguments(given)

    def restart() -> None:
        subprocess.run(asked.restart, shell=True, check=True)  # noqa: S602  # the operator's own

    keys = dict(asked.keys)
    layer = Layer(asked.api, asked.webhook, keys, keys["signing"], asked.claim, asked.patience)
    abilities = Abilities(
        asked.unclaimed_after,
        asked.idle_after,
        bool(asked.claim),
        restart if asked.restart else None,
    )
    known = vectors()
    chosen = usable(known, abilities)
    try:
        phone = Phone(asked.platform_port, asked.platform_host)
    except OSError as error:
        where = f"{asked.platform_host}:{asked.platform_port}"
        sys.stderr.write(f"The platform cannot listen on {where}: {error.strerror}.\n")
        return 2
    with phone:
        found = run(chosen, layer, phone, abilities, f"suite-{int(time.time())}")
    sys.stdout.write(f"{table(chosen, found)}\n{left_out(known, chosen)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
