"""What Baton must do. A command's id never changes, so doing it twice is seen by whoever can see it."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.schemas.base import JsonObject, Ours
from shared.schemas.content import Content
from shared.schemas.measures import Measure
from shared.schemas.representative import Representative
from shared.schemas.times import Time

Audience = Literal["BOT", "HUMAN"]


class Lane(StrEnum):
    """Each lane is worked in order, each line in it strictly; none waits for another."""

    CHANNEL = "channel"
    TOPICS = "topics"
    CRM = "crm"
    REPORTS = "reports"
    STREAM = "stream"
    DESK = "desk"


class State(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"  # it may have arrived; it is not sent again
    UNFRAMED = "unframed"  # its JOINED never reached the customer
    DROPPED = "dropped"  # nobody needs it any more
    BROKEN = "broken"  # a JOINED that failed for good: what follows in its frame is unframed, until its LEFT


class BaseCommand(Ours):
    id: str
    state: State = State.PENDING
    attempts: int = 0
    forbidden: int = 0
    since: Time | None = None  # when it was added to an entry that is older
    retry_at: Time | None = None
    ambiguous: bool = False
    error: str | None = None
    native_id: str | None = None  # the platform's own id of what was sent
    token: str | None = None  # whose mark it is, on a platform that does not recognise an id
    until: Time | None = None  # in flight: whoever marked it sends it before then, or not at all

    @property
    def line(self) -> str:
        """What within its lane waits for one another; nothing waits for another line."""
        return ""

    @property
    def next_look(self) -> Time | None:
        """When it may be taken in hand again, None where that is now."""
        return self.until or self.retry_at


class _ToCustomer(BaseCommand):
    """`to` is the platform's own name of the conversation; `frame` is the id of the JOINED that opened it.

    `channel` is the conversation in which it is shown, None where that is the one whose journal holds it.
    """

    to: str
    channel: str | None = None
    representative: Representative
    frame: str | None = None

    @property
    def lane(self) -> Lane:
        return Lane.CHANNEL

    @property
    def line(self) -> str:
        return self.channel or ""

    def shown_in(self, conversation: str) -> str:
        """Returns the conversation in which it is shown, given the one whose journal holds it."""
        return self.channel or conversation


class SendMessage(_ToCustomer):
    kind: Literal["message"] = "message"
    content: Content


class SendEvent(_ToCustomer):
    """`notice` means that the platform has no such event, or refused it for good: `text` is said in its place."""

    kind: Literal["event"] = "event"
    event_type: Literal["REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT"]
    notice: bool = False
    text: str | None = None


class _ToTopic(BaseCommand):
    """With `readers`, the entry's form goes before `body`, as all of these may read it; without, `body` is the whole.

    Commands of entries that older versions wrote have no readers, and bodies that are whole.
    """

    body: JsonObject
    readers: tuple[Audience, ...] = ()

    @property
    def lane(self) -> Lane:
        return Lane.TOPICS


class Publish(_ToTopic):
    kind: Literal["publish"] = "publish"
    topic: str


class Post(_ToTopic):
    """A user message in Business Messages form for a plain webhook: the bot's or the desk's."""

    kind: Literal["post"] = "post"
    audience: Audience


class Comment(_ToTopic):
    """Variables for the CRM record: what the comment audience may see of one capture."""

    kind: Literal["comment"] = "comment"

    @property
    def lane(self) -> Lane:
        return Lane.CRM


class CallDesk(BaseCommand):
    """What a desk that must be called is told: a customer needs a human, said something, or needs one no longer.

    `platform` is the one that the desk is on, whatever the settings say of the desk by now; `menu` is its queue there,
    None for the platform's usual one. `handoff` is the same in all calls about one handoff, and in no other's; None
    where only the chat is known. `open` has why, and what the agent may see; `close` has why; `say` means the words of
    its entry (older versions wrote into `text` what the agent may see of them). `chat` is Baton's id of the
    chat that is to be closed, or that was opened and is not linked yet. `asked_at` is when the desk was first asked to
    make something of its own of it. `customer` is the conversation in which the desk tells of whom it made that chat
    for, where the chat is not linked.
    """

    kind: Literal["desk"] = "desk"
    desk: str
    platform: str
    action: Literal["open", "say", "close"]
    handoff: str | None = None
    chat: str | None = None
    customer: str | None = None
    menu: int | None = None
    reason: str | None = None
    text: str | None = None
    language: str | None = None
    metadata: JsonObject | None = None
    variables: JsonObject | None = None
    asked_at: Time | None = None

    @property
    def lane(self) -> Lane:
        return Lane.DESK

    @property
    def line(self) -> str:
        """A chat that cannot be ended holds up no other handoff."""
        return self.handoff or self.chat or ""


class Record(BaseCommand):
    """What the reports are to count. It is counted by the very write that says it is done, so never twice."""

    kind: Literal["record"] = "record"
    measures: tuple[Measure, ...]

    @property
    def lane(self) -> Lane:
        return Lane.REPORTS


class Stream(BaseCommand):
    """What a record of the same entry measured is told on the handoff topic as well; counting does not wait for it."""

    kind: Literal["stream"] = "stream"
    record: str

    @property
    def lane(self) -> Lane:
        return Lane.STREAM


Command = Annotated[
    SendMessage | SendEvent | Publish | Post | Comment | CallDesk | Record | Stream, Field(discriminator="kind")
]
ToCustomer = SendMessage | SendEvent


class Signal(Ours):
    """Best effort, never stored: typing and receipts towards the customer's platform."""

    id: str
    to: str
    kind: Literal["TYPING_STARTED", "TYPING_STOPPED", "READ"]
    representative: Representative | None = None
    message_id: str | None = None
