"""Conversations that people pass on, however their acts, the system's own steps and late requests
fall together: what the customer was told is so, room is counted to the slot, the reports balance,
and the system alone brings every conversation to an end in which nobody waits.

The acts and the checks are those of a model that was explored exhaustively within small bounds. The
examples are the sequences in which each naive design broke there.
"""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.handoff.notices import Notice
from shared.handoff.policy import Assign, HumanIdle
from shared.handoff.routing.desk import Desk
from shared.handoff.survey_answers import button
from shared.schemas import events, own_events
from shared.schemas.commands import Record, SendEvent, SendMessage
from shared.schemas.conversation import Capabilities, Phase
from shared.schemas.journal import Verdict
from shared.schemas.measures import Name
from shared.schemas.people import Person
from shared.schemas.representative import RepresentativeType
from tests.property.effort import effort
from tests.unit.support_team import JANE, OMAR, ZOE, Team

pytestmark = pytest.mark.soak

PEOPLE = {"jane": JANE, "omar": OMAR, "zoe": ZOE}
AGENTS = (JANE, OMAR)
WAIT = {Notice.WAITING, Notice.PASSED_ON}
BACK = {Notice.NOBODY, Notice.RETURNED, Notice.RESUMED}
EDGES = {
    (Phase.BOT, Phase.QUEUED): "handoff.requested",
    (Phase.BOT, Phase.HUMAN): "handoff.joined",
    (Phase.QUEUED, Phase.HUMAN): "handoff.joined",
    (Phase.HUMAN, Phase.QUEUED): "handoff.transferred",
}
ENDS = {"handoff.ended", "handoff.returned", "handoff.failed"}
BEGINS = {Name.REQUESTED, Name.UNASKED}
OUTCOMES = {Name.LEFT, Name.RETURNED, Name.FAILED, Name.EXPIRED}
WORDS, FRAMES = Capabilities(frames=False, labels=False), Capabilities()
LEAVINGS = events.HumanLeft | own_events.HumanIdleTimeout
ROOM = {one.id: one.capacity for one in PEOPLE.values()}
ELSEWHERE = "a slot of another conversation"
Act = tuple[str, ...]


class Support(Team):
    """A conversation and what its customer was told last."""

    def __init__(self, platform: Capabilities, idle: HumanIdle, assign: Assign) -> None:
        super().__init__(
            capabilities={"plain": platform, "ccai": Capabilities(delivers=False)},
            desks=(Desk(name="own"), Desk(name="calls", kind="ccai", channels=("rcs",))),
            human_idle=idle,
            assign=assign,
            survey=True,
            back_asked=True,
        )
        self.open: set[str] = set()  # the frames that the customer sees
        self.last_told: Phase = Phase.BOT
        self.known_offers: list[str] = []
        self.counted: Counter[tuple[Name, str, str]] = Counter()
        self.asked_last = False  # the survey is what the customer was asked last
        self.user()

    def take(self, event: events.Event) -> Any:
        before, self.done = self.conversation, []
        is_asked = self.asked_last
        self.now += timedelta(milliseconds=1)
        decision = super().take(event)
        after = decision.conversation
        if after.offer is not None and after.offer.id not in self.known_offers:
            self.known_offers.append(after.offer.id)
        self._customer(before.phase, event, decision)
        self._team(before.phase, after.phase, decision)
        self._rooms(decision)
        self._reports()
        if isinstance(event, LEAVINGS) and before.offer is not None:
            assert after.phase is not Phase.BOT, "an offer stands, and the customer is with the bot"
        if isinstance(event, events.UserMessage) and event.said == "2" and is_asked:
            assert after.survey is None, "the answer in words is taken"
        elif isinstance(event, events.UserMessage):
            assert not any(name is Name.RATED for name in self.names), "words for somebody else"
        if decision.verdict is Verdict.ACCEPTED:
            says_more = isinstance(event, events.FromUser | events.BotMessage | events.Claim)
            asks = isinstance(event, events.HumanRequested) or after.phase is not Phase.BOT
            self.asked_last = any(name is Name.SURVEYED for name in self.names) or (
                self.asked_last and not (says_more or asks)
            )
        return decision

    @property
    def names(self) -> list[Name]:
        """Returns what the reports count of the latest event."""
        records = (one for one in self.done if isinstance(one, Record))
        return [measure.name for one in records for measure in one.measures]

    def _customer(self, was: Phase, event: events.Event, decision: Any) -> None:
        """The customer is told of every change, in order, and of nothing that is not so."""
        after, told = decision.conversation, []
        if was is Phase.BOT and isinstance(event, events.HumanRequested):
            told.append(after.phase)
        for one in decision.commands:
            if isinstance(one, SendEvent) and one.event_type == "REPRESENTATIVE_JOINED":
                assert one.frame not in self.open, "JOINED twice"
                self.open.add(one.frame or "")
                told.append(Phase.HUMAN)
            elif isinstance(one, SendEvent):
                assert one.frame in self.open, "LEFT outside of a frame"
                self.open.remove(one.frame or "")
                assert self.open or after.phase is not Phase.HUMAN, "nobody is there in between"
                says_back = "assistant again" in (one.text or "")
                is_last = not one.notice and not self.open and after.phase is Phase.BOT
                if says_back or is_last:
                    told.append(Phase.BOT)
            elif isinstance(one, SendMessage):
                told += self._told_by(one, was, after.phase)
        assert Phase.BOT not in told or after.phase is Phase.BOT, "told that the bot is back"
        self.last_told = told[-1] if told else self.last_told
        has_human = after.phase is Phase.HUMAN and bool(self.open)
        assert self.last_told is after.phase or has_human, (
            f"told {self.last_told}, and it is {after.phase}"
        )
        self.last_told = after.phase
        assert self.open == {human.frame for human in after.humans}
        assert (after.phase is Phase.HUMAN) == bool(after.humans)

    def _told_by(self, one: SendMessage, was: Phase, now: Phase) -> list[Phase]:
        if one.representative.representative_type is RepresentativeType.HUMAN:
            assert one.frame in self.open, "a human's words outside of their frame"
            return []
        if one.representative.name != self.policy.bot_name:
            assert not self.open, "the bot speaks while a human is here"
            assert not self.conversation.passed_on, "the bot speaks between two humans"
            return []
        texts = {self.policy.notices.text(notice, None): notice for notice in Notice}
        notice = texts[one.content.text or ""]
        return [Phase.QUEUED] if notice in WAIT else [Phase.BOT] if notice in BACK else []

    def _team(self, was: Phase, now: Phase, decision: Any) -> None:
        kinds = [one["type"] for one in self.notified if one["type"] != "handoff.unclaimed"]
        assert len(kinds) <= 1, "the team is notified once of one change"
        if was is not now:
            assert kinds[0] in ENDS if now is Phase.BOT else kinds == [EDGES[was, now]]

    def _rooms(self, decision: Any) -> None:
        """Each slot of a person is of a frame or the offer here, and each of these has its own."""
        known = self.conversation
        held = {human.person: human.slot for human in known.humans if human.slot}
        if known.offer is not None:
            assert known.phase is not Phase.BOT, "an offer of what nobody can take"
            assert known.offer.to not in held, "an offer to somebody who is here"
            held[known.offer.to] = known.offer.id
        for id, room in self.rooms.items():
            assert room - {ELSEWHERE} == ({held[id]} if id in held else set())
        for taken in decision.slots:
            capacity, room = ROOM[taken.person], self.rooms[taken.person]
            assert capacity is None or len(room) <= capacity, "more than they have room for"
        chats = known.called.chats if known.called else ()
        theirs = [human.source for human in known.humans if human.source.startswith("ccai")]
        assert set(theirs) <= set(chats), "somebody of a desk that was let go is present"
        assert known.phase is not Phase.QUEUED or known.timer is not None, "a wait without an end"
        assert known.phase is Phase.QUEUED or not (known.assign or known.tried)
        dues = [known.offer.until if known.offer else None, known.timer and known.timer.due_at]
        assert all(known.due_at is not None and known.due_at <= due for due in dues if due)

    def _reports(self) -> None:
        """A handoff begins and ends once, at one desk; so does a frame."""
        records = [one for one in self.done if isinstance(one, Record)]
        for measure in (measure for one in records for measure in one.measures):
            who = measure.agent if measure.name in (Name.FRAME, Name.HANDLING) else ""
            self.counted[measure.name, measure.desk, who] += measure.number
        progress = self.conversation.progress
        handoff = progress.handoff if progress else None
        assert (handoff is not None) == (self.conversation.phase is not Phase.BOT)
        for desk in ("own", "calls", ""):
            is_open = handoff is not None and handoff.desk == desk
            assert self._sum(BEGINS, desk) - self._sum(OUTCOMES, desk) == is_open
            assert self._sum({Name.TURN}, desk) >= self._sum({Name.ANSWERED}, desk)
        for human in ("Jane", "Omar", "Zoe", "Kim"):
            frames = self._sum({Name.FRAME}, None, human) - self._sum({Name.HANDLING}, None, human)
            assert frames == (human in self.here)

    def _sum(self, names: set[Name], desk: str | None, who: str | None = None) -> int:
        return sum(
            number
            for (name, at, agent), number in self.counted.items()
            if name in names and desk in (None, at) and who in (None, agent)
        )

    # acts of people and of the customer; each may be refused or ignored

    def act(self, kind: str, *what: str) -> None:
        getattr(self, f"do_{kind}")(*what)

    def do_ask(self) -> None:
        self.asks()

    def do_claim(self, who: str) -> None:
        self.claims(PEOPLE[who])

    def do_accept(self, who: str, place: str) -> None:
        if self.known_offers:
            offer = self.known_offers[-1 - int(place) % len(self.known_offers)]
            was, here = self.conversation.offer, self.here
            decision = self.claims(PEOPLE[who], offer=offer)
            stands = was is not None and was.id == offer and was.to == PEOPLE[who].id
            assert (decision.refusal is None) == (stands or PEOPLE[who].name in here)

    def do_add(self, who: str) -> None:
        self.adds(PEOPLE[who])

    def do_leave(self, who: str) -> None:
        self.goes(PEOPLE[who])

    def do_say(self, who: str) -> None:
        self.writes(PEOPLE[who])

    def do_bot(self) -> None:
        self.bot()

    def do_write(self, words: str) -> None:
        self.user(words)

    def do_back(self, age: str) -> None:
        said_at = self.now - timedelta(hours=1) if age == "old" else self.now + timedelta(days=1)
        was = self.phase
        self.user("back to the bot", occurred_at=said_at)
        assert self.phase is (was if age == "old" else Phase.BOT)

    def do_tap(self, answer: str) -> None:
        survey = self.conversation.survey
        data = button(survey.id if survey else "over", answer)
        form: Any = {"suggestionResponse": {"postbackData": data}}
        self.take(events.SuggestionResponse(**self.common(), form=form, said=answer))

    def do_offer(self, by: str, to: str) -> None:
        seen = self.conversation.holder if by == "zoe" else None
        self.offers(PEOPLE[by], PEOPLE[to], supervisor=by == "zoe", seen_holder=seen)

    def do_decline(self, who: str, place: str) -> None:
        if self.known_offers:
            offer = self.known_offers[-1 - int(place) % len(self.known_offers)]
            stands, was = self.conversation.offer, self.here
            self.declines(PEOPLE[who], offer)
            if stands is not None and stands.id != offer:
                assert self.conversation.offer == stands, "an answer ended another offer"
            assert self.here == was

    def do_withdraw(self, who: str) -> None:
        if self.conversation.offer is not None:
            self.withdraws(PEOPLE[who], supervisor=who == "zoe")

    def do_pass(self, by: str, to: str) -> None:
        here, name = self.here, PEOPLE[by].name
        seen = self.conversation.holder if by == "zoe" else None
        desk = None if to == "queue" else to
        self.passes(PEOPLE[by], desk, supervisor=by == "zoe", seen_holder=seen)
        assert by == "zoe" or set(here) - set(self.here) <= {name}, "put a colleague out"

    def do_take(self, seen: str) -> None:
        here = self.here
        saw = self.conversation.holder if seen == "now" else "Jane"
        self.takes_over(ZOE, saw or None)
        assert set(here) - set(self.here) <= set(saw.split(", ")), "put out somebody unseen"

    def do_away(self, who: str) -> None:
        self.away ^= {PEOPLE[who].id}

    def do_gone(self, who: str) -> None:
        for slot in sorted(self.rooms[PEOPLE[who].id] - {ELSEWHERE}):
            self.is_gone(PEOPLE[who], slot)

    def do_busy(self, who: str) -> None:
        """Another conversation takes room of this person, or frees it."""
        room = self.rooms[PEOPLE[who].id]
        if ELSEWHERE in room or len(room) < (ROOM[PEOPLE[who].id] or 9):
            room ^= {ELSEWHERE}

    def do_push(self, who: str) -> None:
        self.baton_offers(PEOPLE[who])

    def do_chat(self, what: str, place: str) -> None:
        """Facts of the called desk, also late ones of its earlier chats."""
        called, past = self.conversation.called, self.conversation.past_chats
        if what == "open":
            if called is not None and called.chat is None:
                self.opened(f"ccai:chat-{self.count}")
            return
        chats = [*past, *(called.chats if called else ())]
        if not chats:
            return
        chat = chats[-1 - int(place) % len(chats)]
        if what == "join":
            self.joins("Kim", source=chat)
        elif what == "say":
            self.says("hello", "Kim", source=chat)
        elif what == "leave":
            self.leaves("Kim", source=chat)
        else:
            self.ends(chat)

    def do_step(self) -> None:
        self.step()

    # what the system does by itself

    def step(self) -> bool:
        """Fires what is due next. Returns False where nothing is."""
        known = self.conversation
        if known.assign is not None:
            free = [one for one in AGENTS if self._may_be_asked(one)]
            if free:
                assert self.baton_offers(free[0]).verdict is Verdict.ACCEPTED
            else:
                self.finds_nobody()
        elif known.offer is not None:
            self.offer_expires()
        elif known.timer is None:
            return False
        elif known.timer.kind == "unclaimed":
            self.reminded()
        elif known.timer.kind == "idle":
            self.silent()
        else:
            self.nobody_comes()
        return True

    def _may_be_asked(self, person: Person) -> bool:
        has_room = self.seen(person).room != 0
        is_here = person.id not in self.away
        return is_here and has_room and person.id not in self.conversation.tried

    def settle(self) -> None:
        """The system alone ends every wait: everybody who is silent stays so."""
        for _ in range(60):
            if not self.step():
                break
        else:
            raise AssertionError("the system goes round for ever")
        known = self.conversation
        assert (known.phase, known.offer, known.called) == (Phase.BOT, None, None)
        for room in self.rooms.values():
            assert room <= {ELSEWHERE}, "a slot is taken for ever"


agents, people = st.sampled_from(("jane", "omar")), st.sampled_from(tuple(PEOPLE))
places = st.sampled_from(("0", "1"))
acts = st.one_of(
    st.tuples(st.sampled_from(("ask", "bot", "step"))),
    st.tuples(st.sampled_from(("claim", "leave", "say", "add")), people),
    st.tuples(st.sampled_from(("accept", "decline")), agents, places),
    st.tuples(st.sampled_from(("withdraw",)), people),
    st.tuples(st.sampled_from(("away", "busy", "gone", "push")), agents),
    st.tuples(st.just("offer"), people, agents),
    st.tuples(st.just("pass"), people, st.sampled_from(("queue", "own", "calls"))),
    st.tuples(st.just("take"), st.sampled_from(("now", "before"))),
    st.tuples(st.just("back"), st.sampled_from(("old", "now"))),
    st.tuples(st.just("write"), st.sampled_from(("hi", "2"))),
    st.tuples(st.just("tap"), st.sampled_from(("1", "5"))),
    st.tuples(st.just("chat"), st.sampled_from(("open", "join", "say", "leave", "end")), places),
)
HELD: tuple[Act, ...] = (("ask",), ("claim", "jane"), ("say", "jane"))
OFFERED: tuple[Act, ...] = (*HELD, ("offer", "jane", "omar"))
CALLED: tuple[Act, ...] = (*HELD, ("pass", "jane", "calls"))
IN_CHAT: tuple[Act, ...] = (*CALLED, ("chat", "open", "0"), ("chat", "join", "0"))
PASSED: tuple[Act, ...] = (*HELD, ("pass", "jane", "queue"))
BEGINNINGS = ((), HELD, (*HELD, ("add", "omar")), OFFERED, CALLED, IN_CHAT, PASSED)


def run(done: tuple[Act, ...], frames: bool, idle: HumanIdle, assign: Assign) -> None:
    support = Support(FRAMES if frames else WORDS, idle, assign)
    for one in done:
        support.act(*one)
    support.settle()


@effort(400)
@given(
    st.builds(lambda one, more: (*one, *more), st.sampled_from(BEGINNINGS), st.lists(acts)),
    st.booleans(),
    st.sampled_from(("bot", "queue", "queue-then-bot")),
    st.sampled_from(("pull", "push")),
)
@example((*OFFERED, ("accept", "omar", "0")), False, "queue", "pull")  # leave_first
@example((*OFFERED, ("leave", "jane"), ("accept", "omar", "0")), True, "bot", "pull")
@example(
    (("ask",), ("push", "jane"), ("claim", "omar"), ("accept", "jane", "0")), True, "bot", "push"
)
@example(
    (("ask",), ("claim", "jane"), ("step",), ("bot",), ("claim", "omar")), True, "queue", "pull"
)
@example((("claim", "jane"), ("add", "omar"), ("pass", "jane", "queue")), True, "queue", "pull")
@example(
    (*OFFERED, ("withdraw", "jane"), ("offer", "jane", "omar"), ("decline", "omar", "1")),
    True,
    "bot",
    "pull",
)
@example((*OFFERED, ("back", "now"), ("accept", "omar", "0")), True, "bot", "pull")
@example((("claim", "omar"), ("take", "before"), ("take", "now")), True, "bot", "pull")
@example((("ask",), ("step",), ("step",), ("step",), ("step",)), True, "queue", "push")
@example((*IN_CHAT, ("pass", "zoe", "own"), ("chat", "say", "0")), False, "queue", "pull")
@example((*CALLED, ("step",), ("step",), ("step",), ("step",), ("step",)), True, "queue", "push")
@example((*IN_CHAT, ("chat", "end", "0"), ("tap", "1")), False, "queue", "pull")
@example(
    (("claim", "jane"), ("say", "jane"), ("leave", "jane"), ("ask",), ("write", "2")),
    True,
    "bot",
    "pull",
)
@example((("busy", "omar"), ("ask",), ("claim", "omar"), ("add", "omar")), True, "bot", "push")
@example((*HELD, ("leave", "jane"), ("bot",), ("write", "2")), True, "bot", "pull")
@example((*HELD, ("leave", "jane"), ("write", "hi"), ("write", "2")), True, "bot", "pull")
def test_nobody_is_forgotten_and_nothing_untrue_is_said(
    done: tuple[Act, ...], frames: bool, idle: HumanIdle, assign: Assign
) -> None:
    run(done, frames, idle, assign)
