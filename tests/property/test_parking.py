"""What waits behind a failing command is not due, and is never forgotten, wherever a process
dies.
"""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.deliver import deliver
from shared.delivery.sweep import sweep
from shared.outbox.parking import park
from shared.outbox.record import Work, record
from shared.ports import ConversationStore, Ports
from shared.schemas.commands import State
from shared.schemas.http import Answer, Call
from shared.schemas.journal import JournalEntry
from tests.property.clients import Clients
from tests.property.effort import effort
from tests.property.ground import deliver_quietly
from tests.property.ledger import whole_journal
from tests.property.world import Crash, World
from tests.soak import SOAKS

pytestmark = pytest.mark.soak

C = "business_messages:c0"
MESSAGES = 5


def a_world(folder: Path) -> Clients:
    folder.mkdir(parents=True, exist_ok=True)
    world = World(folder)
    world.platform.learn("c0")
    return Clients(world)


async def an_outage(clients: Clients) -> None:
    """Leaves a backlog for a bot that is down, of which nothing but its head is due."""
    world = clients.world
    world.internet.bot_is_down = True
    for _ in range(MESSAGES):
        await clients.post(world.instances[0], clients.says(C))
        await deliver(world.instances[0], C)
    assert [entry.due_at is None for entry in await pending(world)] == [
        False,
        *[True] * (MESSAGES - 1),
    ]


async def pending(world: World) -> list[JournalEntry]:
    return [
        entry
        for entry in await whole_journal(world.instances[1].store, C)
        if entry.pending_seq is not None
    ]


async def only_the_sweep_wakes(world: World, looks: int = 12) -> None:
    """Lets time pass; wake-ups that were lost are not made up for otherwise."""
    for _ in range(looks):
        world.clock.advance(700)
        await sweep(world.instances[1])
        for one in list(world.topics.wake_ups):
            world.topics.wake_ups.pop(one)
            await deliver(world.instances[1], one)


async def faults(clients: Clients) -> list[str]:
    world = clients.world
    said = [report.message_id for report in clients.reports]
    heard = list(dict.fromkeys(one["message"]["messageId"] for one in world.internet.posted))
    left = await pending(world)
    due = [entry.id for entry in await whole_journal(world.instances[1].store, C) if entry.due_at]
    return [
        *([] if heard == said else [f"the bot heard {heard} of {said}"]),
        *(f"{entry.id} is pending" for entry in left),
        *(f"{one} is due for ever" for one in due),
    ]


@pytest.mark.parametrize("is_well", [True, False], ids=["the end of an outage", "in an outage"])
@pytest.mark.parametrize("more", [0, 2], ids=["", "with what comes meanwhile"])
async def test_wherever_a_delivery_dies_all_arrives_by_the_sweep_alone(
    is_well: bool, more: int, tmp_path: Path
) -> None:
    """The gate tries every other step, with what comes meanwhile the others."""
    for steps in itertools.count() if SOAKS else itertools.count(more // 2, 2):
        clients = a_world(tmp_path / str(steps))
        world = clients.world
        await an_outage(clients)
        for _ in range(more):
            await clients.post(world.instances[1], clients.says(C))
        world.clock.advance(700)
        world.internet.bot_is_down = not is_well
        world.lives[0].steps = steps
        try:
            await deliver(world.instances[0], C)
            died = False
        except Crash:
            died = True
        world.heal()
        await only_the_sweep_wakes(world)
        assert await faults(clients) == [], f"after {steps} steps"
        world.restart()
        if not died:
            break
    assert steps > 4


@effort(60)
@given(
    plans=st.lists(
        st.tuples(
            st.sampled_from(("deliver", "both", "says", "down", "well", "time")), st.integers(0, 25)
        )
    ),
)
def test_two_instances_that_die_at_will_forget_nothing(
    plans: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def play() -> None:
        clients = a_world(tmp_path_factory.mktemp("world"))
        world = clients.world
        await an_outage(clients)
        for what, number in plans:
            if what == "says":
                await clients.post(world.instances[0], clients.says(C))
            elif what in ("down", "well"):
                world.internet.bot_is_down = what == "down"
            elif what == "time":
                world.clock.advance(number * 40)
            else:
                world.lives[number % 2].steps = number
                both = world.instances if what == "both" else world.instances[:1]
                await asyncio.gather(*(deliver_quietly(ports, C) for ports in both))
                world.restart()
        for report in clients.reports:
            if not report.taken:
                await clients.post(world.instances[0], report)
        world.heal()
        await only_the_sweep_wakes(world)
        assert await faults(clients) == []
        world.restart()

    asyncio.run(play())


async def test_an_entry_that_waits_is_not_due_and_its_conversation_is_woken_only_when_it_can_go_on(
    clients: Clients,
) -> None:
    world = clients.world
    await an_outage(clients)
    world.restart()
    (head, *_) = await pending(world)
    page = await world.instances[0].store.due_entries(world.clock.now(), None, 100)
    assert page.items == []
    assert head.due_at is not None
    page = await world.instances[0].store.due_entries(head.due_at, None, 100)
    assert page.items == [C]


class Held:
    """A bot that takes what it is sent, once it may; until then the call waits."""

    def __init__(self) -> None:
        self.is_asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.texts: list[str] = []

    async def send(self, call: Call) -> Answer | None:
        self.is_asked.set()
        await self.may_answer.wait()
        self.texts.append(json.loads(call.body)["message"]["messageId"])
        return Answer(200)


class Meddled:
    """A store at which something happens after its first write of one kind."""

    def __init__(
        self, store: ConversationStore, method: str, then: Callable[[], Awaitable[None]]
    ) -> None:
        self._store, self._method, self._then, self._is_done = store, method, then, False

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._store, name)
        return self._and_then(real) if name == self._method else real

    def _and_then(self, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def meddled(*arguments: Any) -> Any:
            written = await real(*arguments)
            if not self._is_done:
                self._is_done = True
                await self._then()
            return written

        return meddled


@pytest.mark.parametrize("parker", ["goes on", "dies too"])
async def test_what_is_parked_behind_a_command_that_ends_meanwhile_elsewhere_is_not_forgotten(
    clients: Clients, parker: str
) -> None:
    """There it is ended by a process that has read all before it was parked, and that dies then."""
    world, held = clients.world, Held()
    world.internet.bot_is_down = True
    for _ in range(2):
        await clients.post(world.instances[0], clients.says(C))
    here, there = world.instances

    async def it_dies() -> None:
        world.lives[1].steps = 0
        raise Crash

    there = replace(there, sender=held, store=Meddled(there.store, "update", it_dies))
    ending = asyncio.create_task(deliver_quietly(there, C))
    await held.is_asked.wait()

    async def it_ends() -> None:
        held.may_answer.set()
        await ending
        if parker == "dies too":
            world.lives[0].steps = 0

    await deliver_quietly(replace(here, store=Meddled(here.store, "update_together", it_ends)), C)
    assert ending.done()
    world.heal()
    await only_the_sweep_wakes(world)
    assert [*held.texts, *(one["message"]["messageId"] for one in world.internet.posted)] == [
        "user-1",
        "user-3",
    ]
    assert await pending(world) == []


async def test_the_end_of_a_command_looks_for_what_was_parked_behind_it_since(
    clients: Clients,
) -> None:
    world, held = clients.world, Held()
    world.internet.bot_is_down = True
    await clients.post(world.instances[0], clients.says(C))
    ending = asyncio.create_task(deliver(replace(world.instances[1], sender=held), C))
    await held.is_asked.wait()
    await clients.post(world.instances[0], clients.says(C))
    await deliver(world.instances[0], C)
    held.may_answer.set()
    await ending
    assert held.texts == ["user-1", "user-3"]
    assert await pending(world) == []


async def test_the_pass_that_ends_a_guarding_command_does_not_release_what_it_guards(
    tmp_path: Path,
) -> None:
    """That pass has not seen what was parked after its look. Wherever it dies, the sweep finds what
    was parked.
    """
    for steps in itertools.count():
        clients, held = a_world(tmp_path / str(steps)), Held()
        world = clients.world
        world.internet.bot_is_down = True
        await clients.post(world.instances[0], clients.says(C))
        ending = asyncio.create_task(deliver_quietly(replace(world.instances[1], sender=held), C))
        await held.is_asked.wait()
        await clients.post(world.instances[0], clients.says(C))
        await deliver(world.instances[0], C)
        assert [entry.due_at is None for entry in await pending(world)] == [False, True]

        ends = world.lives[1]
        ends.steps = steps
        held.may_answer.set()
        await ending
        died = ends.steps == 0
        world.heal()
        await only_the_sweep_wakes(world)
        heard = [*held.texts, *(one["message"]["messageId"] for one in world.internet.posted)]
        assert list(dict.fromkeys(heard)) == ["user-1", "user-3"], f"after {steps} steps"
        assert await pending(world) == [], f"after {steps} steps"
        world.restart()
        if not died:
            break
    assert steps > 4


async def two_wait(clients: Clients) -> list[Work]:
    """Returns what a pass has read that parks the second entry behind the first."""
    for _ in range(2):
        await clients.post(clients.world.instances[0], clients.says(C))
    return await waiting(clients.world.instances[0])


async def waiting(ports: Ports) -> list[Work]:
    return [Work(entry) for entry in await ports.store.pending(C, 0, 50)]


async def the_first_ends(ports: Ports) -> None:
    """Another pass ends the first entry's commands."""
    (first, _) = await waiting(ports)
    first.done = {
        one.id: one.model_copy(update={"state": State.SENT}) for one in first.entry.value.pending
    }
    await record(ports, first)


async def is_anything_due(world: World) -> bool:
    journal = await whole_journal(world.instances[1].store, C)
    return any(entry.due_at is not None for entry in journal)


async def test_a_mark_is_not_released_between_its_write_and_the_parking(clients: Clients) -> None:
    """The mark and the parking are one write: else a whole pass may come between them, which sees
    a mark and nothing parked.
    """
    here, there = clients.world.instances
    works = await two_wait(clients)

    async def a_whole_pass() -> None:
        await the_first_ends(there)
        await park(there, await waiting(there))

    await park(replace(here, store=Meddled(here.store, "update_together", a_whole_pass)), works)
    assert await is_anything_due(clients.world)


async def test_wherever_a_release_dies_something_is_due(tmp_path: Path) -> None:
    """The entries behind become due before the mark is released."""
    for steps in itertools.count():
        clients = a_world(tmp_path / str(steps))
        world = clients.world
        here, there = world.instances
        await park(here, await two_wait(clients))
        await the_first_ends(there)
        works = await waiting(here)
        assert [work.entry.value.due_at is None for work in works] == [False, True]

        world.lives[0].steps = steps
        try:
            await park(here, works)
            died = False
        except Crash:
            died = True
        assert await is_anything_due(world), f"after {steps} steps"
        world.restart()
        if not died:
            break
    assert steps > 2
