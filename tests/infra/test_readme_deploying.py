"""The blocks of infra/README.md as a reader pastes them: a line that is not filled in fails and
names its variable; a line that is filled in passes the checks.
"""

import json
import os
import re
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.deploy import deploy
from infra.deploy.checks import faults
from infra.doctor import doctor
from infra.uses import missing

TEXT = (Path(__file__).parents[2] / "infra" / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
DRAWN = next(block for block in BLOCKS if "openssl rand" in block)
GIVEN = "".join(block for block in BLOCKS if "${FILL_IN:?" in block)
LINES = GIVEN.splitlines()
STEPS = re.split(r"\n### (\d+)\. ", TEXT.partition("\n### If a step fails")[0])[1:]


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


def test_there_are_ten_steps_each_with_a_command_what_is_seen_and_what_to_do_if_not() -> None:
    assert STEPS[::2] == [str(number) for number in range(1, 11)]
    for text in STEPS[1::2]:
        assert text.count("```sh") == 1
        assert text.index("```sh") < text.index("**You see**") < text.index("**If not:**")


def test_the_commands_of_the_steps_take_what_they_are_given() -> None:
    commands = re.findall(r'make (deploy|doctor) (.*?)\n  ARGS="([^"]*)"', "".join(STEPS))
    assert [name for name, _, _ in commands] == ["deploy", "deploy", "doctor"]
    for name, where, more in commands:
        where = where.rstrip(" \\")
        if name == "deploy":
            given = dict(one.split("=") for one in where.split())
            words = ["--project", given["PROJECT"], "--region", given["REGION"], *more.split()]
            assert deploy._arguments(words).channels == ("whatsapp",)
        else:
            url = where.removeprefix("URL=")
            assert doctor.DEPLOYED.fullmatch(url)


def test_the_steps_set_all_that_whatsapp_and_the_api_need() -> None:
    settings = exported(DRAWN) | exported(GIVEN, FILL_IN=secrets.token_hex(16))
    assert missing(["whatsapp", "api"], settings, ()) == []
    steps = "".join(STEPS)
    needed = {one.name for one in missing(["whatsapp", "api"], {}, ())}
    assert all(f"export {name}=" in steps for name in needed)


@pytest.mark.parametrize("tool", [deploy.main, doctor.main], ids=["deploy", "doctor"])
def test_every_option_has_a_line(
    tool: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        tool(["--help"])
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", capsys.readouterr().out))
    given = {"--help", "--project", "--region"}  # by make's variables
    assert [one for one in sorted(options - given) if one not in TEXT] == []


def test_every_variable_of_terraform_has_a_line() -> None:
    folder = Path(__file__).parents[2] / "infra" / "terraform"
    names = re.findall(r'(?m)^variable "(\w+)"', (folder / "variables.tf").read_text())
    assert [one for one in names if one not in TEXT] == []
