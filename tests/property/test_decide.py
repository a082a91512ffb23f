"""`decide` is total and pure, over any conversation that can be and any event that can come."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.handoff.channels import all_of, in_use
from shared.handoff.machine import OWN_ACTS, decide, listeners
from shared.handoff.policy import Policy
from shared.handoff.routing.desk import Desk
from shared.handoff.routing.hours import Hours
from shared.handoff.transitions import TABLE
from shared.platforms.base import Ended
from shared.schemas import events, own_events
from shared.schemas.commands import (
    CallDesk,
    GiveFloor,
    Publish,
    SendEvent,
    SendMessage,
    State,
    TakeFloor,
    ToChannel,
    ToCustomer,
)
from shared.schemas.content import TEXT_LIMIT, Content, Template
from shared.schemas.conversation import (
    AwaitedReply,
    BotRun,
    Capabilities,
    Channel,
    Conversation,
    Floor,
    HandoffRequest,
    Holder,
    Offer,
    OwnAct,
    Participant,
    Phase,
    Reopening,
    Timer,
    Waiting,
)
from shared.schemas.desks import Called, CreatedChat
from shared.schemas.details import About, Details
from shared.schemas.journal import Verdict
from shared.schemas.notifications import USER_MESSAGES
from shared.schemas.people import Person, PersonSeen
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.variables import Audience, Provenance, Variable
from shared.schemas.virtual_agents import VirtualAgentSession
from tests.property.effort import effort
from tests.property.pools import Pool, on_each
from tests.property.rows import says
from tests.walk import walked

pytestmark = pytest.mark.soak

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHANNEL, DESK, SECOND = "business_messages:3333", "csku:conv_1", "second:1"
SHUT = Hours(time_zone="Asia/Jakarta", mon=("09:00-17:00",))  # it is a Sunday
KINDS = {
    kind.kind: kind
    for kind in {**vars(events), **vars(own_events)}.values()
    if isinstance(kind, type) and issubclass(kind, events.Event)
}
# what only the API brings, and so is never a fact
ASKED = (
    events.Claim,
    events.TakeOver,
    events.Transfer,
    events.OfferEnded,
    events.SurveyAsked,
)
names, keys = st.sampled_from(("Jane", "Sam", "", None)), st.sampled_from((None, "k1", "k2"))
times = st.integers(-5000, 5000).map(lambda seconds: NOW + timedelta(seconds=seconds))
CHAT, PAST, USER = "ccai:chat-2", "ccai:chat-1", "ccai:user-1"
sources = st.sampled_from((CHANNEL, DESK, SECOND, CHAT, PAST, USER))
chats = st.sampled_from((CHAT, PAST, "ccai:chat-3"))
handoffs = st.sampled_from(("h1", "h0"))
texts = st.text(min_size=1, max_size=20) | st.integers(TEXT_LIMIT - 2, 3 * TEXT_LIMIT).map(
    lambda length: "word " * (length // 5)
)
switches = st.sampled_from((frozenset[str](), frozenset({"business_messages"})))
policies = st.builds(
    Policy,
    unclaimed_reminders=st.integers(0, 3),
    bot_turns_limit=st.integers(0, 3),
    bot_hears=st.sampled_from((frozenset(), frozenset({"reaction"}))),
    webhooks=st.sets(st.sampled_from(("BOT", "HUMAN"))).map(frozenset),
    threads=st.sampled_from((frozenset(), frozenset({"ccai"}))),
    capabilities=st.sampled_from(
        (
            {},
            {"business_messages": Capabilities(text_limit=1000)},
            {
                "business_messages": Capabilities(
                    frames=False,
                    labels=False,
                    window_hours=1,
                    templates=True,
                    replies=True,
                    reactions=True,
                )
            },
            {"business_messages": Capabilities(frames=False, labels=False, floor=True)},
        )
    ),
    desks=st.sampled_from(
        (
            (),
            (Desk(name="calls", kind="ccai"),),
            (Desk(name="shut", hours=SHUT),),
            (
                Desk(name="later", kind="csku", hours=SHUT, outside="wait"),
                Desk(name="later-too", kind="ccai", hours=SHUT),
            ),
        )
    ),
    notices_off=switches,
    disclosure_off=switches,
    name_prefix_off=switches,
    floor_given_back=switches,
    reopen_templates=st.sampled_from(
        ({}, {"business_messages": Template(name="answer_ready", language="en")})
    ),
)
floors = st.builds(
    Floor,
    holder=st.sampled_from((Holder.OURS, Holder.THEIRS)),
    since=st.none() | times,
    rank=st.integers(0, 2),
    handing_back=st.booleans(),
)
contents = texts.map(lambda text: Content.model_construct(text=text)) | st.just(
    Content(template=Template(name="sale", language="en", parameters=("today",)))
)
own_acts = st.none() | st.builds(OwnAct, at=times, gave=st.booleans())
people = names.map(
    lambda name: Representative(representative_type=RepresentativeType.HUMAN, display_name=name)
)
persons = st.sampled_from(("jane@example.com", "omar@example.com"))
seen = st.none() | st.builds(
    PersonSeen,
    person=st.builds(
        Person,
        id=persons,
        name=st.sampled_from(("Jane", "Omar")),
        capacity=st.sampled_from((None, 0, 1, 2)),
    ),
    available=st.booleans(),
    slots=st.sampled_from(((), ("s1",))),
)
offers = st.builds(
    lambda id, to, name, givers, by: Offer(
        id=id, to=to, name=name, givers=givers, by=by, made_at=NOW, until=NOW
    ),
    st.sampled_from(("o1", "s1")),
    persons,
    st.sampled_from(("Jane", "Omar")),
    st.sampled_from(((), ("Jane",))),
    st.none() | persons,
)
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
waiters = people | st.just(BOT)
variables = st.sets(st.sampled_from(Audience)).map(
    lambda seen_by: Variable(
        key="order",
        value="A1",
        captured_at=NOW,
        audiences=tuple(seen_by),
        provenance=Provenance(signed=False),
    )
)


calls = st.builds(
    Called,
    desk=st.just("calls"),
    kind=st.just("ccai"),
    handoff=st.just("h1"),
    opens_chats=st.just(True),
    chat=st.sampled_from((None, CHAT)),
    assisted=st.booleans(),
    created=st.sampled_from(((), (CreatedChat(chat="ccai:chat-3", at=NOW),))),
) | st.just(Called(desk="flags", kind="csku", handoff="h1"))


bot_runs = st.builds(
    BotRun,
    since=times,
    turns=st.integers(1, 3),
    messages=st.integers(1, 40),
    answers=st.sampled_from((None, "m1")),
    is_last=st.booleans(),
)


hearers = st.sets(st.sampled_from(Audience)).map(tuple)
session = VirtualAgentSession(id="chat-2", provenance=Provenance(signed=True))
awaited = st.builds(AwaitedReply, key=st.just("order"), audiences=hearers, until=times)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    phase = draw(st.sampled_from(Phase))
    several = draw(st.lists(people, min_size=1, max_size=3, unique_by=lambda who: who.name))
    humans = tuple(
        Participant(
            representative=who,
            frame=f"frame {who.name}",
            source=draw(sources),
            joined_at=NOW,
            occurred_at=draw(st.none() | times),
            key=draw(keys),
            told=draw(st.booleans()),
            app=draw(st.booleans()),
            person=draw(st.none() | persons),
            slot=draw(st.sampled_from((None, "s1"))),
        )
        for who in several
    )
    called = draw(st.none() | calls)
    kinds: dict[Phase, Any] = {Phase.QUEUED: "unclaimed", Phase.HUMAN: "idle", Phase.BOT: "chat"}
    timer = (
        Timer(
            kind=kinds[phase], armed=draw(st.integers(1, 3)), n=draw(st.integers(1, 5)), due_at=NOW
        )
        if called is not None or phase is not Phase.BOT
        else None
    )
    waiting = tuple(
        Waiting(
            journal=CHANNEL,
            entry=f"e{place}",
            command=f"w{place}",
            representative=who,
            since=NOW,
            gives_up_at=NOW,
        )
        for place, who in enumerate(draw(st.lists(waiters, max_size=4)))
    )
    names_here = {who.name for who in several}
    if phase is Phase.HUMAN and any(
        one.representative != BOT and one.representative.name in names_here for one in waiting
    ):
        timer = None
    request = HandoffRequest(
        reason="billing",
        source=draw(sources),
        accepted_at=draw(times),
        occurred_at=draw(st.none() | times),
        passed_on=draw(st.booleans()),
        origin=draw(st.sampled_from((None, "own"))),
    )
    second = Channel(
        id=SECOND,
        address="1",
        last_user_at=draw(st.none() | times),
        unsubscribed_at=draw(st.none() | times),
        shown=tuple(
            human.model_copy(update={"frame": f"there {human.frame}"})
            for human in humans[: draw(st.integers(0, 3))]
        ),
    )
    gone = Participant(
        representative=humans[0].representative, frame="gone", source=CHANNEL, joined_at=NOW
    )
    return Conversation(
        elsewhere=draw(st.sampled_from(((), (second,)))), called=called,
        links=draw(st.sampled_from(((), (DESK,), (DESK, PAST, CHAT, USER)))),
        past_chats=draw(st.sampled_from(((), (PAST,)))),
        id=CHANNEL, address="3333", tracked=draw(st.booleans()), phase=phase,
        version=draw(st.integers(3, 9)),
        humans=humans if phase is Phase.HUMAN else (), timer=timer,
        spoke_at=draw(st.none() | times),
        last_user_at=draw(st.none() | times), unsubscribed_at=draw(st.none() | times),
        left_unseen=draw(st.sampled_from(((), (gone,)))),
        human_since=NOW if phase is Phase.HUMAN else None,
        request=request if phase is Phase.QUEUED else draw(st.none() | st.just(request)),
        owed=draw(st.sampled_from((None, "nobody", "closed", "closed_waiting", "passed_on"))),
        offer=draw(st.none() | offers) if phase is not Phase.BOT else None,
        tried=draw(st.sampled_from(((), ("jane@example.com",)))) if phase is Phase.QUEUED else (),
        bot_run=draw(st.none() | bot_runs), last_message_id=draw(st.sampled_from((None, "m1"))),
        unheard=draw(st.sampled_from(((), ("frame Jane",)))),
        floor=draw(st.none() | floors),
        unreachable=draw(st.sampled_from((False, False, False, True))),
        waiting=waiting,
        reopening=draw(st.none() | st.just(Reopening(template="t1", at=NOW))),
    )  # fmt: skip


@st.composite
def happenings(draw: st.DrawFn, kinds: Sequence[str] = tuple(sorted(TABLE))) -> events.Event:
    model = KINDS[draw(st.sampled_from(kinds))]
    fact = not issubclass(model, ASKED) and draw(st.booleans())
    bot = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
    values: dict[str, Any] = {
        "id": "1", "source": draw(sources), "actor": "test", "fact": fact, "key": draw(keys),
        "reason": "billing",
        "occurred_at": draw(st.none() | times), "form": {"message": {"text": "hi"}}, "name": "what",
        "representative": bot if model is events.BotMessage else draw(people),
        "owner": None if fact else draw(keys),
        "keeps_id": not fact and draw(st.booleans()),
        "content": draw(contents),
        "human_needed": draw(st.sampled_from((None, False, True))),
        "armed": draw(st.integers(1, 3)),
        "n": draw(st.integers(1, 5)),
        "variables": draw(st.lists(variables, min_size=1, max_size=3).map(tuple)),
        "message": draw(st.sampled_from(("m1", "w0", "t1"))), "template": "t1",
        "entry": draw(st.sampled_from(("e0", "e1"))), "note": "she is right",
        "lines": ("whatsapp:h-1",), "old": (),
        "delivered": fact and draw(st.booleans()), "frame": "frame Jane",
        "chat": draw(chats), "desk": draw(sources),
        "heard": draw(st.sampled_from(((), ("BOT",), ("HUMAN",), ("BOT", "HUMAN")))),
        "captured_for": draw(st.none() | hearers), "quoted_for": draw(st.none() | hearers),
        "by": draw(st.sampled_from((None, "BOT", "HUMAN"))), "may_arrive": draw(st.booleans()),
        "details": Details(about=About(message="m0")),
        "handoff": draw(handoffs | st.none() if model is events.HandoffFailed else handoffs),
        "offer": draw(st.sampled_from(("o1", "o2"))), "slot": draw(st.sampled_from(("s1", "o1"))),
        "person": draw(seen if issubclass(model, events.TakesRoom) else persons),
        "person_id": draw(st.none() | persons), "to": draw(persons),
        "seen_holder": draw(st.sampled_from((None, "Jane", "Sam"))),
        "to_agent": draw(st.none() | persons), "to_queue": draw(st.booleans()),
        "to_desk": draw(st.sampled_from((None, "own", "calls"))),
        "supervisor": draw(st.booleans()), "why": draw(st.sampled_from(("declined", "withdrawn"))),
        "said": draw(st.sampled_from((None, "hi"))),
        "emoji": draw(st.sampled_from((None, "\N{THUMBS UP SIGN}"))),
        "entries": draw(st.sampled_from(((), ("e0",), ("e0", "e1")))),
        "answers": draw(st.none() | st.integers(1, 9)),
        "keep": draw(st.sampled_from((None, "keep"))), "failed": draw(st.booleans()),
        "awaited": draw(st.none() | awaited),
        "session": draw(st.sampled_from((None, session))),
    }  # fmt: skip
    is_about = issubclass(model, events.HumanReacted | events.HumanRevoked)
    values["about"] = "m1" if is_about else draw(st.sampled_from((None, "m0", "m1")))
    if issubclass(model, events.ByCustomer | events.HumanRequested | events.FloorMoved):
        values["floor"] = draw(st.sampled_from((None, Holder.OURS, Holder.THEIRS)))
        known = draw(st.sampled_from((None, (), ("HUMAN",))))
        values["heard_by"] = known if values["floor"] is Holder.OURS else None
    values |= {"own_act": draw(own_acts), "human_wanted": draw(st.booleans())}
    model = Ended if model is events.HandoffFailed and draw(st.booleans()) else model
    if model is own_events.Unlinked:  # Baton's own word about one of this conversation's links
        values |= {
            "source": CHANNEL,
            "fact": True,
            "desk": draw(st.sampled_from((DESK, CHAT, PAST, USER))),
        }
    missing = [name for name, one in model.model_fields.items() if one.is_required()]
    assert not {*missing} - {*values}, "no event comes without these"
    return model.model_construct(
        **{name: value for name, value in values.items() if name in model.model_fields}
    )


CONVERSATIONS, HAPPENINGS = Pool(conversations(), 200), Pool(happenings(), 200)
POLICIES = Pool(policies, 100)


def only(*kinds: str) -> Pool:
    return Pool(happenings(kinds), 40)


def with_held(before: Conversation, event: events.Event) -> events.Event:
    """Returns the event with what waits, as it is read from the journal."""
    held = {
        one.entry: SendMessage(
            id=one.command,
            to="old",
            representative=one.representative,
            content=Content(text="hello"),
            state=State.WAITING,
        )
        for one in before.waiting
    }
    return event.model_copy(update={"held": held})


@on_each(600, CONVERSATIONS, HAPPENINGS, POLICIES)
def test_decide_is_total_and_pure_and_keeps_what_must_always_hold(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    frozen = before.model_dump_json()
    event = with_held(before, event)
    decision = decide(before, event, NOW, policy)
    assert decide(before, event, NOW, policy) == decision or decision.refusal is not None
    assert before.model_dump_json() == frozen
    after = decision.conversation
    assert after.version == before.version + 1
    assert bool(after.humans) == (after.phase is Phase.HUMAN)
    kept = after.called and "chat"
    waiting = {one.representative.name for one in after.waiting if one.representative != BOT}
    here = {human.representative.name for human in after.humans}
    idle = None if waiting & here else "idle"
    assert {Phase.BOT: kept, Phase.QUEUED: "unclaimed", Phase.HUMAN: idle}[after.phase] == (
        after.timer and after.timer.kind
    )
    assert len({human.representative.name for human in after.humans}) == len(after.humans)
    assert after.called is None or after.called.chat not in after.past_chats, (
        "no chat has a handoff that is over"
    )
    if before.called not in (None, after.called) and before.called.chat not in (
        None,
        after.called and after.called.chat,
    ):
        assert after.past_chats[-1:] == (before.called.chat,), (
            "no chat is forgotten when its handoff ends"
        )
    assert {one.id for one in all_of(after)} == {one.id for one in all_of(before)}
    assert before.spoke_at is None or (after.spoke_at or NOW) >= before.spoke_at
    assert len({command.id for command in decision.commands}) == len(decision.commands)
    if decision.refusal is not None:
        assert decision.verdict is Verdict.REFUSED
        assert after == before.model_copy(update={"version": after.version})
        assert not event.fact, "a fact is never refused"
    if before.tracked:
        assert [command for command in decision.commands if isinstance(command, ToChannel)] == []


@on_each(500, CONVERSATIONS, HAPPENINGS, POLICIES)
def test_what_the_customer_is_sent_keeps_every_frame(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    """I1, I2 and I10 of one decision: each human speaks within their own frame, and a bot only
    outside all of them.

    Where the channel's own app showed the words, or what a setting switched off would have said it,
    there is no JOINED.
    """
    event = with_held(before, event)
    decision = decide(before.model_copy(update={"tracked": False}), event, NOW, policy)
    after = decision.conversation
    # what the channel in use has shown before
    (was,) = [one for one in all_of(before) if one.id == after.channel]
    frames = {human.frame for human in was.shown}
    limit = policy.of(after.platform).text_limit
    for command in decision.commands:
        assert not isinstance(command, ToCustomer) or command.shown_in(before.id) == after.channel
        if command.state is State.WAITING:
            continue
        if isinstance(command, SendEvent) and command.event_type == "REPRESENTATIVE_JOINED":
            assert command.frame not in frames
            frames.add(command.frame or "")
        elif isinstance(command, SendEvent):
            assert command.frame in frames | {*before.unheard} or policy.notices_off
            frames -= {command.frame or ""}
        elif (
            isinstance(command, SendMessage)
            and command.representative.representative_type is RepresentativeType.HUMAN
        ):
            assert command.frame in frames or policy.notices_off
            assert len(command.content.text or "") <= limit
        elif isinstance(command, SendMessage):
            assert not frames & {human.frame for human in decision.conversation.humans}
            assert command.frame is None
    silent = policy.notices_off or getattr(event, "delivered", False)
    # was to be shown and never arrived
    lost = {event.frame} if isinstance(event, own_events.JoinedLost) else set()
    # never announced, and may go in silence
    in_the_app = {human.frame for human in was.shown if human.app}
    shown = {human.frame for human in in_use(after).shown}
    aside = lost | in_the_app
    assert silent or policy.is_outside_window(after, NOW) or frames - aside == shown - aside
    others = {one.id: [human for human in one.shown if not human.app] for one in all_of(before)}
    for one in after.elsewhere:
        stays = [human for human in one.shown if not human.app]
        expected = [human for human in others[one.id] if human.frame not in lost]
        assert stays == expected, "nobody is told where the customer is not"


@on_each(300, CONVERSATIONS, HAPPENINGS, POLICIES)
def test_where_no_one_may_write_nothing_is_sent(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    """Not even by a fact, which is never refused; and bots are silent for who has unsubscribed."""
    own_act = isinstance(event, OWN_ACTS)
    decision = decide(before, event, NOW, policy)
    sent = [
        command for command in decision.commands if isinstance(command, SendMessage | SendEvent)
    ]
    if policy.is_outside_window(before, NOW) and not own_act:
        assert sent == []
    if before.unsubscribed_at is not None and not own_act:
        assert "BOT" not in [command.representative.representative_type for command in sent]


@on_each(300, CONVERSATIONS, HAPPENINGS, POLICIES)
def test_nothing_is_sent_to_a_number_that_is_anothers(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    """A message, a frame, a template or a change of who is active would reach another person."""
    event = with_held(before, event)
    gone = before.model_copy(update={"unreachable": True, "tracked": False})
    decision = decide(gone, event, NOW, policy)
    if not decision.conversation.unreachable:
        return  # the customer wrote on another channel
    sent = [one for one in decision.commands if isinstance(one, ToChannel)]
    assert [one for one in sent if one.state is not State.WAITING] == []


@on_each(600, CONVERSATIONS, HAPPENINGS, POLICIES)
def test_while_another_sender_is_active_nothing_is_sent_unasked(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    """Sending takes control. Only a human who comes, speaks or leaves may cause that, and the
    first words that another sender got while a human is here. A human's words that waited for the
    customer are such words too.
    """
    floor = Floor(holder=Holder.THEIRS, since=NOW)
    known = before.model_copy(update={"floor": floor})
    theirs = event.model_copy(update={"own_act": None})
    decision = decide(known, theirs, NOW, policy)
    if event.source != CHANNEL and decision.conversation.channel != CHANNEL:
        return  # the customer is on another channel now
    given = [one for one in decision.commands if isinstance(one, ToChannel)]
    sent = [one for one in given if one.state is not State.WAITING]  # kept for the customer
    after = decision.conversation.floor
    if after is not None and after.holder is Holder.OURS:
        return
    said_by = [
        one.representative.representative_type for one in sent if isinstance(one, SendMessage)
    ]
    takes = any(isinstance(one, TakeFloor) for one in sent)
    assert takes or RepresentativeType.BOT not in said_by
    leaves = all(isinstance(one, SendEvent | GiveFloor) for one in sent)
    assert takes or leaves
    by_human = known.phase is Phase.HUMAN or isinstance(event, events.ByRepresentative)
    # What a human said while the window was closed is sent when the customer is back.
    assert sent == [] or by_human or (takes and known.waiting)
    if takes:
        assert isinstance(sent[0], TakeFloor)
    gives = [isinstance(one, GiveFloor) for one in sent]
    assert not any(gives[:-1]), "what is said after giving back would take control again"


@on_each(300, CONVERSATIONS, HAPPENINGS, POLICIES)
def test_what_was_only_heard_is_asked_of_no_bot(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    heard = event.model_copy(update={"floor": Holder.THEIRS, "source": CHANNEL, "fact": True})
    if isinstance(event, events.ByCustomer | events.HumanRequested):
        decision = decide(before, heard, NOW, policy)
        assert "BOT" not in [
            reader
            for one in decision.commands
            if isinstance(one, Publish) and one.topic == USER_MESSAGES
            for reader in one.readers
        ]


@on_each(
    200,
    CONVERSATIONS,
    only("human_joined", "human_message", "bot_message"),
    POLICIES,
)
def test_what_is_late_never_changes_who_speaks(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    spoke = NOW - timedelta(seconds=10)
    late = event.model_copy(update={"fact": True, "occurred_at": spoke - timedelta(seconds=1)})
    decision = decide(before.model_copy(update={"spoke_at": spoke}), late, NOW, policy)
    assert (decision.conversation.phase, _here(decision.conversation)) == (
        before.phase,
        _here(before),
    )


@on_each(200, CONVERSATIONS, only("human_left"), POLICIES)
def test_a_leaving_is_late_only_where_that_human_has_come_since(
    before: Conversation, event: events.HumanLeft, policy: Policy
) -> None:
    came = NOW - timedelta(seconds=10)
    humans = tuple(one.model_copy(update={"occurred_at": came}) for one in before.humans)
    known = before.model_copy(update={"humans": humans, "spoke_at": NOW, "past_chats": ()})
    about = {"fact": True, "owner": None}
    late = event.model_copy(update={**about, "occurred_at": came - timedelta(seconds=1)})
    assert _here(decide(known, late, NOW, policy).conversation) == _here(known)
    left = decide(known, event.model_copy(update={**about, "occurred_at": came}), NOW, policy)
    assert event.representative.name not in _here(left.conversation)


@on_each(300, CONVERSATIONS, only("handoff_failed", "unlink"), POLICIES)
def test_no_human_stays_in_a_chat_that_is_over(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    over = event.model_copy(update={"fact": True})  # what is over is reported, never asked for
    after = decide(before, over, NOW, policy).conversation
    assert _here(after) == [
        one.representative.name for one in before.humans if one.source != event.over
    ]


@on_each(300, CONVERSATIONS, only("user_message", "suggestion_response"), POLICIES)
def test_never_are_two_told_to_answer(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    """Where a desk's own assistant answers, Baton's bot does not hear the customer."""
    decision = decide(
        before.model_copy(update={"phase": Phase.QUEUED, "humans": ()}), event, NOW, policy
    )
    if before.called is not None and before.called.assisted:
        told = [
            one.body
            for one in decision.commands
            if isinstance(one, Publish) and one.topic == USER_MESSAGES
        ]
        assert {"BOT" in str(one["audience"]) for one in told} <= {False}


@effort(100)
@given(
    st.lists(st.tuples(st.sampled_from(("bot", "user")), st.integers(0, 900)), max_size=80),
    st.integers(1, 5),
)
def test_in_no_hour_has_a_bot_twice_its_turns(acts: list[tuple[str, int]], limit: int) -> None:
    """Counted as a customer sees them; and what was refused is said to the team before, once
    for each pause.
    """
    policy, now, fresh = Policy(bot_turns_limit=limit), NOW, True
    conversation, turns, told = (
        Conversation(id=CHANNEL, address="3333"),
        list[datetime](),
        list[datetime](),
    )
    bot = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
    for n, (who, pause) in enumerate(acts):
        now += timedelta(seconds=pause)
        common: dict[str, Any] = {"id": str(n), "source": CHANNEL, "actor": "test"}
        said: events.Event = events.UserMessage(**common, form={}, said="hi")
        if who == "bot":
            said = events.BotMessage(
                **common, fact=False, representative=bot, content=Content(text="beep")
            )
        decision = decide(conversation, said, now, policy)
        conversation = decision.conversation
        told += [
            now
            for one in decision.commands
            if isinstance(one, Publish) and one.body.get("type") == "bot.silenced"
        ]
        if who == "bot" and decision.refusal is None and fresh:
            turns.append(now)
        assert decision.refusal is None or told
        fresh = who == "user" or (fresh and decision.refusal is not None)
    for first in turns:
        assert (
            len([one for one in turns if first <= one < first + policy.bot_turns_within])
            <= 2 * limit
        )
    assert all(later - earlier >= policy.bot_turns_within for earlier, later in pairwise(told))


@on_each(300, CONVERSATIONS, only("human_joined", "claim", "human_message"), POLICIES)
def test_a_human_who_speaks_gives_the_bot_its_turns_back(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    decision = decide(before, event, NOW, policy)
    spoke = decision.verdict is Verdict.ACCEPTED and decision.conversation.phase is Phase.HUMAN
    assert not spoke or decision.conversation.bot_run is None


@on_each(300, CONVERSATIONS, Pool(sources, 6), POLICIES)
def test_typing_is_for_those_who_would_get_the_words(
    before: Conversation, source: str, policy: Policy
) -> None:
    words = events.UserMessage(
        id="1", source=source, actor="test", form={"message": {"text": "hi"}}
    )
    published = [
        one for one in decide(before, words, NOW, policy).commands if isinstance(one, Publish)
    ]
    told = [
        audience
        for one in published
        if one.topic == USER_MESSAGES
        for audience in [one.body["audience"]]
    ]
    assert told == ([list(heard)] if (heard := listeners(before, source, NOW, policy)) else [])


@on_each(300, CONVERSATIONS, HAPPENINGS, POLICIES)
def test_what_happens_in_a_chat_whose_handoff_is_over_changes_nothing_of_the_next(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    humans = tuple(human for human in before.humans if human.source != PAST)
    phase = Phase.BOT if before.phase is Phase.HUMAN and not humans else before.phase
    called = before.called if phase is not Phase.BOT else None
    timer = before.timer if called or phase is not Phase.BOT else None
    since = before.human_since if phase is Phase.HUMAN else None
    gone: dict[str, Any] = {"humans": humans, "phase": phase, "timer": timer, "human_since": since}
    known = before.model_copy(
        update={**gone, "called": called, "past_chats": (PAST,), "links": (PAST, CHAT)}
    )
    late = event.model_copy(update={"fact": True, "source": PAST})
    own = own_events.ChatOpened | own_events.JoinedLost | own_events.Unlinked
    own |= own_events.TemplateLost | own_events.ReopenTimeout
    own |= own_events.Offered | own_events.OfferTimeout | own_events.PersonGone
    if isinstance(event, (*ASKED, events.FromUser, events.ChatCreated, own)):
        return
    after = decide(known, late, NOW, policy).conversation
    kept = (
        "phase",
        "called",
        "spoke_at",
        "request",
        "human_since",
        "first_response_seconds",
        "past_chats",
    )
    assert {name: getattr(after, name) for name in kept} == {
        name: getattr(known, name) for name in kept
    }
    if after.timer != known.timer:
        # the deleted words were all with which a human waited, who may be idle from now on
        assert isinstance(late, events.HumanRevoked)
        here = {human.representative for human in known.humans}
        assert any(one.representative in here for one in known.waiting)
        assert not any(one.representative in here for one in after.waiting)
        assert after.phase is Phase.HUMAN
        assert after.timer is not None
        assert after.timer.kind == "idle"
    assert _here(after) == _here(known)


@on_each(300, CONVERSATIONS, HAPPENINGS, POLICIES)
def test_a_desk_that_is_let_go_is_told_unless_its_own_chat_has_ended(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    decision = decide(before, event, NOW, policy)
    called, after = before.called, decision.conversation.called
    if called is None or not called.opens_chats or (after and after.handoff == called.handoff):
        return
    closed = [
        one for one in decision.commands if isinstance(one, CallDesk) and one.action == "close"
    ]
    knows = event.source == called.chat and isinstance(event, Ended)
    assert knows or called.handoff in {one.handoff for one in closed}
    assert {one.chat for one in called.created} <= {one.chat for one in closed}
    assert {*called.chats} <= {*decision.conversation.past_chats, after and after.chat}, (
        "an erase reaches all of them"
    )


@on_each(300, CONVERSATIONS, only(events.HandoffFailed.kind), POLICIES)
def test_a_failure_that_is_about_one_handoff_changes_nothing_of_another(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    if isinstance(event, Ended):  # it is about a chat, whose handoff the conversation knows
        return
    after = decide(before, event.model_copy(update={"handoff": "another"}), NOW, policy)
    assert [one for one in after.commands if isinstance(one, CallDesk | Publish)] == []
    assert (after.conversation.phase, after.conversation.called) == (before.phase, before.called)


@on_each(300, CONVERSATIONS, HAPPENINGS, POLICIES)
def test_every_command_comes_from_a_row(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    """And what reaches a customer, from an effect whose words say so."""
    walk, decision = walked(before, event, NOW, policy), decide(before, event, NOW, policy)
    assert [command for _, _, command in walk.emitted] == list(decision.commands)
    if decision.refusal is None:
        assert walk.draft.conversation == decision.conversation
    for _, effect, command in walk.emitted:
        assert not isinstance(command, ToCustomer) or says(effect, command), effect


def _here(conversation: Conversation) -> list[str]:
    return [human.representative.name for human in conversation.humans]
