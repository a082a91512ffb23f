"""Microseconds of pure work: parse and verify, decide, encode one commit. A process of its own,
asked through `run`.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from google.cloud.firestore_v1.types import CommitRequest, CommitResponse

from shared.handoff.machine import decide
from shared.stores.firestore.rpc import FirestoreRpc, Message
from shared.stores.firestore.store import FirestoreStore
from shared.transports.clock import WallClock
from tests.benchmarks import warm

ROUNDS, CALLS = 30, 100


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


def _microseconds(call: Callable[[], object]) -> float:
    """Returns the time of one call in the quickest round: whatever else this machine does only
    adds to it.
    """
    return min(_round(call) for _ in range(ROUNDS)) * 1e6


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

    async def rounds() -> float:
        best = float("inf")
        for _ in range(ROUNDS):
            started = time.perf_counter()
            for _ in range(CALLS):
                await store.commit(commit)
            best = min(best, (time.perf_counter() - started) / CALLS)
        return best * 1e6

    return asyncio.run(rounds())


MEASURES = {"parse + verify": _parse, "decide": _decide, "encode a commit": _encode}

if __name__ == "__main__":
    found = {
        f"{name}, {kind}": measure(kind)
        for name, measure in MEASURES.items()
        for kind in warm.PLATFORMS
    }
    sys.stdout.write(json.dumps(found))
