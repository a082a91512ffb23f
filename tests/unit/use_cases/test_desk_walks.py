"""Random walks: customers, agents, a desk that fails in every way, webhooks late and twice, crashes
at every point.

In every walk the customer sees whole frames, no handoff has two chats, nothing is said twice,
nothing waits without end, and the desk was asked to end every chat without use, however late it
reported the chat.
"""

import json
import random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.local import oracle
from shared.customers.desk_customers import identifier
from shared.customers.erase import erase
from shared.customers.links import unlink
from shared.delivery.deliver import deliver
from shared.desks.adopt import CHATS_KEPT
from shared.errors import Unavailable
from shared.handoff.visibility import words_for
from shared.schemas.conversation import Phase
from shared.schemas.events import Claim, HumanLeft
from shared.schemas.variables import Audience
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.tenant import ID, World
from tests.unit.use_cases.test_bot_crash import Ended, Steps, gated

STEPS, WALKS = 40, 60
USERS = (f"ccai:user-{identifier(ID)}", "ccai:user-id-5")
PEOPLE = [(17, "Jane"), (18, "John")]
BEN = {"representativeType": "HUMAN", "displayName": "Ben"}


class Walk:
    """One customer's walk; `late` are webhooks that were posted and may come again, or only now."""

    def __init__(self, world: World, chance: random.Random, *, unlinks: bool = True) -> None:
        self.world = world
        self.chance = chance
        self.late: list[tuple[str, int, dict[str, Any]]] = []
        self.told: set[int] = set()
        self.count = self.unlinked = 0
        often = (
            self.says,
            self.asks,
            self.agent,
            self.agent,
            self.ends,
            self.fails,
            self.again,
            self.crashes,
            self.ben,
        )
        self.steps = (*often, self.assistant, *((self.unlinks,) if unlinks else ()))

    async def step(self) -> None:
        await self.chance.choice(self.steps)()
        self.world.bench.clock.forward(self.chance.choice((0.1, 0.1, 1, 1, 7, 7, 40, 400)))
        await self.creates()
        if self.chance.random() < 0.6:
            await self.world.deliver()

    def _text(self) -> str:
        self.count += 1
        return f"text {self.count}"

    async def says(self) -> None:
        await self.world.customer(self._text())

    async def asks(self) -> None:
        await self.world.asks_for_human()

    async def ben(self) -> None:
        kind = Claim if self.chance.random() < 0.5 else HumanLeft
        await self.world.happens(kind, representative=BEN, fact=kind is HumanLeft)

    async def creates(self) -> None:
        """The desk tells of each chat, mostly."""
        for number in self.chats:
            if number not in self.told and self.chance.random() < 0.7:
                await self.tells_of(number)

    async def tells_of(self, number: int) -> None:
        self.told.add(number)
        await self.world.tenant.tells_of(number)

    @property
    def chats(self) -> range:
        return range(1001, 1001 + len(self.world.tenant.chats))

    async def posts(self, name: str, **body: Any) -> None:
        if self.world.tenant.chats:
            number = 1000 + self.chance.randint(1, len(self.world.tenant.chats))
            self.late.append((name, number, body))
            if self.chance.random() < 0.8:
                await self.world.tenant.posts(name, number, **body)

    async def agent(self) -> None:
        person = self.world.tenant.agent(*self.chance.choice(PEOPLE))
        name = self.chance.choice(
            ("participant_joined", "message_received", "message_received", "participant_left")
        )
        await self.posts(name, sender=person, message={"type": "text", "content": self._text()})

    async def assistant(self) -> None:
        vera = {"id": 3, "type": "virtual_agent", "name": "Vera"}
        await self.posts(
            "message_received", sender=vera, message={"type": "text", "content": self._text()}
        )

    async def unlinks(self) -> None:
        chats = await self.world.chats()
        if chats and self.chance.random() < 0.3:
            await unlink(self.world.ports, self.chance.choice(chats), "admin")
            self.unlinked += 1

    async def ends(self) -> None:
        await self.posts(self.chance.choice(("chat_ended", "escalation_deflected")))

    async def again(self) -> None:
        if self.late:
            name, number, body = self.chance.choice(self.late)
            await self.world.tenant.posts(name, number, **body)

    async def fails(self) -> None:
        """The next calls of one kind end in some way."""
        how: list[Any] = [
            None,
            "lost",
            429,
            500,
            503,
            404,
            422,
            Unavailable("unreachable", "told to fail"),
        ]
        kind = self.chance.choice(("/end_u", "chats", "message", "/chats"))
        self.world.tenant.answers[kind] = [
            *self.chance.choices(how, k=self.chance.randint(1, 3)),
            200,
        ]

    async def crashes(self) -> None:
        try:
            await self.world.deliver(gated(self.world.ports, Steps(self.chance.randint(1, 40))))
        except Ended:
            self.world.bench.clock.forward(1)


def shown(world: World) -> list[oracle.Row]:
    """Returns what the customer saw: the platform shows an id once."""
    rows: dict[tuple[str, str], oracle.Row] = {}
    for call in world.tenant.calls:
        parts = urlsplit(call.url)
        if "platform.test" in call.url:
            body = json.loads(call.body)
            kind = "event" if parts.path.endswith("/events") else "message"
            native = parse_qs(parts.query)["eventId"][0] if kind == "event" else body["messageId"]
            seq = len(rows) + 1
            rows.setdefault(
                (kind, native),
                {"side": "business", "kind": kind, "id": native, "body": body, "seq": seq},
            )
    return list(rows.values())


@pytest.mark.parametrize("seed", range(WALKS))
async def test_after_any_events_the_customer_sees_whole_frames(bench: Bench, seed: int) -> None:
    world = World.on(bench)
    walk = Walk(world, random.Random(seed))
    await world.customer("hi")
    for _ in range(STEPS):
        await walk.step()
    world.tenant.answers.clear()
    await world.until_settled(step=3)
    for number in {*walk.chats} - walk.told:
        await walk.tells_of(number)
    await world.until_settled(step=3)
    rows = shown(world)
    assert oracle.violations(rows) == []
    assert bool(oracle.open_frames(rows)) is ((await world.conversation()).phase is Phase.HUMAN)
    await _each_handoff_has_one_chat(walk)
    await _no_chat_is_open_that_nobody_needs(walk, await _over(walk))
    said = [
        (chat, int(text.split()[-1])) for chat, text in world.tenant.said if text.startswith("text")
    ]
    assert len(said) == len({text for _, text in said})
    assert all(
        one == sorted(one)
        for one in ([text for at, text in said if at == chat] for chat in walk.chats)
    )


@pytest.mark.parametrize("seed", range(WALKS))
async def test_after_any_events_an_erase_leaves_no_chat_and_no_word(
    bench: Bench, seed: int
) -> None:
    world = World.on(bench)
    walk = Walk(world, random.Random(seed), unlinks=False)  # what was unlinked is erased by itself
    await world.customer("text 0")
    for _ in range(walk.chance.randint(1, STEPS)):
        await walk.step()
    world.tenant.answers.clear()
    over = await _over(walk)
    await erase(world.ports, ID, "admin")
    for number in walk.chats:
        await walk.tells_of(number)
    for one in (ID, *USERS):
        await deliver(world.ports, one, timers=True)
    for _ in range(10):
        await walk.agent()
    await _no_chat_is_open_that_nobody_needs(walk, over)
    chats = [f"ccai:chat-{number}" for number in walk.chats]
    left = [entry for one in (ID, *USERS, *chats) for entry in await world.entries(one)]
    assert "text" not in "".join(words_for(Audience.AGENT, entry) or "" for entry in left)
    assert [one for one in left if one.representative is not None] == []


async def _no_chat_is_open_that_nobody_needs(walk: Walk, over: set[str]) -> None:
    """Each was asked to end, or was reported as ended, also in answer to the customer's words."""
    called = (await walk.world.conversation()).called
    told = {
        urlsplit(call.url).path.rpartition("/")[2]
        for call in walk.world.tenant.calls
        if call.method == "PATCH"
    }
    left = {f"ccai:chat-{n}" for n in walk.chats if str(n) not in told} - over
    assert left <= {called.chat if called else None}


async def _over(walk: Walk) -> set[str]:
    """Returns the chats that were said to have ended."""
    journals = [await walk.world.entries(f"ccai:chat-{n}") for n in walk.chats]
    return {entry.source for journal in journals for entry in journal if entry.ends_chat}


async def _each_handoff_has_one_chat(walk: Walk) -> None:
    world = walk.world
    calls = await world.calls()
    handoffs = [one.handoff for one in calls if one.action == "open"]
    assert len(world.tenant.chats) <= len(handoffs) == len(set(handoffs))
    addresses = [(await world.conversation(link)).address for link in await world.chats()]
    assert len({address.split("|")[2] for address in addresses}) == len(addresses)
    opened = [one.handoff for one in calls if one.action == "open" and one.state == "sent"]
    assert {address.split("|")[2] for address in addresses} <= {*opened}
    assert len(addresses) >= min(len(opened) - walk.unlinked, CHATS_KEPT)
