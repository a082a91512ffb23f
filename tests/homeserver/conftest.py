"""Synapse, which `python -m infra.matrix homeserver --install` installs."""

import os
from pathlib import Path

import pytest

from infra.matrix.install import find, install

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
