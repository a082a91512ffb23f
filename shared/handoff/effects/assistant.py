"""A desk's own assistant, which answers in its chat while the customer waits for one of its
people.
"""

from shared.handoff.draft import Draft
from shared.handoff.effects.notifications import notification
from shared.schemas.conversation import Timer

ENDED = "the desk's assistant had answered, and the chat has ended"


def note(draft: Draft) -> None:
    """From now on it has the customer's words, and they wait from now. Whoever waits for an opening
    still does; what another bot asked for will not be answered.
    """
    called, timer = draft.conversation.called, draft.conversation.timer
    if called is not None:
        draft.change(called=called.model_copy(update={"assisted": True}), awaited=None)
    if timer is None or not timer.is_opening:
        due = draft.now + draft.policy.unclaimed_after
        draft.change(
            timer=Timer(kind="unclaimed", armed=draft.conversation.version, n=1, due_at=due)
        )


def notify_ended(draft: Draft) -> None:
    draft.reason = ENDED
    draft.emit(notification(draft, "handoff.failed"))
