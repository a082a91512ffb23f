"""Messages at fault, and targets that are down for a while, in any order: what is well arrives,
in order, and once.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.oracle import texts
from shared.delivery.deliver import deliver
from shared.delivery.sweep import sweep
from shared.errors import Unavailable
from shared.handoff.visibility import words_to_mask
from shared.ports import Ports
from shared.schemas.commands import Post, SendMessage, State
from shared.schemas.http import Answer, Call
from shared.schemas.journal import JournalEntry
from tests.property.clients import Clients
from tests.property.effort import effort
from tests.property.ground import BARE, PLAIN
from tests.property.internet import BOT_WEBHOOK
from tests.property.ledger import whole_journal
from tests.property.world import World

pytestmark = pytest.mark.soak

POISON = "poison"


@dataclass
class Faulty:
    """Refuses what is at fault, for ever; while it is down, everything, in one of three ways."""

    ports: Ports
    status: int
    is_down: str = ""

    async def send(self, call: Call) -> Answer | None:
        if self.is_down == "unreachable":
            raise Unavailable("unreachable", "told to fail")
        if self.is_down or POISON.encode() in call.body:
            return Answer(self.status)
        return await self.ports.sender.send(call)


def clearly_refused(channel: str) -> int:
    """Where an id is not recognised, a 5xx ends a message at once: it may have arrived."""
    return 429 if channel == BARE else 500


@effort(40)
@given(
    channel=st.sampled_from((PLAIN, BARE)),
    steps=st.lists(
        st.one_of(
            st.sampled_from(
                ("customer", "bot", "customer", "bot", f"customer {POISON}", f"bot {POISON}")
            ),
            st.sampled_from(("down", "unreachable", "well", "minute", "minute", "hour")),
        ),
        max_size=25,
    ),
)
def test_what_is_at_fault_ends_and_all_else_arrives_in_order(
    channel: str, steps: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    asyncio.run(_play(channel, steps, tmp_path_factory.mktemp("world")))


async def _play(channel: str, steps: list[str], folder: Path) -> None:
    world = World(folder)
    clients = Clients(world)
    world.platform.learn("c0")
    policy = replace(
        world.instances[0].policy,
        line_patience=timedelta(minutes=3),
        give_up_after=timedelta(hours=24),
    )
    faulty = Faulty(world.instances[0], clearly_refused(channel))
    ports = replace(world.instances[0], policy=policy, sender=faulty)
    await clients.post(ports, clients.says(channel))
    for step in steps:
        if step.startswith("customer"):
            await clients.post(ports, clients.says(channel, step))
        elif step.startswith("bot"):
            await clients.send(ports, clients.message(channel, "bot", 0, extra=f" {step}"))
        elif step in ("minute", "hour"):
            await _time_passes(world, ports, 60 if step == "minute" else 3600)
        else:
            faulty.is_down = step if step != "well" else ""
        await _time_passes(world, ports, 0)
    faulty.is_down = ""
    for _ in range(160):
        await _time_passes(world, ports, 600)
    assert await _faults(world, clients, ports, channel) == []
    world.restart()


async def _time_passes(world: World, ports: Ports, seconds: int) -> None:
    for _ in range(max(1, seconds // 300)):
        world.clock.advance(min(seconds, 300))
        await sweep(ports)
        for one in list(world.topics.wake_ups):
            world.topics.wake_ups.pop(one)
            await deliver(ports, one)


def _words(entry: JournalEntry) -> str:
    return words_to_mask(entry) or ""


async def _faults(world: World, clients: Clients, ports: Ports, channel: str) -> list[str]:
    journal = await whole_journal(ports.store, channel)
    commands: list[Any] = [one for entry in journal for one in entry.commands]
    native = channel.partition(":")[2]
    shown = (
        world.internet.bare.transcript(native)
        if channel == BARE
        else world.platform.transcript(native)
    )
    heard = [one["message"]["text"] for one in world.internet.posted]
    said = [
        words
        for entry in journal
        if entry.kind == "user_message" and POISON not in (words := _words(entry))
    ]
    sent = [
        one.text for one in clients.asks if one.answer == "ok" and POISON not in (one.text or "")
    ]
    told = [
        one
        for one in world.topics.published.get("baton-handoffs", [])
        if one["type"] == "delivery.failed"
    ]
    ids = [one["id"] for one in told]
    ended = [
        one
        for one in commands
        if isinstance(one, SendMessage | Post) and one.state is not State.SENT
    ]
    at_fault = sum(POISON in _words(entry) for entry in journal)
    return [
        *([] if heard == said else [f"the bot heard {heard}, not {said}"]),
        *([] if texts(shown) == sent else [f"the customer saw {texts(shown)}, not {sent}"]),
        *(
            []
            if len(ended) == at_fault
            else [f"{len(ended)} ended badly, {at_fault} were at fault"]
        ),
        *(
            f"{one.id} is {one.state}"
            for one in ended
            if one.state is not State.FAILED and channel == BARE
        ),
        *([] if len(ids) == len(set(ids)) else ["the team was told twice"]),
        *(f"{entry.id} is due for ever" for entry in journal if entry.due_at or entry.pending_seq),
        *([f"{BOT_WEBHOOK} was told of"] if any(BOT_WEBHOOK in str(one) for one in told) else []),
    ]
