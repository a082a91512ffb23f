"""What customer and team hear where the desk is closed, and what a customer is owed who could
not be told.
"""

from datetime import UTC, timedelta

from shared.handoff.effects.notifications import notification
from shared.handoff.effects.speech import say_notice
from shared.handoff.notices import Notice
from shared.handoff.routing.desk import Route
from shared.handoff.turn import Turn
from shared.schemas.conversation import Phase, Timer
from shared.schemas.desks import ClosedDesk

# after which the team is told again of a desk that names no opening
CLOSED_FOR_GOOD = timedelta(days=1)
OUTSIDE_HOURS = "outside-hours"


def say_closed(turn: Turn) -> None:
    """A desk's own AI asks with every message: of its asking the customer is told as often as the
    team.

    A bot that asks because it heard the customer ask has the customer told nothing that they know
    already.
    """
    route, known = _route(turn), turn.conversation
    asked_by_desk = turn.event.fact and not known.owns(turn.event.source)
    latest = known.last_message_id
    answered = not turn.event.fact and latest is not None and known.closed_answered == latest
    if not route.closed or answered or (asked_by_desk and _is_known(turn, route)):
        return
    if turn.event.fact and not asked_by_desk:
        turn.change(closed_answered=latest)
    _say(turn, route, waits=route.waits or (known.timer is not None and known.timer.is_opening))


def say_shut(turn: Turn) -> None:
    _say(turn, _route(turn), waits=False)


def say_opening(turn: Turn) -> None:
    route = _route(turn)
    if turn.conversation.opens_at is not None and route.closed:
        _say(turn, route, waits=True)


def say_what_is_owed(turn: Turn) -> None:
    """Says what could not be said when nobody could write to the customer, as it is by now.

    A human who is here is the better answer; who waits again, for a desk that is open, is answered
    by that.
    """
    known = turn.conversation
    if known.owed is None or turn.outside_window:
        return
    turn.change(owed=None)
    route = _route(turn)
    if known.phase is not Phase.HUMAN and known.owed != Notice.NOBODY and route.closed:
        _say(turn, route, waits=known.opens_at is not None)
    elif known.phase is Phase.BOT:
        say_notice(turn, Notice.NOBODY)


def _say(turn: Turn, route: Route, *, waits: bool) -> None:
    if route.opens is None:
        say_notice(turn, Notice.WAITING if waits else Notice.NOBODY)
    else:
        opens = turn.policy.notices.moment(route.opens, turn.conversation.locale)
        say_notice(turn, Notice.CLOSED_WAITING if waits else Notice.CLOSED, opens=opens)


def notify_closed(turn: Turn) -> None:
    route = _route(turn)
    if _is_known(turn, route):
        turn.reason = OUTSIDE_HOURS
    else:
        _fail(turn, route)


def notify_shut(turn: Turn) -> None:
    """The team knows of this request, so it hears of its end, whatever it heard of others."""
    _fail(turn, _route(turn))


def _fail(turn: Turn, route: Route) -> None:
    turn.reason = OUTSIDE_HOURS
    until = route.opens.astimezone(UTC) if route.opens else turn.now + CLOSED_FOR_GOOD
    others = (
        one
        for one in turn.conversation.closed
        if one.desk != route.desk.name and turn.now < one.until
    )
    turn.commands.append(notification(turn, "handoff.failed", route.desk.name))
    turn.change(closed=(*others, ClosedDesk(desk=route.desk.name, until=until)))


def wait_for_opening(turn: Turn) -> None:
    """Reminders count from the opening; what the team was told of so far was another day's."""
    opens, before = _route(turn).opens, turn.conversation.timer
    if opens is not None:
        armed, openings = turn.conversation.version, (before.openings if before else 0) + 1
        due = opens.astimezone(UTC)
        turn.change(timer=Timer(kind="unclaimed", armed=armed, n=0, due_at=due, openings=openings))


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
