"""`decide`: walks the table for one event. Pure, and the only way a conversation changes who
speaks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.errors import BatonError
from shared.handoff import channels
from shared.handoff.draft import Draft
from shared.handoff.effects import handback
from shared.handoff.effects.closed import say_what_is_owed
from shared.handoff.effects.frames import catch_up
from shared.handoff.effects.registry import EFFECTS
from shared.handoff.guards import holds
from shared.handoff.policy import Policy
from shared.handoff.transitions import TABLE, Effect, Refusal, Rule, Step
from shared.measures.definitions import measure
from shared.schemas.commands import Audience, Command, Record
from shared.schemas.conversation import Conversation, Phase, Timer
from shared.schemas.events import (
    Event,
    FromUser,
    HumanRequested,
    Subscribed,
    Unsubscribed,
    UserMessage,
)
from shared.schemas.journal import Verdict
from shared.schemas.variables import Audience as Reader

_SETS_WHO_SPEAKS = {
    Effect.JOIN,
    Effect.MESSAGE,
    Effect.LEAVE,
    Effect.LEAVE_DESK,
    Effect.BOT_MESSAGE,
}
# a desk's humans may leave while its bot is kept silent
_MEASURED = {Verdict.ACCEPTED, Verdict.SUPPRESSED}
_HUMAN_ACTIVITY = {Effect.JOIN, Effect.MESSAGE}
_TELLS: Mapping[Effect, tuple[Audience, ...]] = {
    Effect.TELL_BOT: ("BOT",),
    Effect.TELL_BOTH: ("BOT", "HUMAN"),
    Effect.TELL_DESK: ("HUMAN",),
}
MOVES = FromUser | HumanRequested  # to the channel on which the customer does it
OWN_ACTS = MOVES | Subscribed | Unsubscribed  # of the customer, where the channel reports them


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows: the conversation (always a version further), what to do, and the refusal if it
    is one.

    `captured_for` is as in JournalEntry.
    """

    conversation: Conversation
    commands: tuple[Command, ...]
    verdict: Verdict
    reason: str | None = None
    refusal: BatonError | None = None
    captured_for: tuple[Reader, ...] | None = None


def decide(conversation: Conversation, event: Event, now: datetime, policy: Policy) -> Decision:
    """Returns what follows from `event` at `now`. Never raises: what is not allowed is a
    Decision with a refusal.
    """
    event = _arrived(event, now)
    conversation = _where_they_are(
        conversation.model_copy(update={"version": conversation.version + 1}), event, now
    )
    rule = rule_for(conversation, event, now, policy)
    if isinstance(rule.then, Refusal):
        return _refuse(rule.then, Draft(conversation, event, now, policy))
    return _carry_out(rule.then, Draft(conversation, event, now, policy))


def rule_for(conversation: Conversation, event: Event, now: datetime, policy: Policy) -> Rule:
    """Returns the rule of the table that decides: the first of its cell whose guard holds."""
    cell = TABLE[event.kind][conversation.phase]
    return next(rule for rule in cell if holds(rule.when, conversation, event, now, policy))


def listeners(
    conversation: Conversation, source: str, now: datetime, policy: Policy
) -> tuple[Audience, ...]:
    """Returns who would get the customer's words if they said something in `source` now; none
    where nothing is told.
    """
    if conversation.tracked:
        return ()
    words = UserMessage(id="words", source=source, actor="customer", form={})
    effects = rule_for(conversation, words, now, policy).then.effects
    return next((_TELLS[effect] for effect in effects if effect in _TELLS), ())


def _where_they_are(conversation: Conversation, event: Event, now: datetime) -> Conversation:
    """Returns it spoken to the customer where they wrote last."""
    if not (isinstance(event, MOVES) and event.fact and conversation.owns(event.source)):
        return conversation
    return channels.followed(conversation, event.source, event.occurred_at or now)


def _arrived(event: Event, now: datetime) -> Event:
    """A clock that runs ahead must not make every later fact look old."""
    occurred = min(event.occurred_at or now, now)
    return (
        event
        if occurred == event.occurred_at
        else event.model_copy(update={"occurred_at": occurred})
    )


def _refuse(refusal: Refusal, draft: Draft) -> Decision:
    """A refusal changes nothing of the conversation, whatever it makes others know."""
    conversation, draft.reason = draft.conversation, refusal.reason
    for effect in refusal.effects:
        EFFECTS[effect](draft)
    holders = ", ".join(human.representative.name for human in conversation.humans)
    error = refusal.error(
        refusal.reason, refusal.message, **({"holder": holders} if holders else {})
    )
    return Decision(conversation, tuple(draft.commands), Verdict.REFUSED, refusal.reason, error)


def _carry_out(step: Step, draft: Draft) -> Decision:
    before = draft.conversation
    # who writes may be answered, even by what follows from their writing
    _remember_the_customer(draft)
    catch_up(draft)
    for effect in step.effects:
        EFFECTS[effect](draft)
    draft.change(phase=step.to or before.phase)
    if Effect.JOIN in step.effects:
        draft.change(human_version=draft.conversation.version)
    if step.verdict is Verdict.STALE:
        draft.change(first_response_seconds=before.first_response_seconds)
    else:
        _mind_the_time(draft, step, before)
    say_what_is_owed(draft)
    if step.verdict is Verdict.ACCEPTED:
        handback.remember(draft, before)
    # late words are said all the same
    if step.verdict in _MEASURED or Effect.MESSAGE in step.effects:
        _measure(draft, before, step.verdict)
    reason = draft.reason or _reason(step, draft.event)
    done = draft.conversation, tuple(draft.commands), step.verdict, reason
    return Decision(*done, captured_for=draft.captured_for)


def _reason(step: Step, event: Event) -> str | None:
    return (
        step.verdict.value
        if step.verdict is not Verdict.ACCEPTED
        else getattr(event, "reason", None)
    )


def _measure(draft: Draft, before: Conversation, verdict: Verdict) -> None:
    said, late = (
        draft.reason is None and verdict is not Verdict.SUPPRESSED,
        verdict is Verdict.STALE,
    )
    measured = measure(before, draft.conversation, draft.event, draft.now, said=said, late=late)
    draft.change(progress=measured.progress)
    if measured.measures:
        draft.commands.append(Record(id=draft.derived_id("record"), measures=measured.measures))


def _mind_the_time(draft: Draft, step: Step, before: Conversation) -> None:
    """Keeps what follows from phase and activity: since when a human is here, which timer runs,
    how late facts are.
    """
    now, phase, effects = draft.now, draft.conversation.phase, set(step.effects)
    if phase is Phase.BOT:
        draft.change(human_since=None, timer=_timer_of_chat(draft, before))
        if before.phase is not Phase.BOT:
            draft.change(request=None)
    elif phase is Phase.HUMAN and effects & _HUMAN_ACTIVITY:
        due = now + draft.policy.human_idle_after
        timer = Timer(kind="idle", armed=draft.conversation.version, n=1, due_at=due)
        draft.change(human_since=before.human_since or now, timer=timer, bot_run=None)
    if draft.event.fact and effects & _SETS_WHO_SPEAKS:
        draft.change(spoke_at=max(filter(None, (before.spoke_at, draft.event.occurred_at))))


def _timer_of_chat(draft: Draft, before: Conversation) -> Timer | None:
    """Returns when a desk is let go whose people have left its chat open, None where no desk
    has the handoff.
    """
    if draft.conversation.called is None:
        return None
    if before.phase is Phase.BOT:
        return before.timer
    due = draft.now + draft.policy.human_idle_after
    return Timer(kind="chat", armed=draft.conversation.version, n=1, due_at=due)


def _remember_the_customer(draft: Draft) -> None:
    event, known = draft.event, draft.conversation
    if isinstance(event, FromUser):
        draft.change(
            locale=event.locale or known.locale,
            customer_name=event.customer_name or known.customer_name,
        )
    # else it is a desk's word
    if isinstance(event, OWN_ACTS) and event.fact and known.owns(event.source):
        at = event.occurred_at or draft.now
        draft.conversation = channels.acted(
            draft.conversation, event.source, at, event.id, event.address
        )
