"""Computes the figures of a report from counts: rates, outcomes, medians, 90th percentiles, and
what is open.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field

from shared.measures.bins import Bins, percentile
from shared.measures.counts import Cell, Count
from shared.measures.messages import LENGTHS
from shared.measures.reasons import OTHER
from shared.reports.period import Period
from shared.schemas.measures import MESSAGES, TIMED, Name
from shared.values import frozen

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# The upper bounds of the classes of a distribution, in seconds. A last class has no bound.
CLASSES = (10, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400)
MESSAGE_CLASSES = (2, 4, 6, 10, 15, 25, 50)  # the same for the messages that a handoff took
REASONS = 20  # the most frequent reasons have a row each, the others one together
Key = tuple[str, ...]


@frozen
class Timing:
    """The durations of one kind, or the numbers of messages that handoffs took.

    - `count`: the number of durations.
    - `median`, `p90`: in seconds, None if `count` is 0.
    - `distribution`: the counts by CLASSES, those of messages by MESSAGE_CLASSES.
    - `without`: how many ended without an answer, `open`: how many have not ended. Both are None if
      a row cannot know them.
    """

    count: int
    median: float | None
    p90: float | None
    distribution: tuple[int, ...]
    without: int | None = None
    open: int | None = None


@frozen
class Figures:
    """One row of a report.

    `numbers` has the values that the reports' README defines, except those that the row cannot
    know. `handoff_rate` is the share of conversations with a request for a human or a human who
    joined, None if there are no conversations. `timings` are the durations, by the names that
    callers know.
    """

    numbers: Mapping[str, int]
    handoff_rate: float | None = None
    timings: Mapping[str, Timing] = field(default_factory=dict)


def hour_of_week(cell: Cell, period: Period) -> str:
    """Returns the local hour, such as `Monday 09`."""
    local = period.local(cell.quarter)
    return f"{WEEKDAYS[local.weekday()]} {local.hour:02}"


def length(cell: Cell, _: Period) -> str:
    """Returns the class of a text's length, empty for what is no text."""
    if cell.bin not in LENGTHS:
        return ""
    above = next((least for least in LENGTHS if least > cell.bin), None)
    return f"{cell.bin} or more" if above is None else f"{cell.bin} to {above - 1}"


BREAKDOWNS: Mapping[str, Callable[[Cell, Period], str]] = {
    "channel": lambda cell, _: cell.channel,
    "desk": lambda cell, _: cell.desk,
    "agent": lambda cell, _: cell.agent,
    "day": lambda cell, period: period.local(cell.quarter).date().isoformat(),
    "hour": hour_of_week,
    "kind": lambda cell, _: cell.of,
    "length": length,
    "reason": lambda cell, _: cell.of,
}
_PASSING_ON = {
    "transferred": Name.TRANSFERRED,
    "offered": Name.OFFERED,
    "declined": Name.DECLINED,
    "lapsed": Name.LAPSED,
    "surveyed": Name.SURVEYED,
    "rated": Name.RATED,
    "ratingSum": Name.RATING,
}
_WRITTEN = {
    "customerMessages": Name.CUSTOMER_MESSAGE,
    "botMessages": Name.BOT_MESSAGE,
    "humanMessages": Name.HUMAN_MESSAGE,
}
_OF_AGENTS = TIMED | {
    Name.FRAME,
    Name.TAKEN,
    Name.QUIET,
    Name.HUMAN_MESSAGE,
    *_PASSING_ON.values(),
}
# These breakdowns have rows of these measures only.
_ONLY = {
    "agent": _OF_AGENTS,
    "kind": frozenset(MESSAGES),
    "length": frozenset(MESSAGES),
    "reason": frozenset({Name.REQUESTED}),
}


_BINNED = TIMED | {Name.EXCHANGED}


class Sum:
    """Sums of counts: the number for each name, and the bins of timed ones."""

    def __init__(self) -> None:
        self.number: Counter[Name] = Counter()
        self.bins: defaultdict[Name, Counter[int]] = defaultdict(Counter)

    def add(self, count: Count) -> None:
        """Adds one count."""
        self.number[count.cell.name] += count.number
        if count.cell.name in _BINNED:
            self.bins[count.cell.name][count.cell.bin] += count.number


class Breakdown:
    """A report under construction.

    Its memory grows with its rows, not with the length of its period.
    """

    def __init__(self, by: Sequence[str], period: Period) -> None:
        self._by = by
        self._period = period
        self._names = reported(by)
        self._total = Sum()
        self._rows: defaultdict[Key, Sum] = defaultdict(Sum)

    def add(self, counts: Iterable[Count]) -> None:
        """Adds counts to the total and to their rows."""
        for one in counts:
            self._total.add(one)
            if self._by and one.cell.name in self._names:
                self._rows[
                    tuple(BREAKDOWNS[name](one.cell, self._period) for name in self._by)
                ].add(one)

    @property
    def total(self) -> Figures:
        """The figures of all counts."""
        return _everybodys(self._total)

    @property
    def rows(self) -> dict[Key, Figures]:
        """Returns the figures of each row in sorted order.

        Weekdays are in the order of the week.
        """
        make, rows = _maker(self._by), self._rows
        if "reason" in self._by:
            rows = _with_few_reasons(rows, self._by.index("reason"))
        return {key: make(rows[key]) for key in sorted(rows, key=_order)}


def _with_few_reasons(rows: Mapping[Key, Sum], place: int) -> defaultdict[Key, Sum]:
    """Returns the rows with the most frequent reasons. The other requests are in one row."""
    requests: Counter[str] = Counter()
    for key, row in rows.items():
        requests[key[place]] += row.number[Name.REQUESTED]
    requests.pop(OTHER, None)
    kept = {reason for reason, _ in requests.most_common(REASONS)}
    few: defaultdict[Key, Sum] = defaultdict(Sum)
    for key, row in rows.items():
        reason = key[place] if key[place] in kept else OTHER
        few[(*key[:place], reason, *key[place + 1 :])].number.update(row.number)
    return few


def reported(by: Sequence[str]) -> frozenset[Name]:
    """Returns which measures the rows of such a report have, none if it cannot be made."""
    return frozenset(Name).intersection(*(_ONLY[name] for name in by if name in _ONLY))


def of_agents(by: Sequence[str]) -> bool:
    """Returns whether rows are about what agents did, and not about the outcome of handoffs."""
    return "agent" in by


def _maker(by: Sequence[str]) -> Callable[[Sum], Figures]:
    if "reason" in by:
        return _requests
    if "kind" in by or "length" in by:
        return _agents_messages if of_agents(by) else _messages
    return _agents if of_agents(by) else _everybodys


def nothing(by: Sequence[str]) -> Figures:
    """Returns a row without any counts."""
    return _maker(by)(Sum())


def break_down(counts: Iterable[Count], by: Sequence[str], period: Period) -> dict[Key, Figures]:
    """Returns the rows of these counts."""
    breakdown = Breakdown(by, period)
    breakdown.add(counts)
    return breakdown.rows


def figures(counts: Iterable[Count]) -> Figures:
    """Returns the figures of these counts."""
    total = Sum()
    for one in counts:
        total.add(one)
    return _everybodys(total)


def _everybodys(sum_: Sum) -> Figures:
    n, bins = sum_.number, sum_.bins
    ended = (Name.FAILED, Name.CLOSED, Name.EXPIRED, Name.LINKED, Name.ERASED)
    nobody = sum(n[name] for name in ended)
    waiting = n[Name.REQUESTED] - (n[Name.JOINED] - n[Name.UNASKED]) - nobody
    silent, unanswered = n[Name.SILENT], n[Name.UNANSWERED]
    responded = n[Name.REQUESTED] - n[Name.RESPONDED] - silent
    answered = n[Name.TURN] - n[Name.ANSWERED] - unanswered
    timings = {
        "waiting": _timing(bins[Name.WAITING], nobody, waiting),
        "firstResponse": _timing(bins[Name.FIRST_RESPONSE], silent, responded),
        "response": _timing(bins[Name.RESPONSE], unanswered, answered),
        "handling": _handling(sum_),
        "exchanged": _timing(bins[Name.EXCHANGED], classes=MESSAGE_CLASSES),
    }
    rate = n[Name.HANDED_OFF] / n[Name.CONVERSATION] if n[Name.CONVERSATION] else None
    return Figures(_numbers(n), rate, timings)


def _messages(sum_: Sum) -> Figures:
    return Figures(_written(sum_.number))


def _agents_messages(sum_: Sum) -> Figures:
    return Figures({"messages": sum_.number[Name.HUMAN_MESSAGE]})


def _requests(sum_: Sum) -> Figures:
    return Figures({"requested": sum_.number[Name.REQUESTED]})


def _written(n: Counter[Name]) -> dict[str, int]:
    return {shown: n[name] for shown, name in _WRITTEN.items()}


def _numbers(n: Counter[Name]) -> dict[str, int]:
    return {
        "conversations": n[Name.CONVERSATION],
        "handedOff": n[Name.HANDED_OFF],
        "requested": n[Name.REQUESTED],
        "unasked": n[Name.UNASKED],
        "joined": n[Name.JOINED],
        "failed": n[Name.FAILED],
        "closed": n[Name.CLOSED],
        "expired": n[Name.EXPIRED],
        "linked": n[Name.LINKED],
        "erased": n[Name.ERASED],
        "left": n[Name.LEFT],
        "returned": n[Name.RETURNED],
        "withHuman": n[Name.JOINED] - n[Name.LEFT] - n[Name.RETURNED],
        **_passing_on(n),
        **_written(n),
    }


def _passing_on(n: Counter[Name]) -> dict[str, int]:
    return {shown: n[name] for shown, name in _PASSING_ON.items()}


def _agents(sum_: Sum) -> Figures:
    """Returns what one agent did.

    A request belongs to no agent before one joins, so requests are left out.
    """
    n, bins = sum_.number, sum_.bins
    joined = {"joined": n[Name.TAKEN], "frames": n[Name.FRAME], "returned": n[Name.QUIET]}
    numbers = {**joined, **_passing_on(n), "messages": n[Name.HUMAN_MESSAGE]}
    timings = {
        "waiting": _timing(bins[Name.WAITING]),
        "firstResponse": _timing(bins[Name.FIRST_RESPONSE]),
        "response": _timing(bins[Name.RESPONSE]),
        "handling": _handling(sum_),
    }
    return Figures(numbers, None, timings)


def _handling(sum_: Sum) -> Timing:
    ended = sum_.bins[Name.HANDLING]
    return _timing(ended, None, sum_.number[Name.FRAME] - sum(ended.values()))


def _timing(
    bins: Bins,
    without: int | None = None,
    open_: int | None = None,
    classes: Sequence[int] = CLASSES,
) -> Timing:
    return Timing(
        sum(bins.values()),
        percentile(bins, 50),
        percentile(bins, 90),
        _classes(bins, classes),
        without,
        open_,
    )


def _classes(bins: Bins, classes: Sequence[int]) -> tuple[int, ...]:
    """Returns the number of durations in each of the classes, and of longer ones.

    A bin counts where it begins.
    """
    found = [0] * (len(classes) + 1)
    for first, count in bins.items():
        found[sum(first > limit for limit in classes)] += count
    return tuple(found)


def _order(key: Key) -> tuple[tuple[int, str], ...]:
    """Returns a sort key in which weekdays have their order in the week, and lengths theirs."""
    return tuple((_place(part.partition(" ")[0]), part) for part in key)


def _place(word: str) -> int:
    if word in WEEKDAYS:
        return WEEKDAYS.index(word)
    return int(word) if word.isdecimal() else -1
