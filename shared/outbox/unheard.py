"""Whether the customer ever saw anything of a human whose JOINED did not arrive, on channels where
JOINED is only a text.
"""

from collections.abc import Collection, Iterable

from shared.ports import Ports
from shared.schemas.commands import Command, SendEvent, SendMessage, State

LOOK_BACK = 500  # entries of the journal: no more than these can have waited behind a JOINED
_SEEN = (State.SENT, State.UNKNOWN)


async def is_about_a_stranger(
    ports: Ports,
    conversation: str,
    command: Command,
    done: Iterable[Command],
    unsaid: Collection[str],
) -> bool:
    """Returns whether this is the LEFT, as a text, of a human from whom the customer has seen no
    message.

    `done` are the commands that this delivery has done and not yet recorded. `unsaid` are the
    frames whose JOINED it has passed over.
    """
    if (
        not isinstance(command, SendEvent)
        or not command.notice
        or command.event_type != "REPRESENTATIVE_LEFT"
    ):
        return False
    snapshot = await ports.store.load(conversation)
    if snapshot is None or command.frame not in (*unsaid, *snapshot.value.unheard):
        return False
    entries = await ports.store.latest(conversation, LOOK_BACK)
    commands = (*done, *(one for entry in entries for one in entry.value.commands))
    return not any(
        isinstance(one, SendMessage) and one.frame == command.frame and one.state in _SEEN
        for one in commands
    )
