"""Takes what people did in a desk's chat and the desk's webhook has lost. The journal knows what
was taken before, and the machine what comes late.
"""

from datetime import timedelta

from shared.conversations.apply import take
from shared.conversations.desk_people import as_ours
from shared.errors import BatonError
from shared.logs import log
from shared.platforms.base import Outcome, Platform
from shared.platforms.desk import ChatDesk, HasHistory, chat_at
from shared.ports import Ports
from shared.schemas.conversation import Conversation
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import ByRepresentative, Event, HumanReacted, HumanRevoked

LOOKED_AGAIN, MOST_LOOKED_AT = timedelta(minutes=1), 1000


async def take_missed_at_times(ports: Ports, channel: Conversation) -> None:
    """Looks the chat of a conversation through, once a minute at most."""
    called, now, looked = channel.called, ports.clock.now(), ports.looked_at
    chat = called.chat if called else None
    if chat is None or now - looked.setdefault(chat, now) < LOOKED_AGAIN:
        return
    while len(looked) > MOST_LOOKED_AT:
        del looked[next(iter(looked))]
    looked[chat] = now
    await take_missed(ports, channel)


async def take_missed(ports: Ports, channel: Conversation) -> None:
    """Looks the chat of a conversation through; best effort."""
    called = channel.called
    desk = ports.desks.chats.get(called.kind) if called else None
    platform = ports.platforms.get(called.kind) if called else None
    if called is None or called.chat is None or desk is None or platform is None:
        return
    try:
        events = await _missed(ports, desk, platform, called.chat)
        if events:
            message = "what people did in a desk's chat is taken late: its webhook had lost it"
            log("WARNING", message, conversation=channel.id, events=len(events))
            await take(ports, events, lambda one: _read(ports, one))
    except BatonError as error:
        message = "a desk's chat cannot be looked through now"
        log("WARNING", message, conversation=channel.id, reason=error.reason)


async def _missed(ports: Ports, desk: ChatDesk, platform: Platform, chat: str) -> list[Event]:
    """Returns the events of a chat that are in no journal, the oldest first."""
    stored = await ports.store.load(chat)
    known = chat_at(stored.value.address) if stored else None
    if known is None or not isinstance(desk, HasHistory):
        return []
    answer = await ports.sender.send(desk.history(known))
    if answer is None or desk.outcome(answer) is not Outcome.DONE:
        return []
    events = platform.events(desk.webhook_of(answer))
    return [
        one
        for one in events
        if isinstance(one, Event)
        and not isinstance(
            one, HumanReacted | HumanRevoked
        )  # some are left out, and are in no journal
        and await ports.store.entry(one.source, one.entry_id) is None
    ]


async def _read(ports: Ports, one: Event | Ephemeral) -> Event | Ephemeral | None:
    return await as_ours(ports, one) if isinstance(one, ByRepresentative) else one
