"""A small world for one test, and those who talk to Baton in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.property.clients import Clients
from tests.property.world import World


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[Clients]:
    world = World(tmp_path)
    world.platform.learn("c0")
    yield Clients(world)
    world.restart()
