"""A kill of every function at every boundary of every call that receive and deliver make. Nothing
may be lost.

First conversations are played alone, to count the calls of each step. Then there is a
conversation for each side of each call, played up to its step. The conversations of some steps go
on at once, each is held at its own boundary, and all processes are killed. They are started again,
callers without an answer repeat their call, and every conversation is played to its end and judged.

The gate strikes each call on one side, `make soak` on both: a process that is dead after a call
differs little from one that is dead before the next.
"""

import asyncio
import base64
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.conversations.entries import FIRST_LOOK
from shared.delivery.sweep import sweep
from shared.handoff.policy import Policy
from shared.ports import Ports
from shared.reports.recount import recount
from shared.schemas.notifications import HANDOFFS
from shared.transports.clock import WallClock
from tests.emulators.boundaries import Boundary, Side
from tests.emulators.deployment import Deployment
from tests.emulators.senders import Caller
from tests.emulators.story import (
    ERASE,
    STEPS,
    WORD,
    faults_of_state,
    faults_of_topic,
    faults_of_view,
)
from tests.soak import SOAKS, each_once

pytestmark = pytest.mark.soak

EVER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
_NUMBERS = itertools.count(1)
AT_ONCE = ((0, 2), (3, 5), (ERASE, ERASE))  # the steps that share a kill: a start takes seconds
# in place an answer is a commit, the call of the platform and a commit; queued there are a wake-up
# and a query between them
FEWEST = {"on": 3, "off": 5}
PLAYS = 2  # the first one is slow, because all is cold
SIDES: Sequence[Side] = ("before", "after")
HELD_SECONDS = 4.5  # below the functions' own time limit of an RPC
ROUNDS = 5
STILL_SECONDS, SWEPT_SECONDS = 0.3, 2.0


def _caller(deployment: Deployment) -> Caller:
    return Caller(deployment, f"crash-{next(_NUMBERS)}x")


async def _play(caller: Caller, steps: range) -> None:
    for step in steps:
        if step == ERASE:
            await caller.deployment.until_quiet(caller.id)
            await _judge(caller)
        await STEPS[step](caller)


async def _until_still(deployment: Deployment, callers: Sequence[Caller]) -> None:
    """Returns once no delivery is due and no call came for a while: a superfluous wake-up causes a
    call too.
    """
    await deployment.until_quiet(*(caller.id for caller in callers))
    calls, before = deployment.boundaries.seen, -1
    while before != (now := sum(len(calls[caller.native]) for caller in callers)):
        before = now
        await asyncio.sleep(STILL_SECONDS)


async def _calls_of_steps(deployment: Deployment) -> list[int]:
    """Returns how many calls each step makes at least: a wake-up that comes before its commit
    causes more of them.
    """
    plays = [await _calls_of_one_play(deployment) for _ in range(PLAYS)]
    return [min(calls) for calls in zip(*plays, strict=True)]


async def _calls_of_one_play(deployment: Deployment) -> list[int]:
    caller, found = _caller(deployment), []
    calls = deployment.boundaries.seen[caller.native]
    for step in range(len(STEPS)):
        before = len(calls)
        await _play(caller, range(step, step + 1))
        await _until_still(deployment, [caller])
        found.append(len(calls) - before)
    return found


@dataclass(frozen=True, eq=False)
class Victim:
    """A conversation, and where it is struck: in which step, at its how many-eth call, on which
    side.
    """

    caller: Caller
    step: int
    call: int
    side: Side


async def _strike_all(
    deployment: Deployment, victims: Sequence[Victim], fewest: int
) -> list[Victim]:
    """Strikes each victim, and in its place another one where it came to its end before: an
    instance delivers nothing in place to a platform that is slow, as it is while others are held.
    Calls beyond the `fewest` need not come: those of a wake-up that is before its commit, or finds
    nothing left. Returns all victims.
    """
    struck, left = list[Victim](), [*victims]
    for _ in range(ROUNDS):
        struck += left
        missed = await _strike(deployment, left)
        left = [replace(one, caller=_caller(deployment)) for one in missed]
        if not left:
            break
    assert [(one.step, one.call, one.side) for one in left if one.call <= fewest] == []
    return struck


async def _strike(deployment: Deployment, victims: Sequence[Victim]) -> list[Victim]:
    """Kills every process while each conversation is held at its boundary, and plays each to
    its end. Returns those that never came to their boundary.
    """
    await asyncio.gather(*(_play(one.caller, range(one.step)) for one in victims))
    await _until_still(deployment, [one.caller for one in victims])
    for one in victims:
        made = len(deployment.boundaries.seen[one.caller.native])
        deployment.boundaries.plan[one.caller.native] = Boundary(made + one.call, one.side)
    await asyncio.gather(*(_judge(one.caller) for one in victims if one.step == ERASE))
    asked = [asyncio.create_task(STEPS[one.step](one.caller)) for one in victims]
    await _until_held(deployment, victims)
    missed = [one for one in victims if one.caller.native not in deployment.boundaries.held]
    deployment.boundaries.plan.clear()
    deployment.kill()
    deployment.start()
    async with _swept(deployment):
        await asyncio.gather(deployment.ready(), *asked)
        rest = (_play(one.caller, range(one.step + 1, len(STEPS))) for one in victims)
        await asyncio.gather(*rest)
    return missed


@asynccontextmanager
async def _swept(deployment: Deployment) -> AsyncIterator[None]:
    """Sweeps as the scheduler does, but for what is due within the next half minute: a conversation
    that nobody goes on with is delivered by the sweep alone.
    """

    nothing: Any = None  # a sweep sends nothing itself
    ports = Ports(deployment.store, deployment.publisher, nothing, WallClock(), Policy(), {})

    async def often() -> None:
        while True:
            await sweep(ports, datetime.now(UTC) + FIRST_LOOK)
            await asyncio.sleep(SWEPT_SECONDS)

    sweeping = asyncio.create_task(often())
    try:
        yield
    finally:
        sweeping.cancel()


async def _until_held(deployment: Deployment, victims: Sequence[Victim]) -> None:
    """Returns once each is held, or has no call left that could be."""
    boundaries, loop = deployment.boundaries, asyncio.get_running_loop()
    deadline = loop.time() + HELD_SECONDS
    while len(boundaries.held) < len(victims) and loop.time() < deadline:
        await asyncio.sleep(0.01)


async def _judge(caller: Caller) -> None:
    deployment = caller.deployment
    journal = await deployment.journal(caller.id)
    faults = faults_of_state(journal) + faults_of_view(
        deployment.platform.store.transcript(caller.native)
    )
    assert not faults, (caller.native, faults, deployment.boundaries.seen[caller.native])


async def _judge_the_erased(caller: Caller) -> None:
    """I9: nothing that anybody said is left, and what came before is still known."""
    deployment = caller.deployment
    remains = [
        entry for entry in await deployment.journal(caller.id) if WORD in entry.model_dump_json()
    ]
    snapshot = await deployment.store.load(caller.id)
    assert (remains, snapshot and snapshot.value.erased, snapshot and snapshot.value.erasing) == (
        [],
        True,
        None,
    )
    for step in (0, 1):
        assert (await STEPS[step](caller)).tries[-1][0] == 200
    again = await deployment.store.load(caller.id)
    assert again is not None
    assert again.value == snapshot.value if snapshot else False
    assert not faults_of_view(deployment.platform.store.transcript(caller.native))


async def _told(deployment: Deployment) -> dict[str, list[dict[str, Any]]]:
    told = defaultdict(list)
    for message in await deployment.published(HANDOFFS):
        body = json.loads(base64.b64decode(message["data"]))
        told[body["conversation"]].append(body)
    return told


async def _counted(deployment: Deployment) -> dict[str, int]:
    """Returns how often each thing was measured, all that the journal says and nothing else."""
    assert (await recount(deployment.store, *EVER, datetime.now(UTC))).changed == []
    counted: Counter[str] = Counter()
    for one in await deployment.store.counted(*EVER):
        counted[one.cell.name] += one.number
    return dict(counted)


@each_once(in_place=["on", "off"] if SOAKS else ["on"])
async def test_a_kill_at_any_boundary_loses_and_doubles_nothing(
    deploy: Callable[..., Deployment], in_place: str
) -> None:
    async with deploy(wide=True, BATON_DELIVER_IN_PLACE=in_place) as deployment:
        steps = await _calls_of_steps(deployment)
        assert all(calls >= FEWEST[in_place] for calls in steps), steps
        measured = await _counted(deployment)
        victims = [
            Victim(_caller(deployment), step, call, side)
            for step, calls in enumerate(steps)
            for call in range(1, calls + 1)
            for side in (SIDES if SOAKS else SIDES[:1] if (step + call) % 2 else SIDES[1:])
        ]
        groups = [[one for one in victims if first <= one.step <= last] for first, last in AT_ONCE]
        victims = [
            one
            for group in groups
            for one in await _strike_all(deployment, group, FEWEST[in_place])
        ]
        told = await _told(deployment)
        faults = {one.caller.native: faults_of_topic(told[one.caller.id]) for one in victims}
        assert not {native: found for native, found in faults.items() if found}
        await asyncio.gather(*(_judge_the_erased(one.caller) for one in victims))
        assert await _counted(deployment) == {
            name: n // PLAYS * (len(victims) + PLAYS) for name, n in measured.items()
        }
