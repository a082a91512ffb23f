"""Every command that deploy.py runs exists in the Cloud SDK of this machine, with every flag
that it is given.
"""

import importlib.util
import os
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.deploy import deploy
from infra.deploy.deployment import Deployment
from infra.deployables import deployables

ROOT = Path(__file__).parents[2]
TABLE = deployables()
TO = Deployment(
    project="baton-test",
    region="europe-west1",
    sources={name: Path(f"build/{name}.zip") for name in TABLE},
    secrets=frozenset({"BATON_API_KEYS"}),
    given=frozenset({"BATON_API_KEYS"}),
    settings={"MEDIA_BUCKET": "baton-test-files"},
    alert_email="oncall@example.com",
)
EVERYWHERE = {"--project", "--quiet", "--format"}


@pytest.fixture(scope="session")
def commands() -> dict[str, Any]:
    """Returns the SDK's own tree of commands, which completes what is typed in a shell."""
    gcloud = shutil.which("gcloud")
    roots = [Path(gcloud).resolve().parents[1]] if gcloud else []
    roots += [Path("/usr/lib/google-cloud-sdk"), Path("/usr/share/google-cloud-sdk")]
    found = [root / "data" / "cli" / "gcloud_completions.py" for root in roots]
    path = next((one for one in found if one.is_file()), None)
    if path is None:
        (pytest.fail if os.environ.get("BATON_REQUIRE_ALL") == "1" else pytest.skip)(
            "no Cloud SDK on this machine"
        )
    spec = importlib.util.spec_from_file_location("gcloud_completions", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tree: dict[str, Any] = module.STATIC_COMPLETION_CLI_TREE
    return tree


def test_commands_and_flags_exist(commands: dict[str, Any]) -> None:
    unknown = [fault for words in _every_command() if (fault := _fault(commands, words))]
    assert unknown == []


def test_commands_of_the_readme_exist(commands: dict[str, Any]) -> None:
    """Those that stand alone on a line of a code block, or after a pipe."""
    text = (ROOT / "infra" / "README.md").read_text().replace("\\\n", " ")
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    found = re.findall(r"^(?:.*\| )?(gcloud [^|\n]*)", blocks, re.MULTILINE)
    assert len(found) > 10
    unknown = [
        fault
        for line in found
        if (fault := _fault(commands, tuple(shlex.split(line, comments=True))))
    ]
    assert unknown == []


def _every_command() -> list[tuple[str, ...]]:
    at = "projects/baton-keys/locations/europe-west1"
    own = replace(
        TO,
        kms_key=f"{at}/keyRings/r/cryptoKeys/k",
        vpc_connector=f"{at}/connectors/c",
        labels={"team": "care"},
    )
    steps = [*deploy.plan(TO), *deploy.plan(own)]
    return [
        command.words
        for step in steps
        for command in (
            step.create,
            *filter(None, [step.probe, step.undo, step.fallback]),
            *step.update,
        )
        if command.words[0] == "gcloud"
    ]


def _fault(tree: dict[str, Any], words: tuple[str, ...]) -> str | None:
    """Returns what of a command the SDK does not know."""
    node, path = tree, list[str]()
    for word in words[1:]:
        if word not in node["commands"]:
            break
        node = node["commands"][word]
        path.append(word)
    if node["commands"]:
        return f"not a command: {' '.join(words[:5])}"
    flags = {word.partition("=")[0] for word in words if word.startswith("--")}
    bad = {
        flag for flag in flags if flag not in EVERYWHERE and _affirmative(flag) not in node["flags"]
    }
    return f"{' '.join(path)}: {', '.join(sorted(bad))}" if bad else None


def _affirmative(flag: str) -> str:
    return f"--{flag.removeprefix('--no-')}" if flag.startswith("--no-") else flag
