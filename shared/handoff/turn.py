"""A turn: one event being carried out, and what becomes of the conversation meanwhile."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from shared.handoff.policy import Policy
from shared.schemas.commands import Command
from shared.schemas.conversation import Conversation
from shared.schemas.events import Event
from shared.schemas.ids import command_id

E = TypeVar("E", bound=Event)


@dataclass(slots=True)
class Turn:
    """One event being carried out: the conversation as it becomes, the commands so far, who was here before."""

    conversation: Conversation
    event: Event
    now: datetime
    policy: Policy
    commands: list[Command] = field(default_factory=list)

    def change(self, **update: object) -> None:
        self.conversation = self.conversation.model_copy(update=update)

    def next_id(self) -> str:
        """Returns the caller's own id where the event keeps it, else one derived from event and position.

        Through a link ids are derived: a desk's own could meet those of the channel's callers, and look sent already.
        """
        own = self.event.keeps_id and self.event.source == self.conversation.id
        if own and not self.commands:
            return self.event.id
        return command_id(self.conversation.id, self.event.entry_id, len(self.commands))

    def add(self, command: Command) -> None:
        """Adds a command for the customer, unless their platform delivers by itself."""
        if not self.conversation.tracked:
            self.commands.append(command)

    @property
    def waited_seconds(self) -> float | None:
        """Returns the time since the request: by the platform's clock where one reported both, else by ours."""
        request = self.conversation.request
        if request is None:
            return None
        since, until = request.accepted_at, self.now
        if request.source == self.event.source and request.occurred_at and self.event.occurred_at:
            since, until = request.occurred_at, self.event.occurred_at
        return max((until - since).total_seconds(), 0.0)


def expect(event: Event, kind: type[E]) -> E:
    """Returns the event as what the table says it is."""
    if not isinstance(event, kind):
        raise TypeError(f"the table asks of a {event.kind} what only a {kind.__name__} has")
    return event
