"""The runbook's section of each alarm, printed from the alarms that are deployed."""

import json
import textwrap

from infra.deployables import ROOT

ALARMS = ROOT / "infra" / "terraform" / "observability.json"
WIDTH = 98


def alarms() -> str:
    """Returns a Markdown section for every alarm: its title and its advice."""
    rows = json.loads(ALARMS.read_text())["alerts"].values()
    return "\n\n".join(f"## {row['title']}\n\n{_wrapped(row['advice'])}" for row in rows)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
