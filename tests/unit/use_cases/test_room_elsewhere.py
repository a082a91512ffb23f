"""Room of people where no event decides: an erase, and conversations that become one."""

from typing import Any

import pytest

from shared.customers.erase import erase
from shared.customers.links import link
from shared.people.live import live
from tests.unit.use_cases.team import SETTINGS, Team

C = "business_messages:1"
OTHER = "business_messages:9"


@pytest.fixture
async def team(bench: Any) -> Team:
    team = Team(bench)
    await team.waits("1")
    return team


async def test_an_erase_frees_what_the_conversation_held_and_leaves_what_frees_more(
    team: Team,
) -> None:
    await team.comes("jane")
    await team.verb("omar", "claim")
    await team.offer("omar", "jane")
    await team.verb("omar", "release")  # what frees his room waits in the outbox
    await team.verb("sue", "claim")
    await erase(team.ports, C, "root")
    assert (await team.conversation()).erased
    await team.settle()
    assert [await team.slots(who) for who in ("jane", "omar", "sue")] == [[], [], []]
    journal = (await team.ports.store.journal(C, None, 50, expired=True)).items
    assert all(one.value.text is None for one in journal)
    assert {command.kind for one in journal for command in one.value.commands} == {"free_slot"}


async def test_a_link_of_a_desks_conversation_ends_what_it_held(team: Team) -> None:
    await team.customer("desk")
    await team.waits("desk")
    await team.verb("omar", "claim", "desk")
    await team.settle()
    await link(team.ports, "csku:9", C, "root")
    assert await team.slots("omar") == [("desk", "held")]
    await team.verb("omar", "release", "desk")
    await team.settle()
    assert await team.slots("omar") == []


async def test_a_joined_channel_takes_its_human_along_and_the_slot_still_counts(
    team: Team,
) -> None:
    await team.verb("omar", "claim")
    await team.settle()
    await team.customer("9")
    await link(team.ports, C, OTHER, "root")
    await team.settle()
    found = await team.ports.store.load(OTHER)
    assert found is not None
    assert [one.representative.name for one in found.value.humans] == ["Omar"]
    assert [kind for _, kind in await team.slots("omar")] == ["held"]
    omar = SETTINGS.people["omar@x.test"]
    seen = await live(team.ports, omar, None, ["QUEUED"], "")
    assert [one.id for one in seen.mine] == [OTHER]
    await team.verb("omar", "release")
    await team.settle()
    assert await team.slots("omar") == []


async def test_an_offer_of_the_conversation_that_does_not_go_on_is_over(team: Team) -> None:
    await team.comes("jane")
    offer = await team.offer("sue", "jane")
    await team.customer("9")
    await team.verb("omar", "claim", "9")
    await team.settle()
    assert await team.slots("jane") == [("1", "offered")]
    await link(team.ports, C, OTHER, "root")
    await team.settle()
    assert await team.slots("jane") == []
    assert await team.verb("jane", "claim", offer=offer) == "offer-over"
