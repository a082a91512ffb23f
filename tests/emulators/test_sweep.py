"""The sweep on Firestore: a conversation that always fails delays no other, two sweeps at once do
no harm, and the sweep ends in time.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from shared.conversations.apply import apply
from shared.conversations.entries import FIRST_LOOK
from shared.delivery.deliver import deliver
from shared.delivery.sweep import sweep
from shared.handoff.policy import Policy
from shared.platforms.business_messages.platform import BusinessMessages
from shared.ports import Ports
from shared.schemas.content import Content
from shared.schemas.events import HumanMessage
from shared.schemas.http import Answer, Call
from shared.schemas.notifications import OUTBOX, WakeUp
from shared.schemas.representative import Representative, RepresentativeType
from shared.stores.firestore.rpc import FirestoreRpc
from shared.stores.firestore.store import FirestoreStore

JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")
AT_ONCE = 16
T = TypeVar("T")


@dataclass
class HandClock:
    time: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class Platform:
    """Takes everything but what goes to a conversation whose name begins with `bad`."""

    shown: list[str] = field(default_factory=list)

    async def send(self, call: Call) -> Answer:
        if "/conversations/bad" in call.url:
            return Answer(503)
        self.shown.append(call.url)
        return Answer(200)


@dataclass
class WakeUps:
    """A publisher that keeps wake-ups until the test delivers them."""

    waiting: list[WakeUp] = field(default_factory=list)
    seconds: float = 0.0

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        await asyncio.sleep(self.seconds)
        if topic == OUTBOX:
            self.waiting.append(WakeUp.model_validate_json(body))


@dataclass
class World:
    ports: Ports
    clock: HandClock
    platform: Platform
    wake_ups: WakeUps

    async def said(self, *natives: str) -> None:
        """A human has spoken in each conversation, and every wake-up was lost."""
        await _each(natives, self._say)

    async def _say(self, native: str) -> None:
        event = HumanMessage(
            id="m-1",
            source=f"business_messages:{native}",
            address=native,
            actor="test",
            representative=JANE,
            content=Content(text="Hello"),
        )
        await apply(self.ports, event)

    async def deliver(self) -> None:
        waiting, self.wake_ups.waiting = self.wake_ups.waiting, []
        await _each(waiting, lambda one: deliver(self.ports, one.conversation, timers=one.timers))


async def _each(items: Sequence[T], work: Callable[[T], Awaitable[object]]) -> None:
    few = asyncio.Semaphore(AT_ONCE)

    async def one(item: T) -> None:
        async with few:
            await work(item)

    await asyncio.gather(*map(one, items))


@pytest.fixture
async def world(firestore_emulator: str, fresh_project: str) -> AsyncIterator[World]:
    rpc, clock, platform, wake_ups = (
        FirestoreRpc(fresh_project, firestore_emulator),
        HandClock(),
        Platform(),
        WakeUps(),
    )
    store = FirestoreStore(rpc, clock, timedelta(days=30))
    channel = BusinessMessages(api_url="http://platform.test")
    yield World(
        Ports(store, wake_ups, platform, clock, Policy(), {channel.name: channel}),
        clock,
        platform,
        wake_ups,
    )
    await rpc.close()


async def test_conversations_that_always_fail_do_not_starve_the_rest(world: World) -> None:
    """They are more than a page, were there first, and each sweep has the time for a single
    page.
    """
    await world.said(*(f"bad-{n}" for n in range(330)))
    world.clock.forward(0.001)
    await world.said("good-1", "good-2")
    world.clock.forward(FIRST_LOOK.total_seconds())
    for _ in range(4):
        assert 0 < await sweep(world.ports, within=0) <= 300
        await world.deliver()
        world.clock.forward(1)
    assert len(world.platform.shown) == len(set(world.platform.shown)) == 4
    world.clock.forward(timedelta(minutes=11).total_seconds())
    assert await sweep(world.ports) == 330


async def test_two_sweeps_at_once_do_no_harm(world: World) -> None:
    natives = [f"good-{n}" for n in range(40)]
    await world.said(*natives)
    world.clock.forward(FIRST_LOOK.total_seconds())
    assert [*await asyncio.gather(sweep(world.ports), sweep(world.ports))] == [40, 40]
    await world.deliver()
    for native in natives:
        (entry,) = (await world.ports.store.journal(f"business_messages:{native}", None, 10)).items
        assert entry.value.outcome == "done"
    assert await sweep(world.ports) == 0


async def test_a_sweep_ends_in_its_time_however_slow_the_queue_is(world: World) -> None:
    await world.said(*(f"bad-{n}" for n in range(330)))
    world.clock.forward(FIRST_LOOK.total_seconds())
    world.wake_ups.seconds = 0.5
    began = asyncio.get_running_loop().time()
    assert 0 < await sweep(world.ports, within=0.1) < 330
    # one publish after the other takes two minutes and more
    assert asyncio.get_running_loop().time() - began < 30
    assert await sweep(world.ports) == 330
