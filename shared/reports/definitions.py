"""The definitions: what one event ends and begins of all that is measured. README's table says the same in words.

Every measure counts in the quarter of an hour in which its clock started. A duration is told only once it has ended;
what has begun is counted as well, so that the difference is what is still open. An event that changed nothing, a
repetition, an echo, a late fact or a refusal, measures nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.schemas.conversation import Conversation, Phase, Present
from shared.schemas.events import (
    Event,
    HandoffFailed,
    HumanIdleTimeout,
    HumanMessage,
    SuggestionResponse,
    UserMessage,
)
from shared.schemas.ids import platform_of
from shared.schemas.measures import Handoff, Measure, Moment, Name, Progress, Visit

VISIT_ENDS_AFTER = timedelta(hours=24)  # of silence on the customer's side
_WITHOUT = Progress()


@dataclass(frozen=True, slots=True)
class Measured:
    """The clocks as they stand now (None: none runs), and what was measured."""

    progress: Progress | None
    measures: tuple[Measure, ...]


def measure(before: Conversation, after: Conversation, event: Event, now: datetime, *, said: bool = True) -> Measured:
    """Returns what an accepted event measures, which made `after` of `before` at `now`.

    `said` is False where its words could not be said to the customer: they answer nothing.
    """
    stopwatch = _Stopwatch(after, before.progress or _WITHOUT, moment(event, now))
    measures = list(_measures(stopwatch, before, after, event, said))
    progress = stopwatch.progress
    return Measured(None if progress == _WITHOUT else progress, tuple(measures))


def close(conversation: Conversation, name: Name, now: datetime) -> Measured:
    """Returns what is measured where a conversation's handoff ends from outside: it was linked, or erased."""
    at = Moment(source=conversation.id, accepted_at=now)
    stopwatch = _Stopwatch(conversation, conversation.progress or _WITHOUT, at)
    frames = [stopwatch.handled(human) for human in conversation.humans]
    measures = (*frames, *stopwatch.end(name if conversation.phase is Phase.QUEUED else Name.LEFT))
    return Measured(None, measures)


def moment(event: Event, now: datetime) -> Moment:
    return Moment(source=event.source, accepted_at=now, occurred_at=event.occurred_at)


def desk_of(source: str, key: str | None) -> str:
    """Returns the desk that a human belongs to: the API key's name, or the platform that reports them."""
    return key or platform_of(source)


def _measures(
    watch: "_Stopwatch", before: Conversation, after: Conversation, event: Event, said: bool
) -> Iterator[Measure]:
    was, now = before.phase, after.phase
    if isinstance(event, UserMessage | SuggestionResponse):
        yield from watch.customer_spoke()
    if was is Phase.BOT and now is not Phase.BOT:
        yield from watch.begin(event, asked=now is Phase.QUEUED)
    yield from watch.frames(before, after, quiet=isinstance(event, HumanIdleTimeout))
    if was is not Phase.HUMAN and now is Phase.HUMAN:
        yield from watch.joined(after.humans[0])
    if said and isinstance(event, HumanMessage) and (speaker := after.present(event.representative)):
        yield from watch.human_spoke(speaker)
    if isinstance(event, UserMessage | SuggestionResponse) and now is not Phase.BOT:
        yield from watch.begin_turn()
    if was is not Phase.BOT and now is Phase.BOT:
        yield from watch.end(_ending(was, event))


def _ending(was: Phase, event: Event) -> Name:
    if was is Phase.QUEUED:
        return Name.FAILED if isinstance(event, HandoffFailed) else Name.EXPIRED
    return Name.RETURNED if isinstance(event, HumanIdleTimeout) else Name.LEFT


def _who(human: Present) -> tuple[str, datetime]:
    """Returns what stays the same of a human while they are here; the customer may be told of them only later."""
    return human.representative.name, human.joined_at


class _Stopwatch:
    """The clocks of one conversation while one event is measured."""

    def __init__(self, conversation: Conversation, progress: Progress, now: Moment) -> None:
        self._conversation = conversation
        self._now = now
        self.progress = progress

    def customer_spoke(self) -> Iterator[Measure]:
        """The first words after a day's silence are a new conversation; while a handoff goes on it is handed off."""
        now, visit = self._now.accepted_at, self.progress.visit
        if visit is None or now - visit.latest_at >= VISIT_ENDS_AFTER:
            visit = Visit(began_at=now, latest_at=now, channel=self._conversation.platform)
            yield self._count(Name.CONVERSATION, now, visit.channel)
            if self.progress.handoff is not None:
                visit = visit.model_copy(update={"handed_off": True})
                yield self._count(Name.HANDED_OFF, now, visit.channel)
        self._set(visit=visit.model_copy(update={"latest_at": now}))

    def begin(self, event: Event, *, asked: bool) -> Iterator[Measure]:
        """A human is asked for, or comes unasked."""
        now = self._now.accepted_at
        desk = platform_of(event.source) if asked and not self._is_home(event.source) else ""
        asked_at = self._now if asked else None
        self._set(handoff=Handoff(requested=asked_at, began_at=now, desk=desk, channel=self._channel))
        yield self._of_handoff(Name.REQUESTED if asked else Name.UNASKED)
        visit = self.progress.visit
        if visit is not None and not visit.handed_off and now - visit.latest_at < VISIT_ENDS_AFTER:
            self._set(visit=visit.model_copy(update={"handed_off": True}))
            yield self._count(Name.HANDED_OFF, visit.began_at, visit.channel)

    def joined(self, human: Present) -> Iterator[Measure]:
        handoff = self.progress.handoff
        if handoff is not None and not handoff.joined:
            self._set(handoff=handoff.model_copy(update={"joined": True}))
            yield self._of_handoff(Name.JOINED)
            yield self._by(Name.TAKEN, handoff.began_at, human)
            if handoff.requested is not None:
                yield self._timed(Name.WAITING, handoff.requested, human)

    def frames(self, before: Conversation, after: Conversation, *, quiet: bool) -> Iterator[Measure]:
        """Who came, and for how long those stayed who went; they may only have gone `quiet`."""
        known = {_who(human) for human in before.humans}
        for human in after.humans:
            if _who(human) not in known:
                yield self._by(Name.FRAME, human.joined_at, human)
        here = {_who(human) for human in after.humans}
        for human in before.humans:
            if _who(human) not in here:
                yield self.handled(human)
                if quiet:
                    yield self._by(Name.QUIET, human.joined_at, human)

    def handled(self, human: Present) -> Measure:
        joined = Moment(source=human.source, accepted_at=human.joined_at, occurred_at=human.occurred_at)
        return self._timed(Name.HANDLING, joined, human)

    def human_spoke(self, human: Present) -> Iterator[Measure]:
        """A human's words answer the request, once, and all that the customer said since a human last spoke."""
        handoff, turn = self.progress.handoff, self.progress.turn
        if handoff is not None and handoff.requested is not None and not handoff.responded:
            self._set(handoff=handoff.model_copy(update={"responded": True}))
            yield self._of_handoff(Name.RESPONDED)
            yield self._timed(Name.FIRST_RESPONSE, handoff.requested, human)
        if turn is not None:
            self._set(turn=None)
            yield self._count(Name.ANSWERED, turn.accepted_at, platform_of(turn.source))
            yield self._timed(Name.RESPONSE, turn, human, platform_of(turn.source))

    def begin_turn(self) -> Iterator[Measure]:
        """Several messages before a human's next one are one turn, timed from the first."""
        if self.progress.turn is None:
            self._set(turn=self._now)
            yield self._count(Name.TURN, self._now.accepted_at, platform_of(self._now.source))

    def end(self, name: Name) -> Iterator[Measure]:
        """The bot is back: the handoff has its outcome, and what was not answered stays so."""
        handoff, turn = self.progress.handoff, self.progress.turn
        if turn is not None:
            yield self._count(Name.UNANSWERED, turn.accepted_at, platform_of(turn.source))
        if handoff is not None:
            yield self._of_handoff(name)
            if handoff.requested is not None and not handoff.responded:
                yield self._of_handoff(Name.SILENT)
        self._set(handoff=None, turn=None)

    @property
    def _channel(self) -> str:
        """A handoff, and who comes and goes in it, counts where it began, wherever the customer writes meanwhile."""
        handoff = self.progress.handoff
        return (handoff.channel if handoff else "") or self._conversation.platform

    def _is_home(self, source: str) -> bool:
        return self._conversation.owns(source) and not self._conversation.tracked

    def _set(self, **update: object) -> None:
        self.progress = self.progress.model_copy(update=update)

    def _count(self, name: Name, at: datetime, channel: str) -> Measure:
        return Measure(name=name, at=at, channel=channel or self._channel)

    def _of_handoff(self, name: Name) -> Measure:
        """Beginning and end of a handoff count in one place, so that their difference is what is open."""
        handoff = self.progress.handoff
        if handoff is None:
            raise ValueError(f"{name} without a handoff")
        return Measure(name=name, at=handoff.began_at, channel=self._channel, desk=handoff.desk)

    def _by(self, name: Name, at: datetime, human: Present, seconds: float | None = None, channel: str = "") -> Measure:
        desk, agent, channel = desk_of(human.source, human.key), human.representative.name, channel or self._channel
        return Measure(name=name, at=at, channel=channel, desk=desk, agent=agent, seconds=seconds)

    def _timed(self, name: Name, since: Moment, human: Present, channel: str = "") -> Measure:
        return self._by(name, since.accepted_at, human, since.seconds_until(self._now), channel)
