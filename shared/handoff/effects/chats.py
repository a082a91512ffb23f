"""A desk's own chats: which one is about the handoff under way, which are over, and who is told to
end.

A chat whose handoff is over stays linked: its agent may not know yet. What happens there changes
nothing of the handoff under way, and the desk is told again to end it; told twice it does nothing
more.
"""

from shared.handoff.turn import Turn, expect
from shared.schemas.commands import CallDesk
from shared.schemas.desks import CreatedChat
from shared.schemas.events import ChatCreated
from shared.schemas.ids import platform_of
from shared.schemas.own_events import ChatOpened


def tell(turn: Turn, action: str, **what: object) -> None:
    """Tells the desk that has the handoff, if one has it."""
    called = turn.conversation.called
    if called is not None:
        whose = {"desk": called.desk, "platform": called.kind, "handoff": called.handoff}
        turn.commands.append(
            CallDesk.model_validate(
                {"id": turn.derived_id(f"desk {action}"), "action": action, **whose, **what}
            )
        )


def let_go(turn: Turn, why: str | None) -> None:
    """Takes the handoff from the desk that was called, which is told `why` unless it knows."""
    called = turn.conversation.called
    if called is None:
        return
    if why is not None:
        tell(turn, "close", chat=called.chat, reason=why)
    for one in called.created:
        _end_unlinked(turn, one)
    turn.change(called=None)
    if called.chat is not None:
        _keep(turn, called.chat)


def take_chat(turn: Turn) -> None:
    """Of several chats that the desk says it made meanwhile, this is the one that is needed."""
    event, called = expect(turn.event, ChatOpened), turn.conversation.called
    if called is not None:
        known = {event.chat, *turn.conversation.links}
        past = tuple(one for one in turn.conversation.past_chats if one != event.chat)
        turn.change(
            called=called.model_copy(update={"chat": event.chat, "created": ()}), past_chats=past
        )
        for one in called.created:
            if one.chat not in known:
                _end_unlinked(turn, one)


def keep_chat(turn: Turn) -> None:
    """The handoff ended before the chat for it was known."""
    chat = expect(turn.event, ChatOpened).chat
    _keep(turn, chat)
    _end(turn, chat)


def note_chat(turn: Turn) -> None:
    made, called = _made(turn), turn.conversation.called
    if called is not None and all(made.chat != one.chat for one in called.created):
        created = (*called.created, made)
        turn.change(called=called.model_copy(update={"created": created}))


def end_chat(turn: Turn) -> None:
    if isinstance(turn.event, ChatCreated):
        _end_unlinked(turn, _made(turn))
    else:
        _end(turn, turn.event.source)


def _made(turn: Turn) -> CreatedChat:
    event = expect(turn.event, ChatCreated)
    return CreatedChat(chat=event.chat, at=turn.now, customer=event.source)


def _end_unlinked(turn: Turn, made: CreatedChat) -> None:
    """It is kept in mind, so that an erase reaches what its agent has typed."""
    _keep(turn, made.chat)
    _end(turn, made.chat, made.customer)


def _keep(turn: Turn, chat: str) -> None:
    earlier = tuple(one for one in turn.conversation.past_chats if one != chat)
    turn.change(past_chats=(*earlier, chat))


def _end(turn: Turn, chat: str, customer: str | None = None) -> None:
    platform = platform_of(chat)
    turn.commands.append(
        CallDesk(
            id=turn.derived_id(f"desk close {chat}"),
            desk=platform,
            platform=platform,
            action="close",
            chat=chat,
            customer=customer,
            reason="nobody needs this chat",
        )
    )
