"""`decide` is total and pure, over any conversation that can be and any event that can come."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.handoff.machine import decide
from shared.handoff.policy import Policy
from shared.handoff.transitions import TABLE
from shared.schemas import events
from shared.schemas.commands import Lane, SendEvent, SendMessage
from shared.schemas.content import TEXT_LIMIT, Content
from shared.schemas.conversation import Capabilities, Conversation, HandoffRequest, Phase, Present, Timer
from shared.schemas.journal import Verdict
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.variables import Audience, Provenance, Variable
from tests.property.effort import effort

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHANNEL, DESK = "business_messages:3333", "csku:conv_1"
KINDS = {kind.kind: kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Event)}
names, keys = st.sampled_from(("Jane", "Sam", "", None)), st.sampled_from((None, "k1", "k2"))
times = st.integers(-5000, 5000).map(lambda seconds: NOW + timedelta(seconds=seconds))
sources = st.sampled_from((CHANNEL, DESK))
texts = st.text(min_size=1, max_size=20) | st.integers(TEXT_LIMIT - 2, 3 * TEXT_LIMIT).map(
    lambda length: "word " * (length // 5)
)
policies = st.builds(
    Policy,
    unclaimed_reminders=st.integers(0, 3),
    webhooks=st.sets(st.sampled_from(("BOT", "HUMAN"))).map(frozenset),
    capabilities=st.sampled_from(({}, {"business_messages": Capabilities(text_limit=1000)})),
)
people = names.map(lambda name: Representative(representative_type=RepresentativeType.HUMAN, display_name=name))
variables = st.sets(st.sampled_from(Audience)).map(
    lambda seen_by: Variable(
        key="order", value="A1", captured_at=NOW, audiences=tuple(seen_by), provenance=Provenance(signed=False)
    )
)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    phase = draw(st.sampled_from(Phase))
    several = draw(st.lists(people, min_size=1, max_size=3, unique_by=lambda who: who.name))
    humans = tuple(
        Present(representative=who, frame=f"frame {who.name}", source=draw(sources), joined_at=NOW, key=draw(keys))
        for who in several
    )
    kinds: dict[Phase, Any] = {Phase.QUEUED: "unclaimed", Phase.HUMAN: "idle"}
    timer = (
        Timer(kind=kinds[phase], armed=draw(st.integers(1, 3)), n=draw(st.integers(1, 5)), due_at=NOW)
        if phase in kinds
        else None
    )
    request = HandoffRequest(
        reason="billing", source=draw(sources), accepted_at=draw(times), occurred_at=draw(st.none() | times)
    )
    return Conversation(
        id=CHANNEL, address="3333", tracked=draw(st.booleans()), phase=phase, version=draw(st.integers(3, 9)),
        humans=humans if phase is Phase.HUMAN else (), timer=timer, spoke_at=draw(st.none() | times),
        human_since=NOW if phase is Phase.HUMAN else None,
        request=request if phase is Phase.QUEUED else draw(st.none() | st.just(request)),
    )  # fmt: skip


@st.composite
def happenings(draw: st.DrawFn, kinds: Sequence[str] = tuple(sorted(TABLE))) -> events.Event:
    model = KINDS[draw(st.sampled_from(kinds))]
    fact = model is not events.Claim and draw(st.booleans())
    bot = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
    values: dict[str, Any] = {
        "id": "1", "source": draw(sources), "actor": "test", "fact": fact, "key": draw(keys), "reason": "billing",
        "occurred_at": draw(st.none() | times), "form": {"message": {"text": "hi"}}, "name": "what",
        "representative": bot if model is events.BotMessage else draw(people), "owner": None if fact else draw(keys),
        "keeps_id": not fact and draw(st.booleans()), "content": Content.model_construct(text=draw(texts)),
        "human_needed": draw(st.sampled_from((None, False, True))), "armed": draw(st.integers(1, 3)),
        "n": draw(st.integers(1, 5)), "variables": draw(st.lists(variables, min_size=1, max_size=3).map(tuple)),
    }  # fmt: skip
    return model.model_construct(**{name: value for name, value in values.items() if name in model.model_fields})


@effort(600)
@given(conversations(), happenings(), policies)
def test_decide_is_total_and_pure_and_keeps_what_must_always_hold(
    before: Conversation, event: events.Event, policy: Policy
) -> None:
    frozen = before.model_dump_json()
    decision = decide(before, event, NOW, policy)
    assert decide(before, event, NOW, policy) == decision or decision.refusal is not None
    assert before.model_dump_json() == frozen
    after = decision.conversation
    assert after.version == before.version + 1
    assert bool(after.humans) == (after.phase is Phase.HUMAN)
    assert {Phase.BOT: None, Phase.QUEUED: "unclaimed", Phase.HUMAN: "idle"}[after.phase] == (
        after.timer and after.timer.kind
    )
    assert len({human.representative.name for human in after.humans}) == len(after.humans)
    assert before.spoke_at is None or (after.spoke_at or NOW) >= before.spoke_at
    assert len({command.id for command in decision.commands}) == len(decision.commands)
    if decision.refusal is not None:
        assert decision.verdict is Verdict.REFUSED
        assert after == before.model_copy(update={"version": after.version})
        assert not event.fact, "a fact is never refused"
    if before.tracked:
        assert [command for command in decision.commands if command.lane is Lane.CHANNEL] == []


@effort(500)
@given(conversations(), happenings(), policies)
def test_what_the_customer_is_sent_keeps_every_frame(before: Conversation, event: events.Event, policy: Policy) -> None:
    """I1, I2 and I10 of one decision: each human speaks within their own frame, and a bot only outside all of them."""
    frames = {human.frame for human in before.humans}
    decision = decide(before.model_copy(update={"tracked": False}), event, NOW, policy)
    for command in decision.commands:
        if isinstance(command, SendEvent) and command.event_type == "REPRESENTATIVE_JOINED":
            assert command.frame not in frames
            frames.add(command.frame or "")
        elif isinstance(command, SendEvent):
            frames.remove(command.frame or "")
        elif (
            isinstance(command, SendMessage) and command.representative.representative_type is RepresentativeType.HUMAN
        ):
            assert command.frame in frames
        elif isinstance(command, SendMessage):
            assert not frames
            assert command.frame is None
    assert frames == {human.frame for human in decision.conversation.humans}


@effort(200)
@given(conversations(), happenings(("human_joined", "human_left", "human_message", "bot_message")), policies)
def test_what_is_late_never_changes_who_speaks(before: Conversation, event: events.Event, policy: Policy) -> None:
    spoke = NOW - timedelta(seconds=10)
    late = event.model_copy(update={"fact": True, "occurred_at": spoke - timedelta(seconds=1)})
    decision = decide(before.model_copy(update={"spoke_at": spoke}), late, NOW, policy)
    assert (decision.conversation.phase, decision.conversation.humans) == (before.phase, before.humans)
