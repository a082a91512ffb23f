"""Microseconds of pure work: parse and verify, decide, encode one commit. A process of its own,
asked through `run`.

Machines differ, and a virtual one is half as fast in one hour as in another. So each round is
measured beside one of `yardstick`, a fixed piece of Python, and the figures are those of the
machine on which the budgets were set.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from google.cloud.firestore_v1.types import CommitRequest, CommitResponse

from shared.handoff.machine import decide
from shared.stores.firestore.rpc import FirestoreRpc, Message
from shared.stores.firestore.store import FirestoreStore
from shared.transports.clock import WallClock
from tests.benchmarks import warm

ROUNDS, CALLS = 60, 50
# What `yardstick` takes on the machine of the budgets. The `decide` of version 8080710 took 71 us
# there for Business Messages, and both were measured beside each other on another machine.
YARDSTICK_US = 63.0


def run() -> dict[str, float]:
    """Returns microseconds by name. Raises RuntimeError."""
    command = [sys.executable, "-m", "tests.benchmarks.micro"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the micro figures failed: {done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


class _Encoding(FirestoreRpc):
    """Encodes what it would send and sends nothing."""

    async def commit(self, writes: Sequence[Message]) -> list[Any]:
        _Commit(database=self.database, writes=writes).SerializeToString()
        return [None] * len(writes)


_Commit: Any = type(CommitRequest.pb(CommitRequest()))


@dataclass(frozen=True, slots=True)
class _Mark:
    number: int
    text: str


def yardstick() -> int:
    """Does what `decide` consists of: calls, copies of dictionaries, new objects, questions."""
    found: dict[str, _Mark] = {}
    for number in range(64):
        mark = _Mark(number, str(number))
        if number % 4 == 0:
            found = {**found, mark.text: mark}
        elif isinstance(mark, _Mark) and mark.text not in found:
            found[mark.text] = replace(mark, number=number + 1)
    return sum(one.number for one in found.values())


def _microseconds(call: Callable[[], object]) -> float:
    """Returns the time of one call on the machine of the budgets. The quickest rounds count:
    whatever else this machine does only adds to them.
    """
    rounds = [(_round(call), _round(yardstick)) for _ in range(ROUNDS)]
    ours, fixed = min(one for one, _ in rounds), min(one for _, one in rounds)
    return ours / fixed * YARDSTICK_US


def _round(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - started) / CALLS


def _parse(kind: str) -> float:
    platform, request = warm.PLATFORMS[kind], warm.request(kind, "message")

    def call() -> None:
        platform.handshake(request)
        platform.authenticate(request)
        platform.events(request)

    return _microseconds(call)


def _decide(kind: str) -> float:
    commit = asyncio.run(warm.next_commit(kind, None))
    conversation, event = commit.conversations[0].value, warm.event(kind, "third")
    now, policy = warm.now(), warm.policy()
    return _microseconds(lambda: decide(conversation, event, now, policy))


def _encode(kind: str) -> float:
    token = CommitResponse.pb(CommitResponse(write_results=[{}])).write_results[0].update_time
    commit = asyncio.run(warm.next_commit(kind, token))
    store = FirestoreStore(_Encoding("bench", "nowhere"), WallClock(), timedelta(days=30))

    def call() -> None:
        # it never waits, so it needs no event loop
        with contextlib.suppress(StopIteration):
            store.commit(commit).send(None)

    return _microseconds(call)


MEASURES = {"parse + verify": _parse, "decide": _decide, "encode a commit": _encode}

if __name__ == "__main__":
    found = {
        f"{name}, {kind}": measure(kind)
        for name, measure in MEASURES.items()
        for kind in warm.PLATFORMS
    }
    sys.stdout.write(json.dumps(found))
