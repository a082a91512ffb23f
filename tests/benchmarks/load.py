"""The load generator, a process of its own: a job on standard input, what each target did on
standard output.

Targets take turns in short slices: whatever else the machine does meets all of them alike. Ask it
through `run`.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from tests.benchmarks.arithmetic import percentile
from tests.benchmarks.cpu import cpu_seconds
from tests.benchmarks.webhooks import post

PAUSE_AFTER_503 = 0.02


@dataclass(frozen=True, slots=True)
class Target:
    """A server's webhook and its processes, or, where there is no port, a raw call (see raw.py) on
    the emulators given. Before each event the generator computes for `work_ms`, which does not
    count.
    """

    name: str
    kind: str
    port: int = 0
    path: str = ""
    pids: tuple[int, ...] = ()
    emulators: tuple[str, str, str] = ("", "", "")
    work_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """`clients` send one after the other to each target in turn, `slices` times for `seconds`, or
    until `events`.

    Events go round the conversations, `among`-0 and so on; with more of them than clients no two
    clients meet. Message ids begin with `name`. A 503 is sent again if `persist`.
    """

    targets: Sequence[Target]
    clients: int
    conversations: int
    name: str
    among: str = "conv"
    seconds: float = 60.0
    slices: int = 1
    events: int = sys.maxsize
    persist: bool = False


@dataclass(slots=True)
class Result:
    """What one target did: p50 and rate of each slice, percentiles over all. `slice_cpu_us` is the
    processor time of an event: of the target's processes or, for a raw call, of the generator.
    """

    slice_p50s: list[float] = field(default_factory=list)
    slice_rates: list[float] = field(default_factory=list)
    slice_cpu_us: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    events: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0


def run(job: Job) -> dict[str, Result]:
    """Returns what each target did. Raises RuntimeError where an event failed."""
    command = [sys.executable, "-m", "tests.benchmarks.load"]
    done = subprocess.run(
        command, input=json.dumps(asdict(job)), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr[-2000:]}")
    results = {name: Result(**result) for name, result in json.loads(done.stdout).items()}
    for name, result in results.items():
        if not job.persist and set(result.statuses) != {"200"}:
            raise RuntimeError(f"{name} answered {result.statuses}")
    return results


class Line(Protocol):
    """One client's way to a target."""

    async def send(self, conversation: str, message: str) -> str:
        """Returns the status of the answer."""

    def close(self) -> None: ...


class _Webhook:
    """A raw keep-alive connection."""

    def __init__(
        self, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._target, self._reader, self._writer = target, reader, writer

    async def send(self, conversation: str, message: str) -> str:
        self._writer.write(post(self._target.path, self._target.kind, conversation, message))
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = head.partition("content-length:")[2].partition("\r\n")[0]
        await self._reader.readexactly(int(length))
        return head.split(" ", 2)[1]

    def close(self) -> None:
        self._writer.close()


class _Load:
    """All slices of one target."""

    def __init__(self, job: Job, target: Target) -> None:
        self.job, self.target = job, target
        self.sent = 0
        self.times: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.result = Result()

    async def slice(self) -> None:
        """Opens its connections before the clock starts: servers close those that wait for
        their next turn.
        """
        lines, before, started = (
            await _lines(self.target, self.job.clients),
            len(self.times),
            time.perf_counter(),
        )
        self.deadline, spent = started + self.job.seconds, self._cpu_seconds()
        await asyncio.gather(*(self._client(number, line) for number, line in enumerate(lines)))
        mine = self.times[before:]
        self.result.slice_cpu_us.append((self._cpu_seconds() - spent) / len(mine) * 1e6)
        self.result.slice_rates.append(len(mine) / (time.perf_counter() - started))
        self.result.slice_p50s.append(percentile(mine, 0.5))
        for line in lines:
            line.close()

    def finished(self) -> Result:
        self.result.events, self.result.statuses = len(self.times), dict(self.statuses)
        self.result.p50_ms, self.result.p99_ms = (
            percentile(self.times, 0.5),
            percentile(self.times, 0.99),
        )
        return self.result

    def _cpu_seconds(self) -> float:
        return cpu_seconds(self.target.pids) if self.target.port else time.process_time()

    async def _client(self, number: int, line: Line) -> None:
        while time.perf_counter() < self.deadline and self.sent < self.job.events:
            turn, self.sent = self.sent, self.sent + 1
            conversation = f"{self.job.among}-{turn % self.job.conversations}"
            started = _after_work(self.target.work_ms)
            await self._until_taken(line, conversation, f"{self.job.name}.{number}.{turn}")
            self.times.append((time.perf_counter() - started) * 1000)

    async def _until_taken(self, line: Line, conversation: str, message: str) -> None:
        while (status := await line.send(conversation, message)) != "200" and self.job.persist:
            self.statuses[status] += 1
            await asyncio.sleep(PAUSE_AFTER_503)
        self.statuses[status] += 1


def _after_work(work_ms: float) -> float:
    """Returns the time after so much computing."""
    end = time.perf_counter() + work_ms / 1000
    while (now := time.perf_counter()) < end:
        pass
    return now


async def _lines(target: Target, clients: int) -> list[Line]:
    if not target.port:
        return [await _raw(target)] * clients
    opened = [
        await asyncio.open_connection("127.0.0.1", target.port, limit=1 << 20)
        for _ in range(clients)
    ]
    return [_Webhook(target, *pair) for pair in opened]


_prepared: dict[Target, Line] = {}


async def _raw(target: Target) -> Line:
    """Returns the channels of a target, which stay open."""
    from tests.benchmarks.raw import Raw

    if target not in _prepared:
        _prepared[target] = await Raw.prepared(target.kind, *target.emulators)
    return _prepared[target]


async def _work(job: Job) -> dict[str, Any]:
    loads = [_Load(job, target) for target in job.targets]
    for _ in range(job.slices):
        for load in loads:
            await load.slice()
    return {load.target.name: asdict(load.finished()) for load in loads}


def _read() -> Job:
    given = json.load(sys.stdin)
    return Job(**{**given, "targets": [_target(**target) for target in given["targets"]]})


def _target(emulators: list[str], pids: list[int], **given: Any) -> Target:
    firestore, pubsub, project = emulators
    return Target(**given, pids=(*pids,), emulators=(firestore, pubsub, project))


if __name__ == "__main__":
    import uvloop

    sys.stdout.write(json.dumps(uvloop.run(_work(_read()))))
