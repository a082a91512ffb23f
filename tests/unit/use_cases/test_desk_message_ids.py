"""A message of the conversation is found in a desk's chat by the desk's own id, and only where the
chat has it.
"""

from shared.conversations.desk_message_ids import desk_message_id
from shared.schemas.commands import SendMessage
from shared.schemas.events import BotMessage, HumanMessage
from shared.schemas.journal import JournalEntry
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.tenant import ID, World


def command_of(entry: JournalEntry) -> str:
    return next(one.id for one in entry.commands if isinstance(one, SendMessage))


async def test_a_bots_message_has_no_id_at_the_desk_and_its_agents_has(bench: Bench) -> None:
    world = World.on(bench)
    await world.customer("hi")
    await world.bot("Hello, I am a bot")
    await world.asks_for_human()
    await world.deliver()
    (chat,) = await world.chats()
    jane = {"representative_type": "HUMAN", "display_name": "Jane"}
    words = {"representative": jane, "content": {"text": "I am Jane"}}
    await world.happens(HumanMessage, **words, source=chat, address="chat-1001")
    said = {entry.kind: entry for entry in await world.entries()}
    bots, agents = said[BotMessage.kind], said[HumanMessage.kind]
    called = (await world.conversation()).called
    assert called is not None

    async def found(message: str) -> str | None:
        return await desk_message_id(world.ports, ID, chat, called.handoff, message)

    assert await found(command_of(bots)) is None
    assert await found(command_of(agents)) == agents.event_id
    assert await found("never-said") is None
