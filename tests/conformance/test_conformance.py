"""The suite judges Baton's local run, from outside, and finds the fault of each faulty copy."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from infra.local.server import free_port
from infra.local.settings import ADMIN_KEY, AGENT_KEY, BOT_KEY, SIGNING_KEY
from tests.conformance.__main__ import main
from tests.conformance.faults import FAULTS, Relay
from tests.conformance.layer import Layer
from tests.conformance.oracle import INVARIANTS
from tests.conformance.phone import Phone
from tests.conformance.runner import Abilities, run, usable, vectors
from tests.forked import ForkedServer
from tests.soak import SOAKS

FOLDER = Path(__file__).parent
# What Open Floor 1.1 and the draft 0.1 of the Open Handoff Protocol name.
OPEN_FLOOR = {
    "utterance", "context", "invite", "uninvite", "acceptInvite", "declineInvite", "bye",
    "requestFloor", "grantFloor", "revokeFloor", "yieldFloor",
}  # fmt: skip
HANDOFF = {"propose", "accept", "reject", "assume", "return"}
# In the gate: one behind the layer, one before it.
GATE = ("everything-is-sent-twice",)
# Long enough that no human counts as silent while the process starts again on a busy machine.
IDLE_AFTER = "30" if SOAKS else "600"


class Bench:
    """Baton's local run, whose platform is the relay's."""

    def __init__(self, folder: Path, phone: Phone) -> None:
        self.platform_port = free_port()
        platform = f"http://127.0.0.1:{self.platform_port}"
        self.relay = Relay(phone, platform, self.restart)
        self.phone = phone
        self.server = ForkedServer(
            folder,
            {
                "BUSINESS_MESSAGES_API_URL": f"{self.relay.url}/platform",
                "BUSINESS_MESSAGES_AUTH": "none",
                "UNCLAIMED_AFTER": "1",
                "UNCLAIMED_REMINDERS": "1",
                "HUMAN_IDLE_AFTER": IDLE_AFTER,
            },
        )
        self.relay.layer = Layer(
            f"{self.server.url}/send_representative",
            f"{self.server.url}/receive_webhook/business_messages",
            {"bot": BOT_KEY, "desk": AGENT_KEY, "admin": ADMIN_KEY},
            SIGNING_KEY,
            ":claim",
        )

    def restart(self) -> None:
        self.server.stop()
        self.server.start()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Phone() as phone:
        made = Bench(tmp_path_factory.mktemp("baton"), phone)
        with made.relay, made.server:
            yield made


@pytest.mark.soak
def test_baton_holds_every_invariant(bench: Bench) -> None:
    layer = bench.relay.layer
    assert layer is not None
    ask = f"import urllib.request as u; u.urlopen('{bench.relay.url}/restart', b'')"
    given = {
        "--api": layer.api,
        "--webhook": layer.webhook,
        "--platform-port": str(bench.platform_port),
        "--unclaimed-after": "1",
        "--claim": ":claim",
        "--restart": f'{sys.executable} -c "{ask}"',
        **({"--idle-after": IDLE_AFTER} if SOAKS else {}),
    }
    keys = ["--keys", f"bot={BOT_KEY}", f"desk={AGENT_KEY}", f"signing={SIGNING_KEY}"]
    command = [sys.executable, "-m", "tests.conformance", *keys, *chain(*given.items())]
    ended = subprocess.run(
        command, cwd=FOLDER.parents[1], capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows, rest = ended.stdout.splitlines()[:9], ended.stdout.splitlines()[9:]
    assert [row.split()[0] for row in rows] == list(INVARIANTS)
    needs_idle = "left out: a-silent-human-leaves, which needs --idle-after"
    assert rest == ([] if SOAKS else [needs_idle])
    assert ended.stdout.count(" holds ") == len(INVARIANTS)


@pytest.mark.soak
@pytest.mark.parametrize("name", [*FAULTS] if SOAKS else GATE)
def test_a_fault_is_found_where_it_is_and_nowhere_else(bench: Bench, name: str) -> None:
    fault = FAULTS[name]
    restart = bench.restart if fault.only == "restart" else None
    abilities = Abilities(unclaimed_after=1, claim=True, restart=restart)
    known = usable(vectors(), abilities)
    chosen = [one for one in known if not fault.only or fault.only in one.get("needs", ())]
    found = run(chosen, bench.relay.faulty(name), bench.phone, abilities, name)
    assert {one.invariant for one in found} == fault.breaks, found


def test_every_invariant_has_a_fault_that_breaks_it() -> None:
    assert len(FAULTS) >= 12
    assert set.union(*(set(fault.breaks) for fault in FAULTS.values())) == set(INVARIANTS)


def test_the_vectors_are_of_their_form() -> None:
    known = vectors()
    assert len({one["name"] for one in known}) == len(known)
    assert {one["invariant"] for one in known} == set(INVARIANTS)
    for one in known:
        assert set(one["openfloor"]) <= OPEN_FLOOR
        assert set(one["handoff"]) <= HANDOFF
        assert one["why"]
        assert set(one) <= {
            *("name", "invariant", "why", "needs", "openfloor", "handoff", "steps", "shown"),
            "joins",
        }
    assert set().union(*(one["handoff"] for one in known)) == HANDOFF


def test_the_suite_shares_no_code_with_the_product() -> None:
    own = [path for path in FOLDER.glob("*.py") if not path.name.startswith("test_")]
    imported = {name for path in own for name in _imports(ast.parse(path.read_text()))}
    others = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert others
    assert all(name.startswith("tests.conformance") for name in others)


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield str(node.module)


def test_a_layer_that_does_not_answer_holds_nothing_but_is_judged() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    layer = Layer(nowhere, nowhere, {"bot": "b", "desk": "d"}, "s", patience=0.2)
    chosen: list[Any] = [one for one in vectors() if one["name"] == "ten-messages-come-in-order"]
    with Phone() as phone:
        found = run(chosen, layer, phone, Abilities(), "nowhere")
    assert {one.invariant for one in found} == {"order"}


def test_a_port_that_is_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    keys = ["--keys", "bot=b", "desk=d", "signing=s"]
    with Phone() as phone:
        port = phone.url.rpartition(":")[2]
        given = ["--api", "http://x", "--webhook", "http://x", "--platform-port", port]
        assert main([*given, *keys]) == 2
    assert f"127.0.0.1:{port}: Address already in use" in capsys.readouterr().err
