"""The process ends before or after anything that a call to a desk does outside: one chat at most,
nothing said twice, and in the end the customer has either a chat or words that there is none.
"""

import contextlib

import pytest

from shared.customers.desk_customers import identifier
from shared.customers.erase import erase
from shared.delivery.deliver import deliver
from shared.ports import Ports
from shared.schemas.conversation import Phase
from shared.schemas.events import Claim
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.tenant import ID, World
from tests.unit.use_cases.test_bot_crash import Ended, Steps, gated

STEPS = {
    "open": 70,
    "replay": 60,
    "say": 45,
    "close": 30,
    "refused": 64,
    "late": 40,
    "erase": 140,
    "noted": 170,
}
USERS = (f"ccai:user-{identifier(ID)}", "ccai:user-id-5")


async def _interrupted(world: World, last: int) -> int:
    """Delivers until the process ends at the given step. Returns how many steps there were."""
    steps = Steps(last)
    for _ in range(3):
        try:
            await world.deliver(gated(world.ports, steps))
        except Ended:
            return steps.taken
    return steps.taken


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
def world(bench: Bench) -> World:
    return World.on(bench)


@pytest.mark.parametrize("told", [True, False], ids=["told-of-the-chat", "never-told"])
@pytest.mark.parametrize("last", range(1, STEPS["open"] + 1))
async def test_a_handoff_makes_one_chat_or_fails_in_words(
    world: World, last: int, told: bool
) -> None:
    await world.asks_for_human()
    await _interrupted(world, last)
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


@pytest.mark.parametrize("last", range(1, STEPS["replay"] + 1))
async def test_what_an_agent_did_before_the_link_reaches_the_customer_once(
    world: World, last: int
) -> None:
    world.tenant.answers["chats"] = [None]
    await world.asks_for_human()
    await world.deliver()
    await world.tenant.tells_of(1001)
    await _agent_joins(world)
    await _agent_says(world, "one")
    world.bench.clock.forward(2)
    await _interrupted(world, last)
    await _agent_says(world, "two")
    await world.until_settled()
    # the platform of the test shows an id each time that it is sent
    once = list(dict.fromkeys(world.shown))
    assert once == ["JOINED", "one", "two"]
    assert (await world.conversation()).phase is Phase.HUMAN


@pytest.mark.parametrize("last", range(1, STEPS["say"] + 1))
async def test_words_are_said_once_at_most_and_in_order(world: World, last: int) -> None:
    await world.asks_for_human()
    await world.deliver()
    for text in ("one", "two"):
        await world.customer(text)
    await _interrupted(world, last)
    await world.customer("three")
    await world.until_settled()
    said = [text for _, text in world.tenant.said]
    assert said in (["one", "two", "three"], ["two", "three"], ["one", "three"])
    states = [state for action, state in await world.states() if action == "say"]
    assert states.count("unknown") <= 1
    assert len(said) >= states.count("sent")
    assert world.told().count("delivery.failed") == states.count("unknown")


@pytest.mark.parametrize("last", range(1, STEPS["close"] + 1))
async def test_a_chat_is_closed_however_often_it_takes(world: World, last: int) -> None:
    await world.asks_for_human()
    await world.deliver()
    jane = {"representativeType": "HUMAN", "displayName": "Jane"}
    await world.happens(Claim, representative=jane, fact=False)
    await _interrupted(world, last)
    await world.until_settled()
    assert set(world.tenant.closed) == {1001}
    assert await world.states() == [("open", "sent"), ("close", "sent")]


@pytest.mark.parametrize("last", range(1, STEPS["refused"] + 1))
async def test_a_refusal_is_told_once(world: World, last: int) -> None:
    world.tenant.answers["chats"] = [422]
    await world.asks_for_human()
    await _interrupted(world, last)
    await world.until_settled()
    # the process ended before the refusal was heard
    if (await world.conversation()).phase is Phase.QUEUED:
        assert len(world.tenant.chats) == 1 or (await world.calls())[0].state == "sent"
        return
    assert len(set(world.shown)) == 1
    assert _edges(world) == 2


@pytest.mark.parametrize("last", range(1, STEPS["late"] + 1))
async def test_a_chat_that_comes_to_be_known_too_late_is_ended(world: World, last: int) -> None:
    world.tenant.answers["chats"] = [None]
    await world.asks_for_human()
    await world.until_settled(step=5)
    await world.tenant.tells_of(1001)
    await _interrupted(world, last)
    await world.until_settled()
    assert set(world.tenant.closed) == {1001}
    assert (await world.conversation()).phase is Phase.BOT


@pytest.mark.parametrize("last", range(1, STEPS["erase"] + 1))
async def test_an_erase_ends_the_chat_and_leaves_nothing_of_it(world: World, last: int) -> None:
    await _in_a_chat(world)
    with contextlib.suppress(Ended):
        await erase(gated(world.ports, Steps(last)), ID, "admin")
    await world.deliver()
    await erase(world.ports, ID, "admin")
    assert set(world.tenant.closed) == {1001}
    left = [
        entry
        for one in (ID, "ccai:chat-1001", "ccai:user-id-5")
        for entry in await world.entries(one)
    ]
    assert "s3cret" not in "".join(entry.model_dump_json() for entry in left)


@pytest.mark.parametrize("known", [True, False], ids=["told-of-the-chat", "told-after-the-erase"])
@pytest.mark.parametrize("last", range(1, STEPS["noted"] + 1))
async def test_an_erase_leaves_nothing_of_a_chat_that_was_not_linked_yet(
    world: World, last: int, known: bool
) -> None:
    await _noted(world, known)
    steps = Steps(last)
    with contextlib.suppress(Ended):
        await erase(gated(world.ports, steps), ID, "admin")
        await _tells_of_it_again(world, gated(world.ports, steps))
    await erase(world.ports, ID, "admin")
    await _tells_of_it_again(world, world.ports)
    await _agent_says(world, "s3cret")
    assert set(world.tenant.closed) == {1001}
    left = [entry for one in (ID, "ccai:chat-1001", *USERS) for entry in await world.entries(one)]
    assert "s3cret" not in "".join(entry.model_dump_json() for entry in left)


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


async def test_the_steps_are_as_many_as_were_tried(world: World) -> None:
    await world.asks_for_human()
    assert 20 <= await _interrupted(world, 0) <= STEPS["open"]
    await world.customer("one")
    await world.customer("two")
    assert 10 <= await _interrupted(world, 0) <= STEPS["say"]


async def test_the_steps_of_an_erase_are_as_many_as_were_tried(world: World) -> None:
    await _in_a_chat(world)
    steps = Steps(0)
    await erase(gated(world.ports, steps), ID, "admin")
    assert 20 <= steps.taken <= STEPS["erase"]


@pytest.mark.parametrize("known", [True, False])
async def test_the_steps_of_an_erase_before_the_link_are_as_many_as_were_tried(
    world: World, known: bool
) -> None:
    await _noted(world, known)
    steps = Steps(0)
    await erase(gated(world.ports, steps), ID, "admin")
    await _tells_of_it_again(world, gated(world.ports, steps))
    assert 20 <= steps.taken <= STEPS["noted"]
