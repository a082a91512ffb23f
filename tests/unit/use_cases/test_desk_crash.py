"""The process ends before or after anything that a call to a desk does outside: one chat at most,
nothing said twice, and in the end the customer has either a chat or words that there is none.

Between the end of one call and the begin of the next nothing outside changes, so that the gate ends
the process before the first call and after each one; `make soak` also before each one.
"""

import contextlib
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from shared.customers.desk_customers import identifier
from shared.customers.erase import erase
from shared.delivery.deliver import deliver
from shared.ports import Ports
from shared.schemas.conversation import Phase
from shared.schemas.events import Claim
from tests.soak import SOAKS
from tests.unit.use_cases.conftest import bench_in
from tests.unit.use_cases.tenant import ID, World
from tests.unit.use_cases.test_bot_crash import Ended, Steps, gated

pytestmark = pytest.mark.soak

FEWEST = 10  # steps of what is interrupted
Story = Callable[[World, Steps], Awaitable[None]]
EachStep = Callable[[Story], Awaitable[None]]
USERS = (f"ccai:user-{identifier(ID)}", "ccai:user-id-5")


async def _interrupted(world: World, steps: Steps) -> None:
    """Delivers until the process ends."""
    with contextlib.suppress(Ended):
        for _ in range(3):
            await world.deliver(gated(world.ports, steps))


def _edges(world: World) -> int:
    """Returns the number of steps of a handoff of which the team was notified, each counted
    once.
    """
    told = world.bench.publisher.on("baton-handoffs")
    return len({one["id"] for one in told if one["type"].startswith("handoff.")})


async def _agent_joins(world: World) -> None:
    await world.tenant.posts("participant_joined", 1001, sender=world.tenant.agent())


async def _in_a_chat(world: World) -> None:
    await world.asks_for_human()
    await world.deliver()
    await _agent_says(world, "s3cret")


async def _agent_says(world: World, text: str) -> None:
    said = {"type": "text", "content": text}
    await world.tenant.posts("message_received", 1001, sender=world.tenant.agent(), message=said)


@pytest.fixture
def at_each_step(tmp_path: Path) -> EachStep:
    """Returns what plays a story whose process ends at its first step, one whose process ends at
    its second step, and so on to the one whose process goes on to the end.
    """

    async def played(story: Story) -> None:
        for last in itertools.count(1) if SOAKS else itertools.chain([1], itertools.count(2, 2)):
            folder, steps = tmp_path / str(last), Steps(last)
            folder.mkdir()
            async with bench_in(folder) as bench:
                try:
                    await story(World.on(bench), steps)
                except BaseException as error:
                    error.add_note(f"The process ended at step {last}.")
                    raise
            if steps.taken < last:
                break
        assert last > FEWEST

    return played


@pytest.mark.parametrize("told", [True, False], ids=["told-of-the-chat", "never-told"])
async def test_a_handoff_makes_one_chat_or_fails_in_words(
    at_each_step: EachStep, told: bool
) -> None:
    async def story(world: World, steps: Steps) -> None:
        await world.asks_for_human()
        await _interrupted(world, steps)
        await world.customer("hello?")
        if told and world.tenant.chats:
            await world.tenant.tells_of(1001)
        await world.until_settled()
        assert len(world.tenant.chats) <= 1
        phase = (await world.conversation()).phase
        if phase is Phase.QUEUED:
            assert await world.chats() == ("ccai:chat-1001",)
            assert world.tenant.said == [(1001, "hello?")]
            assert world.shown == []
        else:
            assert not (told and world.tenant.chats)
            assert world.tenant.said == []
            assert len(set(world.shown)) == 1
        assert _edges(world) == (1 if phase is Phase.QUEUED else 2)

    await at_each_step(story)


async def test_what_an_agent_did_before_the_link_reaches_the_customer_once(
    at_each_step: EachStep,
) -> None:
    async def story(world: World, steps: Steps) -> None:
        world.tenant.answers["chats"] = [None]
        await world.asks_for_human()
        await world.deliver()
        await world.tenant.tells_of(1001)
        await _agent_joins(world)
        await _agent_says(world, "one")
        world.bench.clock.forward(2)
        await _interrupted(world, steps)
        await _agent_says(world, "two")
        await world.until_settled()
        # the platform of the test shows an id each time that it is sent
        once = list(dict.fromkeys(world.shown))
        assert once == ["JOINED", "one", "two"]
        assert (await world.conversation()).phase is Phase.HUMAN

    await at_each_step(story)


async def test_words_are_said_once_at_most_and_in_order(at_each_step: EachStep) -> None:
    async def story(world: World, steps: Steps) -> None:
        await world.asks_for_human()
        await world.deliver()
        for text in ("one", "two"):
            await world.customer(text)
        await _interrupted(world, steps)
        await world.customer("three")
        await world.until_settled()
        said = [text for _, text in world.tenant.said]
        assert said in (["one", "two", "three"], ["two", "three"], ["one", "three"])
        states = [state for action, state in await world.states() if action == "say"]
        assert states.count("unknown") <= 1
        assert len(said) >= states.count("sent")
        assert world.told().count("delivery.failed") == states.count("unknown")

    await at_each_step(story)


async def test_a_chat_is_closed_however_often_it_takes(at_each_step: EachStep) -> None:
    async def story(world: World, steps: Steps) -> None:
        await world.asks_for_human()
        await world.deliver()
        jane = {"representativeType": "HUMAN", "displayName": "Jane"}
        await world.happens(Claim, representative=jane, fact=False)
        await _interrupted(world, steps)
        await world.until_settled()
        assert set(world.tenant.closed) == {1001}
        assert await world.states() == [("open", "sent"), ("close", "sent")]

    await at_each_step(story)


async def test_a_refusal_is_told_once(at_each_step: EachStep) -> None:
    async def story(world: World, steps: Steps) -> None:
        world.tenant.answers["chats"] = [422]
        await world.asks_for_human()
        await _interrupted(world, steps)
        await world.until_settled()
        # the process ended before the refusal was heard
        if (await world.conversation()).phase is Phase.QUEUED:
            assert len(world.tenant.chats) == 1 or (await world.calls())[0].state == "sent"
            return
        assert len(set(world.shown)) == 1
        assert _edges(world) == 2

    await at_each_step(story)


async def test_a_chat_that_comes_to_be_known_too_late_is_ended(at_each_step: EachStep) -> None:
    async def story(world: World, steps: Steps) -> None:
        world.tenant.answers["chats"] = [None]
        await world.asks_for_human()
        await world.until_settled(step=5)
        await world.tenant.tells_of(1001)
        await _interrupted(world, steps)
        await world.until_settled()
        assert set(world.tenant.closed) == {1001}
        assert (await world.conversation()).phase is Phase.BOT

    await at_each_step(story)


async def test_an_erase_ends_the_chat_and_leaves_nothing_of_it(at_each_step: EachStep) -> None:
    async def story(world: World, steps: Steps) -> None:
        await _in_a_chat(world)
        with contextlib.suppress(Ended):
            await erase(gated(world.ports, steps), ID, "admin")
        await world.deliver()
        await erase(world.ports, ID, "admin")
        assert set(world.tenant.closed) == {1001}
        left = [
            entry
            for one in (ID, "ccai:chat-1001", "ccai:user-id-5")
            for entry in await world.entries(one)
        ]
        assert "s3cret" not in "".join(entry.model_dump_json() for entry in left)

    await at_each_step(story)


@pytest.mark.parametrize("known", [True, False], ids=["told-of-the-chat", "told-after-the-erase"])
async def test_an_erase_leaves_nothing_of_a_chat_that_was_not_linked_yet(
    at_each_step: EachStep, known: bool
) -> None:
    async def story(world: World, steps: Steps) -> None:
        await _noted(world, known)
        with contextlib.suppress(Ended):
            await erase(gated(world.ports, steps), ID, "admin")
            await _tells_of_it_again(world, gated(world.ports, steps))
        await erase(world.ports, ID, "admin")
        await _tells_of_it_again(world, world.ports)
        await _agent_says(world, "s3cret")
        assert set(world.tenant.closed) == {1001}
        left = [
            entry for one in (ID, "ccai:chat-1001", *USERS) for entry in await world.entries(one)
        ]
        assert "s3cret" not in "".join(entry.model_dump_json() for entry in left)

    await at_each_step(story)


async def _noted(world: World, known: bool) -> None:
    world.tenant.answers["chats"] = [None]
    await world.asks_for_human()
    await world.deliver()
    if known:
        await world.tenant.tells_of(1001)
    await _agent_says(world, "s3cret")


async def _tells_of_it_again(world: World, ports: Ports) -> None:
    await world.tenant.tells_of(1001)
    for one in (ID, *USERS):
        await deliver(ports, one, timers=True)
