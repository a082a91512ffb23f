"""Ends a desk's chats where no later try is possible: best effort, with a warning where a chat may
still be open.
"""

from shared.conversations.resolve import where_it_acts
from shared.customers.desk_customers import whose
from shared.errors import BatonError, Unavailable
from shared.logs import log
from shared.outbox.desk_steps import Send, carry_out
from shared.platforms.base import Outcome
from shared.platforms.desk import Chat, ChatDesk, chat_at
from shared.ports import Ports, Snapshot
from shared.schemas.commands import CallDesk, State
from shared.schemas.conversation import Conversation
from shared.schemas.http import Answer, Call
from shared.schemas.notation import platform_of
from shared.values import frozen

PENDING = 500  # entries, which is more than ever wait
MOST_CHANGES = 100  # calls of one erase to desks; a desk may take one a second
FURTHEST = 3200  # entries of a journal in which words said in a chat are looked for


@frozen
class Unended:
    """A chat that a desk may have open for a customer. `customer` is the conversation in which the
    desk reports on that customer; None where Baton knows only its own id of them.
    """

    chat: Snapshot[Conversation]
    customer: str | None


async def end_chats(ports: Ports, conversation: str) -> None:
    """Ends the chats that a desk has open for a customer before an erase removes their records."""
    acting = await where_it_acts(ports, conversation)
    for one in await unended(ports, acting.value) if acting else []:
        desk = ports.desks.chats.get(platform_of(one.chat.value.id))
        if acting is not None and desk is not None:
            await _end_unended(ports, desk, one, acting.value.id)


async def erase_threads(ports: Ports, conversation: str, most: int = MOST_CHANGES) -> None:
    """Deletes what can be deleted of what was said about a customer in rooms and threads, before an
    erase removes their records. Raises Unavailable after `most` calls that change
    something: what was deleted stays deleted, so the next try goes on.
    """
    bounded = _Bounded(ports, most)
    acting = await where_it_acts(ports, conversation)
    known = acting.value if acting else ports.policy.newcomer(conversation, conversation)
    for link in dict.fromkeys((*known.links, *known.past_chats)):
        desk = ports.desks.chats.get(platform_of(link))
        stored = (
            await ports.store.load(link) if desk and desk.name in ports.policy.threads else None
        )
        chat = chat_at(stored.value.address) if stored else None
        if desk is not None and chat is not None:
            await _erase_thread(ports, bounded.to(desk), desk, chat, known.id)


class _NothingIsDeleted(Exception):
    """A desk has refused too much."""


class _Bounded:
    """The sender, for at most so many calls that change something, and as many in each thread that
    the desk refuses: one that lets nothing be deleted holds up no erase.
    """

    def __init__(self, ports: Ports, most: int) -> None:
        self._ports, self._most, self._left = ports, most, most

    def to(self, desk: ChatDesk) -> Send:
        """Returns what sends to one thread. It raises Unavailable and _NothingIsDeleted."""
        refusals = 0

        async def send(call: Call) -> Answer | None:
            nonlocal refusals
            if call.method == "GET":
                return await self._ports.sender.send(call)
            if not self._left:
                raise Unavailable(
                    "desk-erasing",
                    "What was said at a desk is being deleted there, and this takes several "
                    "requests. Nothing is erased here yet: ask again at once, until it is done.",
                )
            answer = await self._ports.sender.send(call)
            if answer is None or desk.outcome(answer) is not Outcome.PERMANENT:
                self._left -= 1
                return answer
            refusals += 1
            if refusals == self._most:
                raise _NothingIsDeleted
            return answer

        return send


async def _erase_thread(
    ports: Ports, send: Send, desk: ChatDesk, chat: Chat, conversation: str
) -> None:
    try:
        said = await _said_in(ports, chat, conversation)
        carried = await carry_out(ports, desk, desk.erase(chat, said), send)
        done = carried.is_done or (carried.answer is not None and desk.is_over(carried.answer))
    except BatonError as error:
        if error.reason == "desk-erasing":
            raise
        done = False
    except _NothingIsDeleted:
        done = False
    if not done:
        words = "what was said in a desk's chat could not be deleted; delete it there"
        log("WARNING", words, chat=desk.conversation(chat.native))


async def _said_in(ports: Ports, chat: Chat, conversation: str) -> list[str]:
    """Returns the ids of the words that the customer's journal has as said in a chat."""
    return [
        command.id
        for entry in await ports.store.latest(conversation, FURTHEST)
        for command in entry.value.commands
        if isinstance(command, CallDesk)
        and (command.action, command.handoff) == ("say", chat.handoff)
    ]


async def unended(ports: Ports, channel: Conversation) -> list[Unended]:
    """Returns the chats of the handoff under way, and the chats whose link or end is pending;
    without chats that were linked to another customer since.
    """
    waiting = [
        command
        for entry in await ports.store.pending(channel.id, 0, PENDING)
        for command in entry.value.commands
        if isinstance(command, CallDesk) and command.chat and command.state is State.PENDING
    ]
    named = {command.chat: command.customer for command in waiting if command.chat}
    if channel.called is not None:
        named |= dict.fromkeys(filter(None, [channel.called.chat]))
        named |= {one.chat: one.customer for one in channel.called.created}
    chats = {one: await chat_of(ports, one) for one in named}
    return [
        Unended(chat, named[one])
        for one, chat in chats.items()
        if chat.value.linked_to in (None, channel.id)
    ]


async def chat_of(ports: Ports, chat: str) -> Snapshot[Conversation]:
    """Returns a chat's conversation, a new one where none is stored."""
    return await ports.store.load(chat) or Snapshot(ports.policy.newcomer(chat, chat), None)


async def _end_unended(ports: Ports, desk: ChatDesk, one: Unended, channel: str) -> None:
    known = chat_at(one.chat.value.address)
    try:
        customer = known.customer if known else await _number(ports, desk, one.customer, channel)
    except BatonError:
        customer = ""
    await end_chat(ports, desk, known or Chat(desk.native(one.chat.value.id), customer, ""))


async def _number(ports: Ports, desk: ChatDesk, customer: str | None, channel: str) -> str:
    """Returns the desk's own id of a customer; empty where the desk does not give it."""
    return (await carry_out(ports, desk, whose(desk, customer, channel))).made or ""


async def end_chat(ports: Ports, desk: ChatDesk, chat: Chat) -> None:
    """Ends a chat whose record is about to go."""
    try:
        ended = bool(chat.customer) and await _ended(ports, desk, chat)
    except BatonError:
        ended = False
    if not ended:
        log(
            "WARNING",
            "a desk's chat that nobody needs may be open still",
            chat=desk.conversation(chat.native),
        )


async def _ended(ports: Ports, desk: ChatDesk, chat: Chat) -> bool:
    ending = desk.close(chat, f"end {chat.handoff or chat.native}", None)
    carried = await carry_out(ports, desk, ending)
    is_over = carried.answer is not None and desk.is_over(carried.answer)
    return carried.is_done or is_over
