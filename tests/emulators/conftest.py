"""The functions as they are deployed, on the emulators, in a project of the test's own."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.deployables import deployables
from infra.stage import stage
from tests.emulators.deployment import USUAL, Deployment, Emulators
from tests.forked import ROOT


@pytest.fixture(scope="session")
def staged(of_run: Path) -> Path:
    """Returns the folder in which every function is staged, once for all workers."""
    folder, unfinished = of_run / "staged", of_run / "staged-unfinished"
    with (of_run / "staged.lock").open("w") as staging:
        fcntl.flock(staging, fcntl.LOCK_EX)
        if not folder.exists():
            for function in deployables():
                shared = stage(function, unfinished) / "shared"
                assert _sources(shared) == _sources(ROOT / "shared")  # so Deployment keeps ours
            unfinished.rename(folder)
    return folder


def _sources(folder: Path) -> dict[Path, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {path.relative_to(folder): path.read_bytes() for path in found}


@pytest.fixture
def emulators(firestore_emulator: str, pubsub_emulator: str, fresh_project: str) -> Emulators:
    return Emulators(firestore_emulator, pubsub_emulator, fresh_project)


@pytest.fixture
def deploy(staged: Path, tmp_path: Path, emulators: Emulators) -> Callable[..., Deployment]:
    """Returns what makes a deployment of some functions, with settings of the test's own."""

    def deployed(
        *functions: str, on: Emulators = emulators, wide: bool = False, **settings: str
    ) -> Deployment:
        return Deployment(staged, tmp_path, on, functions or USUAL, wide, **settings)

    return deployed
