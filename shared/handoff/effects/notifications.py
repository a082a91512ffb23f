"""What the team is told of a turn."""

from collections.abc import Callable

from shared.handoff.turn import Turn
from shared.schemas.commands import Publish
from shared.schemas.events import Said, Undelivered
from shared.schemas.notifications import HANDOFFS, Notification, NotificationType, transcript_of
from shared.schemas.own_events import UnclaimedTimeout
from shared.schemas.representative import Representative

_UNTIMED = {"handoff.ended", "delivery.failed", "bot.silenced"}
_SAYS_WHY = {"handoff.failed", "delivery.failed"}


def notify(kind: NotificationType) -> Callable[[Turn], None]:
    def effect(turn: Turn) -> None:
        turn.commands.append(notification(turn, kind))

    return effect


def notification(
    turn: Turn, kind: NotificationType, desk: str | None = None, reason: str | None = None
) -> Publish:
    event, request = turn.event, turn.conversation.request
    body = Notification(
        id=turn.derived_id(kind),
        type=kind,
        conversation=turn.conversation.id,
        time=turn.now,
        representative=_about(turn),
        reason=reason or (turn.reason if kind in _SAYS_WHY else None) or _reason(turn),
        waited_seconds=turn.waited_seconds if kind not in _UNTIMED else None,
        reminder=event.n
        if isinstance(event, UnclaimedTimeout) and kind == "handoff.unclaimed"
        else None,
        transcript=transcript_of(turn.conversation.id),
        message_id=_message_id(turn) if kind == "delivery.failed" else None,
        desk=desk or (request.desk if request else None),
    )
    return Publish(id=body.id, topic=HANDOFFS, body=body.model_dump(mode="json", by_alias=True))


def _reason(turn: Turn) -> str | None:
    request = turn.conversation.request
    return getattr(turn.event, "reason", None) or (request.reason if request else None)


def _about(turn: Turn) -> Representative | None:
    """Returns whom it is about: a chat's end names nobody, but with it leave those who were in
    it.
    """
    named = turn.gone[-1].representative if turn.gone else None
    return getattr(turn.event, "representative", named)


def _message_id(turn: Turn) -> str | None:
    event = turn.event
    return (
        event.message
        if isinstance(event, Undelivered)
        else event.id
        if isinstance(event, Said)
        else None
    )
