"""What it means for a customer that a desk's own conversation is over, or was turned away."""

from shared.desks.base import chat_at
from shared.platforms.base import Deflected, Ended
from shared.ports import Ports
from shared.schemas.conversation import Conversation
from shared.schemas.events import Event, HumanLeft, Unknown


async def departures(ports: Ports, event: Event) -> list[Event]:
    """Returns what is to be taken for `event`: it alone, unless it says that a desk's conversation is over."""
    if not isinstance(event, Deflected):
        return [event]
    desk = await ports.store.load(event.source)
    if desk is None or desk.value.linked_to is None:
        return follows(desk.value if desk else None, event, None)
    channel = await ports.store.load(desk.value.linked_to)
    chat = chat_at(desk.value.address)
    return follows(channel.value if channel else None, event, chat.handoff if chat else None)


def follows(conversation: Conversation | None, event: Event, handoff: str | None) -> list[Event]:
    """Returns what `event` brings in the conversation that it acts on; `handoff` is what the desk's own is about.

    With it leave those of its people who are still present. A handoff fails only if it is the one that is under way:
    a chat that ends late says nothing of the next one.
    """
    if not isinstance(event, Deflected) or conversation is None:
        return [event]
    called = conversation.called
    is_late = handoff is not None and (called is None or called.handoff != handoff)
    return [*_leaving(conversation, event), _noted(event) if is_late else event]


def _leaving(conversation: Conversation, event: Deflected) -> list[Event]:
    """A desk that turns a customer away may do so while somebody else of it is present."""
    if not isinstance(event, Ended):
        return []
    return [
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


def _noted(event: Deflected) -> Unknown:
    common = event.model_dump(include={"id", "source", "actor", "occurred_at", "address"})
    return Unknown(**common, name=event.reason)
