"""Who leaves with a desk's chat, however late that is reported, and whatever is reported before
it.
"""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.conversations.apply import apply, take
from shared.customers.links import link, unlink
from shared.delivery.deliver import deliver
from shared.handoff.routing.desk import Desk
from shared.handoff.routing.hours import Hours
from shared.platforms.base import Ended
from shared.platforms.ccai.platform import Ccai
from shared.schemas.conversation import Phase
from shared.schemas.events import Event, HumanRequested, UserMessage
from shared.schemas.http import Request
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.tenant import ID, World

CHAT, TRACKED = "ccai:chat-1001", "csku:conv_1"
EVERY_DAY: dict[str, Any] = dict.fromkeys(
    ("mon", "tue", "wed", "thu", "fri", "sat", "sun"), ("09:00-17:00",)
)


@pytest.fixture
async def world(bench: Bench) -> World:
    """A customer whose chat at the desk is open."""
    one = World.on(bench)
    await one.asks_for_human()
    await one.deliver()
    return one


async def joins(world: World, number: int = 17, name: str = "Jane") -> None:
    await world.tenant.posts("participant_joined", 1001, sender=world.tenant.agent(number, name))


async def says(world: World, text: str, number: int = 17, name: str = "Jane") -> None:
    message = {"type": "text", "content": text}
    await world.tenant.posts(
        "message_received", 1001, sender=world.tenant.agent(number, name), message=message
    )


async def late(world: World, name: str, seconds: float, **body: Any) -> None:
    """Reports what happened so many seconds ago."""
    at = (world.bench.clock.now() - timedelta(seconds=seconds)).isoformat()
    whole = {"event_type": name, "timestamp": at, "chat_id": 1001, "body": body}
    found = Ccai().events(Request("POST", "/ccai", json.dumps(whole).encode()))
    await take(world.ports, [one for one in found if isinstance(one, Event)])


async def test_who_left_is_gone_though_a_colleagues_words_were_reported_first(world: World) -> None:
    await joins(world)
    await joins(world, 18, "John")
    world.bench.clock.forward(6)
    await says(world, "I take over", 18, "John")
    await late(world, "participant_left", 1, sender=world.tenant.agent())
    assert [one.representative.name for one in (await world.conversation()).humans] == ["John"]
    await world.until_settled()
    assert world.shown == ["JOINED", "JOINED", "I take over", "LEFT"]


async def test_a_chat_has_ended_though_its_agents_words_were_stamped_later(world: World) -> None:
    await joins(world)
    world.bench.clock.forward(6)
    await says(world, "bye")
    await late(world, "chat_ended", 1)
    await world.until_settled()
    assert ((await world.conversation()).phase, world.shown) == (
        Phase.BOT,
        ["JOINED", "bye", "LEFT"],
    )


async def test_with_a_chat_that_has_ended_goes_who_is_there_when_that_is_decided(
    world: World,
) -> None:
    """No agent had joined when the end was reported."""
    ended = Ended(id="x", source=CHAT, address="chat-1001", actor="platform:ccai", reason="over")
    await joins(world)
    await apply(world.ports, ended)
    await world.until_settled()
    assert ((await world.conversation()).phase, world.shown) == (Phase.BOT, ["JOINED", "LEFT"])
    told = [
        one for one in world.bench.publisher.on("baton-handoffs") if one["type"] == "handoff.ended"
    ]
    assert [(one["reason"], one["representative"]["displayName"]) for one in told] == [
        ("over", "Jane")
    ]


async def test_humans_of_a_chat_that_is_unlinked_have_left_and_the_chat_is_ended(
    world: World,
) -> None:
    await joins(world)
    await unlink(world.ports, CHAT, "admin")
    await world.customer("are you there?")
    await late(world, "participant_left", 0, sender=world.tenant.agent())
    await world.until_settled()
    now = await world.conversation()
    assert (now.phase, CHAT in now.links, now.past_chats, now.timer) == (Phase.BOT, False, (), None)
    assert (world.tenant.closed, world.shown) == ([1001], ["JOINED", "LEFT"])
    assert world.told() == ["handoff.requested", "handoff.joined", "handoff.ended"]
    assert [(one.actor, one.reason) for one in await world.entries() if one.kind == "unlink"] == [
        ("admin", "unlinked")
    ]


async def test_who_waits_in_a_chat_that_is_unlinked_still_waits(world: World) -> None:
    await unlink(world.ports, CHAT, "admin")
    await world.until_settled()
    assert ((await world.conversation()).phase, world.tenant.closed) == (Phase.QUEUED, [1001])


async def test_the_desk_has_its_time_though_its_opening_was_noticed_late(bench: Bench) -> None:
    world = World.on(bench)
    desk = Desk(
        name="support", kind="ccai", hours=Hours(time_zone="UTC", **EVERY_DAY), outside="wait"
    )
    world.ports = replace(world.ports, policy=replace(world.ports.policy, desks=(desk,)))
    await world.asks_for_human()  # at midnight
    world.bench.clock.forward(9 * 3600 + 600)
    await world.until_settled()
    now = await world.conversation()
    assert (now.phase, world.told(), len(world.tenant.chats)) == (
        Phase.QUEUED,
        ["handoff.requested"],
        1,
    )
    assert now.timer is not None
    assert now.timer.due_at > world.bench.clock.now()


async def test_a_tracked_conversation_gets_no_chat_at_a_desk(
    bench: Bench,
) -> None:
    world = World.on(bench)
    await world.customer("hi")
    await world.happens(UserMessage, source=TRACKED, address="conv_1", form={}, said="help")
    await world.happens(HumanRequested, source=TRACKED, address="conv_1", reason="CSKU AI says so")
    await deliver(world.ports, TRACKED)
    assert (world.tenant.chats, world.told(TRACKED)) == ([], ["handoff.requested"])
    await link(world.ports, TRACKED, ID, "admin")
