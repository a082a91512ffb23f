"""`python -m infra.diagram`: prints the state diagram of README from the tables that decide."""

import argparse
from collections.abc import Iterable

from infra.command import run_tool
from shared.handoff.transitions import (
    AFTER_STEP,
    BEFORE_STEP,
    ON_ARRIVAL,
    TABLE,
    Guard,
    Rule,
    StandingRule,
    Step,
)
from shared.schemas.conversation import Phase


def diagram() -> str:
    """Returns a Mermaid state diagram: an arrow for every rule that changes the phase, and a note
    of the rules that run with every event.
    """
    arrows = [
        f"    {phase} --> {rule.then.to}: {_label(kind, rule)}"
        for kind, row in TABLE.items()
        for phase, cell in row.items()
        for rule in cell
        if isinstance(rule.then, Step) and rule.then.to is not None
    ]
    note = [
        f"    note right of {Phase.BOT}",
        f"        on arrival: {_names(ON_ARRIVAL)}",
        f"        before each step: {_names(BEFORE_STEP)}",
        f"        after each step: {_names(AFTER_STEP)}",
        "    end note",
    ]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {Phase.BOT}", *arrows, *note])


def _names(rules: Iterable[StandingRule]) -> str:
    return ", ".join(rule.name for rule in rules)


def _label(kind: str, rule: Rule) -> str:
    return kind if rule.when is Guard.ALWAYS else f"{kind} ({rule.when})"


def main(given: list[str] | None = None) -> int:
    what = "Print the state diagram of README."
    argparse.ArgumentParser(prog="python -m infra.diagram", description=what).parse_args(given)
    print(diagram())
    return 0


if __name__ == "__main__":
    run_tool(main)
