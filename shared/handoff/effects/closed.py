"""What the customer and the team are sent where the desk is closed, and what a customer is owed
who could not be written to.
"""

from datetime import UTC, timedelta

from shared.handoff.draft import Draft
from shared.handoff.effects.notifications import notification
from shared.handoff.effects.speech import say_notice
from shared.handoff.notices import Notice
from shared.handoff.routing.desk import Route
from shared.schemas.conversation import Phase, Timer
from shared.schemas.desks import ClosedDesk

# the team is notified again after this of a desk that never opens
CLOSED_FOR_GOOD = timedelta(days=1)
OUTSIDE_HOURS = "outside-hours"


def say_closed(draft: Draft) -> None:
    """A desk's own AI asks with every message, so its request sends the customer this text as often
    as the team is notified.

    A bot often asks because the customer did. The customer has the answer to those words already,
    and does not get it twice.
    """
    route, known = draft.route, draft.conversation
    asked_by_desk = draft.event.fact and not known.owns(draft.event.source)
    latest = known.last_message_id
    answered = not draft.event.fact and latest is not None and known.closed_answered == latest
    if not route.closed or answered or (asked_by_desk and _is_known(draft, route)):
        return
    if draft.event.fact and not asked_by_desk:
        draft.change(closed_answered=latest)
    _say(draft, route, waits=route.waits or (known.timer is not None and known.timer.is_opening))


def say_shut(draft: Draft) -> None:
    _say(draft, draft.route, waits=False)


def say_opening(draft: Draft) -> None:
    route = draft.route
    if draft.conversation.opens_at is not None and route.closed:
        _say(draft, route, waits=True)


def say_passed_on(draft: Draft) -> None:
    """Where the desk is closed and its customers wait, the answer is when it opens."""
    timer, request = draft.conversation.timer, draft.conversation.request
    if timer is not None and timer.is_opening and request is not None:
        _say(draft, draft.policy.next_wait(draft.conversation, request.desk, draft.now), waits=True)
    else:
        say_notice(draft, Notice.PASSED_ON)


def say_owed(draft: Draft) -> None:
    _say(draft, draft.route, waits=draft.conversation.opens_at is not None)


def forget_owed(draft: Draft) -> None:
    draft.change(owed=None)


def _say(draft: Draft, route: Route, *, waits: bool) -> None:
    if route.opens is None:
        say_notice(draft, Notice.WAITING if waits else Notice.NOBODY)
    else:
        opens = draft.policy.notices.moment(route.opens, draft.conversation.locale)
        say_notice(draft, Notice.CLOSED_WAITING if waits else Notice.CLOSED, opens=opens)


def notify_closed(draft: Draft) -> None:
    route = draft.route
    if _is_known(draft, route):
        draft.reason = OUTSIDE_HOURS
    else:
        _fail(draft, route)


def notify_shut(draft: Draft) -> None:
    """The team knows of this request, so it is notified of its end in any case."""
    _fail(draft, draft.route)


def _fail(draft: Draft, route: Route) -> None:
    draft.reason = OUTSIDE_HOURS
    until = route.opens.astimezone(UTC) if route.opens else draft.now + CLOSED_FOR_GOOD
    others = (
        one
        for one in draft.conversation.closed
        if one.desk != route.desk.name and draft.now < one.until
    )
    draft.emit(notification(draft, "handoff.failed", route.desk.name))
    draft.change(closed=(*others, ClosedDesk(desk=route.desk.name, until=until)))


def wait_for_opening(draft: Draft) -> None:
    """Reminders count from the opening. Those of an earlier day do not count."""
    opens, before = draft.route.opens, draft.conversation.timer
    if opens is not None:
        armed, openings = draft.conversation.version, (before.openings if before else 0) + 1
        due = opens.astimezone(UTC)
        draft.change(timer=Timer(kind="unclaimed", armed=armed, n=0, due_at=due, openings=openings))


def _is_known(draft: Draft, route: Route) -> bool:
    """Returns whether the team knows already that this customer asks while the desk is closed."""
    known = draft.conversation
    if known.phase is Phase.QUEUED:
        return known.opens_at is not None or not route.waits
    return any(one.desk == route.desk.name and draft.now < one.until for one in known.closed)
