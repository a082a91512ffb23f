"""A walk of the tables beside the one that decides: it says which row emitted which command."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from shared.handoff.draft import CONDITIONS, Draft
from shared.handoff.effects.registry import EFFECTS
from shared.handoff.machine import rule_for
from shared.handoff.policy import Policy
from shared.handoff.terms import Effect
from shared.handoff.transitions import (
    AFTER_STEP,
    BEFORE_STEP,
    ON_ARRIVAL,
    Refusal,
    StandingRule,
)
from shared.schemas.commands import Command
from shared.schemas.conversation import Conversation
from shared.schemas.events import Event


@dataclass
class Walk:
    """`emitted` are the commands in order, each with its row and its effect; `ran` are the standing
    rules whose condition held.
    """

    draft: Draft
    emitted: list[tuple[str, Effect, Command]] = field(default_factory=list)
    ran: list[StandingRule] = field(default_factory=list)

    def run(self, rules: Iterable[StandingRule]) -> None:
        for rule in rules:
            if CONDITIONS[rule.when](self.draft):
                self.ran.append(rule)
                self.perform(rule.name, rule.effects)

    def perform(self, row: str, effects: Iterable[Effect]) -> None:
        for effect in effects:
            already = len(self.draft.commands)
            EFFECTS[effect](self.draft)
            self.emitted += [(row, effect, one) for one in self.draft.commands[already:]]


def walked(conversation: Conversation, event: Event, now: datetime, policy: Policy) -> Walk:
    draft = Draft(conversation, event, now, policy)
    walk = Walk(draft)
    walk.run(ON_ARRIVAL)
    then = rule_for(draft.conversation, draft.event, now, policy).then
    if isinstance(then, Refusal):
        draft.reason = then.reason
        walk.perform("cell", then.effects)
        return walk
    draft.begin(then)
    walk.run(BEFORE_STEP)
    walk.perform("cell", then.effects)
    draft.change(phase=then.to or draft.conversation.phase)
    walk.run(AFTER_STEP)
    return walk
