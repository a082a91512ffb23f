"""README tells the truth: its diagram, settings and calls are those of the code."""

import re
from pathlib import Path

import pytest

from infra.capabilities import WORDS, matrix
from infra.deployables import deployables
from infra.diagram import diagram
from shared.api.routes import VERBS
from shared.reports.figures import BREAKDOWNS, figures
from shared.reports.tables import TIMINGS
from shared.schemas.conversation import Capabilities
from shared.settings.model import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_diagram_is_printed_from_the_table() -> None:
    assert f"```mermaid\n{diagram()}\n```" in README


@pytest.mark.parametrize("name", [name.upper() for name in Settings.model_fields if name != "k_service"])
def test_every_setting_is_in_the_table(name: str) -> None:
    assert re.search(rf"^\|.*`{name}`.*\|$", README, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "default"),
    [
        (name.upper(), field.default)
        for name, field in Settings.model_fields.items()
        if type(field.default) in (int, float)
    ],
)
def test_the_defaults_of_numbers_are_those_of_the_code(name: str, default: float) -> None:
    assert f"| `{name}` | `{default:g}` |" in README


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_is_in_the_table(verb: str) -> None:
    assert f":{verb}`" in README


@pytest.mark.parametrize("function", sorted(deployables()))
def test_every_function_is_in_the_table(function: str) -> None:
    assert f"| `{function}` |" in README
    assert (ROOT / "functions" / function / "main.py").is_file()


@pytest.mark.parametrize("figure", [*figures(()).numbers, *TIMINGS, "handoffRate"])
def test_every_figure_of_a_report_is_defined(figure: str) -> None:
    assert f"`{figure}`" in README


@pytest.mark.parametrize("breakdown", sorted(set(BREAKDOWNS) - {"agent"}))
def test_every_breakdown_is_named(breakdown: str) -> None:
    assert f"`{breakdown}`" in README


def test_the_capabilities_are_printed_from_the_platforms_own_data() -> None:
    assert matrix() in README
    assert set(WORDS) == set(Capabilities.model_fields)
