"""The ids by which a desk's chat knows the messages of a conversation."""

from shared.ports import Ports
from shared.schemas.commands import CallDesk

EARLIER = 100  # entries in which a message is looked for
REPLAYED_ID = "replayed:"  # stands before the id of an event from before the chat was linked


async def desk_message_id(
    ports: Ports, conversation: str, handoff: str, message: str
) -> str | None:
    """Returns the desk's own id of a message in the chat of `handoff`, None if it is not known.

    `message` is its id as `About` has it: the customer's own, or that of Baton's command.
    """
    for one in await ports.store.latest(conversation, EARLIER):
        entry = one.value
        if entry.event_id == message:
            said = (c for c in entry.commands if isinstance(c, CallDesk) and c.action == "say")
            return next((c.native_id for c in said if c.handoff == handoff), None)
        if any(command.id == message for command in entry.commands):
            return (entry.event_id or "").removeprefix(REPLAYED_ID) or None
    return None
