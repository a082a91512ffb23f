"""A desk's own assistant, which answers in its chat while the customer waits for one of its
people.
"""

from shared.handoff.effects.notifications import notification
from shared.handoff.turn import Turn
from shared.schemas.conversation import Timer

ENDED = "the desk's assistant had answered, and the chat has ended"


def note(turn: Turn) -> None:
    """From now on it has the customer's words, and they wait from now. Whoever waits for an opening
    still does; what another bot asked for will not be answered.
    """
    called, timer = turn.conversation.called, turn.conversation.timer
    if called is not None:
        turn.change(called=called.model_copy(update={"assisted": True}), awaited=None)
    if timer is None or not timer.is_opening:
        due = turn.now + turn.policy.unclaimed_after
        turn.change(timer=Timer(kind="unclaimed", armed=turn.conversation.version, n=1, due_at=due))


def notify_ended(turn: Turn) -> None:
    turn.reason = ENDED
    turn.commands.append(notification(turn, "handoff.failed"))
