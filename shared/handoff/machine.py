"""`decide`: walks the table for one event. Pure, and the only way a conversation changes who speaks."""

from dataclasses import dataclass
from datetime import datetime

from shared.errors import BatonError, Forbidden, Refused
from shared.handoff.effects import EFFECTS
from shared.handoff.guards import holds
from shared.handoff.policy import Policy
from shared.handoff.transitions import NOT_YOURS, TABLE, Effect, Refusal, Rule, Step
from shared.handoff.turn import Turn
from shared.schemas.commands import Command
from shared.schemas.conversation import Conversation, Phase, Timer
from shared.schemas.events import Event, FromUser
from shared.schemas.journal import Verdict

_SETS_WHO_SPEAKS = {Effect.JOIN, Effect.MESSAGE, Effect.LEAVE, Effect.LEAVE_DESK, Effect.BOT_MESSAGE}
_HUMAN_ACTIVITY = {Effect.JOIN, Effect.MESSAGE}


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows: the conversation (always a version further), what to do, and the refusal if it is one."""

    conversation: Conversation
    commands: tuple[Command, ...]
    verdict: Verdict
    reason: str | None = None
    refusal: BatonError | None = None


def decide(conversation: Conversation, event: Event, now: datetime, policy: Policy) -> Decision:
    """Returns what follows from `event` at `now`. Never raises: what is not allowed is a Decision with a refusal."""
    event = _arrived(event, now)
    conversation = conversation.model_copy(update={"version": conversation.version + 1})
    rule = rule_for(conversation, event, policy)
    if isinstance(rule.then, Refusal):
        return _refuse(conversation, rule.then)
    return _carry_out(rule.then, Turn(conversation, event, now, policy))


def rule_for(conversation: Conversation, event: Event, policy: Policy) -> Rule:
    """Returns the rule of the table that decides: the first of its cell whose guard holds."""
    cell = TABLE[event.kind][conversation.phase]
    return next(rule for rule in cell if holds(rule.when, conversation, event, policy))


def _arrived(event: Event, now: datetime) -> Event:
    """A clock that runs ahead must not make every later fact look old."""
    occurred = min(event.occurred_at or now, now)
    return event if occurred == event.occurred_at else event.model_copy(update={"occurred_at": occurred})


def _refuse(conversation: Conversation, refusal: Refusal) -> Decision:
    holders = ", ".join(human.representative.name for human in conversation.humans)
    kind = Forbidden if refusal is NOT_YOURS else Refused
    error = kind(refusal.reason, refusal.message, **({"holder": holders} if holders else {}))
    return Decision(conversation, (), Verdict.REFUSED, refusal.reason, error)


def _carry_out(step: Step, turn: Turn) -> Decision:
    before = turn.conversation
    for effect in step.effects:
        EFFECTS[effect](turn)
    turn.change(phase=step.to or before.phase)
    _mind_the_time(turn, step, before)
    _remember_the_customer(turn)
    reason = step.verdict.value if step.verdict is not Verdict.ACCEPTED else getattr(turn.event, "reason", None)
    return Decision(turn.conversation, tuple(turn.commands), step.verdict, reason)


def _mind_the_time(turn: Turn, step: Step, before: Conversation) -> None:
    """Keeps what follows from phase and activity: since when a human is here, which timer runs, how late facts are."""
    now, phase, effects = turn.now, turn.conversation.phase, set(step.effects)
    if phase is Phase.BOT:
        turn.change(human_since=None, timer=None)
    elif phase is Phase.HUMAN and effects & _HUMAN_ACTIVITY:
        due = now + turn.policy.human_idle_after
        timer = Timer(kind="idle", armed=turn.conversation.version, n=1, due_at=due)
        turn.change(human_since=before.human_since or now, timer=timer)
    if turn.event.fact and effects & _SETS_WHO_SPEAKS:
        turn.change(spoke_at=max(filter(None, (before.spoke_at, turn.event.occurred_at))))


def _remember_the_customer(turn: Turn) -> None:
    event = turn.event
    if isinstance(event, FromUser):
        known = turn.conversation
        turn.change(locale=event.locale or known.locale, customer_name=event.customer_name or known.customer_name)
