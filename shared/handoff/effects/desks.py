"""What the effects about desks do: where a request goes, and what a desk is told that must be
called.
"""

from datetime import UTC

from shared.handoff.effects.chats import let_go, tell
from shared.handoff.turn import Turn, expect
from shared.handoff.visibility import metadata_for, seen_by
from shared.schemas.conversation import HandoffRequest, Timer
from shared.schemas.desks import Called
from shared.schemas.events import FromUser, HumanLeft, HumanRequested
from shared.schemas.ids import platform_of
from shared.schemas.own_events import UnclaimedTimeout
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
        metadata=metadata_for(Audience.AGENT, event.metadata, turn.conversation.variables),
        desk=route.desk.name,
    )
    due = waits or turn.now + turn.policy.unclaimed_after
    n, openings = (0, 1) if waits else (1, 0)
    timer = Timer(
        kind="unclaimed", armed=turn.conversation.version, n=n, due_at=due, openings=openings
    )
    turn.change(request=request, first_response_seconds=None, timer=timer, owed=None)


def pass_on(turn: Turn) -> None:
    """The reminder that is given now is the first one for the other desk, whose opening they
    need not wait for.
    """
    known, desk = turn.conversation, turn.policy.route(turn.conversation, turn.now).desk
    if known.request is not None:
        due = turn.now + turn.policy.unclaimed_after
        openings = (known.timer.openings if known.timer else 0) + 1
        timer = Timer(kind="unclaimed", armed=known.version, n=2, due_at=due, openings=openings)
        turn.change(request=known.request.model_copy(update={"desk": desk.name}), timer=timer)


def call(turn: Turn) -> None:
    """Calls the desk now, or once it opens. One that asked for a human itself knows.

    A desk that still has an earlier handoff, because its agent left the chat open, is told that it
    is over.
    """
    let_go(turn, "asked anew")
    known, request = turn.conversation, turn.conversation.request
    desk = turn.policy.desk(request.desk) if request and request.desk else None
    early = (
        known.timer is not None
        and known.timer.n == 0
        and not isinstance(turn.event, UnclaimedTimeout)
    )
    asked_itself = (
        turn.event.fact and desk is not None and platform_of(turn.event.source) == desk.kind
    )
    if request is None or desk is None or not desk.must_be_called or early or asked_itself:
        return
    handoff = turn.derived_id("handoff")
    turn.change(
        called=Called(desk=desk.name, kind=desk.kind, handoff=handoff, opens_chats=desk.opens_chats)
    )
    tell(
        turn,
        "open",
        menu=desk.menu,
        reason=request.reason,
        metadata=metadata_for(Audience.AGENT, request.metadata, known.variables),
        language=known.locale or turn.policy.notices.language,
        variables=seen_by(Audience.AGENT, known.variables),
    )


def relay(turn: Turn) -> None:
    """What the desk may read of the words is seen to when they are said."""
    if expect(turn.event, FromUser).said:
        tell(turn, "say")


def close(turn: Turn) -> None:
    """Lets go of a desk none of whose people is present. One whose chat has ended knows.

    An agent who leaves does not end a desk's chat: a colleague may come. Nor does a chat end that
    was turned away: an agent might still take it.
    """
    event, called = turn.event, turn.conversation.called
    if called is None or any(called.has(human.source) for human in turn.conversation.humans):
        return
    theirs = event.fact and called.has(event.source)
    if theirs and isinstance(event, HumanLeft):
        return
    its_chat = called.chat is not None and event.over == called.chat
    knows = theirs and (its_chat or not called.opens_chats)
    let_go(turn, None if knows else getattr(event, "reason", None) or event.kind)
