"""What the metrics read is what the code writes: every field and every fixed text of a filter
stands in a log line.
"""

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shared.schemas.notifications import NotificationType

ROOT = Path(__file__).parents[2]
TABLES = json.loads((ROOT / "infra" / "terraform" / "observability.json").read_text())
METRICS: dict[str, Any] = TABLES["metrics"]
CODE = [path.read_text() for path in sorted((ROOT / "shared").rglob("*.py"))]
OF_EVERY_LINE = {"message", "method", "status", "latency_ms"}


@cache
def _logged() -> set[str]:
    """Returns the fields of all log lines: what `log` is given by name, and the notes of an
    answer.
    """
    nodes = [node for text in CODE for node in ast.walk(ast.parse(text))]
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    given = {
        word.arg
        for call in calls
        if ast.unparse(call.func) == "log"
        for word in call.keywords
        if word.arg
    }
    notes = [word.value for call in calls for word in call.keywords if word.arg == "notes"]
    notes += [
        node.value
        for node in nodes
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "notes"
    ]
    return (
        given
        | {str(key.value) for one in notes if isinstance(one, ast.Dict) for key in _names(one)}
        | OF_EVERY_LINE
    )


def _names(notes: ast.Dict) -> list[ast.Constant]:
    return [key for key in notes.keys if isinstance(key, ast.Constant)]


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_reads_what_is_logged(name: str) -> None:
    metric = METRICS[name]
    fields = {
        *re.findall(r"jsonPayload\.(\w+)", metric["filter"]),
        *metric["labels"],
        metric["value"],
    } - {None}
    missing = fields - _logged()
    assert missing == set()


def test_a_message_that_is_counted_is_written() -> None:
    filters = " ".join(metric["filter"] for metric in METRICS.values())
    said = re.findall(r'jsonPayload\.message="([^"]+)"', filters)
    assert said
    assert all(any(f'"{text}"' in code for code in CODE) for text in said)


def test_types_that_are_counted_exist() -> None:
    known = set(NotificationType.__args__)  # type: ignore[attr-defined]  # of a Literal
    counted = {"handoff.joined", "handoff.unclaimed", "handoff.failed"}
    assert counted <= known


def test_everything_shown_or_alarmed_is_measured() -> None:
    shown = re.findall(
        r"logging\.googleapis\.com/user/(\w+)", json.dumps([TABLES["alerts"], TABLES["charts"]])
    )
    assert set(shown) == set(METRICS)
