"""What Baton must do. A command's id never changes, so doing it twice is seen by whoever can see
it.

Each target has a line of its own: a channel, a topic, the webhook of an audience, a handoff at a
desk, the CRM record. A line is worked in order, and no line waits for another.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.schemas.base import JsonObject, Ours, Stored
from shared.schemas.content import Content
from shared.schemas.ids import platform_of
from shared.schemas.measures import Measure
from shared.schemas.representative import Representative
from shared.schemas.times import Time

Audience = Literal["BOT", "HUMAN"]


class State(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"  # it may have arrived; it is not sent again
    UNFRAMED = "unframed"  # its JOINED never reached the customer
    DROPPED = "dropped"  # nobody needs it any more
    # a JOINED that failed for good: what follows in its frame is unframed, until its LEFT
    BROKEN = "broken"


class BaseCommand(Stored):
    """`gives_way`: where it fails for longer than a line waits, what stands behind it is tried; if
    that arrives, this one was at fault. `may_be_late`: it is then tried once more, and may arrive
    after what stood behind it.
    """

    gives_way: ClassVar[bool] = False
    may_be_late: ClassVar[bool] = False

    id: str
    state: State = State.PENDING
    attempts: int = 0
    forbidden: int = 0
    failing_since: Time | None = None  # its first try that failed for now
    reported: bool = False  # the team was informed that it fails
    since: Time | None = None  # when it was added to an entry that is older
    retry_at: Time | None = None
    ambiguous: bool = False
    error: str | None = None
    native_id: str | None = None  # the platform's own id of what was sent
    token: str | None = None  # whose mark it is, on a platform that does not recognise an id
    until: Time | None = None  # in flight: whoever marked it sends it before then, or not at all

    @property
    def line(self) -> str:
        """Returns the name of the line that it stands in, within the outbox of one conversation."""
        raise NotImplementedError

    def target(self, conversation: str) -> str | None:
        """Returns what it calls, the same for all conversations: a target that is down is left
        alone for all of them.

        None where it calls nothing but Google's own topics, which Baton cannot work without.
        """
        return None

    @property
    def next_look(self) -> Time | None:
        """When it may be taken in hand again, None where that is now."""
        return self.until or self.retry_at


class _ToCustomer(BaseCommand):
    """`to` is the platform's own name of the conversation; `frame` is the id of the JOINED that
    opened it.

    `channel` is the conversation in which it is shown, None where that is the one whose journal
    holds it.
    """

    # never late: a customer sees things in the order in which they were accepted
    gives_way: ClassVar[bool] = True

    to: str
    channel: str | None = None
    representative: Representative
    frame: str | None = None

    @property
    def line(self) -> str:
        return f"channel {self.channel}" if self.channel else "channel"

    def target(self, conversation: str) -> str | None:
        return f"channel {platform_of(self.shown_in(conversation))}"

    def shown_in(self, conversation: str) -> str:
        """Returns the conversation in which it is shown, given the one whose journal holds it."""
        return self.channel or conversation


class SendMessage(_ToCustomer):
    kind: Literal["message"] = "message"
    content: Content


class SendEvent(_ToCustomer):
    """`notice` means that the platform has no such event, or refused it for good: `text` is
    said in its place.
    """

    kind: Literal["event"] = "event"
    event_type: Literal["REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT"]
    notice: bool = False
    text: str | None = None


class SendSurvey(_ToCustomer):
    """The platform's own survey; what it asks is set up there."""

    kind: Literal["survey"] = "survey"


class _ToTopic(BaseCommand):
    """With `readers`, the entry's form goes before `body`, as all of these may read it; without,
    `body` is the whole.

    Commands of entries that older versions wrote have no readers, and bodies that are whole.
    """

    body: JsonObject
    readers: tuple[Audience, ...] = ()


class Publish(_ToTopic):
    """It does not give way: a topic takes any body, so a topic that fails is down, whatever the
    message says.
    """

    kind: Literal["publish"] = "publish"
    topic: str

    @property
    def line(self) -> str:
        return f"topic {self.topic}"


class Post(_ToTopic):
    """A user message in Business Messages form for a plain webhook: the bot's or the desk's."""

    gives_way: ClassVar[bool] = True
    may_be_late: ClassVar[bool] = True

    kind: Literal["post"] = "post"
    audience: Audience

    @property
    def line(self) -> str:
        return f"webhook {self.audience}"

    def target(self, conversation: str) -> str | None:
        return self.line


class Comment(BaseCommand):
    """Variables for the CRM record: what the comment audience may see of one capture."""

    gives_way: ClassVar[bool] = True
    may_be_late: ClassVar[bool] = True

    kind: Literal["comment"] = "comment"
    body: JsonObject

    @property
    def line(self) -> str:
        return "crm"

    def target(self, conversation: str) -> str | None:
        return self.line


class TellTeam(BaseCommand):
    """A notification for one of the places where the team reads. `to` is that target's name,
    never its address.
    """

    gives_way: ClassVar[bool] = True
    may_be_late: ClassVar[bool] = True

    kind: Literal["team"] = "team"
    to: str
    body: JsonObject

    @property
    def line(self) -> str:
        return f"team {self.to}"

    def target(self, conversation: str) -> str | None:
        return self.line


class CallDesk(BaseCommand):
    """What a desk that must be called is told: a customer needs a human, said something, or needs
    one no longer.

    `platform` is the one that the desk is on, whatever the settings say of the desk by now; `menu`
    is its queue there, None for the platform's usual one. `handoff` is the same in all calls about
    one handoff, and in no other's; None where only the chat is known. `open` has why, and what the
    agent may see; `close` has why; `say` means the words of its entry (older versions wrote into
    `text` what the agent may see of them). `chat` is Baton's id of the chat that is to be closed,
    or that was opened and is not linked yet. `asked_at` is when the desk was first asked to make
    something of its own of it. `customer` is the conversation in which the desk tells of whom it
    made that chat for, where the chat is not linked.

    It does not give way: what follows needs the chat that it opens, and a handoff that stands is
    ended by its timers.
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
    def line(self) -> str:
        """A chat that cannot be ended holds up no other handoff."""
        return f"desk {self.handoff or self.chat or ''}"

    def target(self, conversation: str) -> str | None:
        """A desk that was asked for a chat and did not answer is not called again: its webhook
        says what it did.
        """
        is_looked_for = self.action == "open" and self.asked_at is not None
        return None if is_looked_for else f"desk {self.platform}"


class Record(BaseCommand):
    """What the reports are to count. It is counted by the very write that says it is done, so
    never twice.
    """

    kind: Literal["record"] = "record"
    measures: tuple[Measure, ...]

    @property
    def line(self) -> str:
        return "reports"


class Stream(BaseCommand):
    """What a record of the same entry measured is told on the handoff topic as well; counting
    does not wait for it.
    """

    kind: Literal["stream"] = "stream"
    record: str

    @property
    def line(self) -> str:
        return "stream"


Command = Annotated[
    SendMessage
    | SendEvent
    | SendSurvey
    | Publish
    | Post
    | Comment
    | TellTeam
    | CallDesk
    | Record
    | Stream,
    Field(discriminator="kind"),
]
ToCustomer = SendMessage | SendEvent | SendSurvey


class Signal(Ours):
    """Best effort, never stored: typing and receipts towards the customer's platform."""

    id: str
    to: str
    kind: Literal["TYPING_STARTED", "TYPING_STOPPED", "READ"]
    representative: Representative | None = None
    message_id: str | None = None
