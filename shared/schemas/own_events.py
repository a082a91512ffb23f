"""Events that Baton itself makes: a timer fired, a desk's chat was linked or unlinked, a JOINED
did not arrive.
"""

from typing import ClassVar

from shared.schemas.events import Event


class ChatOpened(Event):
    """A desk's chat was made for `handoff`, and is linked from now on."""

    kind: ClassVar[str] = "chat_opened"

    chat: str
    handoff: str


class Unlinked(Event):
    """`desk`, a desk's conversation, is linked no longer."""

    kind: ClassVar[str] = "unlink"

    desk: str
    reason: str = "unlinked"

    @property
    def over(self) -> str:
        return self.desk


class UnclaimedTimeout(Event):
    """The `n`th time that a request waited `UNCLAIMED_AFTER`; `armed` is the version that set
    the timer.
    """

    kind: ClassVar[str] = "unclaimed_timeout"

    armed: int
    n: int


class HumanIdleTimeout(Event):
    kind: ClassVar[str] = "human_idle_timeout"

    armed: int
    n: int


class ChatIdleTimeout(Event):
    """Nobody came to the chat that a desk's people have left."""

    kind: ClassVar[str] = "chat_idle_timeout"

    armed: int
    n: int


class JoinedLost(Event):
    """The text that told of a human who joined will not arrive; `frame` is the id of what told
    of it.
    """

    kind: ClassVar[str] = "joined_lost"

    frame: str
