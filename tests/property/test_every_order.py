"""Every order of a short script, of which the gate takes some, against the real store: the names of
two people who had one number after the other, and who is active at a number that another sender
shares. What is demanded is said here in words of its own and not by Baton's rules.
"""

import asyncio
import itertools
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.property import test_floor as floors
from tests.property import test_names as names
from tests.soak import SOAKS
from tests.unit.use_cases.shared_number import THEM, US, SharedNumber

pytestmark = pytest.mark.soak

# p has the number S until 50, and q from then on; p also has N.
SCRIPT = (
    names.Said("p", 0, 1, ("N",)),
    names.Said("p", 1, 2, ("U",)),
    names.Said("p", 2, 3, ("U", "N")),
    names.Said("p", 3, 40, ("U", "S")),
    names.Said("q", 4, 60, ("V", "S")),
)
PLACES = (
    tuple(itertools.product((0, 1), repeat=len(SCRIPT))) if SOAKS else ((0,) * 5, (0, 1, 0, 1, 1))
)


@pytest.mark.parametrize("places", PLACES, ids=str)
def test_two_people_stay_two_and_one_stays_one_in_every_order(places: tuple[int, ...]) -> None:
    async def all_orders() -> None:
        orders = list(itertools.permutations(range(len(SCRIPT))))
        for order in orders if SOAKS else orders[places[1] :: 3]:
            await _two_people(order, places)

    asyncio.run(all_orders())


async def _two_people(order: tuple[int, ...], places: tuple[int, ...]) -> None:
    play, taken = names.Play(), set[str]()
    for index, on in zip(order, places, strict=True):
        said = SCRIPT[index]
        user = next((one for one in said.names if one in names.STRONG), None)
        for twice in (on, 1 - on):
            strong = f"1|{user}" if user else None
            await play.takes(said, twice, strong_address=strong)
        taken.add(f"{said.person}{said.number}")
        names._check(await play.homes(), taken)
    homes = await play.homes()
    for person in "pq":
        theirs = [one for one, words in homes.items() if any(w[0] == person for w in words)]
        assert len(theirs) == 1, (order, homes)
        known = await play.store.load(theirs[0])
        assert known is not None
        reached = None if known.value.unreachable else known.value.address
        anothers = "1|S" if person == "p" else "1|N"
        assert reached != anothers, f"{person}'s answers go to another person: {order}"
    await play.store.close()


def _happens(number: SharedNumber, what: str, count: int) -> Any:
    if what == "heard":
        return number.says(f"words {count}", to=THEM)
    if what == "answers":
        return number.answers(f"answer {count}")
    if what == "passes":
        return number.passes()
    return number.says(f"words {count}", to=US)


AT_THE_PLATFORM = (
    ("heard", "answers", "passes"),
    ("heard", "passes", "to us"),
)
OURS = ("claim", "jane", "leave")


@pytest.mark.parametrize("script", AT_THE_PLATFORM, ids=" ".join)
@pytest.mark.parametrize("doubled", [False, True])
def test_frames_hold_and_no_other_sender_is_talked_over_in_every_order(
    script: tuple[str, ...], doubled: bool
) -> None:
    """The platform's webhooks come in any order, between the steps of Baton's own people in any
    way, once or twice.
    """
    places = itertools.combinations(range(len(script) + len(OURS)), len(OURS))
    every = list(itertools.product(itertools.permutations(range(len(script))), places))

    async def all_orders() -> None:
        for order, ours_at in every if SOAKS else every[doubled::6]:
            with TemporaryDirectory() as folder:
                await _one_number(folder, script, order, ours_at, doubled)

    asyncio.run(all_orders())


async def _one_number(
    folder: str,
    script: tuple[str, ...],
    order: tuple[int, ...],
    ours_at: tuple[int, ...],
    doubled: bool,
) -> None:
    number = SharedNumber(owner=THEM)
    walk = floors.begun(folder, number)
    first = number.says("hello")
    walk.heard.append(first)
    await walk.play.hears(first)
    webhooks = [_happens(number, what, count) for count, what in enumerate(script)]
    walk.theirs = {"hello"} | {f"words {n}" for n, what in enumerate(script) if what == "heard"}
    walk.ours = {f"words {n}" for n, what in enumerate(script) if what == "to us"}
    walk.passes = script.count("passes")
    coming, ours = [webhooks[one] for one in order], list(OURS)
    for place in range(len(script) + len(OURS)):
        if place in ours_at:
            await walk.step(ours.pop(0), 0)
            continue
        webhook = coming.pop(0)
        walk.heard.append(webhook)
        await walk.play.hears(*[webhook] * (1 + doubled))
    await walk.play.delivers()
    await floors.check(walk)
    await walk.play.bench.store.close()
