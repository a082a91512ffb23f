"""The ids by which a desk's chat knows the messages of a conversation."""

from shared.conversations.resolve import where_it_acts
from shared.ports import Ports
from shared.schemas.commands import CallDesk
from shared.schemas.events import HumanMessage, HumanReacted

EARLIER = 100  # entries in which a message is looked for
REPLAYED_ID = "replayed:"  # stands before the id of an event from before the chat was linked


async def desk_message_id(
    ports: Ports, conversation: str, chat: str, handoff: str, message: str
) -> str | None:
    """Returns the desk's own id of a message in `chat`, which is that of `handoff`. None if the
    chat does not have the message, such as a bot's.

    `message` is its id as `About` has it: the customer's own, or that of Baton's command.
    """
    for one in await ports.store.latest(conversation, EARLIER):
        entry = one.value
        if entry.event_id == message:
            said = (c for c in entry.commands if isinstance(c, CallDesk) and c.action == "say")
            return next((c.native_id for c in said if c.handoff == handoff), None)
        if any(command.id == message for command in entry.commands):
            theirs = entry.event_id if entry.source == chat else None
            return theirs and theirs.removeprefix(REPLAYED_ID)
    return None


async def about_customers_message(
    ports: Ports, event: HumanMessage | HumanReacted
) -> HumanMessage | HumanReacted | None:
    """Returns the event with the id of the customer's message that it is about, in place of the
    desk's own id of it. Where that message is not known a message is about none, and a reaction is
    left out (None).
    """
    about = event.about and await _customers_message(ports, event.source, event.about)
    if about is None and isinstance(event, HumanReacted):
        return None
    return event.model_copy(update={"about": about})


async def _customers_message(ports: Ports, chat: str, message: str) -> str | None:
    acting = await where_it_acts(ports, chat)
    for one in await ports.store.latest(acting.value.id, EARLIER) if acting else ():
        for command in one.value.commands:
            if isinstance(command, CallDesk) and command.native_id == message:
                return one.value.event_id if command.action == "say" else None
    return None
