"""What people did in a room is taken also where the homeserver never pushes it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.schemas.conversation import Phase
from tests.desks.matrix import Matrix
from tests.desks.simulator import JANE
from tests.desks.world import World, world_of


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with world_of(Matrix(), str(tmp_path / "baton.sqlite")) as world:
        yield world


def forgets(world: World) -> None:
    """The homeserver forgets what it has not pushed yet."""
    assert isinstance(world.desk, Matrix)
    world.desk.homeserver.queue.clear()


async def test_who_came_is_found_before_the_team_is_reminded(world: World) -> None:
    chat = await world.hands_over()
    await world.desk.say(chat, JANE, "Hello, I am Jane")
    forgets(world)
    await world.passes(150)
    assert world.framed("Hello, I am Jane") == ["JOINED", "Hello, I am Jane"]
    assert await world.phase() is Phase.HUMAN
    assert "handoff.unclaimed" not in world.told


async def test_an_answer_is_found_when_the_customer_asks_again(world: World) -> None:
    chat = await world.hands_over()
    await world.desk.say(chat, JANE, "Hello")
    await world.customer("Where is my parcel?")
    await world.settle()
    await world.desk.say(chat, JANE, "On its way")
    forgets(world)
    world.clock.forward(90)
    await world.customer("Are you there?")
    await world.settle()
    assert world.framed("Hello", "On its way") == ["JOINED", "Hello", "On its way"]


async def test_what_was_taken_is_not_taken_again_and_who_has_left_stays_away(world: World) -> None:
    chat = await world.hands_over()
    await world.desk.join(chat, JANE)
    forgets(world)
    await asyncio.sleep(0.005)  # the homeserver counts milliseconds
    await world.desk.say(chat, JANE, "Hello")
    await world.desk.leave(chat, JANE)
    await world.settle()
    assert world.framed("Hello") == ["JOINED", "Hello", "LEFT"]
    for _ in range(2):
        world.clock.forward(90)
        await world.customer("More")
        await world.settle()
    assert world.framed("Hello") == ["JOINED", "Hello", "LEFT"]
    assert await world.phase() is Phase.BOT
