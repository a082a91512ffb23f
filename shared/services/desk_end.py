"""The end of chats for which nothing can be tried again: best effort, and a warning where one may be open still."""

from shared.desks.base import Chat, ChatDesk, chat_at
from shared.errors import BatonError
from shared.logs import log
from shared.platforms.base import Outcome
from shared.ports import Ports
from shared.schemas.commands import CallDesk, State
from shared.schemas.conversation import Conversation
from shared.schemas.ids import platform_of
from shared.services.native_ids import where_it_acts

PENDING = 500  # entries: more never wait


async def end_chats(ports: Ports, conversation: str) -> None:
    """Ends the chats that a desk has open for a customer who is about to be forgotten, and all that says so."""
    acting = await where_it_acts(ports, conversation)
    for link in await _open_chats(ports, acting.value) if acting else []:
        snapshot, desk = await ports.store.load(link), ports.desks.chats.get(platform_of(link))
        chat = chat_at(snapshot.value.address) if snapshot else None
        if desk is not None and chat is not None:
            await end_chat(ports, desk, chat)


async def end_chat(ports: Ports, desk: ChatDesk, chat: Chat) -> None:
    """Ends a chat that nobody will know of any more."""
    try:
        answer = await ports.sender.send(desk.close(chat))
        ended = answer is not None and (desk.outcome(answer) is Outcome.DONE or desk.is_over(answer))
    except BatonError:
        ended = False
    if not ended:
        log("WARNING", "a desk's chat that nobody needs may be open still", chat=desk.conversation(chat.native))


async def _open_chats(ports: Ports, channel: Conversation) -> list[str]:
    """Returns the chat of the handoff under way, and those that wait to be ended."""
    waiting = [
        command
        for entry in await ports.store.pending(channel.id, 0, PENDING)
        for command in entry.value.commands
        if isinstance(command, CallDesk) and command.action == "close" and command.state is State.PENDING
    ]
    named = [channel.called.chat if channel.called else None, *(command.chat for command in waiting)]
    return list(dict.fromkeys(one for one in named if one is not None))
