"""Events that Baton itself makes: a timer fired, a desk's chat was linked or unlinked, a JOINED did not arrive."""

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


class Timeout(Event):
    """A timer fired, for the `n`th time; `armed` is the version that set it."""

    armed: int
    n: int


class UnclaimedTimeout(Timeout):
    """A request waited `UNCLAIMED_AFTER`."""

    kind: ClassVar[str] = "unclaimed_timeout"


class HumanIdleTimeout(Timeout):
    """A human was quiet for `HUMAN_IDLE_AFTER`."""

    kind: ClassVar[str] = "human_idle_timeout"


class ChatIdleTimeout(Timeout):
    """Nobody came to the chat that a desk's people have left."""

    kind: ClassVar[str] = "chat_idle_timeout"


class JoinedLost(Event):
    """The text that told of a human who joined will not arrive; `frame` is the id of what told of it."""

    kind: ClassVar[str] = "joined_lost"

    frame: str
