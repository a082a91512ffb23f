"""Delivery: fire what is due, then work the outbox, its lines side by side, each in order.

The outbox is the conversation's pending journal entries in sequence (see `drain`). Whoever else
delivers at the same time does no harm: the platform knows the ids, and outcomes are merged, never
sent again.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.conversations.apply import apply
from shared.customers.erase import finish_erase
from shared.delivery.drain import Drain
from shared.ports import Ports
from shared.schemas.conversation import Conversation
from shared.schemas.events import Event
from shared.schemas.own_events import ChatIdleTimeout, HumanIdleTimeout, UnclaimedTimeout
from shared.schemas.times import format_time

PASSES = 3  # what is left for another look after so many is due, and the sweep wakes it
_TIMEOUTS = {"unclaimed": UnclaimedTimeout, "idle": HumanIdleTimeout, "chat": ChatIdleTimeout}


@dataclass(frozen=True, slots=True)
class Delivered:
    """How a delivery ended: whether something failed for now, and when the next try is due, if one
    is.

    `retry_at` is the next try of what failed by itself; it is None where only targets are waited
    for that are down.
    """

    failed: bool
    next_try: datetime | None
    retry_at: datetime | None


async def deliver(ports: Ports, conversation: str, *, timers: bool = False) -> Delivered:
    """Returns when nothing more can be done now. Raises Unavailable."""
    if timers:
        await fire_timers(ports, conversation)
    failed = False
    for _ in range(PASSES):
        drain = Drain(ports, conversation)
        await drain.run()
        failed = failed or drain.failed
        if not drain.again:
            break
    return Delivered(failed, drain.next_try, drain.retry_at)


async def fire_timers(ports: Ports, conversation: str) -> None:
    """Takes every timer that is due as an event, and goes on with an erase that was interrupted."""
    snapshot = await ports.store.load(conversation)
    while snapshot is not None and (event := _due(snapshot.value, ports)) is not None:
        if (await apply(ports, event, limit=None)).duplicate is not None:
            break
        snapshot = await ports.store.load(conversation)
    if snapshot is not None and snapshot.value.erasing:
        await finish_erase(ports, [snapshot.value])


def _due(conversation: Conversation, ports: Ports) -> Event | None:
    timer = conversation.timer
    if timer is None or timer.due_at > ports.clock.now():
        return None
    return _TIMEOUTS[timer.kind](
        id=f"{timer.armed}:{timer.n}:{format_time(timer.due_at)}",
        source=conversation.id,
        actor="timer",
        armed=timer.armed,
        n=timer.n,
    )
