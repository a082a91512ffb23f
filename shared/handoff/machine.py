"""`decide`: what follows from one event. Pure, and the only way a conversation changes who speaks.

All rules are rows in `transitions`; this module only walks them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime

from shared.errors import BatonError
from shared.handoff.draft import ASKS_ABOUT, CONDITIONS, Draft
from shared.handoff.effects.registry import EFFECTS, READERS, WORKS_ON
from shared.handoff.guards import GUARDS, OF_REQUESTS, OF_TIME
from shared.handoff.guards import OWN_ACTS as OWN_ACTS
from shared.handoff.policy import Policy
from shared.handoff.transitions import (
    AFTER_STEP,
    BEFORE_STEP,
    ON_ARRIVAL,
    TABLE,
    Cell,
    Effect,
    Guard,
    Refusal,
    Rule,
    StandingRule,
    Step,
)
from shared.schemas.commands import Command, Listener, State
from shared.schemas.conversation import Conversation
from shared.schemas.events import Event, TakesRoom, Transfer, UserMessage
from shared.schemas.journal import Verdict
from shared.schemas.notation import format_time
from shared.schemas.people import SlotTaken
from shared.schemas.variables import Audience
from shared.values import frozen


@frozen
class Decision:
    """What follows: the conversation (always the next version), the commands, and the refusal if
    it is one.

    `captured_for` is as in JournalEntry. `ended`: by entry, how messages end that waited for the
    customer, and why. `slots`: what the same commit takes of people's room.
    """

    conversation: Conversation
    commands: tuple[Command, ...]
    verdict: Verdict
    reason: str | None = None
    refusal: BatonError | None = None
    captured_for: tuple[Audience, ...] | None = None
    ended: Mapping[str, tuple[State, str | None]] = field(default_factory=dict)
    slots: tuple[SlotTaken, ...] = ()


def decide(conversation: Conversation, event: Event, now: datetime, policy: Policy) -> Decision:
    """Returns what follows from `event` at `now`. Never raises: what is not allowed is a
    Decision with a refusal.
    """
    draft = Draft(conversation, event, now, policy)
    _run(_ON_ARRIVAL, draft)
    rule = rule_for(draft.conversation, draft.event, now, policy)
    if isinstance(rule.then, Refusal):
        return _refused(rule.then, draft)
    return _carried_out(rule.then, draft)


def rule_for(conversation: Conversation, event: Event, now: datetime, policy: Policy) -> Rule:
    """Returns the rule of the table that decides: the first of its cell whose guard holds."""
    fact = event.fact
    for of_requests, of_time, guard, rule in _CELLS[event.kind][conversation.phase]:
        if of_requests and fact:
            continue
        holds = (
            guard(conversation, event, now, policy)
            if of_time
            else guard(conversation, event, policy)
        )
        if holds:
            return rule
    raise ValueError("a cell of the table has no rule that always holds")


def listeners(
    conversation: Conversation, source: str, now: datetime, policy: Policy
) -> tuple[Listener, ...]:
    """Returns who would get the customer's words if they said something in `source` now; none
    where nothing is published.
    """
    if conversation.tracked:
        return ()
    words = UserMessage(id="words", source=source, actor="customer", form={})
    effects = rule_for(conversation, words, now, policy).then.effects
    return next((READERS[effect] for effect in effects if effect in READERS), ())


# Each rule behind its guard or condition, which is looked up once.
_Row = tuple[str | None, Callable[[Draft], bool], StandingRule]
_CellRow = tuple[bool, bool, Callable[..., bool], Rule]


def _rows(rules: Iterable[StandingRule]) -> tuple[_Row, ...]:
    return tuple((ASKS_ABOUT.get(rule.when), CONDITIONS[rule.when], rule) for rule in rules)


def _cell_rows(cell: Cell) -> tuple[_CellRow, ...]:
    return tuple(
        (rule.when in OF_REQUESTS, rule.when in OF_TIME, _GUARDS[rule.when], rule) for rule in cell
    )


_GUARDS: Mapping[Guard, Callable[..., bool]] = {**GUARDS, **OF_TIME}
_CELLS = {
    kind: {phase: _cell_rows(cell) for phase, cell in phases.items()}
    for kind, phases in TABLE.items()
}
_ON_ARRIVAL, _BEFORE_STEP, _AFTER_STEP = map(_rows, (ON_ARRIVAL, BEFORE_STEP, AFTER_STEP))
_ACCEPTED = Verdict.ACCEPTED
_EFFECTS = {name: (WORKS_ON.get(name), effect) for name, effect in EFFECTS.items()}


def _run(rows: Iterable[_Row], draft: Draft) -> None:
    known = vars(draft.conversation)  # an attribute of a model takes eight times as long
    for about, condition, rule in rows:
        if (about is None or known[about]) and condition(draft):
            _perform(rule.effects, draft)
            known = vars(draft.conversation)


def _perform(effects: Iterable[Effect], draft: Draft) -> None:
    """The only place where an effect is called, so what is not in a row does not happen."""
    for name in effects:
        works_on, effect = _EFFECTS[name]
        if works_on is None or getattr(draft.conversation, works_on):
            effect(draft)


def _refused(refusal: Refusal, draft: Draft) -> Decision:
    """Returns the conversation as it arrived, whatever the refusal's effects did to the draft."""
    conversation, draft.reason = draft.conversation, refusal.reason
    _perform(refusal.effects, draft)
    error = refusal.error(refusal.reason, refusal.message, **dict(_facts(draft)))
    return Decision(conversation, tuple(draft.commands), Verdict.REFUSED, refusal.reason, error)


def _facts(draft: Draft) -> Iterator[tuple[str, str]]:
    """Yields what the caller needs to know of the state that refuses the request."""
    known, event = draft.conversation, draft.event
    if known.humans:
        yield "holder", known.holder
    if draft.reason == "offer-over" and known.offer is not None:
        yield "offer", known.offer.id
        yield "to", known.offer.to
    person = event.person if isinstance(event, TakesRoom) else None
    if person is not None and draft.reason in ("at-capacity", "not-available"):
        yield "person", person.person.name
        yield "conversations", str(len(person.slots))
        if person.person.capacity is not None:
            yield "capacity", str(person.person.capacity)
    if draft.reason == "desk-closed" and isinstance(event, Transfer):
        route = draft.policy.next_wait(known, event.to_desk, draft.now)
        yield "desk", route.desk.name
        if route.opens is not None:
            yield "opens", format_time(route.opens.astimezone(UTC))


def _carried_out(step: Step, draft: Draft) -> Decision:
    draft.begin(step)
    _run(_BEFORE_STEP, draft)
    _perform(step.effects, draft)
    if step.to is not None:
        draft.change(phase=step.to)
    _run(_AFTER_STEP, draft)
    verdict, reason = step.verdict, draft.reason
    if not reason:
        # `getattr` takes 20 times as long where a model has no such field
        is_accepted = verdict is _ACCEPTED
        reason = vars(draft.event).get("reason") if is_accepted else verdict.value
    return Decision(
        draft.conversation,
        tuple(draft.commands),
        verdict,
        reason,
        None,
        draft.captured_for,
        draft.ended,
        tuple(draft.slots),
    )
