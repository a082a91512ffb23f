"""Room of people: it is taken in the commit that makes it so, never exceeded, and comes back."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from shared.delivery.deliver import deliver
from shared.errors import Refused, Unavailable
from shared.ports import Commit, Snapshot
from shared.schemas.people import Slot
from shared.stores.sqlite.store import SqliteStore
from tests.unit.use_cases.team import Team


@pytest.fixture
async def team(bench: Any) -> Team:
    team = Team(bench)
    await team.waits("1", "2", "3")
    return team


async def test_a_claim_takes_room_and_a_release_gives_it_back(team: Team) -> None:
    assert (await team.verb("jane", "claim"))["phase"] == "HUMAN"
    assert await team.slots("jane") == [("1", "held")]
    assert await team.verb("jane", "claim", "2") == "at-capacity"
    assert await team.speaks("2") == ("QUEUED", [])
    assert (await team.verb("jane", "claim"))["phase"] == "HUMAN"  # she has it already

    await team.verb("jane", "release")
    await team.settle()
    assert await team.slots("jane") == []
    assert (await team.verb("jane", "claim", "2"))["phase"] == "HUMAN"


async def test_a_refusal_says_how_much_room_there_is(team: Team) -> None:
    await team.verb("jane", "claim")
    with pytest.raises(Refused) as refused:
        await team.answer("jane", "POST", "/conversations/business_messages:2:claim", {})
    assert refused.value.metadata == {"person": "Jane", "capacity": "1", "conversations": "1"}


async def test_joining_by_an_event_takes_room_as_a_claim_does(team: Team) -> None:
    async def joins(native: str) -> Any:
        path = f"/conversations/business_messages:{native}/events?eventId=e{native}"
        return await team.asks("jane", "POST", path, {"eventType": "REPRESENTATIVE_JOINED"})

    assert (await joins("1"))["eventType"] == "REPRESENTATIVE_JOINED"
    assert await team.slots("jane") == [("1", "held")]
    assert await joins("2") == "at-capacity"


async def test_a_system_speaks_for_anybody_and_nothing_is_counted(team: Team) -> None:
    who = {"representativeType": "HUMAN", "displayName": "Jane"}
    for native in "123":
        assert (await team.verb("desk", "claim", native, representative=who))["phase"] == "HUMAN"
    assert await team.slots("jane") == []


async def test_two_instances_never_give_a_person_more_than_their_capacity(
    team: Team, tmp_path: Any
) -> None:
    """Eight claims at once on two instances, for one place."""
    other = SqliteStore(str(tmp_path / "baton.sqlite"))
    await team.waits(*"4567")
    second = Team(replace(team.bench))
    second.ports = replace(team.ports, store=other)
    claims = [(team, second)[n % 2].verb("omar", "claim", str(n + 1)) for n in range(7)]
    answers = await asyncio.gather(*claims)
    await other.close()
    won = [one for one in answers if one != "at-capacity"]
    assert len(won) == len(await team.slots("omar")) == 2
    present = [await team.speaks(str(n + 1)) for n in range(7)]
    assert sum(one == ("HUMAN", ["Omar"]) for one in present) == 2


async def test_a_slot_that_no_conversation_holds_is_dropped_before_a_claim_is_refused(
    team: Team,
) -> None:
    """As after a restored backup, or while a late FreeSlot waits."""
    await team.verb("jane", "claim")
    await team.verb("jane", "release")
    assert await team.slots("jane") == [("1", "held")]  # nothing was delivered yet
    assert (await team.verb("jane", "claim", "2"))["phase"] == "HUMAN"
    assert await team.slots("jane") == [("2", "held")]
    await team.settle()
    assert await team.slots("jane") == [("2", "held")]


async def test_a_late_free_of_the_first_frame_does_not_free_the_second(team: Team) -> None:
    """Slots are named after the claim, and not after the conversation."""
    await team.verb("jane", "claim")
    late = [one for one in (await team.conversation()).humans if one.slot]
    await team.verb("jane", "release")
    await team.verb("jane", "claim")
    await team.settle()
    assert await team.slots("jane") == [("1", "held")]
    assert late[0].slot not in (await team.person("jane")).slots


async def test_an_offer_reserves_room_and_its_accept_needs_no_more(team: Team) -> None:
    await team.verb("omar", "claim")
    await team.comes("jane")
    offer = await team.offer("omar", "jane")
    assert await team.slots("jane") == [("1", "offered")]
    assert await team.verb("jane", "claim", "2") == "at-capacity"
    accepted = await team.verb("jane", "claim", offer=offer)
    assert [one["displayName"] for one in accepted["representatives"]] == ["Jane"]
    await team.settle()
    assert await team.slots("jane") == [("1", "held")]
    assert await team.slots("omar") == []


@pytest.mark.parametrize("end", ["decline", "withdraw", "timeout"])
async def test_an_offer_that_ends_gives_the_room_back(team: Team, end: str) -> None:
    await team.verb("omar", "claim")
    await team.comes("jane")
    offer = await team.offer("omar", "jane")
    if end == "timeout":
        await team.sweeps(46)
    else:
        await team.verb("jane" if end == "decline" else "omar", end, offer=offer)
        await team.settle()
    assert await team.speaks() == ("HUMAN", ["Omar"])
    assert await team.slots("jane") == []
    assert await team.verb("jane", "claim", offer=offer) == "offer-over"


async def test_offers_are_refused_where_the_colleague_cannot_take_them(team: Team) -> None:
    async def offered(to: str) -> Any:
        return await team.verb("omar", "transfer", to={"agent": to}, reason="billing")

    await team.verb("omar", "claim")
    assert await offered("nobody@x.test") == "no-such-agent"
    assert await offered("Omar@x.test") == "to-yourself"
    assert await offered("jane@x.test") == "not-available"
    await team.comes("jane", state="away")
    assert await offered("jane@x.test") == "not-available"
    await team.comes("jane")
    await team.verb("jane", "claim", "2")
    assert await offered("Jane@x.test") == "at-capacity"
    assert await team.verb("omar", "transfer", to={"desk": "rome"}, reason="r") == "no-such-desk"
    both = {"desk": "berlin", "queue": True}
    assert await team.verb("omar", "transfer", to=both, reason="r") == "schema"


async def test_a_take_over_takes_room_without_asking_for_it(team: Team) -> None:
    await team.verb("sue", "claim", "2")
    await team.verb("jane", "claim")
    assert await team.verb("jane", "takeOver") == "supervisors-only"
    assert await team.verb("sue", "takeOver", **{"from": "Omar"}) == "moved"
    assert (await team.verb("sue", "takeOver", **{"from": "Jane"}))["phase"] == "HUMAN"
    await team.settle()
    assert await team.speaks() == ("HUMAN", ["Sue"])
    assert await team.slots("sue") == [("1", "held"), ("2", "held")]
    assert await team.slots("jane") == []


async def test_to_the_queue_and_to_another_desk(team: Team) -> None:
    await team.verb("jane", "claim")
    queued = await team.verb("jane", "transfer", to={"queue": True}, reason="lunch")
    assert (queued["phase"], queued["passedOn"]) == ("QUEUED", True)
    await team.settle()
    assert await team.slots("jane") == []
    moved = await team.verb("sue", "transfer", to={"desk": "berlin"}, reason="German")
    assert (moved["phase"], moved["desk"]) == ("QUEUED", "berlin")


async def test_who_closes_their_pages_is_gone_and_what_they_held_goes_on(bench: Any) -> None:
    team = Team(bench, {"human_idle": "queue"})
    await team.waits("1", "2")
    await team.comes("omar")
    await team.verb("omar", "claim")
    await team.verb("omar", "claim", "2")
    await team.sweeps(60)
    await team.answer("omar", "PUT", "/me/presence", {"state": "available", "page": "p"})
    await team.sweeps(89)
    assert await team.speaks() == ("HUMAN", ["Omar"])
    await team.sweeps(2)
    assert [await team.speaks(native) for native in "12"] == [("QUEUED", [])] * 2
    assert await team.slots("omar") == []
    assert (await bench.store.due_people(bench.clock.now(), None, 10)).items == []


async def test_who_opens_a_page_again_before_the_commit_keeps_what_they_hold(team: Team) -> None:
    await team.comes("jane")
    await team.verb("jane", "claim")
    await team.settle()
    team.bench.clock.forward(91)
    await team.sweeps_without_delivery()
    await team.comes("jane")
    await team.settle()
    assert await team.speaks() == ("HUMAN", ["Jane"])
    assert await team.slots("jane") == [("1", "held")]


async def test_a_slot_whose_conversation_is_not_there_is_dropped_when_the_person_is_gone(
    team: Team,
) -> None:
    await team.comes("jane")
    found = (await team.ports.store.people(["jane@x.test"]))["jane@x.test"]
    lost = Slot(conversation="business_messages:lost", kind="held")
    now = team.bench.clock.now()
    with_lost = found.value.with_slot("s", lost, now, assigned=False)
    await team.ports.store.commit(Commit((), people=[Snapshot(with_lost, found.token)]))
    await team.sweeps(91)
    assert await team.slots("jane") == []


async def test_a_free_that_failed_is_tried_again(team: Team) -> None:
    await team.verb("jane", "claim")
    await team.settle()
    await team.verb("jane", "release")
    commit, failing = team.bench.store.commit, [Unavailable("store-unavailable", "told to fail")]

    async def flaky(commits: Commit) -> Any:
        if commits.people and failing:
            raise failing.pop()
        return await commit(commits)

    team.bench.store.commit = flaky
    await deliver(team.ports, "business_messages:1")  # the function would wait for its next try
    team.bench.publisher.published.clear()
    assert await team.slots("jane") == [("1", "held")]
    await team.sweeps(60)
    assert await team.slots("jane") == []
