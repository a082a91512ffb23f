"""What waits for what at a desk: handoffs for nothing of each other's; whose chat it is; what
an agent reads first.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.customers.desk_customers import identifier
from shared.customers.erase import erase
from shared.customers.links import link
from shared.delivery.deliver import deliver
from shared.schemas.conversation import AwaitedReply, Phase
from shared.schemas.events import Claim, HumanLeft, HumanRequested, VariablesCaptured
from shared.schemas.variables import Audience
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.tenant import ID, World
from tests.unit.use_cases.test_desk_ends import BEN, OTHER, handed_over, joins
from tests.unit.use_cases.test_forgotten import Refusing


@pytest.fixture
def world(bench: Bench) -> World:
    return World.on(bench)


async def ben_was_here(world: World) -> None:
    await world.happens(Claim, representative=BEN, fact=False)
    await world.happens(HumanLeft, representative=BEN)


# One handoff and the next.


async def test_a_late_refusal_of_one_handoff_does_not_fail_the_next(world: World) -> None:
    async def meanwhile() -> None:
        await ben_was_here(world)
        await world.happens(HumanRequested, reason="again")

    world.ports = replace(world.ports, sender=Refusing(world, meanwhile))
    await handed_over(world)
    await world.until_settled()
    assert (await world.conversation()).phase is Phase.QUEUED
    assert len(world.tenant.chats) == 1
    assert "handoff.failed" not in world.told()


async def test_a_chat_that_cannot_be_ended_holds_up_no_other_handoff(world: World) -> None:
    await handed_over(world)
    world.tenant.answers["/chats"] = [500] * 1000
    await ben_was_here(world)
    await handed_over(world)
    await world.customer("to the second")
    await world.deliver()
    assert world.tenant.said == [(1002, "to the second")]
    assert [state for action, state in await world.states() if action == "close"] == ["pending"]


async def test_what_waits_behind_a_chat_that_cannot_be_ended_is_looked_at_in_its_own_time(
    world: World,
) -> None:
    """Both are in one entry: the customer asks again while the desk still has an earlier
    handoff.
    """
    await handed_over(world)
    await joins(world)
    await world.tenant.posts("participant_left", 1001, sender=world.tenant.agent())
    world.tenant.answers |= {"/chats": [503] * 1000, "chats": [429] * 1000}
    await handed_over(world)
    for _ in range(12):  # the one waits longer each time, the other as long as the desk says
        world.bench.clock.forward(1)
        await world.deliver()
    entry = next(one for one in await world.entries() if {"open", "close"} <= {*actions(one)})
    pending = [one.next_look for one in entry.commands if one.state == "pending"]
    assert len(pending) == 2
    assert entry.due_at == min(one for one in pending if one is not None)


def actions(entry: Any) -> list[str]:
    return [one.action for one in entry.commands if one.kind == "desk"]


async def test_a_chat_is_ended_only_after_all_that_was_to_be_said_in_it(world: World) -> None:
    await handed_over(world)
    world.tenant.answers["message"] = [429, 200]
    await world.customer("one")
    await world.happens(Claim, representative=BEN, fact=False)
    await world.deliver()
    assert (world.tenant.said, world.tenant.closed) == ([], [])
    await world.until_settled()
    assert (world.tenant.said, world.tenant.closed) == ([(1001, "one")], [1001])


async def test_words_that_a_human_has_read_elsewhere_are_no_failures(world: World) -> None:
    world.tenant.answers["chats"] = [429] * 100
    await handed_over(world)
    for text in ("one", "two"):
        await world.customer(text)
    await world.happens(Claim, representative=BEN, fact=False)
    await world.until_settled()
    assert [state for action, state in await world.states() if action == "say"] == [
        "dropped",
        "dropped",
    ]
    assert "delivery.failed" not in world.told()


# Whose chat it is.


@pytest.mark.parametrize("named", [True, False], ids=["by-identifier", "by-number"])
async def test_a_chat_of_a_channel_that_was_joined_since_is_ended_in_its_own_end_users_name(
    world: World, named: bool
) -> None:
    await world.customer("hi", OTHER)
    await world.happens(HumanRequested, source=OTHER, address="4444", reason="first here")
    await deliver(world.ports, OTHER)
    await world.tenant.posts("chat_ended", 1001)
    world.tenant.answers["chats"] = ["lost"]
    await handed_over(world)
    await world.until_settled(step=5)
    await deliver(world.ports, OTHER)
    await link(world.ports, ID, OTHER, "admin")
    world.tenant.chats.append({"end_user_id": 6})  # it was not lost after all
    await world.tenant.tells_of(1002, **({"identifier": identifier(ID)} if named else {}))
    await deliver(world.ports, OTHER)
    assert world.tenant.users == {identifier(OTHER): 5, identifier(ID): 6}
    assert world.tenant.closed == [1002]


async def test_an_erase_after_a_channel_was_joined_ends_a_chat_in_its_own_end_users_name(
    world: World,
) -> None:
    await world.customer("hi", OTHER)
    world.tenant.answers["chats"] = ["lost"]
    await handed_over(world)
    await world.until_settled(step=5)
    await deliver(world.ports, OTHER)
    await link(world.ports, ID, OTHER, "admin")
    world.tenant.chats.append({"end_user_id": 5})
    await world.tenant.tells_of(1001, identifier=identifier(ID))
    await erase(world.ports, OTHER, "admin")
    assert world.tenant.closed == [1001]


# What an agent reads first.


async def test_the_transcript_is_what_was_said_before_however_much_is_said_until_a_desk_has_time(
    world: World,
) -> None:
    await world.customer("my order 7 is broken")
    world.tenant.answers["chats"] = [429, 200]
    await handed_over(world)
    for n in range(60):
        await world.customer(f"hello {n}")
    await world.until_settled()
    assert texts(world) == ["my order 7 is broken", "I need a person"]
    assert len(world.tenant.said) == 60


def texts(world: World) -> list[str]:
    return [one["content"][0]["text"] for one in world.tenant.chats[-1].get("transcript", [])]


async def captures(world: World, *audiences: Audience) -> None:
    until = world.bench.clock.now() + timedelta(minutes=5)
    await world.happens(
        VariablesCaptured, awaited=AwaitedReply(key="pin", audiences=audiences, until=until)
    )


@pytest.mark.parametrize(
    ("audiences", "told"),
    [((), "[hidden]"), ((Audience.EVENT,), "[hidden]"), ((Audience.AGENT,), "my pin is 4711")],
    ids=["nobody's", "not-the-agents", "the-agents"],
)
async def test_words_that_were_captured_are_told_to_a_desk_only_if_agents_may_see_them(
    world: World, audiences: tuple[Audience, ...], told: str
) -> None:
    await world.customer("hi")
    await captures(world, *audiences)
    await world.customer("my pin is 4711")
    await handed_over(world)
    await captures(world, *audiences)
    await world.customer("my pin is 4711")
    await world.customer("and more")
    await world.until_settled()
    assert texts(world) == ["hi", told, "I need a person"]
    assert [text for _, text in world.tenant.said] == [told, "and more"]
    assert ("4711" in str([call.body for call in world.tenant.calls])) is (told != "[hidden]")
