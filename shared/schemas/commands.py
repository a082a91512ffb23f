"""Commands: what Baton must do.

A command's id never changes, so a target that recognises ids drops repetitions.

A line is the ordered list of commands to one target: a channel, a topic, the webhook of an
audience, a handoff at a desk, a team target, the CRM record. Commands of a line are executed in
order. Lines do not wait for each other.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.schemas.base import JsonObject, Ours, Stored
from shared.schemas.content import Content
from shared.schemas.measures import OF_MESSAGES, Measure
from shared.schemas.notation import Time, platform_of
from shared.schemas.representative import Representative

Listener = Literal["BOT", "HUMAN"]


class State(StrEnum):
    """The state of a command. PENDING and BROKEN commands keep their entry in the outbox."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"  # it may have arrived, so it is not sent again
    UNFRAMED = "unframed"  # its JOINED never reached the customer
    DROPPED = "dropped"  # no longer needed
    WAITING = "waiting-for-customer"  # for the customer to write again; no delivery works it
    RELEASED = "released"  # it waited, and was sent with what the customer did then
    # a JOINED that failed for good: later commands of its frame become UNFRAMED, up to its LEFT
    BROKEN = "broken"


class BaseCommand(Stored):
    """The fields that all commands have.

    - `gives_way`: if the command fails for longer than its line waits, the commands after it are
      tried. If one of them arrives, this command was at fault.
    - `may_be_late`: such a command is then tried once more, and may arrive after those that
      followed it.
    """

    gives_way: ClassVar[bool] = False
    may_be_late: ClassVar[bool] = False

    id: str
    state: State = State.PENDING
    attempts: int = 0
    forbidden: int = 0
    failing_since: Time | None = None  # when its first try failed temporarily
    reported: bool = False  # the team was notified of the failure
    since: Time | None = None  # when it was added to an existing entry
    retry_at: Time | None = None
    ambiguous: bool = False
    error: str | None = None
    native_id: str | None = None  # the platform's id of the message
    token: str | None = None  # marks the sender on a platform without dedupe
    until: Time | None = None  # in flight: its sender gives up at this time
    # the instance that accepted it delivers it itself, and others leave it alone until then
    in_hand_until: Time | None = None

    @property
    def line(self) -> str:
        """Returns the name of the command's line, unique within the outbox of one conversation."""
        raise NotImplementedError

    def target(self, conversation: str) -> str | None:
        """Returns the name of the target, which is the same in all conversations and selects the
        circuit.

        Returns None for commands that use only Google's own topics or the store, for which there is
        no circuit.
        """
        return None

    @property
    def next_look(self) -> Time | None:
        """The time before which the command must not be tried, None if it may be tried now."""
        return self.until or self.retry_at or self.in_hand_until


class _ToChannel(BaseCommand):
    """A command to the customer's channel.

    `to` is the platform's own id of the conversation. `channel` is the conversation in which the
    result is shown, None for the one whose journal holds the command. `accepted_at` is the time
    of the platform's answer by its own clock, kept where the platform may let others answer.
    """

    # `may_be_late` stays False: customers see messages in the order of acceptance.
    gives_way: ClassVar[bool] = True

    to: str
    channel: str | None = None
    accepted_at: Time | None = None

    @property
    def line(self) -> str:
        return f"channel {self.channel}" if self.channel else "channel"

    def target(self, conversation: str) -> str | None:
        return f"channel {platform_of(self.shown_in(conversation))}"

    def shown_in(self, conversation: str) -> str:
        """Returns the conversation in which the result is shown.

        `conversation` is the one whose journal holds the command.
        """
        return self.channel or conversation


class _ToCustomer(_ToChannel):
    """A command whose result the customer is shown. `frame` is the id of the JOINED command that
    opened the frame.
    """

    representative: Representative
    frame: str | None = None


class TakeFloor(_ToChannel):
    """Makes Baton the active sender for the customer. It may be repeated."""

    kind: Literal["take_floor"] = "take_floor"


class GiveFloor(_ToChannel):
    """Lets another sender answer the customer's next words. It may be repeated.

    `shared`: another sender was active before, and gets the floor back. Else the platform decides
    who is next.
    """

    kind: Literal["give_floor"] = "give_floor"
    shared: bool = False


class SendMessage(_ToCustomer):
    """A message to the customer. `about` is the id of their message that it answers. `reopens`: a
    template, sent because other messages wait for the customer. `waited`: a
    representative's, sent because the customer is back.
    """

    kind: Literal["message"] = "message"
    content: Content
    about: str | None = None
    reopens: bool = False
    waited: bool = False


class SendEvent(_ToCustomer):
    """REPRESENTATIVE_JOINED or REPRESENTATIVE_LEFT.

    `notice`: `text` is sent instead, because the platform has no such event or has refused it for
    good.
    """

    kind: Literal["event"] = "event"
    event_type: Literal["REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT"]
    notice: bool = False
    text: str | None = None


class SendReaction(_ToCustomer):
    """A human's reaction to the customer's message `about`; without an emoji it is taken back. It
    may be repeated.
    """

    kind: Literal["reaction"] = "reaction"
    about: str
    emoji: str | None = None


class SendSurvey(_ToCustomer):
    """The platform's own survey. Its questions are configured on the platform."""

    kind: Literal["survey"] = "survey"


class _ToTopic(BaseCommand):
    """A command that publishes or posts a JSON body.

    With `readers`, the form of the entry is sent before `body`, limited to what all of these
    audiences may see. Without, `body` is complete: older versions wrote such commands.
    """

    body: JsonObject
    readers: tuple[Listener, ...] = ()


class Publish(_ToTopic):
    """Publishes to a topic.

    It does not give way: a topic accepts any body, so a failure means that the topic is down.
    """

    kind: Literal["publish"] = "publish"
    topic: str

    @property
    def line(self) -> str:
        return f"topic {self.topic}"


class Post(_ToTopic):
    """A user message in Business Messages form for the webhook of the bot or the desk."""

    gives_way: ClassVar[bool] = True
    may_be_late: ClassVar[bool] = True

    kind: Literal["post"] = "post"
    audience: Listener

    @property
    def line(self) -> str:
        return f"webhook {self.audience}"

    def target(self, conversation: str) -> str | None:
        return self.line


class Comment(BaseCommand):
    """Variables for the CRM record: the values of one capture that the comment audience may see."""

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
    """A notification for one team target. `to` is the target's name, not its address."""

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
    """A call to a desk: a customer needs a human, has said something, or needs no human any more.

    - `action`: `open` carries the reason and what the agent may see, `close` carries the reason,
      `say` stands for the text of its entry, `show` tells who has the customer, `hint` says to the
      people in the chat what `reason` names, `wait` asks a full desk by the id in `reason` to let
      the customer keep waiting. Older versions stored in `text` what the agent may
      see of a `say`.
    - `platform`: the desk's platform when the command was made; the settings may have changed
      since.
    - `menu`: the queue at that platform, None for its default. `place` and `invite` are as in the
      desk's settings.
    - `people`: who has the customer, for `show`.
    - `handoff`: the id of the handoff, the same in all calls about it; None if only the chat is
      known.
    - `chat`: Baton's id of the chat to close, or of one that was opened and is not linked yet.
    - `customer`: the conversation under which the desk reported that chat, if the chat is not
      linked.
    - `asked_at`: when the desk was first asked to create something.

    It does not give way: later commands need the chat that it opens. A handoff without an answer is
    ended by its timers.
    """

    kind: Literal["desk"] = "desk"
    desk: str
    platform: str
    action: Literal["open", "say", "show", "hint", "wait", "close"]
    handoff: str | None = None
    chat: str | None = None
    customer: str | None = None
    menu: int | None = None
    place: str | None = None
    invite: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    reason: str | None = None
    text: str | None = None
    language: str | None = None
    metadata: JsonObject | None = None
    variables: JsonObject | None = None
    asked_at: Time | None = None

    @property
    def line(self) -> str:
        """One line for each handoff, so that a chat that cannot be closed does not block other
        handoffs.
        """
        return f"desk {self.handoff or self.chat or ''}"

    def target(self, conversation: str) -> str | None:
        """Returns None for an `open` that may have arrived: most desks are not called again,
        because their webhook reports what they did.
        """
        is_unsure = self.until is not None or self.ambiguous
        is_looked_for = self.action == "open" and self.asked_at is not None and is_unsure
        return None if is_looked_for else f"desk {self.platform}"


class Record(BaseCommand):
    """Measures for the reports.

    They are counted in the write that marks the command as sent, so they are never counted twice.
    Those of messages are a field of their own: release 0.2.0 does not know their names, and passes
    over the field.
    """

    kind: Literal["record"] = "record"
    measures: tuple[Measure, ...]
    messages: tuple[Measure, ...] = ()

    @classmethod
    def of(cls, id: str, measures: Iterable[Measure]) -> "Record":
        every = tuple(measures)
        return cls(
            id=id,
            measures=tuple(one for one in every if one.name not in OF_MESSAGES),
            messages=tuple(one for one in every if one.name in OF_MESSAGES),
        )

    @property
    def counted(self) -> tuple[Measure, ...]:
        """All measures, also those of messages."""
        return (*self.measures, *self.messages)

    @property
    def line(self) -> str:
        return "reports"


class Stream(BaseCommand):
    """Publishes the measures of a Record of the same entry to the handoff topic.

    Counting does not wait for it.
    """

    kind: Literal["stream"] = "stream"
    record: str

    @property
    def line(self) -> str:
        return "stream"


class KeepMedia(BaseCommand):
    """Copies a file of the entry's message to where Baton keeps files. `index` is its position
    among the files of the message.
    """

    gives_way: ClassVar[bool] = True
    may_be_late: ClassVar[bool] = True

    kind: Literal["keep_media"] = "keep_media"
    index: int

    @property
    def line(self) -> str:
        return "media"


class FreeSlot(BaseCommand):
    """Frees what the conversation took of a person's room: the slot of a frame or offer that is
    over. It names no content, so an erase leaves it pending.
    """

    kind: Literal["free_slot"] = "free_slot"
    person: str
    slot: str

    @property
    def line(self) -> str:
        return "people"


Command = Annotated[
    SendMessage
    | SendEvent
    | SendSurvey
    | SendReaction
    | TakeFloor
    | GiveFloor
    | Publish
    | Post
    | Comment
    | TellTeam
    | CallDesk
    | KeepMedia
    | Record
    | Stream
    | FreeSlot,
    Field(discriminator="kind"),
]
ToCustomer = SendMessage | SendEvent | SendSurvey | SendReaction
MoveFloor = TakeFloor | GiveFloor
ToChannel = ToCustomer | MoveFloor


class Signal(Ours):
    """A typing event or a receipt for the customer's platform. Best effort, never stored."""

    id: str
    to: str
    kind: Literal["TYPING_STARTED", "TYPING_STOPPED", "READ"]
    representative: Representative | None = None
    message_id: str | None = None
