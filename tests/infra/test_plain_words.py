"""The documents are for people who read once: short sentences, plain words, lines that fit."""

import re
from pathlib import Path

import pytest

from infra.documents.printed import documents

ROOT = Path(__file__).parents[2]
LONGEST, WIDEST = 35, 100
QUAINT = re.compile(r"\b(whoever|nobody|anew|(is|are) told|(is|are) to be)\b", re.IGNORECASE)
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
DIAGRAM = re.compile(r"^```mermaid.*?^```$", re.MULTILINE | re.DOTALL)  # an arrow is one line
PRINTED = re.compile(r"<!-- printed: .*?<!-- end of [a-z ]+ -->", re.DOTALL)
LINK = re.compile(r"https?:|\]\(")
# Releases are described as they were.
WRITTEN = [path for path in documents() if path.name != "CHANGELOG.md"]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def words(path: Path) -> str:
    """Returns what an author wrote: no code, and nothing that is printed from the code."""
    return PRINTED.sub("", CODE.sub("", path.read_text()))


def sentences(text: str) -> list[str]:
    """Returns the sentences outside of tables; a list's item is a paragraph of its own."""
    prose = "\n".join(line for line in text.splitlines() if not line.startswith(("|", "#")))
    prose = re.sub(r"`[^`]*`", "code", re.sub(r"\]\([^)]*\)", "]", prose))
    paragraphs = re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", prose)
    return [
        one
        for paragraph in paragraphs
        for one in re.split(r"(?<=[.!?:])\s+(?=[A-Z*\[]|code)", " ".join(paragraph.split()))
    ]


@pytest.mark.parametrize("path", WRITTEN, ids=named)
def test_a_sentence_has_at_most_35_words(path: Path) -> None:
    assert [one for one in sentences(words(path)) if len(one.split()) > LONGEST] == []


@pytest.mark.parametrize("path", WRITTEN, ids=named)
def test_words_are_plain(path: Path) -> None:
    assert [found[0] for found in QUAINT.finditer(words(path))] == []


@pytest.mark.parametrize("path", WRITTEN, ids=named)
def test_a_line_has_at_most_100_columns_outside_of_tables_and_links(path: Path) -> None:
    text = DIAGRAM.sub("", path.read_text())
    wide = [line for line in text.splitlines() if len(line) > WIDEST]
    assert [line for line in wide if not line.startswith("|") and not LINK.search(line)] == []


def test_the_measure_of_sentences_finds_a_long_one() -> None:
    long = " ".join(["word"] * (LONGEST + 1))
    assert [one for one in sentences(f"Short. {long}. End.") if len(one.split()) > LONGEST]


def test_the_glossary_has_at_most_30_words() -> None:
    text = (ROOT / "shared" / "README.md").read_text()
    rows = re.search(r"^\| word \| meaning \|\n\|---\|---\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert rows
    assert 10 < len(rows[1].splitlines()) <= 30
