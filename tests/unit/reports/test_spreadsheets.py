"""CSV as spreadsheets read it: whatever a cell says, and whatever they take for a separator,
nothing is a formula.
"""

import csv
import io
import sys
import time
from collections.abc import Iterator
from functools import cache
from unicodedata import category, normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.measures.counts import counts
from shared.reports.figures import break_down, figures
from shared.reports.spreadsheets import harmless, header, row
from shared.reports.tables import Report, as_csv
from shared.schemas.events import Claim
from tests.unit.reports.test_definitions import Story
from tests.unit.reports.test_tables import SPAN


@cache
def marks() -> set[str]:
    """Returns what a spreadsheet may take for the beginning of a formula."""
    every = map(chr, range(sys.maxunicode + 1))
    return {one for one in every if normalize("NFKC", one)[0] in "=+-@\u2212"}


PIECES = [
    *"=+-@＝＋－＠﹣⁼\u2212",
    ",",
    ";",
    "\t",
    "|",
    '"',
    '""',
    "'",
    "\n",
    "\r",
    "\r\n",
    "\v",
    "\x85",
    "\u2028",
    " ",
    "\xa0",
    "\u200b",
    "\ufeff",
    "\u3000",
    "\x00",
    "1",
    "cmd|' /C calc'!A0",
    "x",
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.characters(codec="utf-8"), max_size=12).map("".join)
KNOWN = [
    "x;=1+1", " =1+1", "\n=1+1", "\r\n@x", "＝1+1", "\t=1", "=1", "+1", "-1", "@x", "\ufeff=1",
    '"=1"', 'x\n"=1',
    ';"=1', ';""=1', "a,=1", "x\t=1", "\xa0＋1", "x;\u200b\u2060 －1", "\x00=1", "a\u2028=1", "==1",
    "\tplain", "\nplain",
]  # fmt: skip
PLAIN = ["", "Hi", "a-b", "jane@example.com", "1+1=2", "2026-03-01T10:00:00Z", "Hi - there", "⚡"]


def is_formula(cell: str) -> bool:
    """Returns whether a cell begins with a mark, once what is not seen before it is gone."""
    seen = cell.lstrip(
        "".join(one for one in cell if one.isspace() or category(one) in ("Cc", "Cf"))
    )
    return seen[:1] in marks()


def cells_of_python(written: str, separator: str) -> Iterator[str]:
    for line in csv.reader(io.StringIO(written, newline=""), delimiter=separator):
        yield from line


def cells_of_calc(written: str) -> Iterator[str]:
    """Reads as LibreOffice Calc does at first: comma, semicolon and tab all separate, quotes hold
    together.

    A quote that is followed by no separator does not close its cell.
    """
    cell, at, quoted = "", 0, False
    while at < len(written):
        one, follows = written[at], written[at + 1 : at + 2]
        if quoted and one == '"' and follows == '"':
            cell, at = cell + '"', at + 1
        elif quoted and one == '"' and follows in ("", ",", ";", "\t", "\n", "\r"):
            quoted = False
        elif not quoted and one == '"' and not cell:
            quoted = True
        elif not quoted and one in ",;\t\r\n":
            yield cell
            cell = ""
        else:
            cell += one
        at += 1
    yield cell


def assert_harmless(written: str) -> None:
    for separator in ",;\t|":
        assert not [cell for cell in cells_of_python(written, separator) if is_formula(cell)], (
            separator
        )
    assert not [cell for cell in cells_of_calc(written) if is_formula(cell)]
    assert not [line for line in written.splitlines() if is_formula(line.strip('"'))]


@pytest.mark.parametrize("text", KNOWN, ids=ascii)
def test_known_ways_are_closed(text: str) -> None:
    assert_harmless(row([text, "x", text]))


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=3))
@example([["=", '"'], ['";=', "\n"]])
def test_no_reader_finds_a_formula_in_any_text(rows: list[list[str]]) -> None:
    assert_harmless("".join(map(row, rows)))


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_what_is_said_is_read_again_with_nothing_but_apostrophes_more(texts: list[str]) -> None:
    (read,) = csv.reader(io.StringIO(row(texts), newline=""))
    assert [one.replace("'", "") for one in read] == [one.replace("'", "") for one in texts]


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_danger_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_our_numbers_stay_numbers() -> None:
    assert row(["x", -3, 0.5, -0.25, None, 0]) == '"x",-3,0.5,-0.25,,0\r\n'
    assert header(["day", "waiting.p90"]) == "day,waiting.p90\r\n"


def test_a_long_text_takes_no_longer_than_it_is() -> None:
    for text in ("\n" * 300_000 + "x", " " * 300_000 + "=", "=" * 300_000, '";=' * 100_000):
        begun = time.perf_counter()
        row([text])
        assert time.perf_counter() - begun < 3


@pytest.mark.parametrize("name", ["x;=1+1", " =1+1", "\n=1+1", "＝1+1"], ids=ascii)
def test_an_agents_name_is_no_formula_in_the_report(name: str) -> None:
    story = Story()
    story.asks()
    story.human(Claim, 5, name=name)
    counted = counts(story.measures)
    written = as_csv(
        Report(SPAN, ("agent",), break_down(counted, ("agent",), SPAN), figures(counted))
    )
    assert len(written.splitlines()) > 1
    assert_harmless(written)
