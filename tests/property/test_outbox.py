"""What reading and random search have found in delivery, each as small as it gets."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from infra.local.oracle import texts, violations
from shared.delivery.deliver import deliver
from shared.delivery.sweep import sweep
from shared.errors import Unavailable
from shared.schemas.notifications import OUTBOX, WakeUp
from shared.transports.inline import InlineQueue
from tests.property.clients import Clients
from tests.property.ledger import whole_journal

CHANNEL = "business_messages:c0"


async def shown(clients: Clients) -> list[str]:
    await deliver(clients.world.instances[0], CHANNEL)
    assert violations(clients.world.platform.transcript("c0")) == []
    return texts(clients.world.platform.transcript("c0"))


async def test_a_wake_up_that_meets_a_worker_at_its_end_is_not_lost() -> None:
    looks: list[str] = []

    async def look(conversation: str, _timers: bool) -> float | None:
        looks.append(conversation)
        if len(looks) == 1:
            again.append(asyncio.create_task(wake()))
        return None

    async def wake() -> None:
        await queue.publish(OUTBOX, WakeUp(conversation="c").model_dump_json().encode(), "c")

    again: list[asyncio.Task[None]] = []
    queue = InlineQueue(look)
    await wake()
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(looks) == 2


async def test_a_conversation_that_only_the_sweep_wakes_is_delivered_too(
    clients: Clients,
) -> None:
    world, ports = clients.world, clients.world.instances[0]
    await clients.post(ports, clients.says(CHANNEL))
    said = clients.message(CHANNEL, "bot", 0)
    assert await clients.send(ports, said) == "ok"
    world.restart()
    assert await sweep(world.instances[0]) == 0
    world.clock.advance(31)
    assert await sweep(world.instances[0]) == 1
    assert world.topics.wake_ups == {CHANNEL: False}
    assert await shown(clients) == [said.text]


async def test_every_accepted_event_wakes_delivery_and_so_does_its_repetition(
    clients: Clients,
) -> None:
    world, ports = clients.world, clients.world.instances[0]
    report = clients.says(CHANNEL)
    for _ in range(2):
        world.topics.wake_ups.clear()
        await clients.post(ports, report)
        assert world.topics.wake_ups == {CHANNEL: False}
    world.topics.wake_ups.clear()
    await clients.send(ports, clients.message(CHANNEL, "bot", 0))
    assert world.topics.wake_ups == {CHANNEL: False}


async def test_where_no_joined_and_no_notice_arrives_nothing_of_that_frame_is_shown(
    clients: Clients,
) -> None:
    world, ports = clients.world, clients.world.instances[0]
    world.internet.refuses = lambda _to, body: (
        body.get("eventType") is not None or "joined the" in body["text"]
    )
    await clients.post(ports, clients.says(CHANNEL))
    for ask in (clients.claim(CHANNEL, "desk-1", 0), clients.message(CHANNEL, "desk-1", 0)):
        await clients.send(ports, ask)
    assert await shown(clients) == []
    world.internet.refuses = lambda _to, _body: False
    said = clients.message(CHANNEL, "desk-1", 0)
    back = clients.message(CHANNEL, "bot", 0)
    for ask in (said, clients.event(CHANNEL, "desk-1", 0, "REPRESENTATIVE_LEFT"), back):
        assert await clients.send(ports, ask) == "ok"
    assert await shown(clients) == [back.text]
    outcomes = {
        entry.event_id: entry.outcome for entry in await whole_journal(ports.store, CHANNEL)
    }
    assert outcomes[said.id or ""] == "unframed"
    assert "pending" not in outcomes.values()


async def test_what_one_instance_has_settled_stays_settled_when_another_fails(
    clients: Clients,
) -> None:
    here, there = clients.world.instances

    class Late:
        """Another instance does it all before this one's publication fails."""

        async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
            await deliver(there, CHANNEL)
            raise Unavailable("planned", "The topic was told to fail.")

    await clients.post(here, clients.says(CHANNEL))
    await deliver(replace(here, publisher=Late()), CHANNEL)
    (entry,) = await whole_journal(here.store, CHANNEL)
    assert entry.outcome == "done"
    assert await here.store.pending_count(CHANNEL) == 0


async def test_what_cannot_be_delivered_for_a_day_is_given_up_and_the_next_goes_out(
    clients: Clients,
) -> None:
    world = clients.world
    ports = replace(
        world.instances[0],
        policy=replace(world.instances[0].policy, give_up_after=timedelta(hours=24)),
    )
    await clients.post(ports, clients.says(CHANNEL))
    await deliver(ports, CHANNEL)
    first = clients.message(CHANNEL, "bot", 0)
    await clients.send(ports, first)
    world.clock.advance(25 * 3600)
    second = clients.message(CHANNEL, "bot", 0)
    await clients.send(ports, second)
    world.internet.plan.faults.append("unreachable")
    await deliver(ports, CHANNEL)
    assert await shown(clients) == [second.text]
    told = [one["type"] for one in world.topics.published["baton-handoffs"]]
    assert told == ["delivery.failed"]


async def test_an_outbox_of_many_pages_goes_out_in_order_and_a_frame_stays_broken_across_them(
    clients: Clients,
) -> None:
    world, ports = clients.world, clients.world.instances[0]
    world.internet.refuses = lambda _to, body: (
        body.get("eventType") is not None or "joined the" in body["text"]
    )
    await clients.post(ports, clients.says(CHANNEL))
    said = [clients.message(CHANNEL, "bot", 0) for _ in range(60)]
    frame = [clients.message(CHANNEL, "desk-1", 0) for _ in range(60)]
    gone = clients.event(CHANNEL, "desk-1", 0, "REPRESENTATIVE_LEFT")
    after = clients.message(CHANNEL, "bot", 0)
    for ask in (*said, clients.claim(CHANNEL, "desk-1", 0), *frame, gone, after):
        assert await clients.send(ports, ask) == "ok"
    assert await shown(clients) == [ask.text for ask in (*said, after)]
    assert await ports.store.pending_count(CHANNEL) == 0


async def test_a_platform_that_refuses_the_events_for_good_is_told_them_as_texts(
    clients: Clients,
) -> None:
    world, ports = clients.world, clients.world.instances[0]
    world.internet.refuses = lambda _to, body: body.get("eventType") is not None
    await clients.post(ports, clients.says(CHANNEL))
    said = clients.message(CHANNEL, "desk-1", 0)
    for ask in (
        clients.claim(CHANNEL, "desk-1", 0),
        said,
        clients.event(CHANNEL, "desk-1", 0, "REPRESENTATIVE_LEFT"),
    ):
        assert await clients.send(ports, ask) == "ok"
    name = clients.name(CHANNEL, 0)
    assert await shown(clients) == [
        f"{name} joined the conversation.",
        said.text,
        f"{name} left the conversation.",
    ]
