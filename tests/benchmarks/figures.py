"""What the measurements say, as ratios against the budgets."""

from collections import Counter
from collections.abc import Callable, Sequence

from infra.cost.cost import CUSTOMERS, OPERATIONS
from tests.benchmarks.arithmetic import Budget, Figure, firestore_dollars, median, pubsub_dollars
from tests.benchmarks.load import Result
from tests.benchmarks.measure import Acks, Contest

CSKU, BUSINESS_MESSAGES = "Baton, CSKU", "Baton, Business Messages"
KINDS = {
    "csku": "CSKU",
    "business_messages": "Business Messages",
    "whatsapp": "WhatsApp (number and user id)",
}
MICRO = {"parse + verify": 100.0, "decide": 50.0, "encode a commit": 150.0}
Slices = dict[str, Result]


def of_acks(rounds: Sequence[Acks]) -> list[Figure]:
    """Ratios are taken slice by slice, so that what the machine does meanwhile meets both
    sides; the median counts.
    """
    one, eight = ([each.results[clients] for each in rounds] for clients in (1, 8))
    cpu = [each.cpu_us[8] for each in rounds]
    return [
        Figure(
            "ack p50, 1 client: Baton / Express",
            _p50s(one, CSKU, "Express"),
            "x",
            Budget("at most", 0.9, 0.6),
        ),
        Figure(
            "ack p50, 1 client: Baton / floor",
            _over_floor(one, CSKU),
            "x",
            Budget("at most", 1.6, 1.25),
            FLOOR,
        ),
        Figure("the same, Business Messages", _over_floor(one, BUSINESS_MESSAGES), "x"),
        Figure(
            "acks/s, 8 clients: Baton / Express",
            _rates(eight, "Express"),
            "x",
            Budget("at least", 1.0, 1.5),
        ),
        Figure(
            "acks/s, 8 clients: Baton / Flask",
            _rates(eight, "Flask"),
            "x",
            Budget("at least", 1.6, 3.0),
        ),
        Figure(
            "processor time of an ack: Baton / floor",
            median([c[CSKU] / sum(c[part] for part in PARTS) for c in cpu]),
            "x",
        ),
        Figure(
            "processor time of an ack: Baton / Express",
            median([c[CSKU] / c["Express"] for c in cpu]),
            "x",
        ),
        Figure(
            "processor time of an ack: Baton / Flask",
            median([c[CSKU] / c["Flask"] for c in cpu]),
            "x",
        ),
        Figure(
            "memory of an instance",
            median([r.pss_mb for r in rounds]),
            "MB",
            Budget("at most", 110, 80),
            MEMORY,
        ),
        Figure("the same, shared pages counted in both", median([r.rss_mb for r in rounds]), "MB"),
    ]


PARTS = ("no-op", "commit", "publish")
FLOOR = "no-op + raw commit + raw publish"
MEMORY = "arbiter + worker, after load, shared pages once (PSS)"


def _p50s(rounds: Sequence[Slices], mine: str, other: str) -> float:
    return _median_of(rounds, lambda r, n: r[mine].slice_p50s[n] / r[other].slice_p50s[n])


def _over_floor(rounds: Sequence[Slices], mine: str) -> float:
    return _median_of(
        rounds, lambda r, n: r[mine].slice_p50s[n] / sum(r[one].slice_p50s[n] for one in PARTS)
    )


def _rates(rounds: Sequence[Slices], other: str) -> float:
    return _median_of(rounds, lambda r, n: r[CSKU].slice_rates[n] / r[other].slice_rates[n])


def _median_of(rounds: Sequence[Slices], ratio: Callable[[Slices, int], float]) -> float:
    return median([ratio(each, n) for each in rounds for n in range(len(each[CSKU].slice_p50s))])


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
    return [Figure("cold start: Baton / no-op", ratio, "x", Budget("at most", 3.0, 2.0), note)]


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


def of_micro(microseconds: dict[str, float]) -> list[Figure]:
    return [
        Figure(name, us, "us", Budget("at most", MICRO[name.partition(",")[0]]))
        for name, us in microseconds.items()
    ]
