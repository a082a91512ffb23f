"""What the platform accepted of ours, as evidence of who is active there: anything but giving the
floor back takes control.
"""

import asyncio

from shared.handoff.channels import LAPSES_AFTER
from shared.ports import Ports
from shared.schemas.commands import GiveFloor, State, ToChannel
from shared.schemas.conversation import Conversation, OwnAct
from shared.schemas.events import Event
from shared.schemas.notation import platform_of

LOOK_BACK = 20  # entries of a journal


async def with_own_act(ports: Ports, conversation: Conversation, event: Event) -> Event:
    """Returns the event with the latest act of ours on the channel in use. What was accepted in a
    conversation before it became part of this one counts as well. Raises Unavailable.
    """
    channel, now = conversation.channel, ports.clock.now()
    formers = [
        one.id
        for one in conversation.formerly
        if platform_of(one.id) == platform_of(channel) and now - one.since < LAPSES_AFTER
    ]
    journals = (conversation.id, *formers)
    found = await asyncio.gather(*(ports.store.latest(one, LOOK_BACK) for one in journals))
    same = {channel, *formers}
    acts = [
        OwnAct(at=command.accepted_at, gave=isinstance(command, GiveFloor))
        for entries in found
        for entry in reversed(entries)
        for command in entry.value.commands
        if isinstance(command, ToChannel)
        and command.state is State.SENT
        and command.accepted_at is not None
        and command.shown_in(entry.value.conversation) in same
    ]
    latest: OwnAct | None = None
    for act in acts:
        if latest is None or act.at >= latest.at:
            latest = act
    return event.model_copy(update={"own_act": latest})
