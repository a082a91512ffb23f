"""The measurements, each on emulators of its own; what they mean is for `figures` to say."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from shared.schemas.journal import JournalEntry
from shared.schemas.notifications import OUTBOX
from shared.stores.firestore.rpc import FirestoreRpc
from shared.stores.firestore.store import FirestoreStore
from shared.transports.clock import WallClock
from tests.benchmarks import raw
from tests.benchmarks.emulators import Emulators, emulators
from tests.benchmarks.load import Job, Result, Target, run
from tests.benchmarks.proxy import Proxy, proxy
from tests.benchmarks.servers import PROGRAMS, Running, baton, noop, serve

CONVERSATIONS = 200
WARM = 2 * CONVERSATIONS  # events
SENDERS = 16
DELAY_MS = 10.0
FIRST_TRIES = 5
RAW = ("commit", "publish")
# Bare calls take longer where their caller computes between them. So this is the least that a
# server with work of its own can have.
SPACED, WORK_MS = "both, after 2 ms of work", 2.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything. `grown` is how many events a server has taken that is not young any
    more.
    """

    rounds: int = 3
    grown: int = 4000
    slices: int = 6
    seconds: float = 0.25
    starts: int = 11
    events: int = 1000
    counted: int = 100
    turns: int = 150


QUICK = Plan(
    rounds=1, grown=1000, slices=3, seconds=0.2, starts=2, events=300, counted=40, turns=40
)


@dataclass(slots=True)
class Acks:
    """One round: what each target did with so many clients."""

    results: dict[int, dict[str, Result]] = field(default_factory=dict)
    rss_mb: float = 0.0
    pss_mb: float = 0.0


def acks(plan: Plan, names: Sequence[str] = tuple(PROGRAMS), warm: int = WARM) -> Acks:
    """All servers up at once, and taking turns: one that waits for its turn costs the others
    nothing. Each has taken `warm` events before.
    """
    found = Acks()
    with contextlib.ExitStack() as stack:
        pair = stack.enter_context(emulators())
        running = {
            # in projects of their own: two Batons must not write the same conversations
            name: stack.enter_context(serve(PROGRAMS[name](), pair.apart()))
            for name in names
        }
        calls = [
            Target(call, call, emulators=(pair.firestore, pair.pubsub, pair.project))
            for call in RAW
        ]
        targets = _warmed_up(running, calls, warm)
        spaced = replace(calls[0], name=SPACED, kind="both", work_ms=WORK_MS)
        for clients in (1, 8):
            job = Job(
                [*targets, spaced] if clients == 1 else targets,
                clients,
                CONVERSATIONS,
                f"{clients}",
                seconds=plan.seconds,
                slices=plan.slices,
            )
            found.results[clients] = run(job)
        found.rss_mb, found.pss_mb = (
            running["Baton, CSKU"].megabytes(measure) for measure in ("Rss", "Pss")
        )
    return found


@dataclass(frozen=True, slots=True)
class Contest:
    """1000 events of 16 senders in one conversation, in many, and the same by bare calls."""

    one: float
    many: float
    raw_one: float
    raw_many: float
    lost: int
    doubled: int
    disordered: int
    refused: int


def contest(plan: Plan) -> Contest:
    with emulators() as pair, serve(baton(), pair) as server:
        _warmed_up({"Baton": server})
        one = _race(server, plan, "hot", 1)
        entries = _journal(pair, "csku:hot-0")
        ids = Counter(entry.event_id for entry in entries)
        many = _race(server, plan, "many", CONVERSATIONS)
        raw_one = raw.contend(pair, SENDERS, 1, plan.events // 2)
        raw_many = raw.contend(pair, SENDERS, CONVERSATIONS, plan.events)
    return Contest(
        one=one.slice_rates[0],
        many=many.slice_rates[0],
        raw_one=raw_one,
        raw_many=raw_many,
        lost=one.events - len(ids),
        doubled=sum(ids.values()) - len(ids),
        disordered=_disordered(entries),
        refused=sum(n for status, n in one.statuses.items() if status != "200"),
    )


def _race(server: Running, plan: Plan, name: str, conversations: int) -> Result:
    job = Job(
        [_target(name, server)],
        SENDERS,
        conversations,
        name,
        name,
        events=plan.events,
        persist=True,
    )
    return run(job)[name]


def _journal(pair: Emulators, conversation: str) -> list[JournalEntry]:
    """Returns what Baton wrote down, in the order of its sequence."""
    import asyncio

    async def read() -> list[JournalEntry]:
        rpc = FirestoreRpc(pair.project, pair.firestore)
        store, cursor, entries = FirestoreStore(rpc, WallClock(), timedelta(days=30)), None, []
        while True:
            page = await store.journal(conversation, cursor, 300)
            entries += [snapshot.value for snapshot in page.items]
            cursor = page.cursor
            if cursor is None:
                await store.close()
                return sorted(entries, key=lambda entry: entry.seq)

    return asyncio.run(read())


def _disordered(entries: list[JournalEntry]) -> int:
    """Returns how many events stand before one that their sender had sent earlier, or share a
    place with another.
    """
    last: dict[str, int] = {}
    wrong = len(entries) - len({entry.seq for entry in entries})
    for entry in entries:
        _, sender, turn = (entry.event_id or "").rsplit(".", 2)
        wrong += int(turn) < last.get(sender, -1)
        last[sender] = int(turn)
    return wrong


def delayed(plan: Plan) -> dict[str, Result]:
    """One client, every RPC 10 ms longer: Baton beside two bare RPCs in sequence, through the
    same proxy.
    """
    with (
        emulators() as pair,
        proxy(pair, DELAY_MS) as slow,
        serve(baton(), slow.emulators) as server,
    ):
        far = slow.emulators
        bare = Target("pair", "pair", emulators=(far.firestore, far.pubsub, far.project))
        targets = _warmed_up({"Baton": server}, [bare])
        return run(
            Job(targets, 1, CONVERSATIONS, "slow", seconds=plan.seconds * 2, slices=plan.slices)
        )


def starts(plan: Plan) -> dict[str, list[float]]:
    """Seconds from process start to the first 200, Baton's with its first commit and publish,
    in turns.
    """
    found: dict[str, list[float]] = {"Baton": [], "no-op": []}
    with emulators() as pair:
        with serve(baton(), pair) as server:
            _warmed_up({"Baton": server})
        for number in range(plan.starts):
            for name, program in (("Baton", baton()), ("no-op", noop())):
                started = time.perf_counter()
                with serve(program, pair) as server:
                    _must_take(server, f"start-{number}", "first")
                    found[name].append(time.perf_counter() - started)
    return found


def operations(kind: str, plan: Plan) -> Counter[str]:
    """RPCs and document operations of so many warm events, taken and delivered as deployed: in
    place, with `deliver_outbox` beside for what is left. The costs are those of this way.
    """
    with contextlib.ExitStack() as stack:
        pair = stack.enter_context(emulators())
        counting = stack.enter_context(proxy(pair))
        receive = stack.enter_context(serve(baton(kind, settings={}), counting.emulators))
        deliver = stack.enter_context(serve(baton(function="deliver_outbox"), counting.emulators))
        pair.push(OUTBOX, f"http://127.0.0.1:{deliver.port}/deliver_outbox", ordered=True)
        for number in range(5):
            _must_take(receive, f"conv-{number}", f"first-{number}")
        _settled(counting)
        run(Job([_target("Baton", receive)], 1, 5, "counted", events=plan.counted))
        return _settled(counting)


def _settled(counting: Proxy) -> Counter[str]:
    """Returns what was counted, once nothing has been called for a while."""
    total, quiet = Counter[str](), 0
    while quiet < 3:
        time.sleep(0.4)
        counted = counting.counts()
        total, quiet = total + counted, quiet + 1 if not counted else 0
    return total


def _target(name: str, server: Running) -> Target:
    path, pids = server.program.path, tuple(server.family())
    return Target(name, server.program.kind, server.port, path, pids)


def _warmed_up(
    running: Mapping[str, Running], calls: Sequence[Target] = (), events: int = WARM
) -> list[Target]:
    """Returns the servers and the calls as targets. Each has had so many events, which open every
    conversation: an emulator's first answers are slow, and so are a server's.
    """
    for server in running.values():
        for _ in range(FIRST_TRIES):  # an emulator's first answers are slow
            if server.post("conv-0", "warm") == 200:
                break
        _must_take(server, "conv-0", "warm")
    # a server has its worker only now
    targets = [*(_target(name, server) for name, server in running.items()), *calls]
    run(Job(targets, 8, CONVERSATIONS, "warm", events=events))
    return targets


def _must_take(server: Running, conversation: str, message: str) -> None:
    status = server.post(conversation, message)
    if status != 200:
        raise RuntimeError(
            f"{server.program.command[0]} answered {status}:\n{server.log.read_text()[-2000:]}"
        )
