"""What Baton must do. A command's id never changes, so doing it twice is seen by whoever can see it."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.schemas.base import JsonObject, Ours
from shared.schemas.content import Content
from shared.schemas.representative import Representative
from shared.schemas.times import Time

Audience = Literal["BOT", "HUMAN"]


class Lane(StrEnum):
    """Each lane is worked strictly in order; neither waits for the other."""

    CHANNEL = "channel"
    TOPICS = "topics"


class State(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"  # it may have arrived; it is not sent again
    UNFRAMED = "unframed"  # its JOINED never reached the customer
    BROKEN = "broken"  # a JOINED that failed for good: what follows in its frame is unframed, until its LEFT


class _Command(Ours):
    id: str
    state: State = State.PENDING
    attempts: int = 0
    forbidden: int = 0
    since: Time | None = None  # when it was added to an entry that is older
    retry_at: Time | None = None
    ambiguous: bool = False
    error: str | None = None


class _ToCustomer(_Command):
    """`to` is the platform's own name of the conversation; `frame` is the id of the JOINED that opened it."""

    to: str
    representative: Representative
    frame: str | None = None

    @property
    def lane(self) -> Lane:
        return Lane.CHANNEL


class SendMessage(_ToCustomer):
    kind: Literal["message"] = "message"
    content: Content


class SendEvent(_ToCustomer):
    """`notice` means that the platform refused the event for good, and a text stands in for it."""

    kind: Literal["event"] = "event"
    event_type: Literal["REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT"]
    notice: bool = False


class _ToTopic(_Command):
    body: JsonObject

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


Command = Annotated[SendMessage | SendEvent | Publish | Post, Field(discriminator="kind")]
ToCustomer = SendMessage | SendEvent


class Signal(Ours):
    """Best effort, never stored: typing and receipts towards the customer's platform."""

    id: str
    to: str
    kind: Literal["TYPING_STARTED", "TYPING_STOPPED", "READ"]
    representative: Representative | None = None
    message_id: str | None = None
