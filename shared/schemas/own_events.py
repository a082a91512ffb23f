"""Events that Baton itself creates: a timer fired, a desk's chat was linked or unlinked, a
JOINED or a template was not delivered, a person was looked for, or is gone.
"""

from typing import ClassVar

from shared.schemas.events import ByCustomer, Event, TakesRoom


class ChatOpened(Event):
    """A desk's chat was created for `handoff` and is linked from now on."""

    kind: ClassVar[str] = "chat_opened"

    chat: str
    handoff: str


class Unlinked(Event):
    """The desk's conversation `desk` is no longer linked."""

    kind: ClassVar[str] = "unlink"

    desk: str
    reason: str = "unlinked"

    @property
    def over(self) -> str:
        return self.desk


class UnclaimedTimeout(Event):
    """A request has waited `n` times `UNCLAIMED_AFTER` seconds.

    `armed` is the version that set the timer.
    """

    kind: ClassVar[str] = "unclaimed_timeout"

    armed: int
    n: int


class HumanIdleTimeout(Event):
    """The humans in the conversation have not written for `HUMAN_IDLE_AFTER` seconds."""

    kind: ClassVar[str] = "human_idle_timeout"

    armed: int
    n: int


class ChatIdleTimeout(Event):
    """No agent joined the chat that a desk's agents have left."""

    kind: ClassVar[str] = "chat_idle_timeout"

    armed: int
    n: int


class LineEmpty(Event):
    """Everything that waited in the outboxes `lines`, of conversations that became part of this
    one, has been sent.
    """

    kind: ClassVar[str] = "line_empty"

    lines: tuple[str, ...]


class JoinedLost(Event):
    """The text that announces a human who joined will not be delivered.

    `frame` is the id of that JOINED.
    """

    kind: ClassVar[str] = "joined_lost"

    frame: str


class NumberMoved(ByCustomer):
    """The customer's number is another customer's now. Who is with this one must know that the
    number does not reach them any more.
    """

    kind: ClassVar[str] = "number_moved"

    reason: str


class CountDue(Event):
    """The reports must count the messages of a conversation in which nothing else was counted."""

    kind: ClassVar[str] = "count_due"


class ReopenTimeout(Event):
    """The customer has not written since the message in `entry` began to wait for it."""

    kind: ClassVar[str] = "reopen_timeout"

    entry: str
    reason: str = "customer-not-back"


class TemplateLost(Event):
    """The platform refused the template for which messages wait. `template` is the id of its
    command.
    """

    kind: ClassVar[str] = "template_lost"

    template: str
    reason: str


class Offered(TakesRoom):
    """Baton offers a customer who waits to the person `to`."""

    kind: ClassVar[str] = "offered"

    to: str

    @property
    def taker(self) -> str | None:
        return self.to


class OfferTimeout(Event):
    """The offer of this id was not answered in time."""

    kind: ClassVar[str] = "offer_timeout"

    offer: str
    reason: str = "no answer"


class AssignTimeout(Event):
    """Baton looked for a person to whom it could offer a customer who waits, and found none.

    `armed` and `n` are those of the timer `assign`.
    """

    kind: ClassVar[str] = "assign_timeout"

    armed: int
    n: int


class PersonGone(Event):
    """No page of a person is open any more.

    `slot` is what this conversation took of their room. Its commit removes the slot from their
    document.
    """

    kind: ClassVar[str] = "person_gone"

    person: str
    slot: str
    reason: str = "the person is gone"
