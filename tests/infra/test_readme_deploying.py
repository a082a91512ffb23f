"""The blocks of infra/README.md as a reader pastes them: a line that is not filled in fails and
names its variable; a line that is filled in passes the checks.
"""

import json
import os
import re
import secrets
import subprocess
from pathlib import Path

import pytest

from infra.deploy.checks import faults

TEXT = (Path(__file__).parents[2] / "infra" / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
DRAWN, GIVEN = (
    next(block for block in BLOCKS if mark in block) for mark in ("openssl rand", "${FILL_IN:?")
)
LINES = GIVEN.splitlines()


def shell(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(
        ["sh", "-c", script], env=given, capture_output=True, text=True, timeout=60
    )


def exported(script: str, **environment: str) -> dict[str, str]:
    """Returns the variables that a script leaves to what comes after it."""
    printing = "import json, os; print(); print(json.dumps(dict(os.environ)))"
    done = shell(f"{script}\nexec python3 -c '{printing}'", **environment)
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return {
        name: value for name, value in found.items() if name in script and name not in environment
    }


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_is_not_filled_in_fails_with_its_name(line: str) -> None:
    name = line.removeprefix("export ").partition("=")[0]
    done = shell(f"{line}\necho went on")
    assert (done.returncode != 0, done.stdout) == (True, "")
    assert name in done.stderr


def test_what_is_filled_in_passes_the_checks() -> None:
    settings = exported(GIVEN, FILL_IN=secrets.token_hex(16))
    assert len(settings) == len(LINES)
    assert faults(settings) == []


def test_what_is_drawn_passes_the_checks_and_is_shown_once_by_name() -> None:
    settings = exported(DRAWN)
    assert faults(settings) == []
    keys = json.loads(settings["BATON_API_KEYS"])
    assert [one["name"] for one in keys.values()] == ["desk", "bot", "admin"]


def test_no_block_sets_a_placeholder() -> None:
    assert [
        block
        for block in BLOCKS
        if re.search(r'="(\.\.\.|primary|secondary|changeme|secret)', block)
    ] == []


def test_every_variable_of_a_block_is_defined_or_asked_for() -> None:
    """A shell replaces a variable that is not set by nothing."""
    defined = set(re.findall(r"(?:^|[\s;])([A-Z_a-z]+)=", "\n".join(BLOCKS))) | {"name"}
    used = set(re.findall(r"\$([A-Za-z_]+)", "\n".join(BLOCKS)))
    assert used <= defined
