"""A channel that does not recognise an id shows a message at most once: for any deliverer, after
any crash or lost answer.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.local.oracle import as_labelled, texts
from shared.delivery.deliver import deliver
from shared.delivery.sweep import sweep
from shared.errors import Unavailable
from shared.measures.counts import Count
from shared.ports import Ports, Snapshot
from shared.schemas.commands import Command, SendEvent, SendMessage, State
from shared.schemas.http import Answer, Call
from shared.schemas.journal import JournalEntry
from tests.property.bare import URL as BARE_URL
from tests.property.clients import Clients
from tests.property.ground import BARE, LEFT, deliver_quietly
from tests.property.internet import FAULTS
from tests.property.ledger import whole_journal
from tests.property.world import Crash, World
from tests.soak import SOAKS, each_once

pytestmark = pytest.mark.soak


async def a_handoff(clients: Clients) -> list[str]:
    """Returns the texts of a whole handoff that waits in the outbox."""
    ports = clients.world.instances[0]
    await clients.post(ports, clients.says(BARE))
    said = [clients.message(BARE, "desk-1", 0) for _ in range(2)]
    last = clients.message(BARE, "bot", 0)
    for ask in (
        clients.claim(BARE, "desk-1", 0),
        *said,
        clients.event(BARE, "desk-1", 0, LEFT),
        last,
    ):
        assert await clients.send(ports, ask) == "ok"
    return [ask.text or "" for ask in (*said, last)]


async def come_to_rest(world: World) -> None:
    for _ in range(12):
        world.clock.advance(40)
        await sweep(world.instances[1])
        for one in list(world.topics.wake_ups):
            world.topics.wake_ups.pop(one)
            await deliver(world.instances[1], one)


async def commands(ports: Ports) -> list[Command]:
    return [
        command for entry in await whole_journal(ports.store, BARE) for command in entry.commands
    ]


async def faults(clients: Clients, said: list[str]) -> list[str]:
    """Returns what is wrong with what was shown, once all has come to rest."""
    world = clients.world
    sent = [
        one
        for one in await commands(world.instances[1])
        if isinstance(one, SendMessage | SendEvent)
    ]
    shown = as_labelled(world.internet.bare.transcript("p0"), [clients.name(BARE, 0)])
    seen, events = (
        Counter(texts(shown)),
        [row["body"].get("eventType") for row in shown if row["kind"] == "event"],
    )
    unknown = [text for text in said if any(_is_unknown(one, text) for one in sent)]
    return [
        *(f"{text} was shown {seen[text]} times" for text in said if seen[text] > 1),
        *(f"{text} was not shown" for text in said if not seen[text] and text not in unknown),
        *(
            f"{one.id} is {one.state}"
            for one in sent
            if one.state not in (State.SENT, State.UNKNOWN)
        ),
        *(
            f"{one.id}, a notice, is unknown"
            for one in sent
            if isinstance(one, SendEvent) and one.state is State.UNKNOWN
        ),
        *([] if events == ["REPRESENTATIVE_JOINED", LEFT] else [f"the notices were {events}"]),
    ]


def _is_unknown(command: Command, text: str) -> bool:
    return (
        isinstance(command, SendMessage)
        and command.state is State.UNKNOWN
        and text in (command.content.text or "")
    )


@each_once(place=range(5), fault=FAULTS)
async def test_wherever_a_delivery_dies_nothing_is_said_twice_and_all_ends(
    fault: str, place: int, tmp_path: Path
) -> None:
    """Step by step: before the mark, after it, after the send, before the record, for each
    message in turn. The gate tries every other step, in each place the others.
    """
    for steps in itertools.count() if SOAKS else itertools.count(place % 2, 2):
        folder = tmp_path / str(steps)
        folder.mkdir()
        world = World(folder)
        clients = Clients(world)
        said = await a_handoff(clients)
        world.internet.plan.faults.extend([*["none"] * place, fault])
        world.lives[0].steps = steps
        try:
            await deliver(world.instances[0], BARE)
            died = False
        except Crash:
            died = True
        await deliver(world.instances[1], BARE)  # at once: whatever is in flight must be left alone
        await come_to_rest(world)
        assert await faults(clients, said) == [], f"died after {steps} steps"
        if not died:
            break
    assert steps > 10


@each_once(place=range(10), fault=["before", "after", "lost"])
async def test_a_store_that_loses_one_answer_costs_nothing(
    clients: Clients, fault: str, place: int
) -> None:
    """Each of five commands is marked, then recorded."""
    said = await a_handoff(clients)
    clients.world.store_plan.faults.extend([*["none"] * place, fault])
    await deliver_quietly(clients.world.instances[0], BARE)
    assert not clients.world.store_plan.faults
    await come_to_rest(clients.world)
    assert await faults(clients, said) == []
    assert all(one.state is State.SENT for one in await commands(clients.world.instances[1]))


async def test_a_deliverer_that_finds_it_marked_by_another_leaves_it_alone(
    clients: Clients,
) -> None:
    here, there = clients.world.instances
    said = await a_handoff(clients)
    sending, released = asyncio.Event(), asyncio.Event()

    class Slow:
        async def send(self, call: Call) -> Answer | None:
            if call.url == BARE_URL:  # a webhook may be called before anything is marked
                sending.set()
                await released.wait()
            return await there.sender.send(call)

    class Late(Pausing):
        """Has read the command before the other marks it, and would write after that."""

        async def update(
            self, entry: Snapshot[JournalEntry], counts: Sequence[Count] = ()
        ) -> Snapshot[JournalEntry]:
            other.append(asyncio.create_task(deliver(replace(there, sender=Slow()), BARE)))
            await sending.wait()
            return await super().update(entry, counts)

    other: list[asyncio.Task[object]] = []
    await deliver(replace(here, store=Late(here, 0)), BARE)
    assert clients.world.internet.bare.shown == []
    released.set()
    await asyncio.gather(*other)
    assert await faults(clients, said) == []


async def test_while_one_sends_another_waits_and_afterwards_goes_on(clients: Clients) -> None:
    here, there = clients.world.instances
    said = await a_handoff(clients)

    class Slow:
        async def send(self, call: Call) -> Answer | None:
            await deliver(there, BARE)
            return await here.sender.send(call)

    await deliver(replace(here, sender=Slow()), BARE)
    assert await faults(clients, said) == []
    assert all(one.state is State.SENT for one in await commands(there))


async def test_a_deliverer_that_is_too_late_sends_nothing_and_tries_again(clients: Clients) -> None:
    """The deadline is looked at just before sending."""
    world = clients.world
    here = world.instances[0]
    said = await a_handoff(clients)
    await deliver(replace(here, store=Pausing(here, 25)), BARE)
    assert world.internet.bare.shown == []
    await come_to_rest(world)
    assert await faults(clients, said) == []


async def test_a_call_that_takes_longer_than_its_deadline_is_given_up_and_a_message_is_unknown(
    clients: Clients,
) -> None:
    world = clients.world
    here = world.instances[0]
    await clients.post(here, clients.says(BARE))
    await deliver(here, BARE)
    await clients.send(here, clients.message(BARE, "bot", 0))

    class Hanging:
        async def send(self, call: Call) -> Answer | None:
            await asyncio.sleep(60)
            raise Unavailable("late", "Nobody waits for this.")

    await deliver(replace(here, store=Pausing(here, 19.95), sender=Hanging()), BARE)
    assert State.UNKNOWN in [one.state for one in await commands(here)]
    await deliver(here, BARE)
    told = [(one["type"], one["message_id"]) for one in world.topics.published["baton-handoffs"]]
    assert told == [("delivery.failed", clients.asks[-1].id)]


class Pausing:
    """A store after whose first write to an entry some time passes."""

    def __init__(self, ports: Ports, seconds: float) -> None:
        self._store, self._clock, self._seconds = ports.store, ports.clock, seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def update(
        self, entry: Snapshot[JournalEntry], counts: Sequence[Count] = ()
    ) -> Snapshot[JournalEntry]:
        written = await self._store.update(entry, counts)
        self._clock.advance(self._seconds)  # type: ignore[attr-defined]  # a clock that is set by hand
        self._seconds = 0.0
        return written
