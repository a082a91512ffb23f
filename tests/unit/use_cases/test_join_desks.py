"""A desk that was called keeps its handoff when the customer's channel is joined to another one
of theirs.
"""

import pytest

from shared.customers.links import link, unlink
from shared.delivery.deliver import deliver
from shared.errors import Refused
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.events import Claim, HumanRequested, UserMessage
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.tenant import ID as OTHER
from tests.unit.use_cases.tenant import World

TO = "business_messages:4444"
BEN = {"representativeType": "HUMAN", "displayName": "Ben"}


@pytest.fixture
async def world(bench: Bench) -> World:
    """The customer has written on both channels."""
    world = World.on(bench)
    for channel in (TO, OTHER):
        await says(world, channel, "hi")
        await deliver(world.ports, channel)
    return world


async def says(world: World, channel: str, text: str) -> None:
    native = channel.partition(":")[2]
    form = {
        "conversationId": native,
        "message": {"messageId": f"{native}-{world.count}", "text": text},
    }
    await world.happens(UserMessage, source=channel, address=native, form=form, said=text)


async def called(world: World, channel: str = OTHER) -> None:
    """A human was asked for there, and the desk has a chat about it."""
    await world.happens(HumanRequested, source=channel, reason="billing")
    await deliver(world.ports, channel)


async def joined(world: World) -> None:
    await link(world.ports, OTHER, TO, "admin")
    for channel in (OTHER, TO):
        await deliver(world.ports, channel)


async def agent_says(world: World, number: int, text: str) -> None:
    said = {"type": "text", "content": text}
    await world.tenant.posts("message_received", number, sender=world.tenant.agent(), message=said)


async def ends_agree(world: World) -> None:
    to = await world.conversation(TO)
    for one in to.links:
        assert (await world.conversation(one)).linked_to == TO
    assert (await world.conversation(OTHER)).links == ()


@pytest.mark.parametrize("present", [False, True], ids=["waiting", "with-agent"])
async def test_the_handoff_and_its_chat_go_along(world: World, present: bool) -> None:
    await called(world)
    if present:
        await world.tenant.posts("participant_joined", 1001, sender=world.tenant.agent())
        await world.deliver()
    before = await world.conversation(OTHER)
    await joined(world)
    after = await world.conversation(TO)
    assert (after.called, after.phase, after.request) == (
        before.called,
        before.phase,
        before.request,
    )
    assert (await world.conversation(OTHER)).called is None
    await ends_agree(world)
    await says(world, TO, "it is broken")
    await agent_says(world, 1001, "Let me see")
    await deliver(world.ports, TO)
    assert world.tenant.said == [(1001, "it is broken")]
    assert world.shown[-1] == "Let me see"
    await world.tenant.posts("chat_ended", 1001)
    await deliver(world.ports, TO)
    now = await world.conversation(TO)
    assert (now.phase, now.called, world.shown[-1]) == (Phase.BOT, None, "LEFT")
    assert (len(world.tenant.chats), world.tenant.closed) == (1, [])


async def test_past_chats_go_along_and_the_next_handoff_has_its_own(world: World) -> None:
    for number in (1001, 1002):
        await called(world)
        await world.tenant.posts("chat_ended", number)
        await deliver(world.ports, OTHER)
    await joined(world)
    now = await world.conversation(TO)
    assert (chats_of(now), now.past_chats) == ([1001, 1002], ("ccai:chat-1001", "ccai:chat-1002"))
    await ends_agree(world)
    await agent_says(world, 1001, "late")
    await deliver(world.ports, TO)
    assert "ccai:chat-1001" in {entry.source for entry in await world.entries(TO)}
    await unlink(world.ports, OTHER, "admin")
    after = await world.conversation(TO)
    assert (after.links, after.past_chats) == (now.links[:-1], now.past_chats)
    await ends_agree(world)


async def test_a_chat_that_is_still_open_between_two_agents_goes_along(world: World) -> None:
    await called(world)
    for what in ("participant_joined", "participant_left"):
        await world.tenant.posts(what, 1001, sender=world.tenant.agent())
    await deliver(world.ports, OTHER)
    before = (await world.conversation(OTHER)).called
    await joined(world)
    assert (await world.conversation(TO)).called == before
    await agent_says(world, 1001, "I am Jane again")
    await deliver(world.ports, TO)
    assert world.shown[-2:] == ["JOINED", "I am Jane again"]


@pytest.mark.parametrize("where", [OTHER, TO])
async def test_the_chat_is_finished_where_a_human_of_the_other_side_has_the_customer(
    world: World, where: str
) -> None:
    await called(world, where)
    held = TO if where == OTHER else OTHER
    await world.happens(Claim, source=held, representative=BEN, fact=False, key="desk")
    for channel in (OTHER, TO):
        await deliver(world.ports, channel)
    await joined(world)
    now = await world.conversation(TO)
    assert (now.called, now.phase, [one.representative.name for one in now.humans]) == (
        None,
        Phase.HUMAN,
        ["Ben"],
    )
    assert world.tenant.closed == [1001]
    await ends_agree(world)
    await says(world, TO, "hello Ben")
    await deliver(world.ports, TO)
    assert world.tenant.said == []


async def test_two_desks_that_were_called_are_refused(world: World) -> None:
    await called(world)
    await called(world, TO)
    with pytest.raises(Refused) as refused:
        await joined(world)
    assert refused.value.reason == "desk-called"
    await ends_agree_apart(world)


async def ends_agree_apart(world: World) -> None:
    for channel, number in ((OTHER, 1001), (TO, 1002)):
        assert chats_of(await world.conversation(channel)) == [number]
        assert (await world.conversation(f"ccai:chat-{number}")).linked_to == channel


def chats_of(conversation: Conversation) -> list[int]:
    return [
        int(one.rpartition("-")[2]) for one in conversation.links if one.startswith("ccai:chat-")
    ]


async def test_what_a_desk_has_still_to_be_told_comes_first(world: World) -> None:
    await world.happens(HumanRequested, source=OTHER, reason="billing")
    with pytest.raises(Refused) as refused:
        await link(world.ports, OTHER, TO, "admin")
    assert refused.value.reason == "outbox-pending"
    await deliver(world.ports, OTHER)
    await joined(world)
    assert (await world.conversation(TO)).called is not None
