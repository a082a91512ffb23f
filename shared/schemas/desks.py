"""What a conversation knows of desks: which one has the handoff, in which chat, and which were
closed.
"""

from shared.schemas.base import Stored
from shared.schemas.ids import platform_of
from shared.schemas.times import Time


class CreatedChat(Stored):
    """A chat that a desk says it made for somebody of whom it tells in the conversation `customer`;
    `at` is when Baton heard of it.
    """

    chat: str
    at: Time
    customer: str | None = None


class Called(Stored):
    """A desk that was told of a handoff and has it still; `kind` is the platform that it is on.

    Where it `opens_chats`, one for each handoff, `chat` is the one about this handoff, once Baton
    knows it; until then `created` are those that the desk says it made for this customer meanwhile.
    `assisted`: the desk's own assistant has answered in that chat.
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
        """Returns all that Baton knows were made for it."""
        return (*filter(None, [self.chat]), *(one.chat for one in self.created))

    def has(self, source: str) -> bool:
        """Returns whether what happens in `source` is about this handoff, unless it is about
        one that is over.
        """
        return source == self.chat if self.chat else platform_of(source) == self.kind


class ClosedDesk(Stored):
    """A desk of whose being closed the team knows, `until` it opens."""

    desk: str
    until: Time
