"""The documents tell the truth: diagram, settings and calls are those of the code, links lead
somewhere.
"""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from infra.capabilities import DESK_WORDS, WORDS, desk_matrix, matrix
from infra.deploy.steps_watching import alert_body
from infra.deployables import deployables
from infra.diagram import diagram
from infra.documents.alarms import anchor
from infra.documents.printed import PRINTED, documents, printed
from infra.documents.reasons import given_reasons
from infra.documents.settings import SERVICE, meanings
from infra.table import document
from shared.api.routes import VERBS
from shared.errors import BatonError, DoorClosed, Refused, TooMany, Unauthenticated
from shared.reports.figures import BREAKDOWNS, figures
from shared.schemas.conversation import Capabilities
from shared.schemas.desk_kinds import DeskKind
from shared.settings.model import Settings

ROOT = Path(__file__).parents[2]
FUNCTIONS, SHARED, PLATFORMS, REPORTS = (
    (ROOT / path / "README.md").read_text()
    for path in ("functions", "shared", "shared/platforms", "shared/reports")
)


def test_the_diagram_is_printed_from_the_table() -> None:
    assert f"```mermaid\n{diagram()}\n```" in SHARED


def test_the_table_is_printed_from_what_decides() -> None:
    assert (ROOT / "shared" / "handoff" / "TABLE.md").read_text() == document()


@pytest.mark.parametrize(
    "name", [name.upper() for name in Settings.model_fields if name != "k_service"]
)
def test_every_setting_is_in_the_table(name: str) -> None:
    assert re.search(rf"^\|.*`{name}`.*\|$", FUNCTIONS, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "default"),
    [
        (name.upper(), field.default)
        for name, field in Settings.model_fields.items()
        if type(field.default) in (int, float)
    ],
)
def test_the_defaults_of_numbers_are_those_of_the_code(name: str, default: float) -> None:
    assert f"| `{name}` | `{default:g}` |" in FUNCTIONS


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_is_in_the_table(verb: str) -> None:
    assert f":{verb}`" in FUNCTIONS


@pytest.mark.parametrize("function", sorted(deployables()))
def test_every_function_is_in_the_table(function: str) -> None:
    assert f"| `{function}` |" in FUNCTIONS
    assert (ROOT / "functions" / function / "main.py").is_file()


@pytest.mark.parametrize("figure", [*figures(()).numbers, *figures(()).timings, "handoffRate"])
def test_every_figure_of_a_report_is_defined(figure: str) -> None:
    assert f"`{figure}`" in REPORTS


@pytest.mark.parametrize("breakdown", sorted(set(BREAKDOWNS) - {"agent"}))
def test_every_breakdown_is_named(breakdown: str) -> None:
    assert f"`{breakdown}`" in REPORTS


def test_the_capabilities_are_printed_from_the_platforms_own_data() -> None:
    assert matrix() in PLATFORMS
    assert set(WORDS) == set(Capabilities.model_fields) - {"delivers"}
    assert desk_matrix() in PLATFORMS
    assert list(DESK_WORDS) == [field.name for field in dataclasses.fields(DeskKind)]


DOCUMENTS = documents()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_printed_part_is_stale(path: Path) -> None:
    assert printed(path.read_text()) == path.read_text(), "python -m infra.documents"


@pytest.mark.parametrize("name", PRINTED)
def test_each_part_is_printed_in_one_document(name: str) -> None:
    begin, end = f"<!-- printed: {name} -->", f"<!-- end of {name} -->"
    texts = [path.read_text() for path in DOCUMENTS]
    assert sum(text.count(begin) for text in texts) == 1
    assert sum(text.count(end) for text in texts) == 1


def test_a_setting_without_a_meaning_is_found() -> None:
    assert set(meanings()) == set(Settings.model_fields) - {SERVICE}


@pytest.fixture(scope="module")
def given() -> set[tuple[str, int, str]]:
    """Returns every reason that the code gives. It reads all of the code."""
    return {(one.reason, one.kind.code, one.kind.status) for one in given_reasons()}


@pytest.mark.parametrize(
    "error",
    [DoorClosed("X"), Unauthenticated(), TooMany("outbox-full", ""), Refused("human-present", "")],
)
def test_a_reason_is_listed_with_the_code_of_its_error(
    error: BatonError, given: set[tuple[str, int, str]]
) -> None:
    assert (error.reason, error.code, error.status) in given


def _outside_of_code(path: Path) -> list[str]:
    """Returns the lines of a document that stand in no block of code."""
    lines, is_code = [], False
    for line in path.read_text().splitlines():
        if line.startswith("```"):
            is_code = not is_code
        elif not is_code:
            lines.append(line)
    return lines


def _anchors(path: Path) -> set[str]:
    headings = (re.match(r"#{1,6} (.+)", line) for line in _outside_of_code(path))
    titles = (re.sub(r"[^\w\- ]", "", found[1].strip().lower()) for found in headings if found)
    return {title.replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_to_a_heading(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", "\n".join(_outside_of_code(path))):
        if not re.match(r"https?:", link):
            name, _, anchor = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            assert target.exists(), link
            assert not anchor or anchor in _anchors(target), link


def test_a_newcomer_reads_at_most_1200_words() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 1200


def test_every_alarm_has_its_section_in_the_runbook_and_links_to_it() -> None:
    alarms = json.loads((ROOT / "infra" / "terraform" / "observability.json").read_text())["alerts"]
    runbook = ROOT / "infra" / "RUNBOOK.md"
    text, anchors = " ".join(runbook.read_text().split()), _anchors(runbook)
    for alarm in alarms.values():
        assert f"## {alarm['title']} {alarm['advice']} 1. {alarm['steps'][0]} " in f"{text} "
        body = alert_body(
            alarm,
            anchor(alarm["title"]),
            mailed=False,
            runbook="https://git.example.com/RUNBOOK.md",
        )
        (link,) = body["documentation"]["links"]
        assert link["url"].partition("#")[2] in anchors
        assert f"{runbook.name}#{link['url'].partition('#')[2]}" in body["documentation"]["content"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_alarm_that_a_document_names_exists(path: Path) -> None:
    alarms = json.loads((ROOT / "infra" / "terraform" / "observability.json").read_text())["alerts"]
    titles = {alarm["title"].removeprefix("Baton: ") for alarm in alarms.values()}
    named = re.findall(r"alarm \*([^*]+)\*", " ".join(path.read_text().split()))
    assert set(named) <= titles


VENDORS = sorted(path.parent for path in (ROOT / "shared" / "platforms").glob("*/platform.py"))
PARTS = ("Keys", "What is supported", "What is unverified", "Limits")


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda path: path.name)
def test_a_vendor_has_a_page_with_keys_support_doubts_and_limits(vendor: Path) -> None:
    text = (vendor / "README.md").read_text()
    assert [part for part in PARTS if f"\n## {part}\n" not in text] == []
    assert f"({vendor.name}/README.md)" in PLATFORMS
    assert f"receive_webhook/{vendor.name}`" in text


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda path: path.name)
def test_a_vendors_page_names_each_of_its_settings(vendor: Path) -> None:
    text = (vendor / "README.md").read_text()
    own = [name.upper() for name in Settings.model_fields if name.startswith(f"{vendor.name}_")]
    assert [name for name in own if f"`{name}" not in text] == []
    assert own
