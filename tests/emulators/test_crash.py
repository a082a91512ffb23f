"""A kill of every function at every boundary of every call that receive and deliver make. Nothing
may be lost.

First one conversation is played alone, to count the calls of each step. Then there is a
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.reports.recount import recount
from shared.schemas.notifications import HANDOFFS
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
from tests.soak import SOAKS

pytestmark = pytest.mark.soak

EVER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
_NUMBERS = itertools.count(1)
AT_ONCE = ((0, 2), (3, 5), (ERASE, ERASE))  # the steps that share a kill: a start takes seconds
SIDES: Sequence[Side] = ("before", "after")
HELD_SECONDS = 4.5  # below the functions' own time limit of an RPC
STILL_SECONDS = 0.3


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
    """Returns how many calls each step makes."""
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


async def _strike(deployment: Deployment, victims: Sequence[Victim]) -> None:
    """Kills every process while each conversation is held at its boundary, and plays each to
    its end.
    """
    await asyncio.gather(*(_play(one.caller, range(one.step)) for one in victims))
    await _until_still(deployment, [one.caller for one in victims])
    for one in victims:
        made = len(deployment.boundaries.seen[one.caller.native])
        deployment.boundaries.plan[one.caller.native] = Boundary(made + one.call, one.side)
    await asyncio.gather(*(_judge(one.caller) for one in victims if one.step == ERASE))
    asked = [asyncio.create_task(STEPS[one.step](one.caller)) for one in victims]
    await _until_held(deployment, len(victims))
    deployment.kill()
    deployment.start()
    await asyncio.gather(deployment.ready(), *asked)
    await asyncio.gather(*(_play(one.caller, range(one.step + 1, len(STEPS))) for one in victims))


async def _until_held(deployment: Deployment, wanted: int) -> None:
    boundaries, loop = deployment.boundaries, asyncio.get_running_loop()
    deadline = loop.time() + HELD_SECONDS
    while len(boundaries.held) < wanted:
        missed = [
            (native, where, boundaries.seen[native]) for native, where in boundaries.plan.items()
        ]
        assert loop.time() < deadline, missed
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


async def test_a_kill_at_any_boundary_loses_and_doubles_nothing(
    deploy: Callable[..., Deployment],
) -> None:
    async with deploy(wide=True) as deployment:
        steps = await _calls_of_steps(deployment)
        assert all(calls >= 5 for calls in steps), steps
        measured = await _counted(deployment)
        victims = [
            Victim(_caller(deployment), step, call, side)
            for step, calls in enumerate(steps)
            for call in range(1, calls + 1)
            for side in (SIDES if SOAKS else SIDES[:1] if (step + call) % 2 else SIDES[1:])
        ]
        for first, last in AT_ONCE:
            await _strike(deployment, [one for one in victims if first <= one.step <= last])
        told = await _told(deployment)
        faults = {one.caller.native: faults_of_topic(told[one.caller.id]) for one in victims}
        assert not {native: found for native, found in faults.items() if found}
        await asyncio.gather(*(_judge_the_erased(one.caller) for one in victims))
        assert await _counted(deployment) == {
            name: n * (len(victims) + 1) for name, n in measured.items()
        }
