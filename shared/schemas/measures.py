"""What the reports count: measures, and the clocks of a conversation that are still running."""

from enum import StrEnum

from shared.schemas.base import Stored
from shared.schemas.times import Time


class Name(StrEnum):
    """README's table of definitions says what each means. Those in TIMED carry seconds; the
    rest count.
    """

    CONVERSATION = "conversation"
    HANDED_OFF = "handed_off"
    REQUESTED = "requested"
    UNASKED = "unasked"
    JOINED = "joined"
    FAILED = "failed"
    EXPIRED = "expired"
    LINKED = "linked"
    ERASED = "erased"
    LEFT = "left"
    RETURNED = "returned"
    RESPONDED = "responded"
    SILENT = "silent"
    TURN = "turn"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    FRAME = "frame"
    TAKEN = "taken"
    QUIET = "quiet"
    WAITING = "waiting"
    FIRST_RESPONSE = "first_response"
    RESPONSE = "response"
    HANDLING = "handling"


TIMED = frozenset({Name.WAITING, Name.FIRST_RESPONSE, Name.RESPONSE, Name.HANDLING})


class Measure(Stored):
    """One thing to count. `at` is when its clock started, whenever it ended; nothing tells which
    conversation it was.

    `desk` is where the handoff was routed, empty where none was asked for; `agent` is empty where
    nobody in particular is meant. `number` is -1 where what had been counted turned out not to be
    so.
    """

    name: Name
    at: Time
    channel: str
    desk: str = ""
    agent: str = ""
    seconds: float | None = None
    number: int = 1


class Moment(Stored):
    """When something happened, by Baton's clock and by that of the platform that reported it
    (`source`).
    """

    source: str
    accepted_at: Time
    occurred_at: Time | None = None

    def seconds_until(self, end: "Moment") -> float:
        """Returns how long it took: by the platform's clock where one and the same timed both ends,
        else by Baton's.

        What came without a time of its own, or with one in the future, has Baton's; it must not be
        mixed with another.
        """
        since, until = self.accepted_at, end.accepted_at
        if self.source == end.source and self._own is not None and end._own is not None:
            since, until = self._own, end._own
        return max((until - since).total_seconds(), 0.0)

    def was_before(self, late: "Moment") -> bool:
        """Returns whether this had happened when something that is reported late did, by the
        best clock there is.
        """
        own = self._own if self.source == late.source else None
        return (own or self.accepted_at) <= (late._own or late.accepted_at)

    @property
    def _own(self) -> Time | None:
        return (
            self.occurred_at
            if self.occurred_at is not None and self.occurred_at < self.accepted_at
            else None
        )


class Visit(Stored):
    """The customer's messages that are less than a day apart: one conversation, as reports count
    them.

    `channel` is where it began; the customer may go on elsewhere.
    """

    began_at: Time
    latest_at: Time
    channel: str = ""
    handed_off: bool = False


class Handoff(Stored):
    """A handoff. Without `requested` somebody joined unasked.

    `desk` is where it was routed, `channel` where it began.
    """

    requested: Moment | None = None
    began_at: Time
    desk: str = ""
    channel: str = ""
    joined: bool = False
    responded: bool = False


class Ended(Stored):
    """The handoff that ended last, at `at`; `turn` is since when the customer's words waited then.

    `may_go_on`: its last human left and no bot has spoken since. `asked` is the customer's first
    word in that time.
    """

    handoff: Handoff
    at: Time
    turn: Moment | None = None
    may_go_on: bool = False
    asked: Moment | None = None


class Progress(Stored):
    """The clocks that run: `turn` is since when the customer's words wait for a human's."""

    visit: Visit | None = None
    handoff: Handoff | None = None
    turn: Moment | None = None
    ended: Ended | None = None
