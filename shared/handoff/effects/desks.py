"""What the effects about desks do: which desk gets a request, and what a desk gets that must be
called.
"""

from datetime import UTC

from shared.handoff.draft import Draft, expect
from shared.handoff.effects.chats import call_desk, let_go
from shared.handoff.visibility import metadata_for, seen_by
from shared.schemas.conversation import HandoffRequest, Timer
from shared.schemas.desks import Called
from shared.schemas.events import ByCustomer, HumanLeft, HumanRequested
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
    """The team gets the first reminder for the other desk now, so the timer counts the second."""
    known, desk = draft.conversation, draft.policy.route(draft.conversation, draft.now).desk
    if known.request is not None:
        due = draft.now + draft.policy.unclaimed_after
        openings = (known.timer.openings if known.timer else 0) + 1
        timer = Timer(kind="unclaimed", armed=known.version, n=2, due_at=due, openings=openings)
        draft.change(request=known.request.model_copy(update={"desk": desk.name}), timer=timer)


def call(draft: Draft) -> None:
    """Calls the desk now, or once it opens. A desk that asked for the human itself is not called.

    A desk may still have an earlier handoff, because its agent left the chat open. That one ends.
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
    call_desk(
        draft,
        "open",
        menu=desk.menu,
        reason=request.reason,
        metadata=metadata_for(Audience.AGENT, request.metadata, known.variables),
        language=known.locale or draft.policy.notices.language,
        variables=seen_by(Audience.AGENT, known.variables),
    )


def relay(draft: Draft) -> None:
    """The outbox hides what the desk may not read, when it sends the words."""
    event = expect(draft.event, ByCustomer)
    if event.said or event.details:
        call_desk(draft, "say")


def close(draft: Draft) -> None:
    """Releases the desk, unless one of its people is present. It is called with the reason, unless
    it reported the end of its chat.

    An agent who leaves does not end the chat, because a colleague may come. A chat that the desk
    turned away is ended by this call, because an agent might still take it.
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
