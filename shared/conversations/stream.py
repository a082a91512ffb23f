"""Measures, published on the handoff topic where REPORTS_STREAM asks for them; at least once, under
the record's id.
"""

from shared.ports import Ports
from shared.schemas.commands import Record, State, Stream
from shared.schemas.journal import JournalEntry
from shared.schemas.notifications import HANDOFFS, Measured


async def stream(ports: Ports, entry: JournalEntry, command: Stream) -> None:
    """Publishes the record that the command names. Raises Unavailable."""
    for record in entry.commands:
        if isinstance(record, Record) and record.id == command.record:
            body = Measured(id=record.id, time=entry.time, measures=record.counted)
            await ports.publisher.publish(
                HANDOFFS, body.model_dump_json(exclude_none=True).encode(), entry.conversation
            )


async def stream_what_waits(ports: Ports, entry: JournalEntry) -> None:
    """Publishes at once all records of the entry that are still pending. Raises Unavailable."""
    for command in entry.commands:
        if isinstance(command, Stream) and command.state is State.PENDING:
            await stream(ports, entry, command)
