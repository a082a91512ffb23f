"""The clocks of one conversation: what starts and stops them, and what is measured then."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from shared.schemas.conversation import Conversation, Participant, Survey
from shared.schemas.ids import platform_of
from shared.schemas.measures import Ended, Handoff, Measure, Moment, Name, Progress, Visit

VISIT_ENDS_AFTER = timedelta(hours=24)  # without a message of the customer
TRANSFER_GAP = timedelta(
    minutes=5
)  # longest time between the last human's LEFT and a colleague's JOINED


class Stopwatch:
    """The clocks of one conversation while one event is measured.

    Methods yield measures and update `progress`.
    """

    def __init__(self, conversation: Conversation, progress: Progress, now: Moment) -> None:
        self._conversation = conversation
        self._now = now
        self.progress = progress

    def customer_spoke(self) -> Iterator[Measure]:
        """A message after VISIT_ENDS_AFTER without one begins a new conversation.

        It counts as handed off if a handoff is active.
        """
        now, visit = self._now.accepted_at, self.progress.visit
        if visit is None or now - visit.latest_at >= VISIT_ENDS_AFTER:
            visit = Visit(began_at=now, latest_at=now, channel=self._conversation.platform)
            yield Measure(name=Name.CONVERSATION, at=now, channel=visit.channel)
            if self.progress.handoff is not None:
                visit = visit.model_copy(update={"handed_off": True})
                yield Measure(name=Name.HANDED_OFF, at=now, channel=visit.channel)
        self._set(visit=visit.model_copy(update={"latest_at": now}))

    def begin(self, asked: str | None) -> Iterator[Measure]:
        """A handoff begins: by a request to the desk `asked`, or for None by a human who joined
        without one.

        Without a request, it may continue the handoff that ended last.
        """
        now, ended = self._now.accepted_at, self.progress.ended
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
            self._set(handoff=handoff, ended=None)
            yield self._of_handoff(Name.UNASKED if asked is None else Name.REQUESTED)
        yield from self._handed_off()

    def _handed_off(self) -> Iterator[Measure]:
        """Counts the conversation as handed off, once."""
        now, visit = self._now.accepted_at, self.progress.visit
        if visit is not None and not visit.handed_off and now - visit.latest_at < VISIT_ENDS_AFTER:
            self._set(visit=visit.model_copy(update={"handed_off": True}))
            yield Measure(
                name=Name.HANDED_OFF, at=visit.began_at, channel=visit.channel or self._channel
            )

    def joined(self, human: Participant) -> Iterator[Measure]:
        """The first human joins the handoff."""
        handoff = self.progress.handoff
        if handoff is not None and not handoff.joined:
            agent = human.representative.name
            self._set(handoff=handoff.model_copy(update={"joined": True}))
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

    def acted(self, name: Name, agent: str, number: int = 1) -> Measure:
        """Returns what a person did with the conversation, at the desk that has it."""
        now, desk = self._now.accepted_at, self._desk_now
        return self._by(name, now, agent, desk=desk).model_copy(update={"number": number})

    def asked_survey(self, survey: Survey) -> Iterator[Measure]:
        """The customer is asked how satisfied they are, once in a handoff."""
        handoff = self.progress.handoff
        if handoff is not None:
            self._set(handoff=handoff.model_copy(update={"surveyed": True}))
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
        handoff, turn = self.progress.handoff, self.progress.turn
        if handoff is not None and not (handoff.spoke or late):
            handoff = handoff.model_copy(update={"spoke": True})
            self._set(handoff=handoff)
        requested = handoff.requested if handoff is not None and not handoff.responded else None
        if (
            handoff is not None
            and requested is not None
            and (not late or requested.was_before(self._now))
        ):
            self._set(handoff=handoff.model_copy(update={"responded": True}))
            yield self._of_handoff(Name.RESPONDED)
            yield self._timed(Name.FIRST_RESPONSE, requested, agent)
        if turn is not None and (not late or turn.was_before(self._now)):
            yield self._of_turn(Name.ANSWERED, turn)
            seconds, channel = turn.seconds_until(self._now), platform_of(turn.source)
            desk = self.progress.turn_desk
            yield self._by(Name.RESPONSE, turn.accepted_at, agent, seconds, channel, desk)
            self._set(turn=None, turn_desk=None)

    def human_spoke_late(self, agent: str) -> Iterator[Measure]:
        """Measures a human's stale message.

        If the handoff has ended, what the message answers is no longer counted as without an
        answer. The handoff's outcome is unchanged.
        """
        ended = self.progress.ended
        if ended is None:
            yield from self.human_spoke(agent, late=True)
            return
        self._set(handoff=ended.handoff, turn=ended.turn, turn_desk=ended.turn_desk)
        before = tuple(self._without(-1))
        answers = tuple(self.human_spoke(agent, late=True))
        if answers:
            yield from (*before, *answers, *self._without())
        running = ("handoff", "turn", "turn_desk")
        answered = {name: getattr(self.progress, name) for name in running}
        self._set(**dict.fromkeys(running), ended=ended.model_copy(update=answered))

    def bot_spoke(self) -> None:
        """After a bot has spoken, no human continues the ended handoff."""
        if self.progress.ended is not None:
            self._set(
                ended=self.progress.ended.model_copy(update={"may_go_on": False, "asked": None})
            )

    def begin_turn(self) -> Iterator[Measure]:
        """Starts a turn.

        Several messages before a human's next one are one turn, timed from the first.
        """
        if self.progress.turn is None:
            desk = self._desk_now
            self._set(turn=self._now, turn_desk=None if desk == self._desk else desk)
            yield self._of_turn(Name.TURN, self._now)

    def asked_in_the_gap(self) -> None:
        """Stores when the customer wrote after a handoff.

        It becomes a turn only if a colleague continues the handoff before a bot answers.
        """
        ended = self.progress.ended
        if ended is not None and ended.may_go_on and ended.asked is None:
            self._set(ended=ended.model_copy(update={"asked": self._now}))

    def end(self, name: Name) -> Iterator[Measure]:
        """The handoff ends with the outcome `name`.

        Requests and turns without an answer are counted as such.
        """
        handoff, turn = self.progress.handoff, self.progress.turn
        yield from self._without()
        if handoff is not None:
            yield self._of_handoff(name)
            at, left = self._now.accepted_at, name is Name.LEFT
            desk = self.progress.turn_desk
            ended = Ended(handoff=handoff, at=at, turn=turn, turn_desk=desk, may_go_on=left)
            self._set(ended=ended)
        self._set(handoff=None, turn=None, turn_desk=None)

    def _go_on(self, ended: Ended) -> Iterator[Measure]:
        """Takes back what was counted at the end of the handoff.

        The customer's message since then begins a turn.
        """
        running = {"handoff": ended.handoff, "turn": ended.turn, "turn_desk": ended.turn_desk}
        self._set(**running, ended=None)
        yield self._of_handoff(Name.LEFT, -1)
        yield from self._without(-1)
        if ended.turn is None and ended.asked is not None:
            self._set(turn=ended.asked)
            yield self._of_turn(Name.TURN, ended.asked)

    def _without(self, number: int = 1) -> Iterator[Measure]:
        """Yields what remains without an answer if the handoff ends now."""
        handoff, turn = self.progress.handoff, self.progress.turn
        if turn is not None:
            yield self._of_turn(Name.UNANSWERED, turn, number)
        if handoff is not None and handoff.requested is not None and not handoff.responded:
            yield self._of_handoff(Name.SILENT, number)

    @property
    def _channel(self) -> str:
        """The channel on which the handoff began.

        Its measures count there, also if the customer writes elsewhere now.
        """
        handoff = self.progress.handoff
        return (handoff.channel if handoff else "") or self._conversation.platform

    @property
    def _desk(self) -> str:
        """The desk at which the handoff began."""
        return self.progress.handoff.desk if self.progress.handoff else ""

    @property
    def _desk_now(self) -> str:
        """The desk that has the customer, who may have been passed on."""
        request = self._conversation.request
        return (request.desk if request else None) or self._desk

    def _set(self, **update: object) -> None:
        self.progress = self.progress.model_copy(update=update)

    def _of_turn(self, name: Name, turn: Moment, number: int = 1) -> Measure:
        channel = platform_of(turn.source)
        desk = self._desk if self.progress.turn_desk is None else self.progress.turn_desk
        return Measure(name=name, at=turn.accepted_at, channel=channel, desk=desk, number=number)

    def _of_handoff(self, name: Name, number: int = 1) -> Measure:
        """Returns a measure at the beginning of the handoff.

        Its beginning and end count in the same quarter, so that their difference is what is open.
        """
        handoff = self.progress.handoff
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
