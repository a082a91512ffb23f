"""What an operator may choose about the machine, and what it must know of each platform."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from shared.schemas.conversation import Capabilities, Conversation

DELIVERS = Capabilities()


@dataclass(frozen=True, slots=True)
class Policy:
    """`webhooks` holds the audiences (BOT, HUMAN) that have a plain webhook of their own beside the topic."""

    unclaimed_after: timedelta = timedelta(seconds=120)
    unclaimed_reminders: int = 3
    human_idle_after: timedelta = timedelta(seconds=1800)
    give_up_after: timedelta = timedelta(hours=24)
    bot_name: str = "Hello World Agent"
    webhooks: frozenset[str] = frozenset()
    capabilities: Mapping[str, Capabilities] = field(default_factory=dict)

    def of(self, platform: str) -> Capabilities:
        return self.capabilities.get(platform, DELIVERS)

    def newcomer(self, conversation: str, address: str) -> Conversation:
        """Returns a conversation that Baton sees for the first time."""
        fresh = Conversation(id=conversation, address=address)
        return fresh.model_copy(update={"tracked": not self.of(fresh.platform).delivers})
