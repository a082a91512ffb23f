"""The tables that people read."""

from collections.abc import Sequence

from tests.benchmarks.arithmetic import Budget, Figure, median
from tests.benchmarks.measure import RAW, SPACED, Acks

HEAD = ("", "clients", "per second", "p50 ms", "p99 ms", "CPU us/event")


def acks_table(rounds: Sequence[Acks]) -> str:
    """What each did, the median of the rounds."""
    rows = [
        HEAD,
        *(_row(rounds, clients, name) for clients in (1, 8) for name in rounds[0].results[clients]),
    ]
    return _aligned(rows)


def _row(rounds: Sequence[Acks], clients: int, name: str) -> tuple[str, ...]:
    results = [each.results[clients][name] for each in rounds]
    rate = median([rate for result in results for rate in result.slice_rates])
    times = (
        median([result.p50_ms for result in results]),
        median([result.p99_ms for result in results]),
    )
    cpu = median([us for result in results for us in result.slice_cpu_us])
    called = f"raw {name}" if name in (*RAW, SPACED) else name
    return called, str(clients), f"{rate:,.0f}", *(f"{one:.2f}" for one in times), f"{cpu:.0f}"


def figures_table(figures: Sequence[Figure]) -> str:
    rows = [("", "measured", "budget", "goal", "", "")]
    return _aligned([*rows, *map(_line, figures)])


def _line(figure: Figure) -> tuple[str, ...]:
    measured = (
        f"{figure.value:.2f} {figure.unit}"
        if figure.unit in ("x", "$")
        else f"{figure.value:.0f} {figure.unit}"
    )
    return figure.name, measured, *_limits(figure.budget), figure.verdict, figure.note


def _limits(budget: Budget | None) -> tuple[str, str]:
    if budget is None:
        return "", ""
    sign = "<=" if budget.kind == "at most" else ">="
    return f"{sign} {budget.limit:g}", "" if budget.goal is None else f"{sign} {budget.goal:g}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """First and last column to the left, figures to the right."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return "\n".join(_aligned_row(row, widths) for row in rows)


def _aligned_row(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
    cells = [first.strip().ljust(widths[0]), *others[:-1], row[-1] if len(row) == 6 else others[-1]]
    return "  ".join(cells).rstrip()
