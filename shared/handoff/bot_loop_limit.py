"""How many turns a bot has had with no human in between, and when that is too many.

A turn begins with the first message after the customer's words. A bot may say a lot in one turn;
what is more than MESSAGES_IN_A_TURN begins another one, so that a bot that never stops is counted
too.
"""

from datetime import datetime

from shared.handoff.policy import Policy
from shared.schemas.conversation import BotRun, Conversation

MESSAGES_IN_A_TURN = 20


def is_out_of_turns(conversation: Conversation, now: datetime, policy: Policy) -> bool:
    """Returns whether a bot's message would begin one turn more than the policy allows. In a
    tracked conversation the platform has already shown it.
    """
    if conversation.tracked or not policy.bot_turns_limit:
        return False
    return with_one_more(conversation, now, policy).turns > policy.bot_turns_limit


def with_one_more(conversation: Conversation, now: datetime, policy: Policy) -> BotRun:
    """Returns the run with one more message. A new run begins after the time in which turns are
    counted.
    """
    run, answers = conversation.bot_run, conversation.last_message_id
    if run is None or now - run.since >= policy.bot_turns_within:
        return BotRun(since=now, turns=1, messages=1, answers=answers)
    messages = run.messages + 1 if run.answers == answers else 1
    begins = messages % MESSAGES_IN_A_TURN == 1
    return run.model_copy(
        update={"turns": run.turns + begins, "messages": messages, "answers": answers}
    )
