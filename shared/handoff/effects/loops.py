"""Robots that answer each other: how many turns a bot has had with no human in between, and when
that is too many.

A turn begins with the first message after the customer's words. A bot may say a lot in one turn;
what is more than MESSAGES_IN_A_TURN begins another one, so that a bot that never stops is counted
too.
"""

from datetime import datetime

from shared.handoff.draft import Draft
from shared.handoff.effects.notifications import notification
from shared.handoff.policy import Policy
from shared.schemas.conversation import BotRun, Conversation

MESSAGES_IN_A_TURN = 20
REASON = "bot-loop"


def is_out_of_turns(conversation: Conversation, now: datetime, policy: Policy) -> bool:
    """Returns whether a message of a bot would begin a turn more than there may be. Where Baton
    only tracks, the platform has shown it already.
    """
    if conversation.tracked or not policy.bot_turns_limit:
        return False
    return _with_one_more(conversation, now, policy).turns > policy.bot_turns_limit


def count_turn(draft: Draft) -> None:
    """Counts a message of a bot. The team is told once, when the last turn begins."""
    known, policy = draft.conversation, draft.policy
    if known.tracked or not policy.bot_turns_limit:
        return
    run = _with_one_more(known, draft.now, policy)
    if run.turns >= policy.bot_turns_limit and not run.is_last:
        run = run.model_copy(update={"is_last": True, "since": draft.now})
        draft.commands.append(notification(draft, "bot.silenced", reason=REASON))
    draft.change(bot_run=run)


def note(draft: Draft) -> None:
    draft.reason = REASON


def _with_one_more(conversation: Conversation, now: datetime, policy: Policy) -> BotRun:
    """Returns the run as one more message makes it; after the time in which turns are counted a
    new one begins.
    """
    run, answers = conversation.bot_run, conversation.last_message_id
    if run is None or now - run.since >= policy.bot_turns_within:
        return BotRun(since=now, turns=1, messages=1, answers=answers)
    messages = run.messages + 1 if run.answers == answers else 1
    begins = messages % MESSAGES_IN_A_TURN == 1
    return run.model_copy(
        update={"turns": run.turns + begins, "messages": messages, "answers": answers}
    )
