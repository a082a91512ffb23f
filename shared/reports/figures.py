"""Computes the figures of a report from counts: rates, outcomes, medians, 90th percentiles, and
what is open.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.measures.bins import Bins, percentile
from shared.measures.counts import Cell, Count
from shared.reports.period import Period
from shared.schemas.measures import TIMED, Name

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# The upper bounds of the classes of a distribution, in seconds. A last class has no bound.
CLASSES = (10, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400)
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """The durations of one kind.

    - `count`: the number of durations.
    - `median`, `p90`: in seconds, None if `count` is 0.
    - `distribution`: the counts by CLASSES.
    - `without`: how many ended without an answer, `open`: how many have not ended. Both are None if
      a row cannot know them.
    """

    count: int
    median: float | None
    p90: float | None
    distribution: tuple[int, ...]
    without: int | None = None
    open: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """One row of a report.

    `numbers` has the values that the reports' README defines, except those that the row cannot
    know. `handoff_rate` is the share of conversations with a request for a human or a human who
    joined, None if there are no conversations.
    """

    numbers: Mapping[str, int]
    handoff_rate: float | None
    waiting: Timing
    first_response: Timing
    response: Timing
    handling: Timing


def hour_of_week(cell: Cell, period: Period) -> str:
    """Returns the local hour, such as `Monday 09`."""
    local = period.local(cell.quarter)
    return f"{WEEKDAYS[local.weekday()]} {local.hour:02}"


BREAKDOWNS: Mapping[str, Callable[[Cell, Period], str]] = {
    "channel": lambda cell, _: cell.channel,
    "desk": lambda cell, _: cell.desk,
    "agent": lambda cell, _: cell.agent,
    "day": lambda cell, period: period.local(cell.quarter).date().isoformat(),
    "hour": hour_of_week,
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
_OF_AGENTS = TIMED | {Name.FRAME, Name.TAKEN, Name.QUIET, *_PASSING_ON.values()}


class Sum:
    """Sums of counts: the number for each name, and the bins of timed ones."""

    def __init__(self) -> None:
        self.number: Counter[Name] = Counter()
        self.bins: defaultdict[Name, Counter[int]] = defaultdict(Counter)

    def add(self, count: Count) -> None:
        """Adds one count."""
        self.number[count.cell.name] += count.number
        if count.cell.name in TIMED:
            self.bins[count.cell.name][count.cell.bin] += count.number


class Breakdown:
    """A report under construction.

    Its memory grows with its rows, not with the length of its period.
    """

    def __init__(self, by: Sequence[str], period: Period) -> None:
        self._by = by
        self._period = period
        self._of_agents = of_agents(by)
        self._total = Sum()
        self._rows: defaultdict[Key, Sum] = defaultdict(Sum)

    def add(self, counts: Iterable[Count]) -> None:
        """Adds counts to the total and to their rows."""
        for one in counts:
            self._total.add(one)
            if self._by and (not self._of_agents or one.cell.name in _OF_AGENTS):
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
        make = _agents if self._of_agents else _everybodys
        return {key: make(self._rows[key]) for key in sorted(self._rows, key=_order)}


def of_agents(by: Sequence[str]) -> bool:
    """Returns whether rows are about what agents did, and not about the outcome of handoffs."""
    return "agent" in by


def nothing(by: Sequence[str]) -> Figures:
    """Returns a row without any counts."""
    return (_agents if of_agents(by) else _everybodys)(Sum())


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
    return Figures(
        _numbers(n),
        n[Name.HANDED_OFF] / n[Name.CONVERSATION] if n[Name.CONVERSATION] else None,
        waiting=_timing(bins[Name.WAITING], nobody, waiting),
        first_response=_timing(
            bins[Name.FIRST_RESPONSE], silent, n[Name.REQUESTED] - n[Name.RESPONDED] - silent
        ),
        response=_timing(
            bins[Name.RESPONSE], unanswered, n[Name.TURN] - n[Name.ANSWERED] - unanswered
        ),
        handling=_handling(sum_),
    )


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
    }


def _passing_on(n: Counter[Name]) -> dict[str, int]:
    return {shown: n[name] for shown, name in _PASSING_ON.items()}


def _agents(sum_: Sum) -> Figures:
    """Returns what one agent did.

    A request belongs to no agent before one joins, so requests are left out.
    """
    n, bins = sum_.number, sum_.bins
    joined = {"joined": n[Name.TAKEN], "frames": n[Name.FRAME], "returned": n[Name.QUIET]}
    numbers = {**joined, **_passing_on(n)}
    waiting, first, response = (
        _timing(bins[name]) for name in (Name.WAITING, Name.FIRST_RESPONSE, Name.RESPONSE)
    )
    return Figures(numbers, None, waiting, first, response, _handling(sum_))


def _handling(sum_: Sum) -> Timing:
    ended = sum_.bins[Name.HANDLING]
    return _timing(ended, None, sum_.number[Name.FRAME] - sum(ended.values()))


def _timing(bins: Bins, without: int | None = None, open_: int | None = None) -> Timing:
    return Timing(
        sum(bins.values()),
        percentile(bins, 50),
        percentile(bins, 90),
        _classes(bins),
        without,
        open_,
    )


def _classes(bins: Bins) -> tuple[int, ...]:
    """Returns the number of durations in each of CLASSES, and of longer ones.

    A bin counts where it begins.
    """
    found = [0] * (len(CLASSES) + 1)
    for first, count in bins.items():
        found[sum(first > limit for limit in CLASSES)] += count
    return tuple(found)


def _order(key: Key) -> tuple[tuple[int, str], ...]:
    """Returns a sort key in which weekdays have their order in the week."""
    return tuple(
        (WEEKDAYS.index(day) if (day := part.partition(" ")[0]) in WEEKDAYS else -1, part)
        for part in key
    )
