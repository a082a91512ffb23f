"""What the effects about desks do: where a request goes, what a desk is told that must be called, who is closed."""

from datetime import UTC, timedelta

from shared.handoff.notices import Notice
from shared.handoff.routing import Route
from shared.handoff.speech import say_notice
from shared.handoff.telling import notification
from shared.handoff.turn import Turn, expect
from shared.handoff.visibility import seen_by
from shared.schemas.commands import CallDesk
from shared.schemas.conversation import Called, ClosedDesk, HandoffRequest, Phase, Timer
from shared.schemas.events import FromUser, HumanLeft, HumanRequested, UnclaimedTimeout
from shared.schemas.ids import platform_of
from shared.schemas.variables import Audience

CLOSED_FOR_GOOD = timedelta(days=1)  # after which the team is told again of a desk that names no opening
OUTSIDE_HOURS = "outside-hours"


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


def say_closed(turn: Turn) -> None:
    """A desk's own AI asks with every message: of its asking the customer is told as often as the team."""
    route, known = _route(turn), turn.conversation
    asked_by_desk = turn.event.fact and not known.owns(turn.event.source)
    if not route.closed or (asked_by_desk and _is_known(turn, route)):
        return
    waits = route.waits or (known.timer is not None and known.timer.is_opening)
    if route.opens is None:
        say_notice(turn, Notice.WAITING if waits else Notice.NOBODY)
    else:
        opens = turn.policy.notices.moment(route.opens, known.locale)
        say_notice(turn, Notice.CLOSED_WAITING if waits else Notice.CLOSED, opens=opens)


def notify_closed(turn: Turn) -> None:
    turn.reason = OUTSIDE_HOURS
    route = _route(turn)
    if not _is_known(turn, route):
        until = route.opens.astimezone(UTC) if route.opens else turn.now + CLOSED_FOR_GOOD
        others = (one for one in turn.conversation.closed if one.desk != route.desk.name and turn.now < one.until)
        turn.commands.append(notification(turn, "handoff.failed", route.desk.name))
        turn.change(closed=(*others, ClosedDesk(desk=route.desk.name, until=until)))


def wait_for_opening(turn: Turn) -> None:
    """Reminders count from the opening; what the team was told of so far was another day's."""
    opens = _route(turn).opens
    if opens is not None:
        armed = turn.conversation.version
        turn.change(timer=Timer(kind="unclaimed", armed=armed, n=0, due_at=opens.astimezone(UTC)))


def _route(turn: Turn) -> Route:
    known = turn.conversation
    queued = known.phase is Phase.QUEUED
    return turn.policy.standing(known, turn.now) if queued else turn.policy.route(known, turn.now)


def _is_known(turn: Turn, route: Route) -> bool:
    """Returns whether the team knows already that this customer asks while nobody is there."""
    known = turn.conversation
    if known.phase is Phase.QUEUED:
        return known.opens_at is not None or not route.waits
    return any(one.desk == route.desk.name and turn.now < one.until for one in known.closed)
