"""The process dies at every call that a claim, an offer, its end, a release and a going make to the
store or the queue. Afterwards the slots of people are those that the conversations hold.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from shared.ports import Commit, Snapshot
from shared.schemas.people import Presence
from shared.stores.sqlite.store import SqliteStore
from tests.unit.use_cases.team import PEOPLE, Team

CALLS = (
    "load", "commit", "entry", "update", "update_together", "pending", "pending_count", "people",
    "queue", "due_conversations", "due_entries", "due_people", "publish",
)  # fmt: skip


class Death(BaseException):
    """The process ends here. No handler catches it."""


class Mortal:
    """A store or publisher that dies at the call of this number, before or after it is done."""

    def __init__(self, inner: Any, life: "Life") -> None:
        self._inner, self._life = inner, life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in CALLS:
            return method

        async def call(*given: Any, **named: Any) -> Any:
            return await self._life.live(method, given, named)

        return call


class Life:
    def __init__(self) -> None:
        self.left: float = float("inf")  # calls
        self.is_after = False

    async def live(self, method: Any, given: Any, named: Any) -> Any:
        self.left -= 1
        if self.left == 0 and not self.is_after:
            raise Death
        done = await method(*given, **named)
        if self.left == 0:
            raise Death
        return done


async def claim(team: Team) -> Any:
    return await team.verb("jane", "claim", requestId="r")


async def release(team: Team) -> Any:
    await team.verb("jane", "release", requestId="r")


async def offer(team: Team) -> Any:
    to = {"agent": "omar@x.test"}
    return await team.verb("jane", "transfer", to=to, reason="r", requestId="r")


async def offer_and_accept(team: Team) -> Any:
    await offer(team)
    return await team.verb("omar", "claim", requestId="a")


async def offer_and_decline(team: Team) -> Any:
    await offer(team)
    stands = (await team.conversation()).offer
    if stands is not None:
        await team.verb("omar", "decline", offer=stands.id, requestId="d")


async def to_queue(team: Team) -> Any:
    return await team.verb("jane", "transfer", to={"queue": True}, reason="r", requestId="r")


async def take_over(team: Team) -> Any:
    return await team.verb("sue", "takeOver", requestId="r", **{"from": "Jane"})


async def gone(team: Team) -> Any:
    """Jane's page is gone since long."""
    found = (await team.ports.store.people(["jane@x.test"]))["jane@x.test"]
    if "old" not in found.value.pages and found.value.slots:
        pages = {"old": team.bench.clock.now()}
        old = found.value.model_copy(update={"pages": pages, "version": found.value.version + 1})
        await team.ports.store.commit(Commit((), people=[Snapshot(old, found.token)]))
    await team.sweeps()


STORIES: Mapping[str, tuple[bool, Callable[[Team], Awaitable[Any]], tuple[str, list[str]]]] = {
    "claim": (False, claim, ("HUMAN", ["Jane"])),
    "release": (True, release, ("BOT", [])),
    "offer": (True, offer, ("HUMAN", ["Jane"])),
    "accept": (True, offer_and_accept, ("HUMAN", ["Omar"])),
    "decline": (True, offer_and_decline, ("HUMAN", ["Jane"])),
    "to the queue": (True, to_queue, ("QUEUED", [])),
    "take over": (True, take_over, ("HUMAN", ["Sue"])),
    "gone": (True, gone, ("QUEUED", [])),
}


async def play(bench: Any, story: str, call: int, *, after: bool) -> bool:
    """Returns whether the process died at that call."""
    is_claimed, act, end = STORIES[story]
    store, life = SqliteStore(":memory:"), Life()
    bench.publisher.published.clear()
    bench.store = store
    bench.ports = replace(
        bench.ports, store=Mortal(store, life), publisher=Mortal(bench.publisher, life)
    )
    team = Team(bench, {"human_idle": "queue"})
    await team.waits("1")
    await team.comes("omar")
    if is_claimed:
        await team.verb("jane", "claim")
    await team.settle()
    life.left, life.is_after = call, after
    died = False
    try:
        await act(team)
        await team.settle()
    except Death:
        died = True
        life.left = float("inf")
        await act(team)  # whoever got no answer asks again
    life.left = float("inf")
    bench.publisher.published.clear()  # every wake-up is lost
    await team.sweeps(40)
    await team.sweeps(10)
    assert await team.speaks() == end
    await holds(team)
    await store.close()
    return died


async def holds(team: Team) -> None:
    """The slots of people are those of the conversation, and nothing more waits."""
    conversation = await team.conversation()
    for person in PEOPLE:
        found = (await team.ports.store.people([person])).get(person)
        mine = (found.value if found else Presence(id=person)).slots
        assert set(mine) == {slot for slot, who in conversation.slots.items() if who == person}
    assert await team.ports.store.pending_count(conversation.id) == 0


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("story", STORIES)
async def test_a_death_at_any_call_leaves_no_slot_behind_and_takes_none(
    bench: Any, story: str, after: bool
) -> None:
    call = 1
    while await play(bench, story, call, after=after):
        call += 1
    assert call > 3
