"""What the measurements say, as ratios against the budgets."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from infra.cost.cost import CUSTOMERS, OPERATIONS
from tests.benchmarks.arithmetic import (
    Budget,
    Figure,
    firestore_dollars,
    median,
    percentile,
    pubsub_dollars,
)
from tests.benchmarks.load import Result
from tests.benchmarks.measure import SPACED, Acks, Contest
from tests.benchmarks.paths import PLATFORM, TOPIC, WEBHOOK, Path
from tests.benchmarks.statuses import STATUSES

CSKU, BUSINESS_MESSAGES = "Baton, CSKU", "Baton, Business Messages"
IN_PLACE = "Baton, in place"
KINDS = {
    "csku": "CSKU",
    "business_messages": "Business Messages",
    "whatsapp": "WhatsApp (number and user id)",
}
MICRO = {"parse + verify": 100.0, "decide": 50.0, "encode a commit": 150.0}
BUDGETS_MACHINE = "on the machine of the budgets, by a yardstick measured beside it"
Slices = dict[str, Result]


def of_acks(rounds: Sequence[Acks]) -> list[Figure]:
    """Ratios are taken slice by slice, so that what the machine does meanwhile meets both
    sides; the median counts.
    """
    one, eight = ([each.results[clients] for each in rounds] for clients in (1, 8))

    def at_most(name: str, found: list[float], limit: float, goal: float, note: str = "") -> Figure:
        return _ratio(name, found, Budget("at most", limit, goal), note)

    def at_least(name: str, found: list[float], limit: float, goal: float) -> Figure:
        return _ratio(name, found, Budget("at least", limit, goal))

    return [
        at_most("ack p50, 1 client: Baton / Express", _p50s(one, CSKU, "Express"), 0.6, 0.45),
        at_most("ack p50, 1 client: Baton / floor", _over(one, CSKU), 1.4, 1.15, FLOOR),
        at_most("the same, Business Messages", _over(one, BUSINESS_MESSAGES), 1.4, 1.15, FLOOR),
        _ratio(
            "bare calls after 2 ms of work / floor", _over(one, SPACED, also=("no-op",)), note=BARE
        ),
        at_most("ack p50 in place / its floor", _over(one, IN_PLACE, SETTLED), 1.6, 1.3, SETTLES),
        at_least("acks/s, 8 clients: Baton / Express", _rates(eight, "Express"), 1.6, 2.2),
        at_least("acks/s, 8 clients: Baton / Flask", _rates(eight, "Flask"), 1.8, 3.0),
        at_most(f"{CPU}: Baton / floor", _cpu(eight, PARTS), 1.7, 1.3),
        at_most(f"{CPU}: Baton / Express", _cpu(eight, ["Express"]), 0.4, 0.3),
        _ratio(f"{CPU}: Baton / Flask", _cpu(eight, ["Flask"])),
        Figure(
            "memory of an instance",
            median([r.pss_mb for r in rounds]),
            "MB",
            MEMORY_BUDGET,
            MEMORY,
        ),
        Figure("the same, shared pages counted in both", median([r.rss_mb for r in rounds]), "MB"),
    ]


def of_grown(found: Acks, events: int) -> list[Figure]:
    """The same of servers that are not young any more: the first thousands of events of an Express
    server can cost two to three times as much as later ones.
    """
    one, eight = ([found.results[clients]] for clients in (1, 8))
    after = f"after {events:,} events"
    memory = Figure(f"{after}: memory of an instance", found.pss_mb, "MB", MEMORY_BUDGET, MEMORY)
    return [memory] + [
        figure
        for other in OTHERS
        for figure in (
            _ratio(f"{after}: ack p50, 1 client: Baton / {other}", _p50s(one, CSKU, other)),
            _ratio(f"{after}: acks/s, 8 clients: Baton / {other}", _rates(eight, other)),
            _ratio(f"{after}: {CPU}: Baton / {other}", _cpu(eight, [other])),
        )
    ]


def _ratio(
    name: str, found: Sequence[float], budget: Budget | None = None, note: str = ""
) -> Figure:
    """Returns the median of the slices' ratios. The note says how far they scatter."""
    scatter = f"half of them {percentile(found, 0.25):.2f} to {percentile(found, 0.75):.2f}"
    return Figure(name, median(found), "x", budget, f"{scatter}; {note}" if note else scatter)


CPU = "processor time of an ack"
OTHERS = ("Express", "Flask")
GROWN = (CSKU, *OTHERS)
PARTS = ("no-op", "commit", "publish")
SETTLED = (*PARTS, "commit")
FLOOR = "no-op + raw commit + raw publish; the queued way (a CSKU message wakes nothing)"
BARE = "no-op + raw commit beside raw publish: a server whose own work would take no time"
SETTLES = "no-op + 2 raw commits + raw publish; Business Messages to the bot's topic"
MEMORY_BUDGET = Budget("at most", 100, 80)
MEMORY = "arbiter + worker, after load, shared pages once (PSS)"


def _p50s(rounds: Sequence[Slices], mine: str, other: str) -> list[float]:
    return _each(rounds, lambda r, n: r[mine].slice_p50s[n] / r[other].slice_p50s[n])


def _over(
    rounds: Sequence[Slices],
    mine: str,
    parts: Sequence[str] = PARTS,
    also: Sequence[str] = (),
) -> list[float]:
    def summed(slices: Slices, number: int, names: Sequence[str]) -> float:
        return sum(slices[name].slice_p50s[number] for name in names)

    return _each(rounds, lambda r, n: summed(r, n, (mine, *also)) / summed(r, n, parts))


def _rates(rounds: Sequence[Slices], other: str) -> list[float]:
    return _each(rounds, lambda r, n: r[CSKU].slice_rates[n] / r[other].slice_rates[n])


def _cpu(rounds: Sequence[Slices], parts: Sequence[str]) -> list[float]:
    return _each(
        rounds,
        lambda r, n: r[CSKU].slice_cpu_us[n] / sum(r[one].slice_cpu_us[n] for one in parts),
    )


def _each(rounds: Sequence[Slices], ratio: Callable[[Slices, int], float]) -> list[float]:
    return [ratio(each, n) for each in rounds for n in range(len(each[CSKU].slice_p50s))]


def of_delay(slices: Slices) -> list[Figure]:
    ratio = median(
        [a / b for a, b in zip(slices["Baton"].slice_p50s, slices["pair"].slice_p50s, strict=True)]
    )
    note = f"p50 {slices['Baton'].p50_ms:.1f} ms against {slices['pair'].p50_ms:.1f} ms"
    return [
        Figure(
            "every RPC 10 ms longer: Baton / two bare RPCs",
            ratio,
            "x",
            Budget("at most", 1.2),
            note,
        )
    ]


def of_starts(seconds: dict[str, list[float]]) -> list[Figure]:
    ratio = median([a / b for a, b in zip(seconds["Baton"], seconds["no-op"], strict=True)])
    note = (
        f"{median(seconds['Baton']):.2f} s against "
        f"{median(seconds['no-op']):.2f} s to the first 200"
    )
    return [Figure("cold start: Baton / no-op", ratio, "x", Budget("at most", 2.5, 2.0), note)]


def of_contest(found: Contest) -> list[Figure]:
    slower, raw = found.many / found.one, found.raw_many / found.raw_one
    none = Budget("at most", 0)
    return [
        Figure("16 senders, one conversation: lost", found.lost, "", none),
        Figure("16 senders, one conversation: doubled", found.doubled, "", none),
        Figure("16 senders, one conversation: out of order", found.disordered, "", none),
        Figure(
            "16 senders, one conversation: 503s, sent again",
            found.refused,
            "",
            None,
            f"{found.one:.0f} events/s",
        ),
        Figure(
            "many conversations / one, events a second",
            slower,
            "x",
            None,
            f"{found.many:.0f} events/s in many",
        ),
        Figure(
            "the emulator's own: bare compare-and-set",
            raw,
            "x",
            None,
            f"{found.raw_many:.0f}, {found.raw_one:.0f}/s",
        ),
    ]


def of_operations(kind: str, counts: Counter[str], events: int) -> list[Figure]:
    """Of every journal entry one delete is charged when it expires."""
    name, rpcs = (
        KINDS[kind],
        ", ".join(f"{n / events:.2f} {rpc}" for rpc, n in _rpcs(counts).items()),
    )
    documents = {"reads": counts["reads"], "writes": counts["writes"], "deletes": events}
    dollars = firestore_dollars(documents, events)
    note = ", ".join(f"{count / events:.2f} {one}" for one, count in documents.items())
    messages = pubsub_dollars(counts["Publish"], counts["Publish"], events)
    return [
        Figure(
            f"Firestore, a million {name} events",
            dollars,
            "$",
            Budget("at most", 4.0),
            f"{note}; taken, delivered",
        ),
        Figure(f"Pub/Sub, a million {name} events", messages, "$", None, f"RPCs: {rpcs}"),
        *(
            Figure(
                f"{what} a {name} event",
                counts[counted] / events,
                "",
                Budget("at most", sum(made[what] for made in OPERATIONS[CUSTOMERS].values())),
                "as infra/cost/operations.json has it",
            )
            for what, counted in (
                ("reads", "reads"),
                ("writes", "writes"),
                ("publishes", "Publish"),
            )
        ),
    ]


def _rpcs(counts: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if name[0].isupper()}


def of_paths(found: Mapping[str, Path]) -> list[Figure]:
    """Medians; the two deployments took turns."""
    here, queued, figures = found["in place"], found["queued"], list[Figure]()
    for row in here.ms:
        ours, theirs = median(here.ms[row]), median(queued.ms[row])
        share = 100 * ours / theirs
        budget = Budget("at most", 25, 15) if row in (TOPIC, WEBHOOK, PLATFORM) else None
        note = f"p50 {ours:.1f} ms against {theirs:.1f} ms"
        figures.append(Figure(f"{row}: in place / queued", share, "%", budget, note))
    share = 100 * here.cpu_ms / queued.cpu_ms
    turns = len(here.ms[WEBHOOK])
    note = f"{here.cpu_ms / turns:.1f} ms against {queued.cpu_ms / turns:.1f} ms, all functions"
    return [*figures, Figure("processor time of message and answer", share, "%", None, note)]


def of_dialogue(found: Mapping[str, Mapping[str, float]]) -> list[Figure]:
    """RPCs of a message to a topic, which is settled, and of an answer to it."""
    return [
        Figure(
            f"RPCs of a message and its answer, {name}",
            sum(rpcs.values()),
            "",
            Budget("at most", 7, 6) if name == "in place" else None,
            "; ".join(f"{n:.2f} {rpc}" for rpc, n in sorted(rpcs.items()))
            + ("; 4 of a message, 3 of an answer" if name == "in place" else ""),
        )
        for name, rpcs in found.items()
    ]


def of_statuses(seconds: Sequence[float]) -> list[Figure]:
    took = median(seconds)
    budget = Budget("at most", 500, 250)
    name = f"{STATUSES} WhatsApp statuses, every RPC 10 ms longer"
    return [Figure(name, took * 1000, "ms", budget)]


def of_micro(microseconds: dict[str, float]) -> list[Figure]:
    return [
        Figure(name, us, "us", Budget("at most", MICRO[name.partition(",")[0]]), BUDGETS_MACHINE)
        for name, us in microseconds.items()
    ]
