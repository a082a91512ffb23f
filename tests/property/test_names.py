"""Any order of webhooks of two people, doubled, at two instances with copies of their own, against
the real store: nobody's words are in the other's conversation, no message is taken twice, and once
a person's names were told together there is one conversation.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.conversations.apply import apply
from shared.customers.erase import erase
from shared.handoff.policy import Policy
from shared.handoff.visibility import words_for
from shared.platforms.whatsapp.platform import CAPABILITIES
from shared.ports import Ports
from shared.schemas.conversation import Conversation
from shared.schemas.events import GivenName, HumanJoined, HumanLeft, NamesChanged, UserMessage
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.variables import Audience
from shared.stores.cache import CachedStore
from tests.inline import InlineStore
from tests.property.effort import effort
from tests.property.world import BEGIN, FakeClock

pytestmark = pytest.mark.soak
JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane")
# who has which names: S is p's until 50, and q's from then on
PEOPLE = {"p": ("U", "N"), "q": ("V", "M")}
STRONG, MOVES_AT = "UVW", 50


@dataclass(frozen=True)
class Said:
    person: str
    number: int
    at: int
    names: tuple[str, ...]


@st.composite
def words(draw: Any, number: int) -> Said:
    person, at = draw(st.sampled_from("pq")), draw(st.integers(1, 99))
    user, bare = PEOPLE[person]
    choices = [(user,), (bare,), (user, bare)]
    if (person == "p") == (at < MOVES_AT):
        choices.append((user, "S"))
    return Said(person, number, at, draw(st.sampled_from(choices)))


SCRIPTS = st.integers(3, 9).flatmap(
    lambda count: st.tuples(*(words(number) for number in range(count)))
)
ORDERS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 1)), min_size=6, max_size=24)


class Quiet:
    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        return None


def _given(names: tuple[str, ...]) -> tuple[GivenName, ...]:
    return tuple(GivenName(id=f"whatsapp:{one}", strong=one in STRONG) for one in names)


class Play:
    def __init__(self) -> None:
        self.store, self.clock = InlineStore(":memory:"), FakeClock()
        self.clock.advance(1000)
        policy = Policy(capabilities={"whatsapp": CAPABILITIES})
        ports = Ports(self.store, Quiet(), None, self.clock, policy, {})  # type: ignore[arg-type]  # nothing is sent
        self.instances = [replace(ports, store=CachedStore(self.store)) for _ in range(2)]

    async def takes(self, said: Said, on: int, kind: Any = UserMessage, **more: Any) -> None:
        names = _given(said.names)
        event = kind(
            id=f"{said.person}{said.number}",
            source=names[0].id,
            address=f"1|{said.names[-1]}",
            actor="test",
            occurred_at=BEGIN + timedelta(seconds=said.at),
            names=names,
            **({"form": {}, "said": f"{said.person}{said.number}"} if kind is UserMessage else {}),
            **more,
        )
        await apply(self.instances[on], event)

    async def homes(self) -> dict[str, list[str]]:
        found = {}
        for one in (await self.store.conversations(None, 200)).items:
            if one.same_as is None:
                found[one.id] = await self._said(one)
        return found

    async def _said(self, conversation: Conversation) -> list[str]:
        said = []
        for id in (conversation.id, *(former.id for former in conversation.formerly)):
            journal = await self.store.journal(id, None, 200)
            said += [words_for(Audience.AGENT, entry.value) for entry in journal.items]
        return sorted(filter(None, said))


async def _played(script: tuple[Said, ...], order: list[tuple[int, int]], humans: bool) -> None:
    play = Play()
    taken = set()
    for step, (index, on) in enumerate(order):
        said = script[index % len(script)]
        await play.takes(said, on)
        taken.add(f"{said.person}{said.number}")
        if humans and step % 3 == 0:
            kind = HumanJoined if step % 2 else HumanLeft
            here = [one for one, words in (await play.homes()).items() if words]
            event = kind(
                id=f"h{step}", source=here[step % len(here)], actor="key:x", fact=False,
                representative=JANE,
            )  # fmt: skip
            await apply(play.instances[1 - on], event)
        _check(await play.homes(), taken)
    for person, names in PEOPLE.items():
        await play.takes(Said(person, 100, 100, names), 0)
        taken.add(f"{person}100")
    homes = await play.homes()
    _check(homes, taken)
    for person in PEOPLE:
        theirs = [one for one, words in homes.items() if any(w[0] == person for w in words)]
        assert len(theirs) == 1, (person, homes)
    for said in script:  # everything comes once more, under any names of theirs
        if f"{said.person}{said.number}" in taken:
            await play.takes(said, 1)
    assert await play.homes() == homes
    for one in [one for one, words in homes.items() if words]:
        await erase(play.instances[0], one, "admin")
    assert not any((await play.homes()).values())
    await play.store.close()


def _check(homes: dict[str, list[str]], taken: set[str]) -> None:
    for one, words in homes.items():
        assert len({each[0] for each in words}) <= 1, f"two people in {one}: {words}"
    every = [each for words in homes.values() for each in words]
    assert sorted(every) == sorted(taken), "a message is lost or taken twice"


@given(SCRIPTS, ORDERS, st.booleans())
@effort(60)
def test_one_customer_is_one_conversation(
    script: tuple[Said, ...], order: list[tuple[int, int]], humans: bool
) -> None:
    asyncio.run(_played(script, order, humans))


@given(st.permutations(range(4)), st.lists(st.integers(0, 1), min_size=8, max_size=8))
@effort(60)
def test_a_change_of_names_comes_at_any_place(order: list[int], on: list[int]) -> None:
    asyncio.run(_changed(order, on))


async def _changed(order: list[int], on: list[int]) -> None:
    """Two messages under the old names, the notice, two under the new ones, all doubled."""
    play = Play()
    steps: list[Any] = [
        Said("p", 1, 1, ("U", "N")),
        Said("p", 2, 2, ("U",)),
        Said("p", 3, 5, ("W", "S")),
        Said("p", 4, 4, ("W", "S")),
    ]
    for turn, index in enumerate([*order, *order]):
        said = steps[index]
        if said.number == 3:
            await play.takes(said, on[turn], NamesChanged, old=_given(("U", "N")))
        else:
            await play.takes(said, on[turn])
    words = [one for one in (await play.homes()).values() if one]
    assert words == [["p1", "p2", "p4"]]
    await play.store.close()
