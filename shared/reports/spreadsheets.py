"""The one writer of CSV: whatever a cell says, no spreadsheet takes it for a formula.

https://owasp.org/www-community/attacks/CSV_Injection: a text that begins with one of `= + - @`, a tab
or a line break is a formula to some program, also where their full-width forms stand. A file that is
read with another separator than it was written with has other cells: there `x;=1+1` holds a formula.
So a text is always quoted, and an apostrophe stands before each mark with which a cell could begin.
"""

import re
import sys
from collections.abc import Sequence
from unicodedata import category, normalize

Cell = str | int | float | None
_LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_BEGINNINGS = frozenset(f',;\t|"{_LINE_BREAKS}')  # what a cell may begin behind, for some reader
_EVERY = tuple(map(chr, range(sys.maxunicode + 1)))
# All that is a mark in another form: full-width, small, raised. U+2212 is what a raised minus is made of.
_MARKS = "".join(one for one in _EVERY if normalize("NFKC", one)[0] in "=+-@\u2212")
_MARK = re.compile(f"[{re.escape(_MARKS)}]")
_UNSEEN = "".join(one for one in _EVERY if (one.isspace() or category(one) in ("Cc", "Cf")) and one not in _BEGINNINGS)


def header(names: Sequence[str]) -> str:
    """Returns the line of our own names."""
    return ",".join(names) + "\r\n"


def row(cells: Sequence[Cell]) -> str:
    """Returns a line; numbers are ours and stay numbers, negative ones too."""
    return ",".join(map(_written, cells)) + "\r\n"


def _written(cell: Cell) -> str:
    if isinstance(cell, str):
        return '"' + harmless(cell).replace('"', '""') + '"'
    return "" if cell is None else str(cell)


def harmless(text: str) -> str:
    """Returns a text with an apostrophe before each mark with which a cell could begin."""
    parts, done = ["'"] if text[:1] in _BEGINNINGS - {'"', ",", ";", "|"} and text else [], 0
    for mark in _MARK.finditer(text):
        before = text[done : mark.start()].rstrip(_UNSEEN)
        begins = before[-1] in _BEGINNINGS if before else done == 0
        parts += [text[done : mark.start()], "'" if begins else "", mark[0]]
        done = mark.end()
    return "".join([*parts, text[done:]])
