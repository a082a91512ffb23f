"""The deployment build, simulated: it takes the lock as it is and finds what would fail in the
cloud.

The gate installs with uv: pip takes twenty seconds of processor time to choose the same files, and
another five to be installed itself. `make soak` installs with pip, as Cloud Build does.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.deployables import ROOT, deployables
from infra.simulate import DeploymentBuild, SimulationError
from infra.stage import stage
from tests.soak import SOAKS

pytestmark = pytest.mark.soak


def _works(python: str) -> bool:
    path = shutil.which(python)
    return (
        path is not None
        and subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0
    )


class Quick(DeploymentBuild):
    """A build in which uv installs."""

    venv_options = ("--without-pip",)

    def _pip(self, command: str) -> tuple[str, ...]:
        python = str(self._folder / "bin" / "python")
        return str(Path(sys.executable).with_name("uv")), "pip", command, "--python", python


BUILD = DeploymentBuild if SOAKS else Quick
PYTHONS = [one for one in ("python3.11", "python3.13") if _works(one)] or [sys.executable]


@pytest.mark.skipif(
    os.environ.get("BATON_REQUIRE_ALL") != "1",
    reason="slow; by hand: python -m infra.stage --check",
)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_function_is_built_and_answers(tmp_path: Path, python: str) -> None:
    """The gate starts the two that import most; test_stage starts all, elsewhere."""
    functions = deployables() if SOAKS else ("receive_webhook", "deliver_outbox")
    with BUILD(python, ROOT / "requirements.txt") as build:
        answers = [build.answer(stage(function, tmp_path)) for function in functions]
    assert all(answer < 504 for answer in answers)


def test_a_lock_that_hides_the_framework_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r other.txt\n")
    with (
        pytest.raises(SimulationError, match="does not list functions-framework"),
        _build(tmp_path),
    ):
        pass


def test_a_lock_without_hashes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("functions-framework==3.10.2\n")
    with pytest.raises(SimulationError, match="hash"), _build(tmp_path):
        pass


def _build(folder: Path) -> DeploymentBuild:
    return BUILD(sys.executable, folder / "requirements.txt")
