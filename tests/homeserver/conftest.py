"""Synapse, which `python -m infra.matrix homeserver --install` installs.

Each worker collects these tests and few run them: matrix-nio, which takes a third of a second to
load, is loaded by the fixtures.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.matrix.install import find, install
from tests.homeserver.loaded import Loaded

if TYPE_CHECKING:
    from tests.homeserver.stage import Stage

HOW = "Synapse is not installed: make matrix ARGS=--install"


@pytest.fixture(scope="session")
def synapse() -> Path:
    """Returns the Python that has Synapse."""
    found = find()
    if found is None and os.environ.get("BATON_REQUIRE_ALL") == "1":
        found = install(print)
    if found is None:
        pytest.skip(HOW)
    return found


@pytest.fixture(scope="session")
def loaded(synapse: Path) -> Iterator[Loaded]:
    with closing(Loaded(synapse)) as one:
        yield one


@pytest.fixture(scope="session")
def stage(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Baton, a homeserver and its people, for all tests of this worker."""
    from tests.homeserver.stage import staged

    with staged(loaded, tmp_path_factory.mktemp("stage")) as one:
        yield one
