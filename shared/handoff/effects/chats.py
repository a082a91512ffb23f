"""A desk's own chats: which one is for the handoff under way, which are over, which must end.

A chat whose handoff is over stays linked, because its agent may not know yet. What happens there
changes nothing of the handoff under way, and the desk is asked again to end the chat. A desk that
is asked twice does nothing more.
"""

from shared.handoff.draft import Draft, expect
from shared.schemas.commands import CallDesk
from shared.schemas.desks import CreatedChat
from shared.schemas.events import ChatCreated
from shared.schemas.ids import platform_of
from shared.schemas.own_events import ChatOpened


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
