"""What the platform accepted of ours, as evidence of who is active there: anything but giving the
floor back takes control.
"""

from shared.ports import Ports
from shared.schemas.commands import GiveFloor, State, ToChannel
from shared.schemas.conversation import Conversation, OwnAct
from shared.schemas.events import Event

LOOK_BACK = 20  # entries of the journal


async def with_own_act(ports: Ports, conversation: Conversation, event: Event) -> Event:
    """Returns the event with the latest act of ours on the channel in use. Raises Unavailable."""
    latest: OwnAct | None = None
    for entry in reversed(await ports.store.latest(conversation.id, LOOK_BACK)):
        for command in entry.value.commands:
            if not isinstance(command, ToChannel) or command.state is not State.SENT:
                continue
            at, where = command.accepted_at, command.shown_in(conversation.id)
            if at and where == conversation.channel and (latest is None or at >= latest.at):
                latest = OwnAct(at=at, gave=isinstance(command, GiveFloor))
    return event.model_copy(update={"own_act": latest})
