"""The conditions of the rules before and after a step."""

from collections.abc import Callable, Mapping

from shared.handoff.draft import Draft
from shared.handoff.notices import Notice
from shared.handoff.terms import Condition, Effect
from shared.schemas.conversation import Phase
from shared.schemas.events import FromUser, HumanRequested, Subscribed, Unsubscribed
from shared.schemas.journal import Verdict

WRITES = FromUser | HumanRequested  # what the customer does on the channel where they are
OWN_ACTS = WRITES | Subscribed | Unsubscribed

_HUMAN_ACTIVITY = {Effect.JOIN, Effect.MESSAGE}
_SETS_SPEAKER = {*_HUMAN_ACTIVITY, Effect.LEAVE, Effect.LEAVE_DESK, Effect.BOT_MESSAGE}
# Suppressed: the desk's humans may leave while its bot is silent.
_MEASURED = {Verdict.ACCEPTED, Verdict.SUPPRESSED}


def _undated(draft: Draft) -> bool:
    occurred = draft.event.occurred_at
    return occurred is None or occurred > draft.now


def _customer_writes(draft: Draft) -> bool:
    return isinstance(draft.event, WRITES) and _is_customers(draft)


def _customer_acts(draft: Draft) -> bool:
    return isinstance(draft.event, OWN_ACTS) and _is_customers(draft)


def _is_customers(draft: Draft) -> bool:
    """Returns whether a channel reports the event. Else a desk or a caller of the API does."""
    return draft.event.fact and draft.conversation.owns(draft.event.source)


def _left_unseen(draft: Draft) -> bool:
    return bool(draft.conversation.left_unseen) and not draft.outside_window


def _has(draft: Draft, effects: set[Effect]) -> bool:
    return not effects.isdisjoint(draft.step.effects)


def _is_timely(draft: Draft) -> bool:
    return draft.step.verdict is not Verdict.STALE


def _bot_speaks(draft: Draft) -> bool:
    return _is_timely(draft) and draft.conversation.phase is Phase.BOT


def _bot_again(draft: Draft) -> bool:
    return _bot_speaks(draft) and draft.before.phase is not Phase.BOT


def _human_active(draft: Draft) -> bool:
    is_human = draft.conversation.phase is Phase.HUMAN
    return is_human and _is_timely(draft) and _has(draft, _HUMAN_ACTIVITY)


def _fact_sets_speaker(draft: Draft) -> bool:
    return draft.event.fact and _is_timely(draft) and _has(draft, _SETS_SPEAKER)


def _owed(draft: Draft) -> bool:
    return draft.conversation.owed is not None and not draft.outside_window


def _owed_closed(draft: Draft) -> bool:
    known = draft.conversation
    is_about_closed = _owed(draft) and known.owed != Notice.NOBODY
    return is_about_closed and known.phase is not Phase.HUMAN and draft.route.closed


def _owed_nobody(draft: Draft) -> bool:
    return _owed(draft) and draft.conversation.phase is Phase.BOT


def _recalls(draft: Draft) -> bool:
    """Returns whether what is said is kept for a bot. A tracked conversation has none of ours."""
    return draft.step.verdict is Verdict.ACCEPTED and not draft.conversation.tracked


def _phases_of_human(draft: Draft) -> tuple[bool, bool]:
    """Returns whether the phase was HUMAN, and whether it is HUMAN."""
    return draft.before.phase is Phase.HUMAN, draft.conversation.phase is Phase.HUMAN


def _measured(draft: Draft) -> bool:
    return draft.step.verdict in _MEASURED or Effect.MESSAGE in draft.step.effects


CONDITIONS: Mapping[Condition, Callable[[Draft], bool]] = {
    Condition.ALWAYS: lambda _: True,
    Condition.UNDATED: _undated,
    Condition.CUSTOMER_WRITES: _customer_writes,
    Condition.FROM_CUSTOMER: lambda draft: isinstance(draft.event, FromUser),
    Condition.CUSTOMER_ACTS: _customer_acts,
    Condition.LEFT_UNSEEN: _left_unseen,
    Condition.JOINING: lambda draft: Effect.JOIN in draft.step.effects,
    Condition.STALE: lambda draft: not _is_timely(draft),
    Condition.BOT_SPEAKS: _bot_speaks,
    Condition.BOT_WITHOUT_DESK: lambda draft: (
        _bot_speaks(draft) and draft.conversation.called is None
    ),
    Condition.BOT_AGAIN_DESK_STAYS: lambda draft: (
        _bot_again(draft) and draft.conversation.called is not None
    ),
    Condition.BOT_AGAIN: _bot_again,
    Condition.HUMAN_ACTIVE: _human_active,
    Condition.FACT_SETS_SPEAKER: _fact_sets_speaker,
    Condition.OWED_CLOSED: _owed_closed,
    Condition.OWED_NOBODY: _owed_nobody,
    Condition.OWED: _owed,
    Condition.HUMAN_TIME_BEGINS: lambda draft: (
        _recalls(draft) and _phases_of_human(draft) == (False, True)
    ),
    Condition.HUMAN_TIME: lambda draft: _recalls(draft) and any(_phases_of_human(draft)),
    Condition.HUMAN_TIME_ENDS: lambda draft: (
        _recalls(draft) and _phases_of_human(draft) == (True, False)
    ),
    Condition.MEASURED: _measured,
}
