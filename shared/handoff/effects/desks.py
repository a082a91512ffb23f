"""What the effects about desks do: which desk gets a request, what a called desk gets, and which
of its chats must end.

A chat whose handoff is over stays linked, because its agent may not know yet. What happens there
changes nothing of the handoff under way, and the desk is asked again to end the chat. A desk that
is asked twice does nothing more.
"""

from collections.abc import Callable
from datetime import UTC

from shared.handoff.draft import Draft, expect
from shared.handoff.effects import offers
from shared.handoff.routing.desk import Route
from shared.handoff.visibility import metadata_for, seen_by
from shared.schemas.commands import CallDesk
from shared.schemas.conversation import HandoffRequest, Phase, Timer
from shared.schemas.desks import Called, CreatedChat
from shared.schemas.events import (
    AsksForHuman,
    ByCustomer,
    ChatCreated,
    HandoffFailed,
    HumanLeft,
    Transfer,
)
from shared.schemas.notation import platform_of
from shared.schemas.own_events import (
    ChatOpened,
    HumanIdleTimeout,
    PersonGone,
    UnclaimedTimeout,
)
from shared.schemas.variables import Audience


def queue(draft: Draft) -> None:
    event = expect(draft.event, AsksForHuman)
    route = draft.policy.route(draft.conversation, draft.now)
    request = HandoffRequest(
        reason=event.reason,
        source=event.source,
        accepted_at=draft.now,
        occurred_at=event.occurred_at,
        metadata=metadata_for(Audience.AGENT, event.metadata, draft.conversation.variables),
        desk=route.desk.name,
    )
    timer = _timer(draft, route)
    draft.change(request=request, first_response_seconds=None, timer=timer, owed=None)


def pass_on(draft: Draft) -> None:
    """The team gets the first reminder for the other desk now, so the timer counts the second."""
    known, desk = draft.conversation, draft.policy.route(draft.conversation, draft.now).desk
    if known.request is not None:
        due = draft.now + draft.policy.unclaimed_after
        openings = (known.timer.openings if known.timer else 0) + 1
        timer = Timer(kind="unclaimed", armed=known.version, n=2, due_at=due, openings=openings)
        draft.change(request=known.request.model_copy(update={"desk": desk.name}), timer=timer)


def requeue(draft: Draft) -> None:
    """The customer waits again, in the place that they have in the queue. A human who came unasked
    left no request, so there is one from now on.

    Who leaves with this has just given the customer away, or was silent: they are not asked next.
    """
    known, event = draft.conversation, draft.event
    to = event.to_desk if isinstance(event, Transfer) else _origin_returned_to(draft)
    route = draft.policy.next_wait(known, to, draft.now)
    request = known.request or HandoffRequest(
        reason=getattr(event, "reason", None) or "passed on",
        source=known.id,
        accepted_at=known.human_since or draft.now,
    )
    is_moved = isinstance(event, Transfer) and request.desk not in (None, route.desk.name)
    draft.change(
        request=request.model_copy(
            update={
                "desk": route.desk.name,
                "queued_at": draft.now,
                "passed_on": True,
                "origin": request.desk if is_moved and route.desk.must_be_called else None,
            }
        ),
        tried=tuple(dict.fromkeys(human.person for human in draft.gone if human.person)),
        timer=_timer(draft, route),
        assign=None,
    )
    offers.look(draft)


def _origin_returned_to(draft: Draft) -> str | None:
    """Returns the desk to which a request goes back that waited elsewhere, None where it did not
    wait.
    """
    request = draft.conversation.request
    return request.origin if request and draft.conversation.phase is Phase.QUEUED else None


def _timer(draft: Draft, route: Route) -> Timer:
    """Reminders count from the opening where the customer waits for one."""
    armed = draft.conversation.version
    if route.opens and route.waits:
        due = route.opens.astimezone(UTC)
        return Timer(kind="unclaimed", armed=armed, n=0, due_at=due, openings=1)
    is_silent = isinstance(draft.event, HumanIdleTimeout | PersonGone)
    is_last = is_silent and draft.policy.human_idle == "queue-then-bot"
    n = draft.policy.unclaimed_reminders + 1 if is_last else 1
    due = draft.now + draft.policy.unclaimed_after
    return Timer(kind="unclaimed", armed=armed, n=n, due_at=due)


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
        isinstance(draft.event, AsksForHuman | UnclaimedTimeout)
        and draft.event.fact
        and desk is not None
        and platform_of(draft.event.source) == desk.kind
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
        place=desk.place,
        invite=desk.invite,
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


def show_standing(draft: Draft) -> None:
    called, humans = draft.conversation.called, draft.conversation.humans
    if called is not None:
        people = tuple(human.representative.name for human in humans)
        call_desk(draft, "show", chat=called.chat, people=people)


def keep_waiting(draft: Draft) -> None:
    event = expect(draft.event, HandoffFailed)
    call_desk(draft, "wait", chat=event.source, reason=event.keep)


def hint(reason: str) -> Callable[[Draft], None]:
    """Returns the effect that says something of Baton's own to the people in the chat of the
    event.
    """

    def effect(draft: Draft) -> None:
        chat, called = draft.event.source, draft.conversation.called
        kind = platform_of(chat)
        draft.emit(
            CallDesk(
                id=draft.derived_id("desk hint"),
                desk=called.desk if called and called.has(chat) else kind,
                platform=kind,
                action="hint",
                handoff=called.handoff if called and called.has(chat) else None,
                chat=chat,
                reason=reason,
            )
        )

    return effect


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


def call_desk(draft: Draft, action: str, **what: object) -> None:
    """Calls the desk that has the handoff, if one has it."""
    called = draft.conversation.called
    if called is not None:
        whose = {"desk": called.desk, "platform": called.kind, "handoff": called.handoff}
        draft.emit(
            CallDesk.model_validate(
                {"id": draft.derived_id(f"desk {action}"), "action": action, **whose, **what}
            )
        )


def let_go(draft: Draft, why: str | None) -> None:
    """Takes the handoff from the desk that was called. `why` is None where the desk knows."""
    called = draft.conversation.called
    if called is None:
        return
    if why is not None:
        call_desk(draft, "close", chat=called.chat, reason=why)
    for one in called.created:
        _end_unlinked(draft, one)
    draft.change(called=None)
    if called.chat is not None:
        _keep(draft, called.chat)


def take_chat(draft: Draft) -> None:
    """Ends the other chats that the desk has reported for this customer since it was called."""
    event, called = expect(draft.event, ChatOpened), draft.conversation.called
    if called is not None:
        known = {event.chat, *draft.conversation.links}
        past = tuple(one for one in draft.conversation.past_chats if one != event.chat)
        draft.change(
            called=called.model_copy(update={"chat": event.chat, "created": ()}), past_chats=past
        )
        for one in called.created:
            if one.chat not in known:
                _end_unlinked(draft, one)


def keep_chat(draft: Draft) -> None:
    """The handoff ended before the chat for it was known."""
    chat = expect(draft.event, ChatOpened).chat
    _keep(draft, chat)
    _end(draft, chat)


def note_chat(draft: Draft) -> None:
    made, called = _made(draft), draft.conversation.called
    if called is not None and all(made.chat != one.chat for one in called.created):
        created = (*called.created, made)
        draft.change(called=called.model_copy(update={"created": created}))


def end_chat(draft: Draft) -> None:
    if isinstance(draft.event, ChatCreated):
        _end_unlinked(draft, _made(draft))
    else:
        _end(draft, draft.event.source)


def _made(draft: Draft) -> CreatedChat:
    event = expect(draft.event, ChatCreated)
    return CreatedChat(chat=event.chat, at=draft.now, customer=event.source)


def _end_unlinked(draft: Draft, made: CreatedChat) -> None:
    """Keeps the chat's id, so that an erase reaches what its agent has typed."""
    _keep(draft, made.chat)
    _end(draft, made.chat, made.customer)


def _keep(draft: Draft, chat: str) -> None:
    earlier = tuple(one for one in draft.conversation.past_chats if one != chat)
    draft.change(past_chats=(*earlier, chat))


def _end(draft: Draft, chat: str, customer: str | None = None) -> None:
    platform = platform_of(chat)
    draft.emit(
        CallDesk(
            id=draft.derived_id(f"desk close {chat}"),
            desk=platform,
            platform=platform,
            action="close",
            chat=chat,
            customer=customer,
            reason="nobody needs this chat",
        )
    )
