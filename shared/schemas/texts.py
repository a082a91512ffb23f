"""Where a text is cut: between what people read as characters, and at the end of a thought if one
is near.

Such a character is a grapheme cluster, which may have many code points: a family of four, a flag, a
letter with marks. https://www.unicode.org/reports/tr29/#Grapheme_Cluster_Boundaries
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence

# Where a piece may end, the best place first: after a paragraph, a line, a sentence, a word.
_ENDS = tuple(map(re.compile, (r"\n\s*\n", r"\n", r"(?<=[.!?…۔؟।])\s+|(?<=[。！？])", r"\s+")))


def split_text(text: str, limit: int) -> list[str]:
    """Returns `text` in pieces of at most `limit` code points. Nothing is lost but pieces of white
    space only; of a text that is nothing else, nothing stays. A cluster is torn only if it is
    longer than `limit` by itself.
    """
    pieces, start = [], 0
    while len(text) - start > limit:
        end = start + _end_of_piece(text[start : start + limit + 1], limit)
        pieces.append(text[start:end])
        start = end
    return [piece for piece in (*pieces, text[start:]) if piece.strip()]


def first_piece(text: str, limit: int) -> str:
    """Returns the first of such pieces, without white space at its end; the whole text if it is
    short.
    """
    end = _end_of_piece(text[: limit + 1], limit) if len(text) > limit else len(text)
    return text[:end].rstrip()


def shortened(text: str, limit: int, mark: str = "…", size: Callable[[str], int] = len) -> str:
    """Returns `text`, or as many of its clusters as take at most `limit` together with `mark`,
    which says that the rest is missing. `size` measures where the limit is not one of code points.
    """
    if size(text) <= limit:
        return text
    ends = _clusters_within(text[: limit + 1], limit)
    fits = bisect_right(ends, limit, key=lambda end: size(text[:end] + mark))
    if fits == 0:  # not even the first cluster does
        ends = range(1, (ends[0] if ends else limit) + 1)
        fits = bisect_right(ends, limit, key=lambda end: size(text[:end] + mark))
    return text[: ends[fits - 1] if fits else 0].rstrip() + mark


def _end_of_piece(window: str, limit: int) -> int:
    """Returns where the piece ends with which `window` begins. It has one code point more than the
    limit, which tells whether a cluster ends there. A good place is looked for in the last third:
    before that the piece would be short.
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
    """Returns where each cluster ends that ends by `limit`; the code point after it tells
    whether one ends there.
    """
    if window.isascii() and "\r" not in window:
        return range(1, min(len(window), limit) + 1)
    import regex  # most processes never cut such a text

    return [end for found in regex.finditer(r"\X", window) if (end := found.end()) <= limit]
