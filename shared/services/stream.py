"""What is measured, told on the handoff topic, where REPORTS_STREAM says so; at least once, under the record's id."""

from datetime import datetime

from shared.ports import Ports
from shared.schemas.commands import Record
from shared.schemas.notifications import HANDOFFS, Measured


async def stream(ports: Ports, conversation: str, record: Record, time: datetime) -> None:
    """Returns once the topic has it, at once where nobody asked for it. Raises Unavailable."""
    if ports.streams:
        body = Measured(id=record.id, time=time, measures=record.measures)
        await ports.publisher.publish(HANDOFFS, body.model_dump_json(exclude_none=True).encode(), conversation)
