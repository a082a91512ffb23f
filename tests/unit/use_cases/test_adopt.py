"""A chat that is adopted while its agent types: every word is taken once, in the order in which
it came.
"""

import asyncio
from typing import Any

import pytest

from shared.conversations.apply import apply
from shared.customers.erase import erase
from shared.customers.links import link
from shared.desks.adopt import adopt
from shared.errors import Refused
from shared.handoff.visibility import attachments_of, words_for
from shared.platforms.desk import Chat
from shared.schemas.content import Content, File
from shared.schemas.conversation import Phase
from shared.schemas.events import HumanMessage, UserMessage
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.variables import Audience
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.tenant import ID, World

CHAT = "ccai:chat-1001"


@pytest.fixture
async def world(bench: Bench) -> World:
    """A customer who waits, and a chat that the desk has made for them of which Baton knows
    nothing yet.
    """
    one = World.on(bench)
    one.tenant.answers["chats"] = [503] * 50
    await one.asks_for_human()
    return one


async def adopted(world: World) -> None:
    called = (await world.conversation()).called
    handoff = called.handoff if called else "over"
    await adopt(world.ports, CHAT, Chat("1001", "5", handoff), ID)


async def says(world: World, text: str) -> None:
    message = {"type": "text", "content": text}
    await world.tenant.posts("message_received", 1001, sender=world.tenant.agent(), message=message)


async def taken(world: World) -> list[tuple[str, str | None]]:
    """Returns what an agent did as the channel's journal has it, in sequence."""
    kinds = ("human_joined", "human_message", "human_left", "handoff_failed")
    return [
        (entry.kind, words_for(Audience.AGENT, entry))
        for entry in await world.entries()
        if entry.kind in kinds
    ]


@pytest.mark.parametrize("pause", range(8))
async def test_words_typed_meanwhile_are_taken_once_and_in_order(world: World, pause: int) -> None:
    async def typed() -> None:
        for number in range(12):
            world.bench.clock.forward(0.01)
            await says(world, str(number))

    async def linked() -> None:
        for _ in range(pause * 40):
            await asyncio.sleep(0)
        await adopted(world)

    await asyncio.gather(typed(), linked())
    assert [text for _, text in await taken(world)] == [str(number) for number in range(12)]
    assert (await world.conversation()).phase is Phase.HUMAN
    await world.deliver()
    assert world.shown == ["JOINED", *(str(number) for number in range(12))]


async def test_adopting_twice_is_adopting_once(world: World) -> None:
    await says(world, "one")
    await asyncio.gather(*(adopted(world) for _ in range(4)))
    await adopted(world)
    assert await taken(world) == [("human_message", "one")]
    assert await world.chats() == (CHAT,)


async def test_a_file_from_before_the_link_stays_a_file(world: World) -> None:
    file = File(kind="image", mime_type="image/png", alt_text="Here", source_id="file-7")
    who = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane")
    said = HumanMessage(
        id="m1",
        source=CHAT,
        address="chat-1001",
        actor="platform:ccai",
        representative=who,
        content=Content(file=file),
    )
    await apply(world.ports, said)
    await adopted(world)
    (entry,) = [one for one in await world.entries() if one.kind == HumanMessage.kind]
    (kept,) = attachments_of(entry)
    assert (kept.id, kept.kind, kept.caption) == ("file-7", "image", "Here")
    assert entry.source == CHAT  # its platform has the file


async def test_a_webhook_that_comes_again_after_the_link_is_still_a_duplicate(world: World) -> None:
    posts: list[tuple[str, dict[str, Any]]] = [
        ("participant_joined", {"sender": world.tenant.agent()}),
        (
            "message_received",
            {"sender": world.tenant.agent(), "message": {"type": "text", "content": "one"}},
        ),
    ]
    for name, body in posts:
        await world.tenant.posts(name, 1001, **body)
    await adopted(world)
    for name, body in posts:
        await world.tenant.posts(name, 1001, **body)
    assert await taken(world) == [("human_joined", None), ("human_message", "one")]


async def test_facts_keep_the_time_at_which_the_desk_says_they_happened(world: World) -> None:
    """Else an end by the desk's clock could look older than a word by Baton's, and a human
    would seem to stay.
    """
    await world.tenant.posts("participant_joined", 1001, sender=world.tenant.agent())
    happened = world.bench.clock.now()
    world.bench.clock.forward(5)
    await adopted(world)
    assert (await world.conversation()).spoke_at == happened


async def test_a_chat_that_is_linked_elsewhere_is_refused(world: World) -> None:
    await world.happens(
        UserMessage, source="business_messages:4444", address="4444", form={}, said="hi"
    )
    await link(world.ports, CHAT, "business_messages:4444", "admin")
    with pytest.raises(Refused):
        await adopted(world)


async def test_a_chat_that_was_linked_by_hand_is_this_handoffs_from_then_on(world: World) -> None:
    await link(world.ports, CHAT, ID, "admin")
    await says(world, "one")
    await adopted(world)
    await world.customer("to the agent")
    world.bench.clock.forward(2)
    await world.until_settled()
    assert world.tenant.said == [(1001, "to the agent")]
    assert world.shown == ["JOINED", "one"]


async def test_an_erase_reaches_what_the_chat_kept_before_the_link(world: World) -> None:
    await says(world, "s3cret")
    await adopted(world)
    await erase(world.ports, ID, "admin")
    kept = [*await world.entries(), *await world.entries(CHAT)]
    assert "s3cret" not in "".join(entry.model_dump_json() for entry in kept)
