"""What a conversation stores about desks: the desk that has the handoff, its chats, and closed
desks.
"""

from shared.schemas.base import Stored
from shared.schemas.notation import Time, platform_of


class CreatedChat(Stored):
    """A chat that a desk has created, as reported in the conversation `customer`.

    `at` is when the report was accepted.
    """

    chat: str
    at: Time
    customer: str | None = None


class Called(Stored):
    """The desk that has the current handoff. `kind` is its platform.

    If it `opens_chats`, it creates one chat for each handoff. `chat` is the one of this handoff
    once it is known. Until then `created` lists the chats that the desk has reported for this
    customer. `assisted`: the desk's own assistant has answered in that chat.
    """

    desk: str
    kind: str
    handoff: str
    opens_chats: bool = False
    chat: str | None = None
    created: tuple[CreatedChat, ...] = ()
    assisted: bool = False

    @property
    def chats(self) -> tuple[str, ...]:
        """Returns the ids of all chats that are known to be created for this handoff."""
        return (*filter(None, [self.chat]), *(one.chat for one in self.created))

    def has(self, source: str) -> bool:
        """Returns whether events of `source` belong to this handoff.

        The caller excludes chats of earlier handoffs.
        """
        return source == self.chat if self.chat else platform_of(source) == self.kind


class ClosedDesk(Stored):
    """A desk that opens at `until`. The team was notified that it is closed."""

    desk: str
    until: Time
