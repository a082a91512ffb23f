"""Copies of Baton's source with one line changed each: the suite finds what a wrong line does.

Each copy is a process of its own, which compiles its modules: the gate tries one, a soak all.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pytest

from infra.local.server import LocalServer
from infra.local.settings import AGENT_KEY, BOT_KEY, SIGNING_KEY
from tests.conformance.layer import Layer
from tests.conformance.oracle import (
    CLAIMS,
    DOORS,
    DURABILITY,
    FRAMES,
    LABELS,
    SPEAKERS,
    TIMERS,
)
from tests.conformance.phone import Phone
from tests.conformance.runner import Abilities, run, usable, vectors
from tests.soak import SOAKS

ROOT = Path(__file__).parents[2]
TABLE, BASE = "shared/handoff/transitions.py", "shared/platforms/base.py"
BODIES, KEYS = "shared/platforms/bodies.py", "shared/api/keys.py"
BUSINESS_MESSAGES = "shared/platforms/business_messages/platform.py"


@dataclass(frozen=True)
class Copy:
    """`right` stands once in the file, and is replaced by `wrong`."""

    file: str
    right: str
    wrong: str
    breaks: frozenset[str]


def _copy(file: str, right: str, wrong: str, *breaks: str) -> Copy:
    return Copy(file, right, wrong, frozenset(breaks))


COPIES = {
    "the-table-lets-the-bot-speak": _copy(
        TABLE,
        "(G.REQUEST, HUMAN_PRESENT),\n            STALE,",
        "(G.REQUEST, _step(E.BOT_MESSAGE)),\n            STALE,",
        SPEAKERS,
    ),
    "the-table-lets-a-second-claim-join": _copy(
        TABLE,
        "E.END_OFFER, E.NOTIFY_JOINED)),\n            otherwise=HELD,",
        "E.END_OFFER, E.NOTIFY_JOINED)),\n            otherwise=_step(E.JOIN),",
        CLAIMS,
    ),
    "the-table-lets-who-is-not-there-leave": _copy(
        TABLE, "(G.REQUEST_ABSENT, NOT_JOINED),", "(G.REQUEST_ABSENT, IGNORE),", FRAMES
    ),
    "the-table-says-nothing-when-time-is-up": _copy(
        TABLE,
        "(G.EXHAUSTED, _step(E.NOTIFY_FAILED, E.CLOSE_DESK, E.SAY_NOBODY, to=BOT)),\n"
        "            (G.FIRST, _step(E.NOTIFY_UNCLAIMED, E.SAY_WAITING, E.REMIND, E.NEW_ROUND)),",
        "(G.EXHAUSTED, _step(E.NOTIFY_FAILED, E.CLOSE_DESK, to=BOT)),\n"
        "            (G.FIRST, _step(E.NOTIFY_UNCLAIMED, E.REMIND, E.NEW_ROUND)),",
        TIMERS,
    ),
    "a-failing-platform-has-refused-for-good": _copy(
        BASE, "425, 429) or status >= 500:", "425, 429):", DURABILITY, FRAMES
    ),
    "no-signature-is-wrong": _copy(
        BODIES,
        "    if given is None or not same(given, known):\n        raise Unauthenticated",
        "    return",
        DOORS,
    ),
    "each-key-speaks-as-all": _copy(KEYS, "    if kind not in caller.may:", "    if False:", DOORS),
    "who-speaks-has-no-picture": _copy(
        BUSINESS_MESSAGES,
        '{"representative": command.representative.shown}',
        '{"representative": {**command.representative.shown, "avatarImage": "https://x.test/"}}',
        LABELS,
    ),
}
GATE = ("the-table-lets-the-bot-speak",)


class CopiedServer(LocalServer):
    """A local run of another tree of sources."""

    tree = ROOT

    def launch(self, log: BinaryIO) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "infra.local"]
        return subprocess.Popen(
            command, env=self.environment, cwd=self.tree, stdout=log, stderr=log
        )


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_the_line_is_there_once(copy: Copy) -> None:
    assert (ROOT / copy.file).read_text().count(copy.right) == 1


@pytest.mark.soak
@pytest.mark.parametrize("name", COPIES if SOAKS else GATE)
def test_a_wrong_line_is_found(tmp_path: Path, name: str) -> None:
    copy = COPIES[name]
    tree = tmp_path / "copy"
    for room in ("shared", "functions", "infra"):
        shutil.copytree(
            ROOT / room, tree / room, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    changed = tree / copy.file
    changed.write_text(changed.read_text().replace(copy.right, copy.wrong))
    abilities = Abilities(unclaimed_after=1, claim=True)
    with Phone() as phone:
        settings = {
            "BUSINESS_MESSAGES_API_URL": phone.url,
            "BUSINESS_MESSAGES_AUTH": "none",
            "UNCLAIMED_AFTER": "1",
            "UNCLAIMED_REMINDERS": "1",
        }
        server = CopiedServer(tmp_path, settings)
        server.tree = tree
        with server:
            layer = Layer(
                f"{server.url}/send_representative",
                f"{server.url}/receive_webhook/business_messages",
                {"bot": BOT_KEY, "desk": AGENT_KEY},
                SIGNING_KEY,
                ":claim",
            )
            found = run(usable(vectors(), abilities), layer, phone, abilities, "copy")
    assert {one.invariant for one in found} == copy.breaks, found
