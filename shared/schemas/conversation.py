"""One customer on one channel: who speaks, who waits, what is due."""

from enum import StrEnum
from typing import Literal

from shared.schemas.base import JsonObject, Ours
from shared.schemas.ids import platform_of
from shared.schemas.representative import Representative
from shared.schemas.times import Time
from shared.schemas.variables import Variable


class Phase(StrEnum):
    BOT = "BOT"
    QUEUED = "QUEUED"
    HUMAN = "HUMAN"


class Capabilities(Ours):
    """What a platform can do, as data; the machine asks these and never which platform it serves.

    `delivers`: Baton sends to the customer there; a platform that delivers itself is only tracked.
    """

    delivers: bool = True
    text_limit: int = 3072


class Present(Ours):
    """A human in the conversation. `frame` is the id of the JOINED, `key` the API key that brought them in."""

    representative: Representative
    frame: str
    source: str
    joined_at: Time
    key: str | None = None


class HandoffRequest(Ours):
    """The latest request for a human; kept after it was met, for the response time."""

    reason: str
    source: str
    accepted_at: Time
    occurred_at: Time | None = None
    metadata: JsonObject | None = None


class Timer(Ours):
    """`armed` is the version that set it, so that a firing is one event whoever fires it; `n` counts reminders."""

    kind: Literal["unclaimed", "idle"]
    armed: int
    n: int
    due_at: Time


class Erasing(Ours):
    """An erase that is not finished: journal entries up to this version are still to be stripped.

    `family` are the conversations that it is to reach, this one among them; nothing else remembers the links by then.
    """

    upto: int
    since: Time
    family: tuple[str, ...] = ()


class Conversation(Ours):
    """`spoke_at` is when the latest fact set who speaks; `outbox_base` bounds what can be pending (version - base)."""

    id: str
    address: str
    tracked: bool = False
    phase: Phase = Phase.BOT
    humans: tuple[Present, ...] = ()
    request: HandoffRequest | None = None
    human_since: Time | None = None
    first_response_seconds: float | None = None
    spoke_at: Time | None = None
    timer: Timer | None = None
    links: tuple[str, ...] = ()
    linked_to: str | None = None
    locale: str | None = None
    customer_name: str | None = None
    variables: tuple[Variable, ...] = ()
    version: int = 0
    outbox_base: int = 0
    erased: bool = False
    erasing: Erasing | None = None

    @property
    def platform(self) -> str:
        return platform_of(self.id)

    @property
    def waiting_since(self) -> Time | None:
        return self.request.accepted_at if self.request and self.phase is Phase.QUEUED else None

    @property
    def due_at(self) -> Time | None:
        """When the sweep must look at it: a timer, or at once while an erase is unfinished."""
        dues = (self.timer and self.timer.due_at, self.erasing and self.erasing.since)
        return min((due for due in dues if due), default=None)

    def present(self, representative: Representative) -> Present | None:
        return next((human for human in self.humans if human.representative.name == representative.name), None)
