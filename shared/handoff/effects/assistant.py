"""A desk's own assistant, which answers in the desk's chat while the customer waits for a human."""

from shared.handoff.draft import Draft
from shared.handoff.effects.notifications import notification
from shared.schemas.conversation import Timer

ENDED = "the desk's assistant had answered, and the chat has ended"


def note(draft: Draft) -> None:
    """The assistant gets the customer's words from now on, and the customer waits from now. A wait
    for an opening goes on. A bot's question that awaits a reply gets none.
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
