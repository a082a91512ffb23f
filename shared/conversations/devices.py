"""What a customer's device tells while a person answers: that the customer types, and which
messages have arrived and were read. Desk pages show it.

Where no page of such a person is open, nothing is read for it beyond the person, and nothing is
written. A platform's webhook never waits for it: it begins while the webhook is answered, and what
fails is dropped.
"""

import asyncio
from collections.abc import Collection, Sequence

from shared.errors import BatonError
from shared.logs import log
from shared.ports import Ports, PreconditionFailed, Snapshot
from shared.schemas.conversation import Conversation
from shared.schemas.devices import Device
from shared.schemas.ephemeral import Ephemeral

MOST_AT_ONCE = 100  # customers; the news of more are dropped
TRIES = 3

_running: set[asyncio.Task[None]] = set()  # an event loop itself keeps no task alive


def begin_to_show(ports: Ports, conversation: Conversation, news: Sequence[Ephemeral]) -> None:
    """Begins to show news of the customer's device to the people who are in the conversation."""
    people = [one.person for one in conversation.humans if one.person is not None]
    if not people or len(_running) >= MOST_AT_ONCE:
        return
    task = asyncio.create_task(_show(ports, conversation.id, people, news))
    _running.add(task)
    task.add_done_callback(_running.discard)


async def _show(
    ports: Ports, conversation: str, people: Collection[str], news: Sequence[Ephemeral]
) -> None:
    try:
        known = await ports.store.people(people)
        if any(one.value.has_page(ports.clock.now()) for one in known.values()):
            await _keep(ports, conversation, news)
    except (BatonError, PreconditionFailed) as error:
        reason = error.reason if isinstance(error, BatonError) else "others were quicker"
        log("INFO", "news of a device are not shown", conversation=conversation, reason=reason)


async def _keep(ports: Ports, conversation: str, news: Sequence[Ephemeral]) -> None:
    """Raises PreconditionFailed where others are quicker again and again."""
    for tries_left in reversed(range(TRIES)):
        found = await ports.store.device(conversation)
        before = found.value if found else Device(id=conversation)
        after = before.told(news, ports.clock.now())
        if after is before:
            return
        try:
            snapshot = Snapshot(after, found.token if found else None)
            await ports.store.keep_device(snapshot, ports.clock.now())
            return
        except PreconditionFailed:
            if not tries_left:
                raise
