"""What the effects about desks do: where a request goes, and what a desk is told that must be called."""

from datetime import UTC

from shared.handoff.turn import Turn, expect
from shared.handoff.visibility import seen_by
from shared.schemas.commands import CallDesk
from shared.schemas.conversation import Called, HandoffRequest, Timer
from shared.schemas.events import FromUser, HumanLeft, HumanRequested, UnclaimedTimeout
from shared.schemas.ids import platform_of
from shared.schemas.variables import Audience


def queue(turn: Turn) -> None:
    """Reminders count from the opening where the customer waits for one."""
    event = expect(turn.event, HumanRequested)
    route = turn.policy.route(turn.conversation, turn.now)
    waits = route.opens.astimezone(UTC) if route.opens and route.waits else None
    request = HandoffRequest(
        reason=event.reason,
        source=event.source,
        accepted_at=turn.now,
        occurred_at=event.occurred_at,
        metadata=event.metadata,
        desk=route.desk.name,
    )
    due = waits or turn.now + turn.policy.unclaimed_after
    timer = Timer(kind="unclaimed", armed=turn.conversation.version, n=0 if waits else 1, due_at=due)
    turn.change(request=request, first_response_seconds=None, timer=timer, owed=None)


def call(turn: Turn) -> None:
    """Calls the desk now, or once it opens. One that asked for a human itself knows.

    A desk that still has an earlier handoff, because its agent left the chat open, is told that it is over.
    """
    _tell(turn, "close", reason="asked anew")
    turn.change(called=None)
    known, request = turn.conversation, turn.conversation.request
    desk = turn.policy.desk(request.desk) if request and request.desk else None
    early = known.timer is not None and known.timer.n == 0 and not isinstance(turn.event, UnclaimedTimeout)
    if request is None or desk is None or not desk.must_be_called or early or _comes_from(turn, desk.kind):
        return
    turn.change(called=Called(desk=desk.name, kind=desk.kind, handoff=turn.derived_id("handoff")))
    _tell(
        turn,
        "open",
        reason=request.reason,
        metadata=request.metadata,
        language=known.locale,
        variables=seen_by(Audience.AGENT, known.variables),
    )


def relay(turn: Turn) -> None:
    said = expect(turn.event, FromUser).said
    if said and turn.conversation.called:
        _tell(turn, "say", text=said)


def close(turn: Turn) -> None:
    """Lets go of a desk none of whose people is present. One that reports the end itself knows.

    An agent who leaves does not end a desk's chat: a colleague may come.
    """
    known, called = turn.conversation, turn.conversation.called
    if called is None or any(platform_of(human.source) == called.kind for human in known.humans):
        return
    if isinstance(turn.event, HumanLeft) and not turn.event.ends and _comes_from(turn, called.kind):
        return
    if not _comes_from(turn, called.kind):
        _tell(turn, "close", reason=getattr(turn.event, "reason", None) or turn.event.kind)
    turn.change(called=None)


def _comes_from(turn: Turn, kind: str) -> bool:
    return turn.event.fact and platform_of(turn.event.source) == kind


def _tell(turn: Turn, action: str, **what: object) -> None:
    called = turn.conversation.called
    if called is not None:
        given = {"desk": called.desk, "handoff": called.handoff, "action": action, **what}
        command = CallDesk.model_validate({"id": turn.derived_id(f"desk {action}"), **given})
        turn.commands.append(command)
