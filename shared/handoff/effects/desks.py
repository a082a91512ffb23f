"""What the effects about desks do: where a request goes, and what a desk is told that must be
called.
"""

from datetime import UTC

from shared.handoff.draft import Draft, expect
from shared.handoff.effects.chats import let_go, tell
from shared.handoff.visibility import metadata_for, seen_by
from shared.schemas.conversation import HandoffRequest, Timer
from shared.schemas.desks import Called
from shared.schemas.events import FromUser, HumanLeft, HumanRequested
from shared.schemas.ids import platform_of
from shared.schemas.own_events import UnclaimedTimeout
from shared.schemas.variables import Audience


def queue(draft: Draft) -> None:
    """Reminders count from the opening where the customer waits for one."""
    event = expect(draft.event, HumanRequested)
    route = draft.policy.route(draft.conversation, draft.now)
    waits = route.opens.astimezone(UTC) if route.opens and route.waits else None
    request = HandoffRequest(
        reason=event.reason,
        source=event.source,
        accepted_at=draft.now,
        occurred_at=event.occurred_at,
        metadata=metadata_for(Audience.AGENT, event.metadata, draft.conversation.variables),
        desk=route.desk.name,
    )
    due = waits or draft.now + draft.policy.unclaimed_after
    n, openings = (0, 1) if waits else (1, 0)
    timer = Timer(
        kind="unclaimed", armed=draft.conversation.version, n=n, due_at=due, openings=openings
    )
    draft.change(request=request, first_response_seconds=None, timer=timer, owed=None)


def pass_on(draft: Draft) -> None:
    """The reminder that is given now is the first one for the other desk, whose opening they
    need not wait for.
    """
    known, desk = draft.conversation, draft.policy.route(draft.conversation, draft.now).desk
    if known.request is not None:
        due = draft.now + draft.policy.unclaimed_after
        openings = (known.timer.openings if known.timer else 0) + 1
        timer = Timer(kind="unclaimed", armed=known.version, n=2, due_at=due, openings=openings)
        draft.change(request=known.request.model_copy(update={"desk": desk.name}), timer=timer)


def call(draft: Draft) -> None:
    """Calls the desk now, or once it opens. One that asked for a human itself knows.

    A desk that still has an earlier handoff, because its agent left the chat open, is told that it
    is over.
    """
    let_go(draft, "asked anew")
    known, request = draft.conversation, draft.conversation.request
    desk = draft.policy.desk(request.desk) if request and request.desk else None
    early = (
        known.timer is not None
        and known.timer.n == 0
        and not isinstance(draft.event, UnclaimedTimeout)
    )
    asked_itself = (
        draft.event.fact and desk is not None and platform_of(draft.event.source) == desk.kind
    )
    if request is None or desk is None or not desk.must_be_called or early or asked_itself:
        return
    handoff = draft.derived_id("handoff")
    draft.change(
        called=Called(desk=desk.name, kind=desk.kind, handoff=handoff, opens_chats=desk.opens_chats)
    )
    tell(
        draft,
        "open",
        menu=desk.menu,
        reason=request.reason,
        metadata=metadata_for(Audience.AGENT, request.metadata, known.variables),
        language=known.locale or draft.policy.notices.language,
        variables=seen_by(Audience.AGENT, known.variables),
    )


def relay(draft: Draft) -> None:
    """What the desk may read of the words is seen to when they are said."""
    if expect(draft.event, FromUser).said:
        tell(draft, "say")


def close(draft: Draft) -> None:
    """Lets go of a desk none of whose people is present. One whose chat has ended knows.

    An agent who leaves does not end a desk's chat: a colleague may come. Nor does a chat end that
    was turned away: an agent might still take it.
    """
    event, called = draft.event, draft.conversation.called
    if called is None or any(called.has(human.source) for human in draft.conversation.humans):
        return
    theirs = event.fact and called.has(event.source)
    if theirs and isinstance(event, HumanLeft):
        return
    its_chat = called.chat is not None and event.over == called.chat
    knows = theirs and (its_chat or not called.opens_chats)
    let_go(draft, None if knows else getattr(event, "reason", None) or event.kind)
