"""What reading and random search have found in taking and deciding, each as small as it gets."""

from infra.local.oracle import texts, violations
from shared.delivery.deliver import deliver
from shared.delivery.sweep import sweep
from shared.handoff.machine import decide
from shared.handoff.policy import Policy
from shared.schemas.conversation import Conversation, Phase, Timer
from shared.schemas.journal import Verdict
from shared.schemas.own_events import UnclaimedTimeout
from tests.property.clients import Clients
from tests.property.ledger import remains
from tests.property.world import BEGIN

CHANNEL, DESK = "business_messages:c0", "csku:d0"


async def shown(clients: Clients) -> list[str]:
    await deliver(clients.world.instances[0], CHANNEL)
    assert violations(clients.world.platform.transcript("c0")) == []
    return texts(clients.world.platform.transcript("c0"))


async def test_a_bot_and_a_human_cannot_use_the_same_message_id(clients: Clients) -> None:
    ports = clients.world.instances[0]
    await clients.post(ports, clients.says(CHANNEL))
    assert await clients.send(ports, clients.message(CHANNEL, "bot", 0, message_id="m1")) == "ok"
    assert await clients.send(ports, clients.claim(CHANNEL, "desk-1", 0)) == "ok"
    other = clients.message(CHANNEL, "desk-1", 0, message_id="m1")
    assert await clients.send(ports, other) == "exists"
    assert other.metadata["reason"] == "id-reused"


async def test_joined_and_left_cannot_use_the_same_event_id(clients: Clients) -> None:
    ports = clients.world.instances[0]
    await clients.post(ports, clients.says(CHANNEL))
    joined = clients.event(CHANNEL, "desk-1", 0, "REPRESENTATIVE_JOINED")
    left = clients.event(CHANNEL, "desk-1", 0, "REPRESENTATIVE_LEFT")
    left.query = joined.query
    assert await clients.send(ports, joined) == "ok"
    assert await clients.send(ports, left) == "exists"


async def test_a_message_id_of_the_desk_does_not_hide_the_same_id_of_the_channel(
    clients: Clients,
) -> None:
    ports = clients.world.instances[0]
    await clients.post(ports, clients.says(CHANNEL))
    await clients.send(ports, clients.ask(DESK, "admin", ":link", {"to": CHANNEL}))
    one = clients.message(CHANNEL, "bot", 0, message_id="m1", extra="one")
    two = clients.message(DESK, "bot", 0, message_id="m1", extra="two")
    assert [await clients.send(ports, ask) for ask in (one, two)] == ["ok", "ok"]
    assert await shown(clients) == [one.text, two.text]


async def test_two_claims_under_one_request_id_are_not_both_won(clients: Clients) -> None:
    ports = clients.world.instances[0]
    await clients.post(ports, clients.says(CHANNEL))
    first, second = clients.claim(CHANNEL, "desk-1", 0), clients.claim(CHANNEL, "desk-2", 0)
    second.body = first.body
    assert await clients.send(ports, first) == "ok"
    assert await clients.send(ports, first) == "ok"
    assert await clients.send(ports, second) == "exists"
    assert second.metadata["reason"] == "id-reused"


async def test_an_instance_that_saw_the_erase_also_sees_the_customer_come_back(
    clients: Clients,
) -> None:
    here, there = clients.world.instances
    await clients.post(here, clients.says(CHANNEL))
    assert await clients.send(here, clients.ask(CHANNEL, "admin", "", {}), "DELETE") == "ok"
    assert await clients.send(here, clients.message(CHANNEL, "bot", 0)) == "missing"
    await clients.post(there, clients.says(CHANNEL))
    assert await clients.send(here, clients.message(CHANNEL, "bot", 0)) == "ok"


def test_a_timer_of_the_desk_does_not_fire_the_channels() -> None:
    timer = Timer(kind="unclaimed", armed=3, n=1, due_at=BEGIN)
    channel = Conversation(id=CHANNEL, address="c0", phase=Phase.QUEUED, timer=timer, version=5)
    event = UnclaimedTimeout(id="3:1", source=DESK, actor="timer", armed=3, n=1)
    assert decide(channel, event, BEGIN, Policy()).verdict is Verdict.IGNORED


async def test_two_failures_under_one_id_of_the_callers_are_told_under_two(
    clients: Clients,
) -> None:
    """A message and an event may have the same id; both fail here, and the team hears of both."""
    world, ports = clients.world, clients.world.instances[0]
    world.internet.refuses = lambda _to, _body: True
    await clients.post(ports, clients.says(CHANNEL))
    said = clients.message(CHANNEL, "bot", 0, message_id="x")
    joined = clients.event(CHANNEL, "desk-1", 0, "REPRESENTATIVE_JOINED")
    joined.query = {"eventId": "x"}
    assert [await clients.send(ports, ask) for ask in (said, joined)] == ["ok", "ok"]
    await deliver(ports, CHANNEL)
    ids = [
        one["id"]
        for one in world.topics.published["baton-handoffs"]
        if one["type"] == "delivery.failed"
    ]
    assert len(set(ids)) == 2


async def test_nothing_is_acknowledged_that_the_store_did_not_take(clients: Clients) -> None:
    world = clients.world
    world.store_plan.faults.append("before")
    report = clients.says(CHANNEL)
    await clients.post(world.instances[0], report)
    assert not report.taken
    await clients.post(world.instances[0], report)
    assert report.taken


async def test_an_erase_that_is_asked_again_after_a_crash_still_reaches_the_linked_desk(
    clients: Clients,
) -> None:
    world, ports = clients.world, clients.world.instances[0]
    await clients.post(ports, clients.says(CHANNEL))
    await clients.send(ports, clients.ask(DESK, "admin", ":link", {"to": CHANNEL}))
    await clients.post(ports, clients.desk(DESK, "agent.message_out", 0, 0, 0))
    erase = clients.ask(CHANNEL, "admin", "", {})
    world.store_plan.faults.append("after")
    assert await clients.send(ports, erase, "DELETE") == "unknown"
    assert await clients.send(ports, erase, "DELETE") == "ok"
    assert remains(world.path, clients.marker(DESK)) == []


async def test_an_instance_with_an_old_copy_of_a_link_does_not_act_through_it(
    clients: Clients,
) -> None:
    here, there = clients.world.instances
    await clients.post(here, clients.says(CHANNEL))
    await clients.send(here, clients.ask(DESK, "admin", ":link", {"to": CHANNEL}))
    await clients.send(there, clients.ask(DESK, "admin", ":unlink", {}))
    # meets the conflict, and reads the channel again
    await clients.post(here, clients.says(CHANNEL))
    await clients.post(here, clients.desk(DESK, "agent.message_out", 0, 0, 0))
    channel, desk = await clients.world.peek(CHANNEL), await clients.world.peek(DESK)
    assert channel is not None
    assert desk is not None
    assert (channel.phase, desk.phase) == (Phase.BOT, Phase.HUMAN)


async def test_a_customer_who_comes_back_does_not_stop_an_unfinished_erase(
    clients: Clients,
) -> None:
    world, ports = clients.world, clients.world.instances[0]
    await clients.post(ports, clients.says(CHANNEL))
    erased = clients.marker(CHANNEL)
    world.store_plan.faults.append("after")
    assert await clients.send(ports, clients.ask(CHANNEL, "admin", "", {}), "DELETE") == "unknown"
    clients.forget(CHANNEL)
    await clients.post(ports, clients.says(CHANNEL))
    assert await sweep(ports) == 1
    assert world.topics.wake_ups == {CHANNEL: True}
    await deliver(ports, CHANNEL, timers=True)
    assert remains(world.path, erased) == []
    assert remains(world.path, clients.marker(CHANNEL)) != []
