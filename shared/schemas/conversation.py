"""The state of one customer's conversation: who speaks, who waits, what is due."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal
from zlib import crc32

from pydantic import Field

from shared.schemas.base import JsonObject, Ours, Stored
from shared.schemas.content import File
from shared.schemas.desks import Called, ClosedDesk
from shared.schemas.measures import Progress
from shared.schemas.notation import Time, platform_of
from shared.schemas.platform_context import PlatformContext
from shared.schemas.representative import Representative
from shared.schemas.variables import Audience, Variable
from shared.schemas.virtual_agents import VirtualAgentSession

_set = object.__setattr__  # it also sets what is frozen


class Phase(StrEnum):
    """Who speaks: the bot (BOT, or QUEUED while a requested human has not joined) or a human."""

    BOT = "BOT"
    QUEUED = "QUEUED"
    HUMAN = "HUMAN"


_QUEUED = Phase.QUEUED  # a member of an enumeration is slow to read from its class


class Holder(StrEnum):
    """Who is active at a platform that knows several senders for one customer.

    OPEN is for the result of a look at the floor. It is not stored.
    """

    OURS = "ours"
    THEIRS = "theirs"
    OPEN = "open"  # whose turn it is shows when somebody writes


class Floor(Stored):
    """Who is active at the platform, as its own latest word has it.

    - `since`: the platform's time of that word, None if it named none.
    - `rank`: what the word counts within one second, see `shared/handoff/channels.py`.
    - `handing_back`: Baton gives the floor back, and the customer has not written to Baton since.
    - `shared`: another sender was active in this conversation.
    """

    holder: Holder
    since: Time | None = None
    rank: int = 0
    handing_back: bool = False
    shared: bool = False


class OwnAct(Ours):
    """The latest command of ours that the platform accepted, `at` its own time. `gave`: the
    command gave the floor back.
    """

    at: Time
    gave: bool = False


class Capabilities(Ours):
    """What a platform can do. The handoff core reads these values and never the platform's name.

    - `delivers`: Baton sends to the customer there. A platform that delivers itself is only
      tracked.
    - `text_limit`: characters of one message.
    - `frames`: the platform has its own JOINED and LEFT events; `labels`: it shows who speaks.
    - `idempotent_sends`: it recognises a message id that it has seen.
    - `caller_ids`: receipts and taps refer to messages by the ids that Baton's callers gave.
    - `window_hours`: hours after the customer's last message in which messages may be sent, None
      for no limit.
    - `surveys`: it has its own surveys.
    - `replies`: it shows which message of the customer is answered; `reactions`: it shows a
      reaction to one.
    - `floor`: it may let another sender than Baton answer a customer, and says so.
    - `templates`: it has approved messages that may be sent at any time.
    - `media`: the kinds of files that it shows, and the largest size of each in bytes. Of other
      kinds the customer gets a link. `media_types`: the MIME types that it takes of a kind.
      `captions`: the kinds that have words below them.
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
    replies: bool = False
    reactions: bool = False
    floor: bool = False
    templates: bool = False
    media: Mapping[str, int] = Field(default_factory=dict)
    media_types: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    captions: tuple[str, ...] = ()

    def shows(self, file: File) -> str | None:
        """Returns the kind as which it shows a file, or None: then the customer gets a link."""
        kind, mime_type, size = file.kind_known, file.type_known, file.size or 0
        for one in dict.fromkeys((kind, *_ALIKE.get(kind, ()), "document")):
            types = self.media_types.get(one, ())
            is_taken = mime_type in types if mime_type else one == kind == file.kind
            if size <= self.media.get(one, -1) and (is_taken or not types):
                return one
        return None


# What a kind is shown as where the channel does not have it, or not of that type.
_ALIKE: Mapping[str, tuple[str, ...]] = {"voice": ("audio",), "sticker": ("image",)}


class Participant(Stored):
    """A human in the conversation.

    - `frame`: the id of the JOINED; `key`: the API key with which they joined.
    - `joined_at` is by Baton's clock. `occurred_at` and `rejoined_at` are by the clock of `source`;
      the latter is when their joining was reported again.
    - `told`: False if the customer could not be reached when they joined, and so has not seen the
      JOINED yet.
    - `app`: they write in the channel's own app.
    - `person`: the id of the person of `BATON_AGENTS`; `slot`: what this frame takes of their room.
    - `native`: the id of the person at the platform of `source`, where it has one.
    - `desk`: the desk that had the request when they joined.
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
    person: str | None = None
    slot: str | None = None
    native: str | None = None
    desk: str | None = None


class HandoffRequest(Stored):
    """A request for a human, kept while one is present to measure the response time.

    - `desk` is where it was routed.
    - `queued_at`: since when this wait lasts, None if it lasts since `accepted_at`, which orders
      the queue.
    - `passed_on`: a human was present since, and passed the customer on. No bot speaks in this
      wait.
    - `origin`: the desk to which the request returns if no human of its desk takes it.
    """

    reason: str
    source: str
    accepted_at: Time
    occurred_at: Time | None = None
    metadata: JsonObject | None = None
    desk: str | None = None
    queued_at: Time | None = None
    passed_on: bool = False
    origin: str | None = None


class Timer(Stored):
    """A timer of a conversation.

    - `armed`: the version that set it, so that a firing is the same event on every instance.
    - `n`: the number of the reminder; 0 is the opening of the desk for which the customer waits.
    - `kind`: `chat` runs after a desk's agents have left its chat, while a colleague may still
      join. `assign` is a look for a person to whom the customer can be offered.
    - `openings`: how often the request waited for an opening or was passed on to an open desk.
    """

    kind: Literal["unclaimed", "idle", "chat", "assign"]
    armed: int
    n: int
    due_at: Time
    openings: int = 0

    @property
    def is_opening(self) -> bool:
        """Whether it fires when the desk opens."""
        return self.kind == "unclaimed" and self.n == 0


class Offer(Stored):
    """The wish that one person takes the conversation. It does not change who speaks.

    - `id` is also the id of the slot that it takes of the room of `to`.
    - `to`: the id of the person to whom it is made; `name`: their name.
    - `givers`: the names of those present who leave when it is accepted.
    - `push`: Baton made it, and there is no `by`: who made it, a person's id or a key's name.
    - `until`: when it expires. It can be accepted until that is committed.
    """

    id: str
    to: str
    name: str
    givers: tuple[str, ...] = ()
    push: bool = False
    by: str | None = None
    note: str | None = None
    reason: str | None = None
    made_at: Time
    until: Time


class Survey(Stored):
    """The question how satisfied the customer is, which waits for an answer until `until`.

    `agent`, `desk` and `channel` are what the answer is counted for. `words`: a bare digit answers
    it too.
    """

    id: str
    agent: str
    desk: str = ""
    channel: str = ""
    asked_at: Time
    until: Time
    words: bool = True


class Ahead(Stored):
    """The number of `people` who wait for the same desk before a customer, or with `more`, at
    least that many.
    """

    people: int
    more: bool = False


class AwaitedReply(Stored):
    """The customer's next message, if it comes before `until`, is captured under `key` for these
    audiences.
    """

    key: str
    audiences: tuple[Audience, ...]
    until: Time


class Waiting(Stored):
    """A message that is sent when the customer writes again: the command `command` of the entry
    `entry` in the journal of `journal`. At `gives_up_at` it fails.
    """

    journal: str
    entry: str
    command: str
    representative: Representative
    since: Time
    gives_up_at: Time


class Reopening(Stored):
    """The template that was sent because messages wait, since the customer wrote last: the id of
    its command, and when it was accepted.
    """

    template: str
    at: Time


class Line(Stored):
    """A message that was sent while a human was present. `by` is None for the customer."""

    by: str | None = None
    text: str


class Handback(Stored):
    """Context for the bot, sent once with the customer's next message after the last human has
    left.
    """

    reason: str
    ended_at: Time
    representatives: tuple[str, ...]
    request_reason: str | None = None
    said: tuple[Line, ...] = ()


class BotRun(Stored):
    """Bot turns with no human in between.

    They are counted from `since`: the first turn, or the last allowed one if that has begun
    (`is_last`). `messages` counts those of the latest turn, which `answers` the customer's message
    of that id.
    """

    since: Time
    turns: int
    messages: int
    answers: str | None = None
    is_last: bool = False


class Channel(Stored):
    """Another channel of the same customer, with its state while they write elsewhere.

    `shown` are the humans whose JOINED this channel has shown without a LEFT. `floor`,
    `strong_address` and `unreachable` are as in Conversation.
    """

    id: str
    address: str
    strong_address: str | None = None
    unreachable: bool = False
    last_user_at: Time | None = None
    last_message_id: str | None = None
    unsubscribed_at: Time | None = None
    shown: tuple[Participant, ...] = ()
    floor: Floor | None = None


class Erasing(Stored):
    """An erase that is not finished: journal entries up to version `upto` must still be stripped.

    `family` lists the conversations that it covers, including this one, because the links are
    erased first.
    """

    upto: int
    since: Time
    family: tuple[str, ...] = ()


class Name(Stored):
    """A name by which a platform calls a customer. `id` is the document of the name.

    - `strong`: it is never another person's, as a user id; a number may become another's.
    - `since`: the platform's time of the webhook that told it of this customer.
    - `kept`: when the name's own document was last written.
    """

    id: str
    strong: bool = False
    since: Time | None = None
    kept: Time | None = None


class Was(Stored):
    """Whose a name was, for what happened not later than `until`."""

    conversation: str
    until: Time


class Former(Stored):
    """A conversation that became part of this one."""

    id: str
    since: Time


class LineEnds(Stored):
    """The last journal entry, by its sequence, that had a command for each line of the outbox.

    - `at`: the version of the conversation with which this was written. It says nothing about a
      later version: an older release, or a commit of another kind, went on without it.
    - `since`: it says nothing about entries up to this one.
    """

    at: int
    since: int = 0
    last: dict[str, int] = Field(default_factory=dict)


QUARTER = 900  # seconds
MOST_LINES = 12  # a handoff at a desk has a line of its own


class Conversation(Stored):
    """One customer.

    A document stands for the name of the customer after which it is called and, where one lives in
    it, for a conversation.

    - `names`: the names that lead to this conversation; empty in a document of an older version,
      which is known by its own name.
    - Of the document as a name: `whose` is the conversation of the customer who has this name now,
      None for the one that lives here; `was` is whose it was before.
    - Of the document as a conversation: `same_as` is the one that it became part of, never two
      steps away. `formerly` are those that became part of this one. `waits_for` are their lines
      that must be empty before what is accepted from now on is sent.

    - `speaks_on`: the channel on which they wrote last, None for this conversation's own.
      `address`, `left_unseen`, `told` of participants, `floor` and the customer's latest acts refer
      to that channel. `elsewhere` holds the customer's other channels.
    - `strong_address` is never another person's, None if none is known. `unreachable`: the customer
      had only a number, which is another customer's now, so nothing is sent until they write.
    - `tracked`: the platform delivers messages itself; Baton sends nothing.
    - `ours`: Baton created this conversation at a desk, as a chat or as a customer.
    - `version` counts commits. `outbox_base` bounds the number of pending entries: at most
      `version` - `outbox_base`.
    - `answered`: a human has answered in this handoff, and the team was notified of it.
    - `spoke_at`: when the latest fact set who speaks. `human_version`: the version at which a human
      last joined.
    - `called`: the desk that has the handoff. `closed`: desks that were closed when this customer
      asked, the latest last. `closed_answered`: the customer's latest request that was answered
      with "the desk is closed".
    - `past_chats`: desk chats of ended handoffs, the oldest first. Chats that became known after
      the end of their handoff are not linked.
    - `said`: the latest messages since a human is present. They become the `handback` when the last
      one leaves.
    - `left_unseen`: humans who left while the customer could not be reached, and whose LEFT is
      still to be shown. `owed`: a notice of Baton's own that is still to be shown.
    - `waiting`: messages for which the customer must write first, in the order of acceptance.
      `reopening`: the template that asks for it.
    - `unheard`: the latest frames whose JOINED, sent as text, did not reach the customer.
    - `last_user_at`, `last_message_id`: the customer's latest message. `unsubscribed_at`: when they
      opted out of bot messages.
    - `floor`: who is active at the platform, None if the platform never said so: then Baton is.
    - `platform_context`: the account and channel at a platform that names them.
    - `virtual_agent_sessions`: the latest sessions of a desk's virtual agent, the oldest first.
    - `offer`: the offer that stands. `tried`: the ids of those to whom the customer was offered, or
      who fell silent here, since they wait or since the last reminder. `assign`: when Baton looks
      for the next person to offer them to.
    - `survey`: the survey of Baton's own that may still be answered.
    - `progress`: the running clocks of the reports. `uncounted`: the messages that they have not
      counted yet, by their keys (see `shared/measures/messages.py`).
    - `line_ends`: tells an instance whether older work stands before what it delivers itself.
    """

    id: str
    address: str
    strong_address: str | None = None
    unreachable: bool = False
    names: tuple[Name, ...] = ()
    whose: str | None = None
    was: Was | None = None
    same_as: str | None = None
    formerly: tuple[Former, ...] = ()
    waits_for: tuple[str, ...] = ()
    speaks_on: str | None = None
    elsewhere: tuple[Channel, ...] = ()
    tracked: bool = False
    phase: Phase = Phase.BOT
    humans: tuple[Participant, ...] = ()
    left_unseen: tuple[Participant, ...] = ()
    owed: str | None = None
    waiting: tuple[Waiting, ...] = ()
    reopening: Reopening | None = None
    unheard: tuple[str, ...] = ()
    request: HandoffRequest | None = None
    called: Called | None = None
    closed: tuple[ClosedDesk, ...] = ()
    closed_answered: str | None = None
    past_chats: tuple[str, ...] = ()
    human_since: Time | None = None
    human_version: int = 0
    first_response_seconds: float | None = None
    answered: bool = False
    spoke_at: Time | None = None
    timer: Timer | None = None
    offer: Offer | None = None
    tried: tuple[str, ...] = ()
    assign: Timer | None = None
    survey: Survey | None = None
    links: tuple[str, ...] = ()
    linked_to: str | None = None
    locale: str | None = None
    customer_name: str | None = None
    last_user_at: Time | None = None
    last_message_id: str | None = None
    unsubscribed_at: Time | None = None
    floor: Floor | None = None
    variables: tuple[Variable, ...] = ()
    platform_context: PlatformContext | None = None
    virtual_agent_sessions: tuple[VirtualAgentSession, ...] = ()
    awaited: AwaitedReply | None = None
    surveyed_at: Time | None = None
    said: tuple[Line, ...] = ()
    handback: Handback | None = None
    bot_run: BotRun | None = None
    progress: Progress | None = None
    uncounted: Mapping[str, Any] = Field(default_factory=dict)
    version: int = 0
    outbox_base: int = 0
    line_ends: LineEnds | None = None
    ours: bool = False
    erased: bool = False
    erasing: Erasing | None = None
    form_version: Literal[1] | None = None  # another one is of a version that this one cannot read

    def model_copy(
        self, *, update: Mapping[str, Any] | None = None, deep: bool = False
    ) -> "Conversation":
        """Returns a copy as pydantic makes it. Each event makes several, and pydantic's own way
        takes twice as long, because it also copies what no copy changes.
        """
        more, held = update or {}, self.__dict__
        values = {**held, **more}
        if deep or len(values) > len(held):  # more than its fields
            return super().model_copy(update=update, deep=deep)
        known = self.__pydantic_fields_set__
        copied = object.__new__(type(self))
        _set(copied, "__dict__", values)
        _set(
            copied, "__pydantic_fields_set__", known if known.issuperset(more) else known | {*more}
        )
        _set(copied, "__pydantic_extra__", self.__pydantic_extra__)
        _set(copied, "__pydantic_private__", None)
        return copied

    @property
    def is_only_a_name(self) -> bool:
        """Whether no conversation has begun in this document."""
        return not (self.address or self.erased or self.names or self.same_as) and (
            self.whose is not None or self.was is not None
        )

    @property
    def leads_to(self) -> str | None:
        """The conversation that this id stands for, None if it stands for its own."""
        return self.same_as or (self.whose if self.is_only_a_name else None)

    @property
    def identity(self) -> dict[str, Any]:
        """What a document says of its names and of other conversations of its customer: hashes,
        which an erase keeps.
        """
        kept = ("names", "whose", "was", "same_as", "formerly", "waits_for")
        return {name: getattr(self, name) for name in kept}

    def last_in(self, line: str) -> int:
        """Returns the sequence of the last entry that may have a command in this line."""
        ends = self._line_ends
        return ends.last.get(line, ends.since)

    def with_line_ends(
        self, before: "Conversation", joined: Collection[str], *, alone: bool
    ) -> "Conversation":
        """Returns this version of the conversation `before`, with the lines that the event's entry
        has joined.

        Not `alone`: its commit writes other entries too, so nothing is known of older ones.
        """
        if before.line_ends is None and before.version and not joined and alone:
            return self  # as most conversations that are only tracked
        known, version = before._line_ends, self.version
        last = known.last | dict.fromkeys(joined, version)
        if alone and len(last) <= MOST_LINES:
            ends = LineEnds(at=version, since=known.since, last=last)
        else:
            ends = LineEnds(at=version, since=version)
        return self.model_copy(update={"line_ends": ends})

    @property
    def _line_ends(self) -> LineEnds:
        ends = self.line_ends
        if ends is not None and ends.at == self.version:
            return ends
        return LineEnds(at=self.version, since=self.version)

    def is_called(self, name: str) -> bool:
        """Returns whether this conversation, and not another one, lists the name."""
        if self.same_as is not None:
            return False
        if self.names or name != self.id:
            return any(one.id == name for one in self.names)
        return not self.is_only_a_name and self.whose is None and self.was is None

    @property
    def channel(self) -> str:
        """The channel on which messages to the customer are sent."""
        return self.speaks_on or self.id

    @property
    def platform(self) -> str:
        """The platform of that channel."""
        return platform_of(self.channel)

    def owns(self, source: str) -> bool:
        """Returns whether events of `source` are the customer's own, and not a desk's echo of
        them.
        """
        if source in (self.id, self.speaks_on):
            return True
        return any(one.id == source for one in self.elsewhere)

    def is_past(self, source: str) -> bool:
        """Returns whether `source` is a desk chat of an ended handoff none of whose agents is
        present.
        """
        return source in self.past_chats and all(human.source != source for human in self.humans)

    @property
    def waiting_since(self) -> Time | None:
        """When the request for a human was accepted, None unless the phase is QUEUED."""
        return self.request.accepted_at if self.request and self.phase is _QUEUED else None

    @property
    def opens_at(self) -> Time | None:
        """When the desk opens for which the customer waits, None if they do not wait for an
        opening.
        """
        timer = self.timer
        return timer.due_at if timer and timer.is_opening and self.phase is _QUEUED else None

    @property
    def due_at(self) -> Time | None:
        """When the sweep must wake this conversation: for its timers, for an offer, for what waits
        too long, to count its messages, or at once while an erase is unfinished.
        """
        dues = [one.gives_up_at for one in self.waiting]
        if (timer := self.timer) is not None:
            dues.append(timer.due_at)
        if (assign := self.assign) is not None:
            dues.append(assign.due_at)
        if (offer := self.offer) is not None:
            dues.append(offer.until)
        if (erasing := self.erasing) is not None:
            dues.append(erasing.since)
        if (count_at := self.count_at) is not None:
            dues.append(count_at)
        return min(dues) if dues else None

    @property
    def count_at(self) -> Time | None:
        """When the reports must count its messages: within an hour. The key of the oldest is the
        first, and begins with its quarter of an hour since 1970. The conversations of one quarter
        are due at different seconds, so that they are not woken all at once.
        """
        for key in self.uncounted:
            quarter = key.partition("\n")[0]
            if quarter.isdecimal():
                seconds = (int(quarter) + 3) * QUARTER + crc32(self.id.encode()) % QUARTER
                return datetime.fromtimestamp(seconds, UTC)
        return None

    @property
    def passed_on(self) -> bool:
        """Whether the customer waits after a human was present, so that no bot may speak."""
        request = self.request
        return request is not None and request.passed_on and self.phase is _QUEUED

    @property
    def holder(self) -> str:
        """The names of those who are present, as answers give them; empty if nobody is."""
        return ", ".join(human.representative.name for human in self.humans)

    @property
    def slots(self) -> dict[str, str]:
        """What this conversation takes of people's room: by the id of the slot, whose it is."""
        held = {one.slot: one.person for one in self.humans if one.slot and one.person}
        return held | ({self.offer.id: self.offer.to} if self.offer else {})

    def offered_to(self, person: str | None) -> bool:
        """Returns whether an offer to this person stands."""
        return self.offer is not None and self.offer.to == person

    def present(self, representative: Representative) -> Participant | None:
        """Returns the participant of that name, or None if they are not present."""
        for human in self.humans:
            if human.representative.name == representative.name:
                return human
        return None
