"""Terraform's own verdict on infra/terraform and what it would make, without a cloud.

The stand-in provider of the development set-up is used where it lies beside the project, else the
real one, which `terraform init` fetches. Where neither can be had the tests are skipped;
BATON_REQUIRE_ALL=1 makes that a failure.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

ROOT = Path(__file__).parents[2]
STAND_IN = ROOT.parent / "shared" / "tfcheck" / "check"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How fmt, validate and the tests of a folder ended; `text` is what terraform said."""

    code: int
    text: str

    @property
    def messages(self) -> list[Json]:
        """Returns the messages of `terraform test -json -verbose`."""
        lines = (line.strip() for line in self.text.splitlines())
        return [json.loads(line) for line in lines if line.startswith("{")]

    def failures(self) -> list[str]:
        """Returns the tests that did not pass, and why."""
        runs = [
            m
            for m in self.messages
            if m.get("type") == "test_run" and m["test_run"].get("status") in ("fail", "error")
        ]
        why = [
            json.dumps(m["diagnostic"])[:600]
            for m in self.messages
            if m.get("type") == "diagnostic"
        ]
        return [f"{m['test_run']['path']}: {m['test_run']['run']}" for m in runs] + why

    def made(self, test: str) -> list[Json]:
        """Returns the resources that stood after a test."""
        found = [
            m["test_state"]
            for m in self.messages
            if m.get("type") == "test_state" and m["@testrun"] == test
        ]
        resources: list[Json] = found[0]["root_module"]["resources"]
        return resources


@pytest.fixture(scope="session")
def judge() -> Callable[..., Verdict]:
    """Returns what lets terraform judge a folder."""
    if shutil.which("terraform") is None:
        _absent("terraform is not on the PATH")
    return _by_stand_in if STAND_IN.exists() else _by_itself


@pytest.fixture(scope="session")
def verdict(judge: Callable[..., Verdict], of_run: Path) -> Verdict:
    """Returns terraform's verdict on infra/terraform, in JSON. It takes a minute of processor time,
    so that the workers of one run share it.
    """
    kept = of_run / "terraform.json"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(json.dumps(asdict(judge(ROOT / "infra" / "terraform"))))
    return Verdict(**json.loads(kept.read_text()))


def _by_stand_in(folder: Path) -> Verdict:
    return _run([str(STAND_IN), str(folder)])


def _by_itself(folder: Path) -> Verdict:
    for command in (
        ["init", "-backend=false", "-input=false"],
        ["fmt", "-check", "-recursive"],
        ["validate"],
    ):
        done = _run(["terraform", f"-chdir={folder}", *command])
        if done.code != 0 and command[0] == "init":
            _absent(f"terraform cannot get the google provider: {done.text[-500:]}")
        if done.code != 0:
            return done
    return _run(["terraform", f"-chdir={folder}", "test"])


def _run(command: list[str]) -> Verdict:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    # Most of what terraform allocates lives until its end.
    environment = {
        **os.environ,
        "PATH": path,
        "GOGC": "400",
        "TF_CLI_ARGS_test": "-json -verbose",
    }
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    return Verdict(done.returncode, done.stdout + done.stderr)


def _absent(reason: str) -> NoReturn:
    if os.environ.get("BATON_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
