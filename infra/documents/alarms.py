"""The runbook's section of each alarm, printed from the alarms that are deployed."""

import json
import re
import textwrap

from infra.deployables import ROOT

ALARMS = ROOT / "infra" / "terraform" / "observability.json"
WIDTH = 98


def alarms() -> str:
    """Returns a Markdown section for every alarm: its title, its advice, and what to do."""
    rows = json.loads(ALARMS.read_text())["alerts"].values()
    return "\n\n".join(
        "\n\n".join([f"## {row['title']}", _wrapped(row["advice"]), _numbered(row["steps"])])
        for row in rows
    )


def anchor(title: str) -> str:
    """Returns the anchor of a heading, as GitHub and GitLab make it."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def _numbered(steps: list[str]) -> str:
    return "\n".join(_wrapped(step, f"{number}. ", "   ") for number, step in enumerate(steps, 1))


def _wrapped(text: str, first: str = "", others: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
