"""Robots that answer each other: counts a bot's turns, and notifies the team of the last one."""

from shared.handoff.bot_loop_limit import with_one_more
from shared.handoff.draft import Draft
from shared.handoff.effects.notifications import notification

REASON = "bot-loop"


def count_turn(draft: Draft) -> None:
    """Counts a bot's message. The team is notified once, when the last turn begins."""
    known, policy = draft.conversation, draft.policy
    if known.tracked or not policy.bot_turns_limit:
        return
    run = with_one_more(known, draft.now, policy)
    if run.turns >= policy.bot_turns_limit and not run.is_last:
        run = run.model_copy(update={"is_last": True, "since": draft.now})
        draft.emit(notification(draft, "bot.silenced", reason=REASON))
    draft.change(bot_run=run)


def note(draft: Draft) -> None:
    draft.reason = REASON


def end_run(draft: Draft) -> None:
    draft.change(bot_run=None)
