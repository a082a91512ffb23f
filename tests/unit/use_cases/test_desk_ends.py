"""Chats without use are ended, whenever Baton learns of them. None is lost, and an erase reaches
all of them.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from shared.customers.desk_customers import identifier
from shared.customers.erase import erase
from shared.customers.links import link, unlink
from shared.delivery.deliver import deliver
from shared.desks.adopt import CHATS_KEPT
from shared.errors import Unavailable
from shared.handoff.routing.desk import Desk
from shared.ports import Commit, ConversationStore, Written
from shared.schemas.conversation import Phase
from shared.schemas.events import Claim, HumanLeft, UserMessage, VariablesCaptured
from shared.schemas.variables import Audience, Provenance, Variable
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.tenant import ID, World

CHAT, OTHER = "ccai:chat-1001", "business_messages:4444"
BEN = {"representativeType": "HUMAN", "displayName": "Ben"}
USERS = (f"ccai:user-{identifier(ID)}", "ccai:user-id-5")


@pytest.fixture
def world(bench: Bench) -> World:
    return World.on(bench)


async def handed_over(world: World) -> None:
    await world.asks_for_human()
    await world.deliver()


async def joins(world: World, number: int = 1001) -> None:
    await world.tenant.posts("participant_joined", number, sender=world.tenant.agent())


async def leaves(world: World, number: int = 1001) -> None:
    await world.tenant.posts("participant_left", number, sender=world.tenant.agent())


async def says(world: World, text: str, number: int = 1001) -> None:
    message = {"type": "text", "content": text}
    await world.tenant.posts(
        "message_received", number, sender=world.tenant.agent(), message=message
    )


async def test_a_chat_of_which_the_desk_tells_too_late_is_ended(world: World) -> None:
    world.tenant.answers["chats"] = [None]
    await handed_over(world)
    await world.until_settled(step=5)
    assert (await world.conversation()).phase is Phase.BOT
    await world.tenant.tells_of(1001)
    await world.until_settled()
    assert world.tenant.closed == [1001]
    await world.tenant.tells_of(1001)
    await world.until_settled()
    assert (world.tenant.closed, await world.chats()) == ([1001], ())


async def test_the_chat_of_a_handoff_that_ended_before_it_was_known_is_ended(world: World) -> None:
    world.tenant.answers["chats"] = [None]
    await handed_over(world)
    await world.happens(Claim, representative=BEN, fact=False)
    await world.tenant.tells_of(1001)
    await world.until_settled()
    assert set(world.tenant.closed) == {1001}
    assert (await world.conversation()).phase is Phase.HUMAN


async def test_a_deflected_chat_is_ended_and_an_agent_who_takes_it_still_is_told_again(
    world: World,
) -> None:
    await handed_over(world)
    await world.tenant.posts("escalation_deflected", 1001, reason="after_hours")
    await world.until_settled()
    assert world.tenant.closed == [1001]
    await joins(world)
    await says(world, "I can help after all")
    await world.until_settled()
    assert world.shown[1:] == ["JOINED", "I can help after all", "LEFT"]
    assert (await world.conversation()).phase is Phase.BOT
    assert world.tenant.closed == [1001] * 3
    assert world.told() == ["handoff.requested", "handoff.failed"]


async def test_an_earlier_chat_says_nothing_of_the_next_handoff(world: World) -> None:
    await handed_over(world)
    await joins(world)
    await leaves(world)
    await handed_over(world)
    await joins(world)
    await says(world, "from the first")
    await leaves(world)
    await world.tenant.posts("escalation_deflected", 1001)
    await world.tenant.posts("chat_ended", 1001)
    await world.until_settled()
    assert (await world.conversation()).phase is Phase.QUEUED
    assert world.told() == [
        "handoff.requested",
        "handoff.joined",
        "handoff.ended",
        "handoff.requested",
    ]
    *frames, waits = world.shown
    assert frames == ["JOINED", "LEFT", "JOINED", "from the first", "LEFT"]
    assert "still in line" in waits, "the customer waits, and the assistant is not back"
    await joins(world, 1002)
    assert (await world.conversation()).phase is Phase.HUMAN


async def test_what_an_agent_did_before_a_chat_was_known_to_be_over_is_told_and_ends_it_once(
    world: World,
) -> None:
    """The customer is helped by somebody else before the answer arrives that names the chat."""

    async def meanwhile() -> None:
        await joins(world)
        await says(world, "one")
        await says(world, "two")
        await world.happens(Claim, representative=BEN, fact=False)

    world.tenant.meanwhile = meanwhile
    await handed_over(world)
    await world.until_settled()
    assert world.shown == ["JOINED", "JOINED", "one", "LEFT", "JOINED", "two", "LEFT"]
    # by the handoff's end, and once as a chat without use
    assert world.tenant.closed == [1001, 1001]
    assert [human.representative.name for human in (await world.conversation()).humans] == ["Ben"]


@pytest.mark.parametrize(
    "end_user", [{"id": 77, "identifier": "5"}, {"identifier": "5"}, {"id": 6}]
)
async def test_a_strangers_chat_is_not_taken_for_ours(
    world: World, end_user: dict[str, Any]
) -> None:
    world.tenant.answers["chats"] = ["lost"]
    await handed_over(world)
    await world.tenant.tells_of(4711, **end_user)
    await world.until_settled(step=5)
    assert (await world.chats(), world.tenant.closed) == ((), [])
    assert (await world.conversation()).phase is Phase.BOT


async def test_a_chat_is_found_by_the_name_under_which_its_customer_is_known(world: World) -> None:
    world.tenant.answers["chats"] = [None]
    await handed_over(world)
    await world.tenant.tells_of(1001, id="another-form-of-5", identifier=identifier(ID))
    await world.until_settled()
    assert await world.chats() == (CHAT,)


# What the desk calls a customer is linked to their channel.


async def _linked(world: World) -> int:
    return sum(entry.kind == "link" for entry in await world.entries())


async def test_what_the_desk_calls_a_customer_is_linked_once_before_it_is_asked(
    world: World,
) -> None:
    linked: list[tuple[str, ...]] = []

    async def meanwhile() -> None:
        linked.append((await world.conversation()).links)

    world.tenant.meanwhile = meanwhile
    await handed_over(world)
    await joins(world)
    await world.tenant.posts("chat_ended", 1001)
    await handed_over(world)
    assert linked == [USERS, (*USERS, CHAT)]
    assert await _linked(world) == 1
    assert [(await world.conversation(one)).linked_to for one in USERS] == [ID, ID]


async def test_what_was_unlinked_by_hand_is_linked_again(world: World) -> None:
    await handed_over(world)
    await world.tenant.posts("chat_ended", 1001)
    await unlink(world.ports, USERS[1], "admin")
    assert USERS[1] not in (await world.conversation()).links
    await handed_over(world)
    assert set(USERS) <= set((await world.conversation()).links)


async def test_what_is_linked_to_another_channel_comes_along(world: World) -> None:
    """The two channels were one customer's once; now the desk is asked for this one."""
    await world.happens(UserMessage, source=OTHER, address="4444", form={}, said="hi")
    await world.tenant.tells_of(900)
    await link(world.ports, USERS[1], OTHER, "admin")
    await handed_over(world)
    assert set(USERS) <= set((await world.conversation()).links)
    assert ((await world.conversation(OTHER)).links, await world.chats()) == ((), (CHAT,))


async def test_an_erase_reaches_what_the_desk_calls_a_customer_and_a_handoff_after_it_begins_again(
    world: World,
) -> None:
    await handed_over(world)
    await world.tenant.tells_of(1001)
    await erase(world.ports, ID, "admin")
    for one in USERS:
        assert (await world.conversation(one)).linked_to is None
        assert {entry.event_id for entry in await world.entries(one)} == {None}
    await handed_over(world)
    assert set(USERS) <= set((await world.conversation()).links)
    assert len(world.tenant.chats) == 2


# A chat that cannot be adopted at once, or never.


@dataclass
class Failing:
    """A store that fails to write a chat so many times."""

    inner: ConversationStore
    times: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def commit(self, commit: Commit) -> Written:
        if self.times and any(one.value.id == CHAT for one in commit.conversations):
            self.times -= 1
            raise Unavailable("planned", "The store was told to fail.")
        return await self.inner.commit(commit)


async def test_a_chat_whose_adoption_fails_is_not_forgotten(world: World) -> None:
    """The desk's webhook never tells of it."""
    failing = Failing(world.bench.store, 3)
    world.ports = replace(world.ports, store=failing)
    await handed_over(world)
    assert (await world.calls())[0].chat == CHAT
    await world.customer("hello?")
    await world.until_settled()
    assert failing.times == 0
    assert (await world.chats(), len(world.tenant.chats)) == ((CHAT,), 1)
    assert world.tenant.said == [(1001, "hello?")]


async def test_a_chat_whose_adoption_is_refused_is_ended_and_the_customer_informed(
    world: World,
) -> None:
    await world.happens(UserMessage, source=OTHER, address="4444", form={}, said="hi")
    await link(world.ports, CHAT, OTHER, "admin")
    await handed_over(world)
    await world.until_settled()
    assert world.tenant.closed == [1001]
    assert world.told() == ["handoff.requested", "handoff.failed"]


# Erase.


async def test_an_erase_ends_the_chat_that_is_open(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await handed_over(world)
    await joins(world)
    await erase(world.ports, CHAT, "admin")
    assert world.tenant.closed == [1001]
    assert "WARNING" not in capsys.readouterr().out


async def test_an_erase_ends_a_chat_that_was_still_to_be_ended(world: World) -> None:
    await handed_over(world)
    world.tenant.answers["/chats"] = [503, 200]
    await world.happens(Claim, representative=BEN, fact=False)
    await world.deliver()
    assert world.tenant.closed == []
    await erase(world.ports, ID, "admin")
    assert world.tenant.closed == [1001]


@pytest.mark.parametrize("answer", [500, "lost", Unavailable("unreachable", "told to fail")])
async def test_an_erase_is_held_up_by_no_desk(
    world: World, answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    await handed_over(world)
    world.tenant.answers["/chats"] = [answer]
    await erase(world.ports, ID, "admin")
    assert (await world.conversation()).erased
    (told,) = [
        json.loads(line) for line in capsys.readouterr().out.splitlines() if "WARNING" in line
    ]
    assert told["chat"] == CHAT
    assert ID not in json.dumps(told)


async def test_a_chat_that_is_made_while_its_customer_is_forgotten_is_ended(world: World) -> None:
    world.tenant.meanwhile = lambda: erase(world.ports, ID, "admin")
    await handed_over(world)
    assert world.tenant.closed == [1001]
    assert (await world.conversation()).erased


# What a chat begins with, and how long it is remembered.


async def test_words_reach_an_open_chat_also_if_its_desk_was_renamed(world: World) -> None:
    await handed_over(world)
    await world.customer("hello?")
    renamed = (Desk(name="renamed", kind="ccai"),)
    world.ports = replace(world.ports, policy=replace(world.ports.policy, desks=renamed))
    await world.until_settled()
    assert world.tenant.said == [(1001, "hello?")]


async def test_a_desk_with_a_queue_of_its_own_gets_its_chats_there(world: World) -> None:
    desks = (Desk(name="support", kind="ccai", menu=12),)
    world.ports = replace(world.ports, policy=replace(world.ports.policy, desks=desks))
    await handed_over(world)
    assert world.tenant.chats[0]["menu_id"] == 12


async def test_the_transcript_has_what_was_said_on_the_customers_other_channel(
    world: World,
) -> None:
    for text in ("I have a question", "about order 7"):
        await world.happens(UserMessage, source=OTHER, address="4444", form={}, said=text)
        world.bench.clock.forward(1)
        await world.customer(f"{text}, I mean")
        world.bench.clock.forward(1)
    await deliver(world.ports, OTHER)
    await world.deliver()
    await link(world.ports, OTHER, ID, "admin")
    await handed_over(world)
    said = [one["content"][0]["text"] for one in world.tenant.chats[0]["transcript"]]
    assert said == [
        "I have a question",
        "I have a question, I mean",
        "about order 7",
        "about order 7, I mean",
        "I need a person",
    ]


async def test_what_was_captured_in_a_chat_before_it_was_known_is_the_customers(
    world: World,
) -> None:
    order = Variable(
        key="order",
        value="A1",
        captured_at=world.bench.clock.now(),
        audiences=(Audience.AGENT,),
        provenance=Provenance(signed=False),
    )

    async def meanwhile() -> None:
        await world.happens(VariablesCaptured, source=CHAT, address="chat-1001", variables=(order,))

    world.tenant.meanwhile = meanwhile
    await handed_over(world)
    assert (await world.conversation()).variables == (order,)


async def test_words_for_a_chat_that_was_unlinked_are_not_lost_in_silence(world: World) -> None:
    await handed_over(world)
    await world.customer("one")
    await unlink(world.ports, CHAT, "admin")
    await world.customer("two")
    await world.until_settled()
    assert await world.states() == [("open", "sent"), ("say", "failed"), ("close", "sent")]
    assert (world.told().count("delivery.failed"), world.tenant.said, world.tenant.closed) == (
        1,
        [],
        [1001],
    )
    assert (await world.conversation()).called is None


async def test_a_chat_that_its_agent_left_and_that_is_unlinked_starts_no_timer(
    world: World,
) -> None:
    await handed_over(world)
    await joins(world)
    await leaves(world)
    assert (await world.conversation()).timer is not None
    await unlink(world.ports, CHAT, "admin")
    assert (await world.conversation()).timer is None


async def test_a_chat_that_no_agent_takes_up_again_is_ended_in_time(world: World) -> None:
    await handed_over(world)
    await joins(world)
    await leaves(world)
    await world.customer("hello?")
    await world.until_settled()
    assert (world.tenant.said, world.tenant.closed) == ([(1001, "hello?")], [])
    world.bench.clock.forward(world.ports.policy.human_idle_after.total_seconds())
    await world.until_settled()
    assert world.tenant.closed == [1001]


async def test_chats_of_long_ago_are_forgotten_with_all_that_was_said_in_them(world: World) -> None:
    count = CHATS_KEPT + 3
    for number in range(1001, 1001 + count):
        world.tenant.meanwhile = lambda number=number: says(world, f"s3cret {number}", number)
        await handed_over(world)
        await world.tenant.posts("chat_ended", number)
        await world.until_settled()
    assert len(await world.chats()) == CHATS_KEPT + 1
    assert len((await world.conversation()).past_chats) == CHATS_KEPT + 1
    for forgotten in ("ccai:chat-1001", "ccai:chat-1002"):
        await deliver(world.ports, forgotten, timers=True)
        assert (await world.conversation(forgotten)).erased
        assert (await world.conversation(forgotten)).erasing is None
        assert "s3cret" not in "".join(
            entry.model_dump_json() for entry in await world.entries(forgotten)
        )
    await erase(world.ports, ID, "admin")
    for number in range(1001, 1001 + count):
        journal = await world.entries(f"ccai:chat-{number}")
        assert "s3cret" not in "".join(entry.model_dump_json() for entry in journal)


async def test_a_human_of_another_source_who_leaves_again_brings_no_chat_back(world: World) -> None:
    await handed_over(world)
    await world.happens(Claim, representative=BEN, fact=False)
    await world.happens(HumanLeft, representative=BEN)
    await world.customer("only the bot hears this")
    await world.until_settled()
    assert (world.tenant.said, world.tenant.closed) == ([], [1001])
