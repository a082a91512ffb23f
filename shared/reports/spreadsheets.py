"""Writes CSV in which no cell is a formula for any spreadsheet program.

https://owasp.org/www-community/attacks/CSV_Injection: a text that begins with one of `= + - @`, a
tab or a line break is a formula for some programs, as are their full-width forms. A file may also
be read with another separator than it was written with: then `x;=1+1` contains a formula. So texts
are always quoted, and an apostrophe is put before each mark with which a cell could begin.
"""

import re
from collections.abc import Sequence
from unicodedata import category

Cell = str | int | float | None
_LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_BEGINNINGS = frozenset(
    f',;\t|"{_LINE_BREAKS}'
)  # characters after which a cell may begin for some program
# `= + - @` in all the forms that Unicode calls compatible, and the minus sign.
_MARKS = (
    "=+-@"
    "\u2212\u207a\u207b\u207c\u208a\u208b\u208c\u2a75\u2a76"
    "\ufb29\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
)
_MARK = re.compile(f"[{re.escape(_MARKS)}]")


def header(names: Sequence[str]) -> str:
    """Returns the header line. `names` must be Baton's own."""
    return ",".join(names) + "\r\n"


def row(cells: Sequence[Cell]) -> str:
    """Returns a line. Numbers are Baton's own and are written unquoted, also negative ones."""
    return ",".join(map(_written, cells)) + "\r\n"


def _written(cell: Cell) -> str:
    if isinstance(cell, str):
        return '"' + harmless(cell).replace('"', '""') + '"'
    return "" if cell is None else str(cell)


def harmless(text: str) -> str:
    """Returns the text with an apostrophe before each mark with which a cell could begin."""
    parts, done = ["'"] if text[:1] in ("\t", *_LINE_BREAKS) else [], 0
    for mark in _MARK.finditer(text):
        at = mark.start()
        parts += [text[done:at], "'" if _begins(text, done, at) else "", mark[0]]
        done = mark.end()
    return "".join([*parts, text[done:]])


def _begins(text: str, done: int, at: int) -> bool:
    """Returns whether a cell could begin with the mark at `at`.

    The previous mark ends at `done`.
    """
    while at > done and _is_unseen(text[at - 1]):
        at -= 1
    return text[at - 1] in _BEGINNINGS if at > done else done == 0


def _is_unseen(one: str) -> bool:
    return one not in _BEGINNINGS and (one.isspace() or category(one) in ("Cc", "Cf"))
