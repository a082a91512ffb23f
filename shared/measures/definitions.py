"""The definitions of the measures: what an event starts and ends, and the clocks of a conversation
that it starts and stops.

The reports' README has them as a table.

A measure counts in the quarter of an hour in which its clock started. The start is counted at once
and the duration when it ends, so the difference is what is open.

- An event without effect (a repetition, an echo, a stale fact, a refusal) measures nothing. A
  human's stale message is an exception, because the customer gets it: it answers what was asked
  before it was written, unless another handoff has begun.
- A message that waits for the customer answers when it is sent.
- A request to a closed desk whose customers do not wait ends at once as closed. It counts once
  for each notification of the team, because a desk's own AI asks with every message. A waiting
  request fails in the same way when such a desk closes.
- A human who joins without a request within TRANSFER_GAP after the last human left, before a bot
  has spoken, continues the same handoff. Its counted end is taken back, and the customer's messages
  since then are a turn.
- A customer who is passed on stays in the same handoff, which begins and ends at its first desk.
  Frames and turns count at the desk that had the customer when they began. A wait after a human was
  there ends as `returned`, and a customer who asks for the assistant ends theirs as `expired` or
  `returned`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from shared.measures.messages import (
    MOST_ROWS,
    Message,
    by_customer,
    by_representative,
    measures_of,
    with_messages,
)
from shared.measures.reasons import counted_reason
from shared.schemas.commands import SendMessage
from shared.schemas.content import Content
from shared.schemas.conversation import Conversation, Participant, Phase, Survey
from shared.schemas.events import (
    AsksForHuman,
    BotMessage,
    Claim,
    Event,
    FromUser,
    HandoffFailed,
    HumanMessage,
    OfferEnded,
    SuggestionResponse,
    Transfer,
    UserMessage,
)
from shared.schemas.measures import Ended, Handoff, Measure, Moment, Name, Progress, Visit
from shared.schemas.notation import platform_of
from shared.schemas.own_events import CountDue, HumanIdleTimeout, OfferTimeout, PersonGone
from shared.schemas.representative import Representative, is_bots
from shared.values import frozen

VISIT_ENDS_AFTER = timedelta(hours=24)  # without a message of the customer
TRANSFER_GAP = timedelta(
    minutes=5
)  # longest time between the last human's LEFT and a colleague's JOINED
_WITHOUT = Progress()
_CUSTOMERS = (UserMessage, SuggestionResponse)
_SPOKEN = (BotMessage, HumanMessage)
# To look up a member of an enum takes longer than most questions that are asked here.
_BOT, _QUEUED, _HUMAN = Phase.BOT, Phase.QUEUED, Phase.HUMAN
_BY_CUSTOMER, _BY_BOT, _BY_HUMAN = Name.CUSTOMER_MESSAGE, Name.BOT_MESSAGE, Name.HUMAN_MESSAGE


@frozen
class Measured:
    """The clocks after an event (None if none runs), the measures, and the messages that are
    counted later.
    """

    progress: Progress | None
    measures: tuple[Measure, ...]
    uncounted: Mapping[str, Any] = field(default_factory=dict)


def measure(
    before: Conversation,
    after: Conversation,
    event: Event,
    now: datetime,
    *,
    said: bool = True,
    late: bool = False,
    written: bool = True,
    released: Sequence[SendMessage] = (),
    rated: int | None = None,
) -> Measured:
    """Returns what an accepted event measures. It changed `before` to `after` at `now`.

    `said` is False if its message could not be sent to the customer, so that it answers nothing.
    `late` is True for a human's stale message: it is older than the fact that last set who speaks.
    `written` is False if the customer's message was taken before. `released` are the messages that
    waited for the customer and are sent with the event. `rated` is the answer to the survey of
    `before`.
    """
    stopwatch = Stopwatch(after, before.progress, event.source, now, event.occurred_at)
    messages = _messages(stopwatch, before, after, event, said, written, late, released)
    exchanged = len([one for one in messages if one.name is not _BY_BOT])
    found = (
        _of_late_words(stopwatch, event, said)
        if late
        else _measures(stopwatch, before, after, event, said, exchanged)
    )
    measures = (*_of_released_words(stopwatch, before, released), *found) if released else (*found,)
    if rated is not None and before.survey is not None:
        measures = (*measures, *stopwatch.rated(before.survey, rated))
    uncounted = with_messages(after.uncounted, messages, now) if messages else after.uncounted
    if measures or len(uncounted) > MOST_ROWS or isinstance(event, CountDue):
        measures, uncounted = (*measures, *measures_of(uncounted)), {}
    return Measured(stopwatch.progress, measures, uncounted)


def close(conversation: Conversation, name: Name, now: datetime) -> Measured:
    """Returns what is measured when a handoff ends because its conversation is linked or erased."""
    stopwatch = Stopwatch(conversation, conversation.progress, conversation.id, now)
    frames = [stopwatch.handled(human) for human in conversation.humans]
    measures = (*frames, *stopwatch.end(Name.LEFT if _had_human(conversation) else name))
    return Measured(None, measures)


def moment(event: Event, now: datetime) -> Moment:
    """Returns when the event happened."""
    return Moment(source=event.source, accepted_at=now, occurred_at=event.occurred_at)


def _measures(
    watch: "Stopwatch",
    before: Conversation,
    after: Conversation,
    event: Event,
    said: bool,
    exchanged: int,
) -> Iterator[Measure]:
    was, now = before.phase, after.phase
    has_customer_spoken = isinstance(event, _CUSTOMERS)
    if has_customer_spoken:
        yield from watch.customer_spoke()
    if was is _BOT and now is not _BOT:
        yield from watch.begin(_asked(after), after.request.reason if after.request else "")
    if isinstance(event, AsksForHuman) and after.closed != before.closed:
        yield from watch.begin(after.closed[-1].desk, event.reason)
        yield from watch.end(Name.CLOSED)
    if before.humans is not after.humans:
        yield from watch.frames(before, after, quiet=isinstance(event, HumanIdleTimeout))
    if before.offer is not after.offer or isinstance(event, Transfer):
        yield from _of_passing_on(watch, before, after, event)
    if was is not _HUMAN and now is _HUMAN:
        yield from watch.joined(after.humans[0])
    if said and isinstance(event, HumanMessage) and after.present(event.representative):
        yield from watch.human_spoke(event.representative.name)
    if has_customer_spoken and now is _BOT:
        watch.asked_in_the_gap()
    elif has_customer_spoken:
        yield from watch.begin_turn()
    if after.survey is not None and after.survey.id != (before.survey and before.survey.id):
        yield from watch.asked_survey(after.survey)
    if exchanged:
        watch.exchanged(exchanged)
    if was is not _BOT and now is _BOT:
        is_shut = after.closed != before.closed
        yield from watch.end(Name.CLOSED if is_shut else _ending(before, event))
    if said and isinstance(event, BotMessage):
        watch.bot_spoke()


def _asked(after: Conversation) -> str | None:
    """Returns the desk of the request, or None if a human joined without a request."""
    if after.phase is not _QUEUED:
        return None
    return (after.request.desk if after.request else None) or ""


def _messages(
    watch: "Stopwatch",
    before: Conversation,
    after: Conversation,
    event: Event,
    said: bool,
    written: bool,
    late: bool,
    released: Sequence[SendMessage],
) -> list[Message]:
    """Returns the messages that the event brings: those that waited, and its own."""
    channel, desk = after.platform, watch.desk_of_messages(before, after, late=late)
    found = [_message(one.representative, one.content, channel, desk) for one in released]
    if isinstance(event, FromUser):
        if written:
            kind, size = by_customer(event)
            found.append(Message(_BY_CUSTOMER, kind, size, channel, desk))
    elif said and isinstance(event, _SPOKEN):
        found.append(_message(event.representative, event.content, channel, desk))
    return found


def _message(who: Representative, content: Content, channel: str, desk: str) -> Message:
    """Returns the message of a bot or a human."""
    kind, size = by_representative(content)
    if is_bots(who):
        return Message(_BY_BOT, kind, size, channel, desk)
    return Message(_BY_HUMAN, kind, size, channel, desk, who.name)


def _of_late_words(watch: "Stopwatch", event: Event, said: bool) -> Iterator[Measure]:
    """Measures a stale message.

    Its frame is not counted as a join: it has neither waiting nor handling time.
    """
    if said and isinstance(event, HumanMessage):
        yield from watch.human_spoke_late(event.representative.name)


def _of_released_words(
    watch: "Stopwatch", before: Conversation, released: Sequence[SendMessage]
) -> Iterator[Measure]:
    """Words that waited for the customer answer when they are sent, before the customer's next
    words. Those of a human who has left answer the handoff that ended, if no other has begun.
    """
    humans = (one.representative for one in released if not is_bots(one.representative))
    for who in humans:
        if before.present(who):
            yield from watch.human_spoke(who.name)
        elif watch.ended is not None:
            yield from watch.human_spoke_late(who.name)


def _of_passing_on(
    watch: "Stopwatch", before: Conversation, after: Conversation, event: Event
) -> Iterator[Measure]:
    """Measures offers and who gave the customer away. A person who accepts takes the customer from
    those whom the offer named.
    """
    offer, made = before.offer, after.offer
    if isinstance(event, Transfer) and event.to_agent is None:
        yield watch.acted(Name.TRANSFERRED, event.representative.name)
    if made is not None and made is not offer:
        yield watch.acted(Name.OFFERED, made.name)
    if offer is None or made is offer:
        return
    if isinstance(event, Claim) and event.person_id == offer.to:
        gone = (one for one in offer.givers if _left(before, after, one))
        yield from (watch.acted(Name.TRANSFERRED, one) for one in gone)
    elif isinstance(event, OfferTimeout):
        yield watch.acted(Name.LAPSED, offer.name)
    elif isinstance(event, OfferEnded) and event.why == "declined":
        yield watch.acted(Name.DECLINED, offer.name)


def _left(before: Conversation, after: Conversation, name: str) -> bool:
    was, now = (
        any(human.representative.name == name for human in one.humans) for one in (before, after)
    )
    return was and not now


def _had_human(conversation: Conversation) -> bool:
    """Returns whether a human has joined the handoff under way, also where the customer waits for
    a colleague of theirs.
    """
    handoff = conversation.progress.handoff if conversation.progress else None
    has_joined = handoff is not None and handoff.joined
    return conversation.phase is not _QUEUED or has_joined


def _ending(before: Conversation, event: Event) -> Name:
    """A wait that ends after a human was there has the outcome of a human who is gone."""
    if before.phase is _QUEUED and not _had_human(before):
        return Name.FAILED if isinstance(event, HandoffFailed) else Name.EXPIRED
    is_back = isinstance(event, HumanIdleTimeout | PersonGone | UserMessage)
    return Name.RETURNED if is_back or before.phase is _QUEUED else Name.LEFT


class Stopwatch:
    """The clocks of one conversation while one event is measured.

    Methods yield measures and update the clocks, which are as in Progress.
    """

    def __init__(
        self,
        conversation: Conversation,
        progress: Progress | None,
        source: str,
        now: datetime,
        occurred_at: datetime | None = None,
    ) -> None:
        self._conversation = conversation
        self._source, self._accepted_at, self._occurred_at = source, now, occurred_at
        self._before = known = progress or _WITHOUT
        self.visit, self.handoff, self.ended = known.visit, known.handoff, known.ended
        self.turn, self.turn_desk = known.turn, known.turn_desk

    @property
    def progress(self) -> Progress | None:
        """The clocks as they are now, None if none runs."""
        # a copy with these as its update takes twice as long
        progress = Progress(
            **(self._before.model_extra or {}),
            visit=self.visit,
            handoff=self.handoff,
            turn=self.turn,
            turn_desk=self.turn_desk,
            ended=self.ended,
        )
        return progress if self.visit or self.handoff or progress != _WITHOUT else None

    @cached_property
    def _now(self) -> Moment:
        """When the event happened. Most events are measured without it."""
        return Moment(
            source=self._source, accepted_at=self._accepted_at, occurred_at=self._occurred_at
        )

    def customer_spoke(self) -> Iterator[Measure]:
        """A message after VISIT_ENDS_AFTER without one begins a new conversation.

        It counts as handed off if a handoff is active.
        """
        now, visit = self._accepted_at, self.visit
        if visit is None or now - visit.latest_at >= VISIT_ENDS_AFTER:
            visit = Visit(began_at=now, latest_at=now, channel=self._conversation.platform)
            yield Measure(name=Name.CONVERSATION, at=now, channel=visit.channel)
            if self.handoff is not None:
                visit = visit.model_copy(update={"handed_off": True})
                yield Measure(name=Name.HANDED_OFF, at=now, channel=visit.channel)
        self.visit = visit.model_copy(update={"latest_at": now})

    def begin(self, asked: str | None, reason: str = "") -> Iterator[Measure]:
        """A handoff begins: by a request to the desk `asked` for a reason, or for None by a human
        who joined without one.

        Without a request, it may continue the handoff that ended last.
        """
        now, ended = self._accepted_at, self.ended
        if (
            asked is None
            and ended is not None
            and ended.may_go_on
            and now - ended.at <= TRANSFER_GAP
        ):
            yield from self._go_on(ended)
        else:
            requested = None if asked is None else self._now
            channel = self._conversation.platform
            handoff = Handoff(requested=requested, began_at=now, desk=asked or "", channel=channel)
            self.handoff, self.ended = handoff, None
            begun = self._of_handoff(Name.UNASKED if asked is None else Name.REQUESTED)
            yield begun.model_copy(update={"of": counted_reason(reason)}) if reason else begun
        yield from self._handed_off()

    def _handed_off(self) -> Iterator[Measure]:
        """Counts the conversation as handed off, once."""
        now, visit = self._accepted_at, self.visit
        if visit is not None and not visit.handed_off and now - visit.latest_at < VISIT_ENDS_AFTER:
            self.visit = visit.model_copy(update={"handed_off": True})
            yield Measure(
                name=Name.HANDED_OFF, at=visit.began_at, channel=visit.channel or self._channel
            )

    def joined(self, human: Participant) -> Iterator[Measure]:
        """The first human joins the handoff."""
        handoff = self.handoff
        if handoff is not None and not handoff.joined:
            agent = human.representative.name
            self.handoff = handoff.model_copy(update={"joined": True})
            yield self._of_handoff(Name.JOINED)
            yield self._by(Name.TAKEN, handoff.began_at, agent)
            if handoff.requested is not None:
                yield self._timed(Name.WAITING, handoff.requested, agent)

    def frames(
        self, before: Conversation, after: Conversation, *, quiet: bool
    ) -> Iterator[Measure]:
        """Counts humans who joined, and the handling time of those who left.

        `quiet`: they left by the idle timeout.
        """
        known = {_who(human) for human in before.humans}
        for human in after.humans:
            if _who(human) not in known:
                yield self._of_frame(Name.FRAME, human)
        here = {_who(human) for human in after.humans}
        for human in before.humans:
            if _who(human) not in here:
                yield self.handled(human)
                if quiet:
                    yield self._of_frame(Name.QUIET, human)

    def handled(self, human: Participant) -> Measure:
        """Returns the handling time of a human."""
        joined = Moment(
            source=human.source, accepted_at=human.joined_at, occurred_at=human.occurred_at
        )
        return self._of_frame(Name.HANDLING, human, joined.seconds_until(self._now))

    def _of_frame(self, name: Name, human: Participant, seconds: float | None = None) -> Measure:
        agent, desk = human.representative.name, human.desk
        return self._by(name, human.joined_at, agent, seconds, desk=desk)

    def desk_of_messages(self, before: Conversation, after: Conversation, *, late: bool) -> str:
        """Returns the desk that has the customer, empty where the bot has them. A late message is
        of the handoff that has ended.
        """
        ended = self.ended
        if late and ended is not None:
            return ended.handoff.desk
        if before.phase is after.phase is _BOT:
            return ""
        request = before.request or after.request
        return (request.desk if request else None) or self._desk

    def exchanged(self, number: int) -> None:
        """The customer and humans have written so many messages more in the handoff."""
        handoff = self.handoff
        if handoff is not None:
            more = handoff.messages + number
            self.handoff = handoff.model_copy(update={"messages": more})

    def _exchanged(self, number: int = 1) -> Iterator[Measure]:
        """Yields how many messages the handoff took, if a human joined it."""
        handoff = self.handoff
        if handoff is not None and handoff.joined:
            measure = self._of_handoff(Name.EXCHANGED, number)
            yield measure.model_copy(update={"size": handoff.messages})

    def acted(self, name: Name, agent: str, number: int = 1) -> Measure:
        """Returns what a person did with the conversation, at the desk that has it."""
        now, desk = self._accepted_at, self._desk_now
        return self._by(name, now, agent, desk=desk).model_copy(update={"number": number})

    def asked_survey(self, survey: Survey) -> Iterator[Measure]:
        """The customer is asked how satisfied they are, once in a handoff."""
        handoff = self.handoff
        if handoff is not None:
            self.handoff = handoff.model_copy(update={"surveyed": True})
        yield self._of_survey(Name.SURVEYED, survey)

    def rated(self, survey: Survey, rating: int) -> Iterator[Measure]:
        """The customer answers. It counts when they were asked, as all counts of a survey."""
        yield self._of_survey(Name.RATED, survey)
        yield self._of_survey(Name.RATING, survey, rating)

    def _of_survey(self, name: Name, survey: Survey, number: int = 1) -> Measure:
        return Measure(
            name=name,
            at=survey.asked_at,
            channel=survey.channel or self._conversation.platform,
            desk=survey.desk,
            agent=survey.agent,
            number=number,
        )

    def human_spoke(self, agent: str, *, late: bool = False) -> Iterator[Measure]:
        """A human's message answers the request, once, and the customer's messages since a human
        last spoke.

        A `late` one answers only what was asked before it was written.
        """
        handoff, turn = self.handoff, self.turn
        if handoff is not None and not (handoff.spoke or late):
            self.handoff = handoff = handoff.model_copy(update={"spoke": True})
        requested = handoff.requested if handoff is not None and not handoff.responded else None
        if (
            handoff is not None
            and requested is not None
            and (not late or requested.was_before(self._now))
        ):
            self.handoff = handoff.model_copy(update={"responded": True})
            yield self._of_handoff(Name.RESPONDED)
            yield self._timed(Name.FIRST_RESPONSE, requested, agent)
        if turn is not None and (not late or turn.was_before(self._now)):
            yield self._of_turn(Name.ANSWERED, turn)
            seconds, channel = turn.seconds_until(self._now), platform_of(turn.source)
            desk = self.turn_desk
            yield self._by(Name.RESPONSE, turn.accepted_at, agent, seconds, channel, desk)
            self.turn, self.turn_desk = None, None

    def human_spoke_late(self, agent: str) -> Iterator[Measure]:
        """Measures a human's stale message.

        If the handoff has ended, what the message answers is no longer counted as without an
        answer. The handoff's outcome is unchanged.
        """
        ended = self.ended
        if ended is None:
            yield from self.human_spoke(agent, late=True)
            self.exchanged(1)
            return
        self.handoff, self.turn, self.turn_desk = ended.handoff, ended.turn, ended.turn_desk
        before = tuple(self._without(-1))
        answers = tuple(self.human_spoke(agent, late=True))
        if answers:
            yield from (*before, *answers, *self._without())
        yield from tuple(self._exchanged(-1))
        self.exchanged(1)
        yield from tuple(self._exchanged())
        answered = {"handoff": self.handoff, "turn": self.turn, "turn_desk": self.turn_desk}
        self.ended = ended.model_copy(update=answered)
        self.handoff, self.turn, self.turn_desk = None, None, None

    def bot_spoke(self) -> None:
        """After a bot has spoken, no human continues the ended handoff."""
        if self.ended is not None:
            self.ended = self.ended.model_copy(update={"may_go_on": False, "asked": None})

    def begin_turn(self) -> Iterator[Measure]:
        """Starts a turn.

        Several messages before a human's next one are one turn, timed from the first.
        """
        if self.turn is None:
            desk = self._desk_now
            self.turn, self.turn_desk = self._now, None if desk == self._desk else desk
            yield self._of_turn(Name.TURN, self._now)

    def asked_in_the_gap(self) -> None:
        """Stores when the customer wrote after a handoff.

        It becomes a turn only if a colleague continues the handoff before a bot answers.
        """
        ended = self.ended
        if ended is not None and ended.may_go_on and ended.asked is None:
            self.ended = ended.model_copy(update={"asked": self._now})

    def end(self, name: Name) -> Iterator[Measure]:
        """The handoff ends with the outcome `name`.

        Requests and turns without an answer are counted as such.
        """
        handoff, turn = self.handoff, self.turn
        yield from self._without()
        if handoff is not None:
            yield self._of_handoff(name)
            yield from self._exchanged()
            at, left = self._accepted_at, name is Name.LEFT
            desk = self.turn_desk
            self.ended = Ended(handoff=handoff, at=at, turn=turn, turn_desk=desk, may_go_on=left)
        self.handoff, self.turn, self.turn_desk = None, None, None

    def _go_on(self, ended: Ended) -> Iterator[Measure]:
        """Takes back what was counted at the end of the handoff.

        The customer's message since then begins a turn.
        """
        self.handoff, self.turn, self.turn_desk = ended.handoff, ended.turn, ended.turn_desk
        self.ended = None
        yield self._of_handoff(Name.LEFT, -1)
        yield from self._exchanged(-1)
        yield from self._without(-1)
        if ended.turn is None and ended.asked is not None:
            self.turn = ended.asked
            yield self._of_turn(Name.TURN, ended.asked)

    def _without(self, number: int = 1) -> Iterator[Measure]:
        """Yields what remains without an answer if the handoff ends now."""
        handoff, turn = self.handoff, self.turn
        if turn is not None:
            yield self._of_turn(Name.UNANSWERED, turn, number)
        if handoff is not None and handoff.requested is not None and not handoff.responded:
            yield self._of_handoff(Name.SILENT, number)

    @property
    def _channel(self) -> str:
        """The channel on which the handoff began.

        Its measures count there, also if the customer writes elsewhere now.
        """
        handoff = self.handoff
        return (handoff.channel if handoff else "") or self._conversation.platform

    @property
    def _desk(self) -> str:
        """The desk at which the handoff began."""
        return self.handoff.desk if self.handoff else ""

    @property
    def _desk_now(self) -> str:
        """The desk that has the customer, who may have been passed on."""
        request = self._conversation.request
        return (request.desk if request else None) or self._desk

    def _of_turn(self, name: Name, turn: Moment, number: int = 1) -> Measure:
        channel = platform_of(turn.source)
        desk = self._desk if self.turn_desk is None else self.turn_desk
        return Measure(name=name, at=turn.accepted_at, channel=channel, desk=desk, number=number)

    def _of_handoff(self, name: Name, number: int = 1) -> Measure:
        """Returns a measure at the beginning of the handoff.

        Its beginning and end count in the same quarter, so that their difference is what is open.
        """
        handoff = self.handoff
        if handoff is None:
            raise ValueError(f"{name} without a handoff")
        return Measure(
            name=name, at=handoff.began_at, channel=self._channel, desk=handoff.desk, number=number
        )

    def _by(
        self,
        name: Name,
        at: datetime,
        agent: str,
        seconds: float | None = None,
        channel: str = "",
        desk: str | None = None,
    ) -> Measure:
        where, at_desk = channel or self._channel, self._desk if desk is None else desk
        return Measure(name=name, at=at, channel=where, desk=at_desk, agent=agent, seconds=seconds)

    def _timed(self, name: Name, since: Moment, agent: str) -> Measure:
        return self._by(name, since.accepted_at, agent, since.seconds_until(self._now))


def _who(human: Participant) -> tuple[str, datetime]:
    """Returns a key of a human that does not change while they are present.

    Their `frame` may change if the customer learns of them later.
    """
    return human.representative.name, human.joined_at
