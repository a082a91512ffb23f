"""`BATON_ASSIGN=push`: whoever comes last, the customer or the person, brings them together."""

import asyncio
from typing import Any

import pytest

from shared.ports import Commit, Snapshot
from shared.schemas.people import Slot
from tests.unit.use_cases.team import Team


@pytest.fixture
def team(bench: Any) -> Team:
    return Team(bench, {"assign": "push"})


async def offered(team: Team, native: str) -> str | None:
    offer = (await team.conversation(native)).offer
    return offer.name if offer else None


async def test_a_customer_who_waits_is_offered_to_who_has_fewest_conversations(team: Team) -> None:
    await team.comes("jane", "omar")
    await team.waits("1")
    await team.settle()
    first = await offered(team, "1")
    assert first in ("Jane", "Omar")
    await team.waits("2")
    await team.settle()
    assert {first, await offered(team, "2")} == {"Jane", "Omar"}
    assert [len(await team.slots(who)) for who in ("jane", "omar")] == [1, 1]


async def test_who_was_not_offered_one_for_the_longest_time_is_next(team: Team) -> None:
    await team.comes("omar", "sue")
    turns = []
    for native in "1234":
        await team.waits(native)
        await team.settle()
        turns.append(await offered(team, native))
        who = str(turns[-1]).lower()
        await team.verb(who, "claim", native)
        await team.verb(who, "release", native)
        await team.settle()
    assert turns in (["Omar", "Sue"] * 2, ["Sue", "Omar"] * 2)


async def test_who_becomes_available_is_offered_what_waits_longest_first(team: Team) -> None:
    await team.waits("1", "2", "3")
    await team.settle()
    assert [await offered(team, native) for native in "123"] == [None] * 3
    await team.comes("omar")  # with room for two
    assert [await offered(team, native) for native in "123"] == ["Omar", "Omar", None]
    await team.comes("jane")
    assert await offered(team, "3") == "Jane"


async def test_who_has_room_again_is_offered_what_waits(team: Team) -> None:
    await team.comes("jane")
    await team.waits("1", "2")
    await team.settle()
    assert [await offered(team, native) for native in "12"] == ["Jane", None]
    await team.verb("jane", "claim")
    await team.verb("jane", "release")
    await team.settle()
    assert await offered(team, "2") == "Jane"


async def test_who_declines_or_does_not_answer_is_asked_once_until_the_next_reminder(
    team: Team,
) -> None:
    await team.comes("jane", "omar")
    await team.waits("1")
    await team.settle()
    first = str(await offered(team, "1")).lower()
    second = {"jane": "omar", "omar": "jane"}[first]
    declined = (await team.conversation()).offer
    assert declined is not None
    await team.verb(first, "decline", offer=declined.id)
    await team.settle()
    assert await offered(team, "1") == second.title()
    assert await team.slots(first) == []
    await team.sweeps(46)  # the second does not answer
    assert await offered(team, "1") is None
    assert await team.slots(second) == []
    await team.comes("jane", "omar")
    assert await offered(team, "1") is None  # both were asked
    await team.sweeps(80)  # the reminder begins a new round
    assert await offered(team, "1") in ("Jane", "Omar")


async def test_a_slot_that_nothing_holds_keeps_no_offer_away(team: Team) -> None:
    """As after a restored backup."""
    found = await team.person("jane")
    lost = Slot(conversation="business_messages:lost", kind="held")
    full = found.with_slot("s", lost, team.bench.clock.now(), assigned=False)
    await team.ports.store.commit(Commit((), people=[Snapshot(full, None)]))
    await team.waits("1")
    await team.comes("jane")
    assert await offered(team, "1") == "Jane"
    assert await team.slots("jane") == [("1", "offered")]


async def test_desks_and_languages_choose_the_person(team: Team) -> None:
    await team.comes("mia")
    await team.waits("1")
    await team.settle()
    assert await offered(team, "1") is None  # English, at the desk `api`
    await team.waits("2", locale="de")
    await team.settle()
    assert await offered(team, "2") == "Mia"


async def test_who_is_away_or_gone_is_offered_nothing(team: Team) -> None:
    await team.comes("jane", state="away")
    await team.comes("omar")
    team.bench.clock.forward(91)
    await team.waits("1")
    await team.settle()
    assert await offered(team, "1") is None


async def test_an_offer_to_who_is_gone_ends_and_goes_to_the_next(team: Team) -> None:
    await team.comes("jane")
    await team.waits("1")
    await team.settle()
    assert await offered(team, "1") == "Jane"
    team.bench.clock.forward(80)
    await team.comes("omar")
    await team.sweeps(12)
    assert await offered(team, "1") == "Omar"
    assert await team.slots("jane") == []


async def test_with_pull_nobody_is_offered_anything(bench: Any) -> None:
    team = Team(bench)
    await team.comes("jane")
    await team.waits("1")
    await team.settle()
    await team.comes("omar")
    assert await offered(team, "1") is None


async def test_nobody_is_free_while_somebody_waits_in_any_order(team: Team) -> None:
    """Customers and people come at the same time: whatever the order of their commits, in the end
    nobody waits who suits a person with room.
    """

    async def customer(native: str) -> None:
        await team.waits(native)
        await team.settle()

    people = [team.comes(who) for who in ("jane", "omar", "sue")]
    await asyncio.gather(*people, *(customer(native) for native in "123456"))
    await team.settle()
    waiting = [native for native in "123456" if await offered(team, native) is None]
    assert [len(await team.slots(who)) for who in ("jane", "omar", "sue")] == [1, 2, 1]
    assert len(waiting) == 2
