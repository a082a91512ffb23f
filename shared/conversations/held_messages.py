"""The messages that wait for the customer, in the entries of those who said them: they are read
before it is decided whether they are sent or ended, and settled in the same commit.
"""

import asyncio
from collections.abc import Mapping, Sequence

from shared.ports import Ports, Snapshot
from shared.schemas.commands import SendMessage, State
from shared.schemas.conversation import Conversation
from shared.schemas.events import Event
from shared.schemas.journal import JournalEntry

Entries = tuple[Snapshot[JournalEntry], ...]


async def with_held(
    ports: Ports, conversation: Conversation, event: Event
) -> tuple[Event, Entries]:
    """Returns the event with the messages that wait, and their entries. Raises Unavailable."""
    wanted = dict.fromkeys((one.journal, one.entry) for one in conversation.waiting)
    found = await asyncio.gather(*(ports.store.entry(*one) for one in wanted))
    entries = tuple(filter(None, found))
    held = {
        entry.value.id: command
        for entry in entries
        for command in entry.value.commands
        if isinstance(command, SendMessage) and command.state is State.WAITING
    }
    return event.model_copy(update={"held": held}), entries


def settled(
    entries: Entries, ended: Mapping[str, tuple[State, str | None]]
) -> Sequence[Snapshot[JournalEntry]]:
    """Returns the entries of messages that wait no more, with how each ended."""
    return [
        Snapshot(after, entry.token)
        for entry in entries
        if (after := _with_ends(entry.value, ended)) != entry.value
    ]


def _with_ends(entry: JournalEntry, ended: Mapping[str, tuple[State, str | None]]) -> JournalEntry:
    commands = []
    for command in entry.commands:
        if command.state is State.WAITING and entry.id in ended:
            state, error = ended[entry.id]
            command = command.model_copy(update={"state": state, "error": error})
        commands.append(command)
    return entry.with_commands(tuple(commands))
