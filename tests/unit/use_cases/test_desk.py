"""A desk that must be called: one chat for each handoff, the customer's words in order, and every
participant informed of its end.
"""

from dataclasses import replace

import pytest

from shared.errors import Unavailable
from shared.platforms.ccai.desk import CcaiDesk
from shared.ports import Commit, Desks, Snapshot
from shared.schemas.commands import CallDesk
from shared.schemas.conversation import Erasing, Phase
from shared.schemas.events import Claim, HumanLeft, HumanRequested
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.tenant import ID, World

JANE = {"representativeType": "HUMAN", "displayName": "Jane"}


@pytest.fixture
def world(bench: Bench) -> World:
    return World.on(bench)


async def handed_over(world: World) -> None:
    await world.asks_for_human()
    await world.deliver()


async def test_a_chat_has_what_was_said_and_what_the_agent_may_see(world: World) -> None:
    await world.customer("hi")
    await world.bot("Hello, I am a bot")
    await handed_over(world)
    (chat,) = world.tenant.chats
    assert (chat["menu_id"], chat["end_user_id"], chat["lang"]) == (7, 5, "en")
    assert chat["context"] == {"value": {"handoff_reason": "billing"}}
    said = [(one["sender"], one["content"][0]["text"]) for one in chat["transcript"]]
    assert said == [
        ("end_user", "hi"),
        ("virtual_agent", "Hello, I am a bot"),
        ("end_user", "I need a person"),
    ]
    assert ID not in str(world.tenant.calls)


async def test_what_was_told_is_not_kept_in_the_journal_once_it_is_settled(world: World) -> None:
    await handed_over(world)
    await world.customer("my code is 4711")
    await world.until_settled()
    page = await world.bench.store.journal(ID, None, 100)
    calls = [
        command
        for entry in page.items
        for command in entry.value.commands
        if isinstance(command, CallDesk)
    ]
    assert [command.action for command in calls] == ["open", "say"]
    assert {(command.text, command.metadata, command.variables) for command in calls} == {
        (None, None, None)
    }


async def test_what_an_unfinished_erase_has_still_to_strip_is_not_said_to_a_desk(
    world: World,
) -> None:
    await world.customer("my iban is DE89")
    found = await world.bench.store.load(ID)
    assert found is not None
    known = found.value
    erasing = Erasing(upto=known.version, since=world.bench.clock.now())
    begun = known.model_copy(update={"erasing": erasing, "version": known.version + 1})
    await world.bench.store.commit(Commit((), [Snapshot(begun, found.token)]))
    await handed_over(world)
    assert "DE89" not in str(world.tenant.calls)


async def test_the_chat_is_linked_and_its_agent_reaches_the_customer(world: World) -> None:
    await handed_over(world)
    assert await world.chats() == ("ccai:chat-1001",)
    await world.tenant.posts("participant_joined", 1001, sender=world.tenant.agent())
    await world.customer("are you there?")
    await world.tenant.posts(
        "message_received", 1001, sender={"type": "end_user"}, message={"content": "echo"}
    )
    said = {"type": "text", "content": "I am"}
    await world.tenant.posts("message_received", 1001, sender=world.tenant.agent(), message=said)
    await world.tenant.posts("participant_left", 1001, sender=world.tenant.agent())
    await world.until_settled()
    assert world.shown == ["JOINED", "I am", "LEFT"]
    assert world.tenant.said == [(1001, "are you there?")]
    assert (await world.conversation()).phase is Phase.BOT
    told = [one for one in world.told() if one != "delivery.failed"]
    assert told == ["handoff.requested", "handoff.joined", "handoff.ended"]


async def test_words_wait_until_the_chat_is_open_and_keep_their_order(world: World) -> None:
    world.tenant.answers["chats"] = [429, 429, 200]
    await handed_over(world)
    for text in ("one", "two", "three"):
        await world.customer(text)
    await world.deliver()
    assert world.tenant.said == []
    await world.until_settled()
    assert [text for _, text in world.tenant.said] == ["one", "two", "three"]
    assert len(world.tenant.chats) == 1
    assert [line["content"][0]["text"] for line in world.tenant.chats[0]["transcript"]] == [
        "I need a person"
    ]


@pytest.mark.parametrize("created", ["before", "after"])
async def test_chat_created_may_come_before_or_after_the_answer(world: World, created: str) -> None:
    world.tenant.created = created
    await handed_over(world)
    if created == "after":
        await world.tenant.tells_of(1001)
    await world.until_settled()
    assert await world.chats() == ("ccai:chat-1001",)
    assert await world.states() == [("open", "sent")]


async def test_an_answer_that_is_lost_makes_no_second_chat(world: World) -> None:
    """The platform made the chat, and says so later."""
    world.tenant.answers["chats"] = [None]
    await handed_over(world)
    await world.customer("hello?")
    world.bench.clock.forward(3)
    await world.deliver()
    assert await world.states() == [("open", "pending"), ("say", "pending")]
    await world.tenant.tells_of(1001)
    await world.until_settled()
    assert len(world.tenant.chats) == 1
    assert await world.chats() == ("ccai:chat-1001",)
    assert world.tenant.said == [(1001, "hello?")]


@pytest.mark.parametrize("answer", ["lost", None, 500, 408])
async def test_with_an_unknown_chat_the_customer_is_informed_and_the_team_once(
    world: World, answer: int | str | None
) -> None:
    world.tenant.answers["chats"] = [answer]
    await handed_over(world)
    await world.customer("hello?")
    await world.until_settled(step=5)
    conversation = await world.conversation()
    assert conversation.phase is Phase.BOT
    assert len(world.shown) == 1
    told = [one for one in world.told() if one != "delivery.failed"]
    assert told == ["handoff.requested", "handoff.failed"]
    assert world.told().count("delivery.failed") == 1
    assert await world.states() == [("open", "unknown"), ("say", "failed"), ("close", "dropped")]


async def test_a_refusal_for_good_ends_the_handoff_at_once(world: World) -> None:
    world.tenant.answers["chats"] = [422]
    await handed_over(world)
    await world.until_settled()
    assert len(world.shown) == 1
    told = [one for one in world.told() if one != "delivery.failed"]
    assert told == ["handoff.requested", "handoff.failed"]
    failed = [
        one for one in world.bench.publisher.on("baton-handoffs") if one["type"] == "handoff.failed"
    ]
    assert "422" in failed[0]["reason"]


async def test_each_handoff_that_fails_is_told(world: World) -> None:
    for count in (1, 2):
        world.tenant.answers["chats"] = [422]
        await handed_over(world)
        await world.until_settled()
        assert len(world.shown) == count
        assert world.told().count("handoff.failed") == count


@pytest.mark.parametrize("kind", ["/end_u", "chats", "message"])
async def test_too_many_requests_are_tried_again_when_the_desk_says(
    world: World, kind: str
) -> None:
    world.tenant.answers[kind] = [429, Unavailable("unreachable", "told to fail"), 200]
    await handed_over(world)
    await world.customer("hello?")
    await world.until_settled()
    assert len(world.tenant.chats) == 1
    assert world.tenant.said == [(1001, "hello?")]


@pytest.mark.parametrize("answer", [None, 500])
async def test_words_of_unknown_outcome_are_not_said_again_and_the_team_knows(
    world: World, answer: int | None
) -> None:
    await handed_over(world)
    world.tenant.answers["message"] = [answer]
    await world.customer("once")
    await world.customer("twice")
    await world.until_settled()
    assert [text for _, text in world.tenant.said].count("once") <= 1
    assert [text for _, text in world.tenant.said][-1] == "twice"
    assert world.told().count("delivery.failed") == 1


async def test_a_chat_that_is_gone_fails_the_handoff(world: World) -> None:
    await handed_over(world)
    world.tenant.answers["message"] = [404]
    await world.customer("hello?")
    await world.until_settled()
    assert (await world.conversation()).phase is Phase.BOT
    told = [one for one in world.told() if one != "delivery.failed"]
    assert told == ["handoff.requested", "handoff.failed"]
    assert world.told().count("delivery.failed") == 1
    assert len(world.shown) == 1


async def test_a_chat_that_is_gone_takes_its_humans_along(world: World) -> None:
    await handed_over(world)
    await world.tenant.posts("participant_joined", 1001, sender=world.tenant.agent())
    world.tenant.answers["message"] = [409]
    await world.customer("hello?")
    await world.until_settled()
    assert world.shown == ["JOINED", "LEFT"]
    assert (await world.conversation()).phase is Phase.BOT


@pytest.mark.parametrize("name", ["chat_ended", "chat_dismissed", "escalation_deflected"])
async def test_an_end_before_anybody_joined_is_a_failure(world: World, name: str) -> None:
    await handed_over(world)
    await world.tenant.posts(name, 1001, reason="after_hours")
    await world.until_settled()
    assert (await world.conversation()).phase is Phase.BOT
    told = [one for one in world.told() if one != "delivery.failed"]
    assert told == ["handoff.requested", "handoff.failed"]
    assert len(world.shown) == 1


async def test_an_end_removes_all_humans_of_that_desk_and_no_others(world: World) -> None:
    await handed_over(world)
    for number, name in ((17, "Jane"), (18, "John")):
        await world.tenant.posts(
            "participant_joined", 1001, sender=world.tenant.agent(number, name)
        )
    await world.tenant.posts("chat_ended", 1001)
    await world.tenant.posts("chat_ended", 1001)
    await world.until_settled()
    assert world.shown == ["JOINED", "JOINED", "LEFT", "LEFT"]
    assert world.told().count("handoff.ended") == 1
    assert "handoff.failed" not in world.told()


async def test_a_chat_that_ends_late_says_nothing_of_the_next_handoff(world: World) -> None:
    await handed_over(world)
    await world.tenant.posts("participant_joined", 1001, sender=world.tenant.agent())
    await world.tenant.posts("participant_left", 1001, sender=world.tenant.agent())
    await handed_over(world)
    await world.tenant.posts("chat_ended", 1001)
    await world.until_settled()
    assert (await world.conversation()).phase is Phase.QUEUED
    assert len(world.tenant.chats) == 2
    await world.customer("to the second")
    await world.until_settled()
    assert world.tenant.said == [(1001, "I need a person"), (1002, "to the second")]


async def test_an_agent_who_was_quicker_than_the_link_is_not_lost(world: World) -> None:
    world.tenant.answers["chats"] = [None]
    await handed_over(world)
    await world.tenant.tells_of(1001)
    await world.tenant.posts("participant_joined", 1001, sender=world.tenant.agent())
    for text in ("one", "two"):
        said = {"type": "text", "content": text}
        await world.tenant.posts(
            "message_received", 1001, sender=world.tenant.agent(), message=said
        )
    await world.until_settled()
    said = {"type": "text", "content": "three"}
    await world.tenant.posts("message_received", 1001, sender=world.tenant.agent(), message=said)
    await world.until_settled()
    assert world.shown == ["JOINED", "one", "two", "three"]
    assert (await world.conversation()).phase is Phase.HUMAN


@pytest.mark.parametrize(
    ("events", "shown", "told"),
    [
        (["escalation_deflected"], 1, "handoff.failed"),
        (["chat_ended"], 1, "handoff.failed"),
        (["participant_joined", "chat_ended"], 2, "handoff.ended"),
        (["participant_joined", "participant_left"], 2, "handoff.ended"),
    ],
)
async def test_what_ended_before_the_link_has_ended(
    world: World, events: list[str], shown: int, told: str
) -> None:
    world.tenant.answers["chats"] = [None]
    await handed_over(world)
    await world.tenant.tells_of(1001)
    for name in events:
        await world.tenant.posts(name, 1001, sender=world.tenant.agent())
    await world.until_settled()
    assert (await world.conversation()).phase is Phase.BOT
    assert len(world.shown) == shown
    assert world.told()[-1] == told


async def test_a_human_who_comes_another_way_closes_the_chat(world: World) -> None:
    await handed_over(world)
    await world.happens(Claim, representative=JANE, fact=False)
    await world.until_settled()
    assert world.tenant.closed == [1001]
    await world.tenant.posts("chat_ended", 1001)
    assert (await world.conversation()).phase is Phase.HUMAN


async def test_a_chat_that_is_over_already_counts_as_closed(world: World) -> None:
    await handed_over(world)
    world.tenant.answers["/chats"] = [409]
    await world.happens(Claim, representative=JANE, fact=False)
    await world.until_settled()
    assert await world.states() == [("open", "sent"), ("close", "sent")]
    assert "delivery.failed" not in world.told()


async def test_a_handoff_that_is_over_opens_nothing(world: World) -> None:
    world.tenant.answers["/end_u"] = [503]
    await handed_over(world)
    await world.happens(Claim, representative=JANE, fact=False)
    await world.happens(HumanLeft, representative=JANE)
    world.bench.clock.forward(10)
    await world.until_settled()
    assert world.tenant.chats == []
    assert await world.states() == [("open", "dropped"), ("close", "dropped")]


async def test_without_settings_the_call_waits_and_nothing_is_lost(world: World) -> None:
    closed = replace(world.ports, desks=Desks(chats={"ccai": CcaiDesk()}))
    await world.asks_for_human()
    await world.deliver(closed)
    (waiting,) = await world.waiting()
    assert waiting.error == "door-closed"
    await world.until_settled()
    assert len(world.tenant.chats) == 1


async def test_a_tenant_that_proved_the_bodies_wrong_fails_at_once(world: World) -> None:
    distrusted = Desks(chats={"ccai": CcaiDesk("https://x.test", "u", "t", 1, unofficial=())})
    await world.asks_for_human()
    await world.deliver(replace(world.ports, desks=distrusted))
    await world.until_settled()
    told = [one for one in world.told() if one != "delivery.failed"]
    assert told == ["handoff.requested", "handoff.failed"]


async def test_the_chat_of_a_moment_ago_is_not_taken_for_the_one_that_was_not_answered(
    world: World,
) -> None:
    await handed_over(world)
    await world.tenant.tells_of(1001)
    await world.tenant.posts("chat_ended", 1001)
    world.tenant.answers["chats"] = [None]
    await handed_over(world)
    await world.customer("to the second")
    world.bench.clock.forward(2)
    await world.deliver()
    assert world.tenant.said == []
    await world.tenant.tells_of(1002)
    await world.until_settled()
    assert world.tenant.said == [(1002, "to the second")]
    assert await world.chats() == ("ccai:chat-1001", "ccai:chat-1002")


async def test_a_call_that_fails_late_says_nothing_of_the_next_handoff(world: World) -> None:
    """The first chat is unknown. Meanwhile another human was here, and the customer asks again."""
    world.tenant.answers["chats"] = ["lost"]
    await handed_over(world)
    await world.happens(Claim, representative=JANE, fact=False)
    await world.happens(HumanLeft, representative=JANE)
    await world.asks_for_human()
    await world.until_settled(step=5)
    assert [action for action in await world.states() if action[0] == "open"] == [
        ("open", "unknown"),
        ("open", "sent"),
    ]
    assert (await world.conversation()).phase is Phase.QUEUED
    assert "handoff.failed" not in world.told()


@pytest.mark.parametrize("fault", [503, None, Unavailable("unreachable", "down")])
async def test_while_the_desk_is_down_the_customer_is_heard_answered_and_the_team_is_notified(
    world: World, fault: int | Unavailable | None
) -> None:
    """One handoff after the other, as long as the desk does not even know the customer."""
    world.tenant.answers["/end_u"] = [fault] * 400
    for n in range(4):
        await world.happens(HumanRequested, reason=f"request {n}")
        for _ in range(15):
            await world.deliver()
            world.bench.clock.forward(60)
    told = [one for one in world.told() if one != "delivery.failed"]
    assert told == ["handoff.requested", *["handoff.unclaimed"] * 3, "handoff.failed"] * 4
    await world.customer("still here")
    await world.bot("And so am I")
    await world.deliver()
    heard = [body["message"]["text"] for body in world.bench.publisher.on("baton-user-messages")]
    assert (heard[-1], world.shown[-1]) == ("still here", "And so am I")
