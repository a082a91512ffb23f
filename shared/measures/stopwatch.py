"""The clocks of one conversation: what starts and stops each, and what is measured as it stops."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from shared.schemas.conversation import Conversation, Participant
from shared.schemas.ids import platform_of
from shared.schemas.measures import Ended, Handoff, Measure, Moment, Name, Progress, Visit

VISIT_ENDS_AFTER = timedelta(hours=24)  # of silence on the customer's side
TRANSFER_GAP = timedelta(minutes=5)  # from the last human's leaving to a colleague's coming


class Stopwatch:
    """The clocks of one conversation while one event is measured."""

    def __init__(self, conversation: Conversation, progress: Progress, now: Moment) -> None:
        self._conversation = conversation
        self._now = now
        self.progress = progress

    def customer_spoke(self) -> Iterator[Measure]:
        """The first words after a day's silence are a new conversation; while a handoff goes on
        it is handed off.
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
        """A human is asked for, of the desk `asked`, or comes unasked; then it may be a colleague
        who goes on with what was left.
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
        """A conversation is handed off once, while it lasts."""
        now, visit = self._now.accepted_at, self.progress.visit
        if visit is not None and not visit.handed_off and now - visit.latest_at < VISIT_ENDS_AFTER:
            self._set(visit=visit.model_copy(update={"handed_off": True}))
            yield Measure(
                name=Name.HANDED_OFF, at=visit.began_at, channel=visit.channel or self._channel
            )

    def joined(self, human: Participant) -> Iterator[Measure]:
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
        """Who came, and for how long those stayed who went; they may only have gone `quiet`."""
        known = {_who(human) for human in before.humans}
        for human in after.humans:
            if _who(human) not in known:
                yield self._by(Name.FRAME, human.joined_at, human.representative.name)
        here = {_who(human) for human in after.humans}
        for human in before.humans:
            if _who(human) not in here:
                yield self.handled(human)
                if quiet:
                    yield self._by(Name.QUIET, human.joined_at, human.representative.name)

    def handled(self, human: Participant) -> Measure:
        joined = Moment(
            source=human.source, accepted_at=human.joined_at, occurred_at=human.occurred_at
        )
        return self._timed(Name.HANDLING, joined, human.representative.name)

    def human_spoke(self, agent: str, *, late: bool = False) -> Iterator[Measure]:
        """A human's words answer the request, once, and all that the customer said since a human
        last spoke; those that come late, what had been asked when they were said.
        """
        handoff, turn = self.progress.handoff, self.progress.turn
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
            self._set(turn=None)
            yield self._of_turn(Name.ANSWERED, turn)
            yield self._timed(Name.RESPONSE, turn, agent, platform_of(turn.source))

    def human_spoke_late(self, agent: str) -> Iterator[Measure]:
        """Where the handoff has ended, it counts no longer as without what they answer; its
        outcome stays.
        """
        ended = self.progress.ended
        if ended is None:
            yield from self.human_spoke(agent, late=True)
            return
        self._set(handoff=ended.handoff, turn=ended.turn)
        before = tuple(self._without(-1))
        answers = tuple(self.human_spoke(agent, late=True))
        if answers:
            yield from (*before, *answers, *self._without())
        answered = {"handoff": self.progress.handoff, "turn": self.progress.turn}
        self._set(handoff=None, turn=None, ended=ended.model_copy(update=answered))

    def bot_spoke(self) -> None:
        """What a bot has taken up no human goes on with."""
        if self.progress.ended is not None:
            self._set(
                ended=self.progress.ended.model_copy(update={"may_go_on": False, "asked": None})
            )

    def begin_turn(self) -> Iterator[Measure]:
        """Several messages before a human's next one are one turn, timed from the first."""
        if self.progress.turn is None:
            self._set(turn=self._now)
            yield self._of_turn(Name.TURN, self._now)

    def asked_in_the_gap(self) -> None:
        """It is the bot's to answer, and no turn, unless a colleague goes on before it does."""
        ended = self.progress.ended
        if ended is not None and ended.may_go_on and ended.asked is None:
            self._set(ended=ended.model_copy(update={"asked": self._now}))

    def end(self, name: Name) -> Iterator[Measure]:
        """The bot is back: the handoff has its outcome, and what was not answered stays so."""
        handoff, turn = self.progress.handoff, self.progress.turn
        yield from self._without()
        if handoff is not None:
            yield self._of_handoff(name)
            at, left = self._now.accepted_at, name is Name.LEFT
            self._set(ended=Ended(handoff=handoff, at=at, turn=turn, may_go_on=left))
        self._set(handoff=None, turn=None)

    def _go_on(self, ended: Ended) -> Iterator[Measure]:
        """Takes back what was counted when the last human left; what the customer said
        meanwhile is a turn.
        """
        self._set(handoff=ended.handoff, turn=ended.turn, ended=None)
        yield self._of_handoff(Name.LEFT, -1)
        yield from self._without(-1)
        if ended.turn is None and ended.asked is not None:
            self._set(turn=ended.asked)
            yield self._of_turn(Name.TURN, ended.asked)

    def _without(self, number: int = 1) -> Iterator[Measure]:
        """Yields what ends without an answer if the handoff ends as it stands."""
        handoff, turn = self.progress.handoff, self.progress.turn
        if turn is not None:
            yield self._of_turn(Name.UNANSWERED, turn, number)
        if handoff is not None and handoff.requested is not None and not handoff.responded:
            yield self._of_handoff(Name.SILENT, number)

    @property
    def _channel(self) -> str:
        """A handoff, and who comes and goes in it, counts where it began, wherever the customer
        writes meanwhile.
        """
        handoff = self.progress.handoff
        return (handoff.channel if handoff else "") or self._conversation.platform

    @property
    def _desk(self) -> str:
        return self.progress.handoff.desk if self.progress.handoff else ""

    def _set(self, **update: object) -> None:
        self.progress = self.progress.model_copy(update=update)

    def _of_turn(self, name: Name, turn: Moment, number: int = 1) -> Measure:
        channel = platform_of(turn.source)
        return Measure(
            name=name, at=turn.accepted_at, channel=channel, desk=self._desk, number=number
        )

    def _of_handoff(self, name: Name, number: int = 1) -> Measure:
        """Beginning and end of a handoff count in one place, so that their difference is what
        is open.
        """
        handoff = self.progress.handoff
        if handoff is None:
            raise ValueError(f"{name} without a handoff")
        return Measure(
            name=name, at=handoff.began_at, channel=self._channel, desk=handoff.desk, number=number
        )

    def _by(
        self, name: Name, at: datetime, agent: str, seconds: float | None = None, channel: str = ""
    ) -> Measure:
        where = channel or self._channel
        return Measure(
            name=name, at=at, channel=where, desk=self._desk, agent=agent, seconds=seconds
        )

    def _timed(self, name: Name, since: Moment, agent: str, channel: str = "") -> Measure:
        return self._by(name, since.accepted_at, agent, since.seconds_until(self._now), channel)


def _who(human: Participant) -> tuple[str, datetime]:
    """Returns what stays the same of a human while they are here; the customer may be told of
    them only later.
    """
    return human.representative.name, human.joined_at
