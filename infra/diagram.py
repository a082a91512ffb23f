"""`python -m infra.diagram`: the state diagram of README, printed from the table that decides."""

import argparse

from infra.command import run_tool
from shared.handoff.transitions import TABLE, Guard, Rule, Step
from shared.schemas.conversation import Phase


def diagram() -> str:
    """Returns a Mermaid state diagram: an arrow for every rule that changes the phase."""
    arrows = [
        f"    {phase} --> {rule.then.to}: {_label(kind, rule)}"
        for kind, row in TABLE.items()
        for phase, cell in row.items()
        for rule in cell
        if isinstance(rule.then, Step) and rule.then.to is not None
    ]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {Phase.BOT}", *arrows])


def _label(kind: str, rule: Rule) -> str:
    return kind if rule.when is Guard.ALWAYS else f"{kind} ({rule.when})"


def main(given: list[str] | None = None) -> int:
    what = "Print the state diagram of README."
    argparse.ArgumentParser(prog="python -m infra.diagram", description=what).parse_args(given)
    print(diagram())
    return 0


if __name__ == "__main__":
    run_tool(main)
