"""What was erased stays so: nothing of Baton's own brings a customer back, and no chat at a
desk is left of them.
"""

from dataclasses import replace
from typing import Any

import pytest

from shared.conversations.apply import apply
from shared.customers.desk_customers import identifier
from shared.customers.erase import erase
from shared.delivery.deliver import deliver
from shared.ports import Commit, Snapshot
from shared.schemas.conversation import Phase
from shared.schemas.events import Claim
from shared.schemas.http import Answer, Call
from shared.schemas.own_events import JoinedLost, UnclaimedTimeout
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.tenant import ID, World
from tests.unit.use_cases.test_desk_ends import BEN, CHAT, USERS, Failing, handed_over, joins, says


@pytest.fixture
def world(bench: Bench) -> World:
    return World.on(bench)


async def kept(world: World, *conversations: str) -> str:
    """Returns all that is on record of these."""
    found = [entry for one in conversations for entry in await world.entries(one)]
    return "".join(entry.model_dump_json() for entry in found)


# Baton's own events.


async def test_a_timer_that_fires_while_its_customer_is_forgotten_writes_nothing(
    world: World,
) -> None:
    await world.asks_for_human()
    timer = (await world.conversation()).timer
    assert timer is not None
    await erase(world.ports, ID, "admin")
    before = await world.conversation()
    fired = UnclaimedTimeout(id="t", source=ID, actor="timer", armed=timer.armed, n=timer.n)
    for late in (fired, JoinedLost(id="j", source=ID, actor="delivery", frame="f")):
        assert not (await apply(world.ports, late)).emits
    assert await world.conversation() == before
    await world.customer("hello again")
    await world.bot("hello")
    await world.deliver()
    assert "/conversations/3333/" in world.tenant.calls[-1].url


async def test_a_handoff_that_fails_while_its_customer_is_forgotten_writes_nothing(
    world: World,
) -> None:
    async def forgotten() -> None:
        await erase(world.ports, ID, "admin")

    world.ports = replace(world.ports, sender=Refusing(world, forgotten))
    await handed_over(world)
    assert (await world.conversation()).erased
    await world.customer("hello again")
    assert (await world.conversation()).address == "3333"


async def test_of_whom_nothing_was_ever_heard_no_event_of_batons_own_begins_anything(
    world: World,
) -> None:
    await apply(world.ports, JoinedLost(id="j", source=ID, actor="delivery", frame="f"))
    assert await world.bench.store.load(ID) is None


async def test_a_wrong_address_is_mended_by_the_customers_next_words(world: World) -> None:
    await world.customer("hi")
    found = await world.bench.store.load(ID)
    assert found is not None
    broken = found.value.model_copy(update={"address": ID, "version": found.value.version + 1})
    await world.bench.store.commit(Commit((), [Snapshot(broken, found.token)]))
    await world.customer("hello again")
    assert (await world.conversation()).address == "3333"


class Refusing:
    """A tenant that takes no chat, and refuses the first after something else has happened."""

    def __init__(self, world: World, meanwhile: Any) -> None:
        self._tenant, self._meanwhile = world.tenant, meanwhile

    async def send(self, call: Call) -> Answer | None:
        if call.url.endswith("/chats") and self._meanwhile is not None:
            meanwhile, self._meanwhile = self._meanwhile, None
            await meanwhile()
            return Answer(422, b"{}")
        return await self._tenant.send(call)


# Chats that are not linked yet, or never.


async def noted(world: World) -> None:
    """The desk has reported a chat in which an agent has spoken. The call that asked for the chat
    is still in flight.
    """
    world.tenant.answers["chats"] = [None]
    await handed_over(world)
    await world.tenant.tells_of(1001)
    await joins(world)
    await says(world, "s3cret")


async def test_an_erase_ends_a_chat_that_is_noted_and_takes_what_was_said_there(
    world: World,
) -> None:
    await noted(world)
    await erase(world.ports, ID, "admin")
    await world.deliver()
    assert world.tenant.closed == [1001]
    assert "s3cret" not in await kept(world, ID, CHAT, *USERS)


async def test_an_erase_ends_a_chat_whose_adoption_waits(world: World) -> None:
    world.ports = replace(world.ports, store=Failing(world.bench.store, 1))
    await handed_over(world)
    assert (await world.calls())[0].chat == CHAT
    await erase(world.ports, ID, "admin")
    await world.deliver()
    assert world.tenant.closed == [1001]


async def test_an_erase_takes_what_was_said_in_a_chat_that_was_ended_before_it_was_linked(
    world: World,
) -> None:
    await noted(world)
    await world.happens(Claim, representative=BEN, fact=False)
    await world.until_settled()
    assert world.tenant.closed == [1001]
    await erase(world.ports, ID, "admin")
    assert "s3cret" not in await kept(world, ID, CHAT)


async def test_an_erase_does_not_touch_a_chat_of_another_customer(world: World) -> None:
    await noted(world)
    other = "business_messages:4444"
    await world.customer("hi", other)
    theirs = await world.bench.store.load(CHAT)
    assert theirs is not None
    linked = theirs.value.model_copy(
        update={"linked_to": other, "version": theirs.value.version + 1}
    )
    await world.bench.store.commit(Commit((), [Snapshot(linked, theirs.token)]))
    await erase(world.ports, ID, "admin")
    assert (world.tenant.closed, (await world.conversation(CHAT)).erased) == ([], False)


async def _silent(world: World) -> None:
    """Whatever the chat's agent does, nothing is stored and there is no notification."""
    told = len(world.bench.publisher.published)
    before = await world.bench.store.load(CHAT)
    await joins(world)
    await says(world, "s3cret")
    await world.tenant.posts("chat_ended", 1001)
    assert await world.bench.store.load(CHAT) == before
    assert "s3cret" not in await kept(world, CHAT)
    assert all(topic == "baton-outbox" for topic, _ in world.bench.publisher.published[told:])


@pytest.mark.parametrize("heard", [True, False], ids=["agent-spoke", "nothing-heard-yet"])
async def test_after_an_erase_the_agent_of_a_chat_that_goes_on_is_not_recorded(
    world: World, heard: bool
) -> None:
    await handed_over(world)
    if heard:
        await joins(world)
    world.tenant.answers["/chats"] = [500]
    await erase(world.ports, ID, "admin")
    await _silent(world)


async def test_after_an_erase_a_chat_that_was_noted_is_not_recorded_either(world: World) -> None:
    world.tenant.answers["chats"] = [None]
    await handed_over(world)
    await world.tenant.tells_of(1001)
    await erase(world.ports, ID, "admin")
    await _silent(world)


@pytest.mark.parametrize("named", [True, False], ids=["by-identifier", "by-number"])
async def test_a_chat_that_the_desk_tells_of_after_an_erase_is_ended_and_not_recorded(
    world: World, named: bool
) -> None:
    world.tenant.answers["chats"] = [None]
    await handed_over(world)
    await joins(world)
    await says(world, "s3cret")  # before anybody knows whose chat it is
    await erase(world.ports, ID, "admin")
    await world.tenant.tells_of(1001, **({"identifier": identifier(ID)} if named else {}))
    for one in USERS:
        await deliver(world.ports, one)
    assert world.tenant.closed == [1001]
    await _silent(world)


async def test_an_answer_that_comes_after_an_erase_ends_its_chat_and_leaves_nothing_of_it(
    world: World,
) -> None:
    async def meanwhile() -> None:
        await says(world, "s3cret")
        await erase(world.ports, ID, "admin")

    world.tenant.meanwhile = meanwhile
    await handed_over(world)
    assert world.tenant.closed == [1001]
    await _silent(world)


async def test_a_chat_of_long_ago_is_recorded_no_more(world: World) -> None:
    for number in range(1001, 1012):
        await handed_over(world)
        await joins(world, number)
        await world.tenant.posts("chat_ended", number)
        await world.until_settled()
    await _silent(world)


async def test_a_stranger_who_was_erased_may_come_back(world: World) -> None:
    await joins(world)
    await erase(world.ports, CHAT, "admin")
    world.bench.clock.forward(1)
    await joins(world)
    assert (await world.conversation(CHAT)).phase is Phase.HUMAN
