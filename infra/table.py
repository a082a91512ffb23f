"""`python -m infra.table`: prints shared/handoff/TABLE.md from the tables that decide."""

import argparse
from collections.abc import Iterable, Iterator, Mapping

from infra.command import run_tool
from shared.handoff.terms import Effect
from shared.handoff.transitions import (
    AFTER_STEP,
    BEFORE_STEP,
    ON_ARRIVAL,
    TABLE,
    Cell,
    Refusal,
    Rule,
    StandingRule,
)
from shared.schemas.conversation import Phase

INTRODUCTION = """\
# The table

What follows from every event in every phase, and all that Baton ever sends for it. This file is
printed from [`transitions.py`](transitions.py) (`.venv/bin/python -m infra.table >
shared/handoff/TABLE.md`); a test fails when it is stale.

- [How to read it](#how-to-read-it)
- [On arrival](#on-arrival)
- [The cells](#the-cells)
- [Before the step](#before-the-step)
- [After the step](#after-the-step)
- [Refusals](#refusals)

## How to read it

`decide` runs five parts in this order:

1. [On arrival](#on-arrival): every row whose condition holds.
2. [The cell](#the-cells) of the event and the phase: the first rule whose guard holds decides. A
   [refusal](#refusals) ends here, and leaves the conversation as it was.
3. [Before the step](#before-the-step): every row whose condition holds.
4. The step of that rule: its effects in order, then the next phase.
5. [After the step](#after-the-step): every row whose condition holds.

A condition is asked when its row is reached, of what the rows before it have left. "-" means that
nothing follows, or that the phase stays. Outcome is the verdict in the journal.

What an effect has for the customer is not sent where Baton only tracks the conversation, or where
the channel's window is closed. Then a message is notified as `delivery.failed`, LEFT and the answer
to a request for a human are owed (see [before](#before-the-step) and [after](#after-the-step) the
step), and JOINED goes before that human's next message. JOINED and LEFT are texts on a channel that
has no such events. Where the last human who was shown leaves and others stay, one of those is shown
with JOINED before that LEFT. A text of Baton's own is not sent where a setting switches it off, or
to a customer who has unsubscribed.
"""


def document() -> str:
    """Returns the whole of TABLE.md."""
    parts = [
        INTRODUCTION,
        _standing("On arrival", ON_ARRIVAL),
        "## The cells\n",
        *(_event(kind, cells) for kind, cells in TABLE.items()),
        _standing("Before the step", BEFORE_STEP),
        _standing("After the step", AFTER_STEP),
        _refusals(),
    ]
    return "\n".join(parts)


def _standing(title: str, rules: Iterable[StandingRule]) -> str:
    rows = ((rule.name, rule.when, _effects(rule.effects), rule.why) for rule in rules)
    return f"## {title}\n\n{_markdown(('rule', 'when', 'effects', 'why'), rows)}"


def _event(kind: str, cells: Mapping[Phase, Cell]) -> str:
    rows = (
        (phases, rule.when, *_then(rule))
        for cell, phases in _phases_of(cells).items()
        for rule in cell
    )
    head = ("phase", "when", "next phase", "effects", "outcome")
    return f"### {kind}\n\n{_markdown(head, rows)}"


def _phases_of(cells: Mapping[Phase, Cell]) -> dict[Cell, str]:
    """Returns the phases of each cell: phases that have the same rules share their rows."""
    found: dict[Cell, str] = {}
    for phase, cell in cells.items():
        found[cell] = f"{found[cell]}, {phase}" if cell in found else str(phase)
    return found


def _then(rule: Rule) -> tuple[str, str, str]:
    if isinstance(rule.then, Refusal):
        return "-", _effects(rule.then.effects), f"refused: `{rule.then.reason}`"
    return rule.then.to or "-", _effects(rule.then.effects), rule.then.verdict


def _effects(effects: tuple[Effect, ...]) -> str:
    return "; ".join(effects) or "-"


def _refusals() -> str:
    refusals = {then.reason: then for then in _all_refusals()}
    rows = (
        (f"`{reason}`", f"{one.error.code} {one.error.status}", one.message)
        for reason, one in sorted(refusals.items())
    )
    return f"## Refusals\n\n{_markdown(('reason', 'answer', 'message'), rows)}"


def _all_refusals() -> Iterator[Refusal]:
    for cells in TABLE.values():
        for cell in cells.values():
            yield from (rule.then for rule in cell if isinstance(rule.then, Refusal))


def _markdown(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(given: list[str] | None = None) -> int:
    what = "Print shared/handoff/TABLE.md."
    argparse.ArgumentParser(prog="python -m infra.table", description=what).parse_args(given)
    print(document(), end="")
    return 0


if __name__ == "__main__":
    run_tool(main)
