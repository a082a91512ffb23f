"""What it means for a customer that a desk's own conversation is over."""

from shared.platforms.base import Ended
from shared.ports import Ports
from shared.schemas.conversation import Conversation
from shared.schemas.events import Event, HumanLeft
from shared.services.native_ids import where_it_acts


async def departures(ports: Ports, event: Event) -> list[Event]:
    """Returns what is to be taken for `event`: it alone, unless it says that a desk's conversation is over."""
    if not isinstance(event, Ended):
        return [event]
    acting = await where_it_acts(ports, event.source)
    return follows(acting.value, event) if acting else [event]


def follows(conversation: Conversation, event: Event) -> list[Event]:
    """Returns what `event` brings in the conversation that it acts on: with a desk's chat leave those of its people who
    are still present. Whether it is about the handoff under way, the table decides."""
    if not isinstance(event, Ended):
        return [event]
    gone = [
        HumanLeft(
            id=f"{event.id}:{human.representative.name}",
            source=event.source,
            actor=event.actor,
            occurred_at=event.occurred_at,
            representative=human.representative,
            reason=event.reason,
            ends=True,
        )
        for human in conversation.humans
        if human.source == event.source
    ]
    return [*gone, event]
