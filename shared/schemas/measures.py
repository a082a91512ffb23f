"""What the reports count: measures, and the running clocks of a conversation."""

from enum import StrEnum

from shared.schemas.base import Stored
from shared.schemas.notation import Time


class Name(StrEnum):
    """The names of measures. The reports' README defines them.

    Those in TIMED carry seconds, those in OF_MESSAGES are about messages; the others are counted.
    """

    CONVERSATION = "conversation"
    HANDED_OFF = "handed_off"
    REQUESTED = "requested"
    UNASKED = "unasked"
    JOINED = "joined"
    FAILED = "failed"
    CLOSED = "closed"
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
    TRANSFERRED = "transferred"
    OFFERED = "offered"
    DECLINED = "declined"
    LAPSED = "lapsed"
    SURVEYED = "surveyed"
    RATED = "rated"
    RATING = "rating"
    WAITING = "waiting"
    FIRST_RESPONSE = "first_response"
    RESPONSE = "response"
    HANDLING = "handling"
    CUSTOMER_MESSAGE = "customer_message"
    BOT_MESSAGE = "bot_message"
    HUMAN_MESSAGE = "human_message"
    EXCHANGED = "exchanged"


TIMED = frozenset({Name.WAITING, Name.FIRST_RESPONSE, Name.RESPONSE, Name.HANDLING})
MESSAGES = (Name.CUSTOMER_MESSAGE, Name.BOT_MESSAGE, Name.HUMAN_MESSAGE)
OF_MESSAGES = frozenset({*MESSAGES, Name.EXCHANGED})


class Measure(Stored):
    """One value to count. It does not identify its conversation.

    - `at`: when its clock started.
    - `desk`: where the handoff was routed, empty if no desk was asked. Of a handoff's beginning and
      end it is the first desk, of all else the one that had the customer.
    - `agent`: empty if the measure is not about a particular agent.
    - `seconds`: the duration of a timed measure.
    - `number`: -1 if an earlier count turned out to be wrong; of RATING the answer, 1 to 5.
    - `of`: of a message its kind, of a request its reason.
    - `size`: of a text message the class of its length, of EXCHANGED the number of messages.
    """

    name: Name
    at: Time
    channel: str
    desk: str = ""
    agent: str = ""
    seconds: float | None = None
    number: int = 1
    of: str = ""
    size: int | None = None


class Moment(Stored):
    """A point in time by Baton's clock (`accepted_at`) and by that of the platform `source`
    (`occurred_at`).
    """

    source: str
    accepted_at: Time
    occurred_at: Time | None = None

    def seconds_until(self, end: "Moment") -> float:
        """Returns the duration in seconds.

        It uses the platform's clock if the same platform timed both moments, else Baton's. The two
        clocks are never mixed: a missing or future `occurred_at` means Baton's clock for both.
        """
        since, until = self.accepted_at, end.accepted_at
        if self.source == end.source and self._own is not None and end._own is not None:
            since, until = self._own, end._own
        return max((until - since).total_seconds(), 0.0)

    def was_before(self, late: "Moment") -> bool:
        """Returns whether this moment was before `late`, an event that was reported late, by the
        most reliable clock available.
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
    """A conversation as reports count it: messages of the customer with less than a day between
    them.

    `channel` is where it began; the customer may continue on another one.
    """

    began_at: Time
    latest_at: Time
    channel: str = ""
    handed_off: bool = False


class Handoff(Stored):
    """A handoff. `requested` is None if a human joined without a request.

    `desk` is where it was first routed, `channel` where it began. `spoke`: a human has spoken.
    `surveyed`: the customer was asked how satisfied they are. `messages`: how many the customer and
    humans have written.
    """

    requested: Moment | None = None
    began_at: Time
    desk: str = ""
    channel: str = ""
    joined: bool = False
    responded: bool = False
    spoke: bool = False
    surveyed: bool = False
    messages: int = 0


class Ended(Stored):
    """The handoff that ended last, at `at`.

    - `turn`: since when the customer's message had been waiting then.
    - `may_go_on`: the last human left and no bot has spoken since.
    - `asked`: the customer's first message in that time.
    - `turn_desk` is as in Progress.
    """

    handoff: Handoff
    at: Time
    turn: Moment | None = None
    may_go_on: bool = False
    asked: Moment | None = None
    turn_desk: str | None = None


class Progress(Stored):
    """The running clocks.

    `turn` is since when the customer's message waits for a human's answer. `turn_desk` is the desk
    that had the customer then, None where that is the handoff's.
    """

    visit: Visit | None = None
    handoff: Handoff | None = None
    turn: Moment | None = None
    turn_desk: str | None = None
    ended: Ended | None = None
