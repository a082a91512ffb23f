"""Splits and shortens texts at grapheme clusters, and preferably at the end of a paragraph or
sentence.

A grapheme cluster is what people read as one character. It may have many code points: a family of
four, a flag, a letter with marks. https://www.unicode.org/reports/tr29/#Grapheme_Cluster_Boundaries
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence

# Where a piece may end, the best place first: after a paragraph, a line, a sentence, a word.
_ENDS = tuple(map(re.compile, (r"\n\s*\n", r"\n", r"(?<=[.!?…۔؟।])\s+|(?<=[。！？])", r"\s+")))


def split_text(text: str, limit: int) -> list[str]:
    """Returns `text` in pieces of at most `limit` code points.

    Only pieces of white space are dropped, so a text of white space gives no pieces. A cluster is
    split only if it is longer than `limit`.
    """
    pieces, start = [], 0
    while len(text) - start > limit:
        end = start + _end_of_piece(text[start : start + limit + 1], limit)
        pieces.append(text[start:end])
        start = end
    return [piece for piece in (*pieces, text[start:]) if piece.strip()]


def first_piece(text: str, limit: int) -> str:
    """Returns the first piece of at most `limit` code points, without trailing white space."""
    end = _end_of_piece(text[: limit + 1], limit) if len(text) > limit else len(text)
    return text[:end].rstrip()


def shortened(text: str, limit: int, mark: str = "…", size: Callable[[str], int] = len) -> str:
    """Returns `text` if its size is within `limit`, else as many clusters as fit together with
    `mark`.

    `mark` shows that the rest is missing. `size` measures a text in another unit than code points.
    """
    if size(text) <= limit:
        return text
    ends = _clusters_within(text[: limit + 1], limit)
    fits = bisect_right(ends, limit, key=lambda end: size(text[:end] + mark))
    if fits == 0:  # not even the first cluster fits
        ends = range(1, (ends[0] if ends else limit) + 1)
        fits = bisect_right(ends, limit, key=lambda end: size(text[:end] + mark))
    return text[: ends[fits - 1] if fits else 0].rstrip() + mark


def _end_of_piece(window: str, limit: int) -> int:
    """Returns the end of the piece with which `window` begins.

    The window has one code point more than `limit`, which shows whether a cluster ends there.
    Paragraph, line, sentence and word ends are searched in the last third only, so that pieces do
    not become short.
    """
    ends = _clusters_within(window, limit)
    least, possible = limit * 2 // 3, frozenset(ends)
    for kind in _ENDS:
        found = (match.end() for match in kind.finditer(window, least, limit))
        latest = max((end for end in found if end > least and end in possible), default=None)
        if latest is not None:
            return latest
    return ends[-1] if ends else limit


def _clusters_within(window: str, limit: int) -> Sequence[int]:
    """Returns the ends of all clusters that end within `limit`.

    The code point after the limit shows whether a cluster ends there.
    """
    if window.isascii() and "\r" not in window:
        return range(1, min(len(window), limit) + 1)
    import regex  # imported here because most processes never need it

    return [end for found in regex.finditer(r"\X", window) if (end := found.end()) <= limit]
