"""The functions as they are deployed, on the emulators, in a project of the test's own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.deployables import deployables
from infra.stage import stage
from tests.emulators.deployment import USUAL, Deployment, Emulators


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the folder in which every function is staged."""
    folder = tmp_path_factory.mktemp("staged")
    for function in deployables():
        stage(function, folder)
    return folder


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
