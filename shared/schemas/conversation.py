"""One customer on one channel: who speaks, who waits, what is due."""

from enum import StrEnum
from typing import Literal

from shared.schemas.base import JsonObject, Ours, Stored
from shared.schemas.desks import Called, ClosedDesk
from shared.schemas.ids import platform_of
from shared.schemas.measures import Progress
from shared.schemas.representative import Representative
from shared.schemas.times import Time
from shared.schemas.variables import Audience, Variable


class Phase(StrEnum):
    BOT = "BOT"
    QUEUED = "QUEUED"
    HUMAN = "HUMAN"


class Capabilities(Ours):
    """What a platform can do, as data; the machine asks these and never which platform it serves.

    `delivers`: Baton sends to the customer there; a platform that delivers itself is only tracked.
    `frames`: it has JOINED and LEFT of its own, `labels`: it shows who speaks. `idempotent_sends`:
    it recognises an id that it has seen. `caller_ids`: receipts and taps name messages by the ids
    that Baton's callers gave them. `window_hours`: how long after the customer's last message it
    may be written to, None where there is no such limit. `surveys`: it has surveys of its own.
    """

    delivers: bool = True
    text_limit: int = 3072
    frames: bool = True
    labels: bool = True
    typing: bool = True
    receipts: bool = True
    rich_cards: bool = True
    idempotent_sends: bool = True
    caller_ids: bool = True
    window_hours: int | None = None
    surveys: bool = False


class Participant(Stored):
    """A human in the conversation. `frame` is the id of the JOINED, `key` the API key that brought
    them in.

    `joined_at` is by Baton's clock, `occurred_at` by that of `source`, as is `rejoined_at`: that
    they had joined was said again. `told` is False where the customer could not be written to when
    they joined, and so does not know of them yet; `app`: they type in the channel's own app.
    """

    representative: Representative
    frame: str
    source: str
    joined_at: Time
    occurred_at: Time | None = None
    rejoined_at: Time | None = None
    key: str | None = None
    told: bool = True
    app: bool = False


class HandoffRequest(Stored):
    """A request for a human; kept while one is here, for the response time. `desk` is where it
    went.
    """

    reason: str
    source: str
    accepted_at: Time
    occurred_at: Time | None = None
    metadata: JsonObject | None = None
    desk: str | None = None


class Timer(Stored):
    """`armed` is the version that set it, so that a firing is one event whoever fires it.

    `n` counts reminders; 0 is the opening of the desk for which a customer waits. `chat`: a desk's
    people have left its chat, and a colleague of theirs may come. `openings` counts how often the
    request waited for an opening, or was passed on to a desk that was open.
    """

    kind: Literal["unclaimed", "idle", "chat"]
    armed: int
    n: int
    due_at: Time
    openings: int = 0

    @property
    def is_opening(self) -> bool:
        return self.kind == "unclaimed" and self.n == 0


class Ahead(Stored):
    """Who waits before a customer for the same desk: so many `people`, or `more` than that."""

    people: int
    more: bool = False


class AwaitedReply(Stored):
    """The customer's next words are to be captured under `key`, for these audiences, if they
    come before `until`.
    """

    key: str
    audiences: tuple[Audience, ...]
    until: Time


class Line(Stored):
    """Something said while a human was here; `by` is None for the customer."""

    by: str | None = None
    text: str


class Handback(Stored):
    """What the bot is told once, with the customer's next words, after the last human has left."""

    reason: str
    ended_at: Time
    representatives: tuple[str, ...]
    request_reason: str | None = None
    said: tuple[Line, ...] = ()


class BotRun(Stored):
    """Turns of bots with no human in between, counted `since`: the first one, or the last one where
    that has begun (`is_last`). `messages` are those of the latest turn, which `answers` that
    message of the customer's.
    """

    since: Time
    turns: int
    messages: int
    answers: str | None = None
    is_last: bool = False


class Channel(Stored):
    """Another channel of the same customer, as it stands while they write elsewhere.

    `shown` are the humans who, as far as this channel has shown it, are there.
    """

    id: str
    address: str
    last_user_at: Time | None = None
    last_message_id: str | None = None
    unsubscribed_at: Time | None = None
    shown: tuple[Participant, ...] = ()


class Erasing(Stored):
    """An erase that is not finished: journal entries up to this version are still to be stripped.

    `family` are the conversations that it is to reach, this one among them; nothing else remembers
    the links by then.
    """

    upto: int
    since: Time
    family: tuple[str, ...] = ()


class Conversation(Stored):
    """One customer. `speaks_on` is the channel on which they wrote last, None where it is this
    conversation's own; `address`, `left_unseen`, who is `told`, and what is said below of the
    customer's own acts are that channel's. `elsewhere` are the customer's other channels.

    `spoke_at` is when the latest fact set who speaks; `outbox_base` bounds what can be pending
    (version - base).

    `human_version` is the version with which a human last joined. `closed_answered` is the
    customer's own asking for a human that was last answered with: the desk is closed. `called` is
    the desk that was told of the handoff; `closed` are those that were closed when this customer
    asked, the latest last. `past_chats` are chats that desks opened for handoffs which are over,
    the oldest first; those are not linked that came to be known only when nobody needed them.
    `said` are the last words since a human is here; they become the `handback` when the last one
    leaves. `progress` holds the clocks of the reports that are running. `ours`: a desk's
    conversation that Baton itself made there, a chat or a customer who was made known.
    `left_unseen` are humans who left when the customer could not be told, and do not know of it
    yet; `owed` is a notice of Baton's own of which the same is true. `unheard` are the latest
    frames whose JOINED, where that is only words, did not reach the customer. `last_user_at` and
    `last_message_id` are of the customer's own latest message, `unsubscribed_at` is when they asked
    to hear no more of bots.
    """

    id: str
    address: str
    speaks_on: str | None = None
    elsewhere: tuple[Channel, ...] = ()
    tracked: bool = False
    phase: Phase = Phase.BOT
    humans: tuple[Participant, ...] = ()
    left_unseen: tuple[Participant, ...] = ()
    owed: str | None = None
    unheard: tuple[str, ...] = ()
    request: HandoffRequest | None = None
    called: Called | None = None
    closed: tuple[ClosedDesk, ...] = ()
    closed_answered: str | None = None
    past_chats: tuple[str, ...] = ()
    human_since: Time | None = None
    human_version: int = 0
    first_response_seconds: float | None = None
    spoke_at: Time | None = None
    timer: Timer | None = None
    links: tuple[str, ...] = ()
    linked_to: str | None = None
    locale: str | None = None
    customer_name: str | None = None
    last_user_at: Time | None = None
    last_message_id: str | None = None
    unsubscribed_at: Time | None = None
    variables: tuple[Variable, ...] = ()
    awaited: AwaitedReply | None = None
    surveyed_at: Time | None = None
    said: tuple[Line, ...] = ()
    handback: Handback | None = None
    bot_run: BotRun | None = None
    progress: Progress | None = None
    version: int = 0
    outbox_base: int = 0
    ours: bool = False
    erased: bool = False
    erasing: Erasing | None = None
    form_version: Literal[1] | None = None  # another one is of a version that this one cannot read

    @property
    def channel(self) -> str:
        """Returns the channel on which the customer is spoken to."""
        return self.speaks_on or self.id

    @property
    def platform(self) -> str:
        return platform_of(self.channel)

    def owns(self, source: str) -> bool:
        """Returns whether the customer's own words come from there, rather than a desk's echo
        of them.
        """
        return source in (self.id, self.channel) or any(one.id == source for one in self.elsewhere)

    def is_past(self, source: str) -> bool:
        """Returns whether `source` is a desk's chat whose handoff is over, and none of its
        people is here.
        """
        return source in self.past_chats and all(human.source != source for human in self.humans)

    @property
    def waiting_since(self) -> Time | None:
        return self.request.accepted_at if self.request and self.phase is Phase.QUEUED else None

    @property
    def opens_at(self) -> Time | None:
        """When the desk opens for which the customer waits."""
        timer = self.timer
        return timer.due_at if timer and timer.is_opening and self.phase is Phase.QUEUED else None

    @property
    def due_at(self) -> Time | None:
        """When the sweep must look at it: a timer, or at once while an erase is unfinished."""
        dues = (self.timer and self.timer.due_at, self.erasing and self.erasing.since)
        return min((due for due in dues if due), default=None)

    def present(self, representative: Representative) -> Participant | None:
        return next(
            (human for human in self.humans if human.representative.name == representative.name),
            None,
        )
