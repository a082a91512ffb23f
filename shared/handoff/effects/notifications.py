"""The notifications that the team gets of a draft."""

from collections.abc import Callable

from shared.handoff.draft import Draft
from shared.schemas.commands import Publish
from shared.schemas.conversation import Phase, Waiting
from shared.schemas.events import Claim, Said, TakeOver, Transfer, Undelivered
from shared.schemas.notifications import (
    HANDOFFS,
    Notification,
    NotificationType,
    TransferCause,
    transcript_of,
)
from shared.schemas.own_events import HumanIdleTimeout, PersonGone, UnclaimedTimeout
from shared.schemas.representative import Representative

_UNTIMED = {
    "handoff.ended",
    "handoff.transferred",
    "delivery.failed",
    "bot.silenced",
    "handoff.floor_lost",
    "virtual_agent.failed",
}
_SAYS_WHY = {"handoff.failed", "delivery.failed"}


def notify(kind: NotificationType) -> Callable[[Draft], None]:
    def effect(draft: Draft) -> None:
        draft.emit(notification(draft, kind))

    return effect


def notification(
    draft: Draft,
    kind: NotificationType,
    desk: str | None = None,
    reason: str | None = None,
    about: Waiting | None = None,
) -> Publish:
    """Returns the notification of the event, or of one message that waited."""
    return _publish(_body(draft, kind, desk, reason, about))


def notify_transferred(draft: Draft) -> None:
    """`from` is who was here before, `to` who is from now on."""
    event = draft.event
    names = [human.representative.name for human in draft.gone]
    giver = event.representative.name if isinstance(event, Transfer) else None
    to = event.representative.name if isinstance(event, Claim | TakeOver) else None
    more = {
        "from_": ", ".join(names) or giver,
        "to": to,
        "cause": _cause(draft),
        "waiting": to is None,
    }
    draft.emit(_publish(_body(draft, "handoff.transferred").model_copy(update=more)))


def _cause(draft: Draft) -> TransferCause:
    """Returns why the customer was passed on. They return to an earlier desk where a wait has
    failed.
    """
    event = draft.event
    if isinstance(event, TakeOver):
        return "takeover"
    if isinstance(event, HumanIdleTimeout):
        return "silence"
    if isinstance(event, PersonGone):
        return "gone"
    is_wait = draft.before.phase is Phase.QUEUED and not isinstance(event, Transfer)
    return "returned" if is_wait else "transfer"


def _publish(body: Notification) -> Publish:
    return Publish(id=body.id, topic=HANDOFFS, body=body.model_dump(mode="json", by_alias=True))


def _body(
    draft: Draft,
    kind: NotificationType,
    desk: str | None = None,
    reason: str | None = None,
    about: Waiting | None = None,
) -> Notification:
    event, request = draft.event, draft.conversation.request
    return Notification(
        id=draft.derived_id(f"{kind} {about.entry}" if about else kind),
        type=kind,
        conversation=draft.conversation.id,
        time=draft.now,
        representative=about.representative if about else _about(draft),
        reason=reason or (draft.reason if kind in _SAYS_WHY else None) or _reason(draft),
        waited_seconds=draft.waited_seconds if kind not in _UNTIMED else None,
        reminder=event.n
        if isinstance(event, UnclaimedTimeout) and kind == "handoff.unclaimed"
        else None,
        transcript=transcript_of(draft.conversation.id),
        message_id=about.command
        if about
        else _message_id(draft)
        if kind == "delivery.failed"
        else None,
        desk=desk or (request.desk if request else None),
    )


def _reason(draft: Draft) -> str | None:
    request = draft.conversation.request
    return getattr(draft.event, "reason", None) or (request.reason if request else None)


def _about(draft: Draft) -> Representative | None:
    """Returns the representative of the event. The end of a chat names none, but its humans leave
    with it. Nor does the customer's return, with which a human's words are sent that waited.
    """
    gone = [human.representative for human in draft.gone[-1:]]
    named = next(iter((*gone, *draft.released_humans)), None)
    return getattr(draft.event, "representative", named)


def _message_id(draft: Draft) -> str | None:
    event = draft.event
    return (
        event.message
        if isinstance(event, Undelivered)
        else event.id
        if isinstance(event, Said)
        else None
    )
