"""Delivery: fire the timers that are due, then work the outbox. Its lines run side by side, each in
order.

The outbox is the conversation's pending journal entries in sequence (see `drain`). Two deliveries
at the same time do no harm: the platform knows the ids, and outcomes are merged, never sent again.
"""

from datetime import datetime

from shared.conversations.apply import apply
from shared.customers.erase import finish_erase
from shared.delivery.drain import Drain
from shared.people.assign import next_offer
from shared.ports import Ports
from shared.schemas.conversation import Conversation
from shared.schemas.events import Event
from shared.schemas.notation import format_time
from shared.schemas.own_events import (
    ChatIdleTimeout,
    CountDue,
    HumanIdleTimeout,
    OfferTimeout,
    ReopenTimeout,
    UnclaimedTimeout,
)
from shared.values import frozen

PASSES = 3  # of one delivery; the sweep wakes the conversation for the rest, which is due
_TIMEOUTS = {"unclaimed": UnclaimedTimeout, "idle": HumanIdleTimeout, "chat": ChatIdleTimeout}


@frozen
class Delivered:
    """How a delivery ended: whether a command failed for now, and when the next try is due, if any.

    `retry_at` is the next try of a command whose target is not known to be down; None where all
    tries wait for targets that are. `seen` is the highest sequence that was read.
    """

    failed: bool
    next_try: datetime | None
    retry_at: datetime | None
    seen: int = 0


async def deliver(ports: Ports, conversation: str, *, timers: bool = False) -> Delivered:
    """Returns when nothing more can be delivered now. Raises Unavailable."""
    if timers:
        await fire_timers(ports, conversation)
    failed, seen = False, 0
    for _ in range(PASSES):
        drain = Drain(ports, conversation)
        await drain.run()
        failed, seen = failed or drain.failed, max(seen, drain.seen)
        if not drain.again:
            break
    return Delivered(failed, drain.next_try, drain.retry_at, seen)


async def fire_timers(ports: Ports, conversation: str) -> None:
    """Applies every timer that is due as an event, and goes on with an interrupted erase. The
    delivery that follows needs no wake-up.
    """
    snapshot = await ports.store.load(conversation)
    if snapshot is not None and _is_for_people(snapshot.value, ports):
        # imported here: most conversations wait for no people of a desk
        from shared.desks.missed import take_missed

        await take_missed(ports, snapshot.value)
        snapshot = await ports.store.load(conversation)
    while snapshot is not None and (event := await _due(snapshot.value, ports)) is not None:
        if (await apply(ports, event, limit=None)).duplicate is not None:
            break
        snapshot = await ports.store.load(conversation)
    if snapshot is not None and snapshot.value.erasing:
        await finish_erase(ports, [snapshot.value])


def _is_for_people(conversation: Conversation, ports: Ports) -> bool:
    """Returns whether a timer is about to say that the people of a desk did nothing."""
    timer = conversation.timer
    return (
        conversation.called is not None and timer is not None and timer.due_at <= ports.clock.now()
    )


async def _due(conversation: Conversation, ports: Ports) -> Event | None:
    timer, now = conversation.timer, ports.clock.now()
    assign, offer = conversation.assign, conversation.offer
    late = next((one for one in conversation.waiting if one.gives_up_at <= now), None)
    if late is not None:
        return ReopenTimeout(
            id=f"{late.entry}:{format_time(late.gives_up_at)}",
            source=conversation.id,
            actor="timer",
            entry=late.entry,
        )
    if offer is not None and offer.until <= now:
        return OfferTimeout(id=offer.id, source=conversation.id, actor="timer", offer=offer.id)
    if assign is not None and assign.due_at <= now:
        return await next_offer(ports, conversation, assign)
    if conversation.count_at is not None and conversation.count_at <= now:
        name = f"{conversation.version}:{format_time(conversation.count_at)}"
        return CountDue(id=name, source=conversation.id, actor="timer")
    if timer is None or timer.due_at > now:
        return None
    return _TIMEOUTS[timer.kind](
        id=f"{timer.armed}:{timer.n}:{format_time(timer.due_at)}",
        source=conversation.id,
        actor="timer",
        armed=timer.armed,
        n=timer.n,
    )
