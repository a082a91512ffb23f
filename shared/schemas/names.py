"""People's names in a form that is safe to display: without invisible or direction-changing
characters.
"""

import re
from unicodedata import category

from shared.schemas.texts import shortened

# Zero-width joiners change the shape of their neighbours. Persian and Indic names need both of
# them, emoji the second.
JOINERS = "\u200c\u200d"
# Visible signs before a number or a word, which Unicode classifies as format characters.
_SEEN = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
# A flag of a black flag and invisible tag letters, like England's; else a single character.
_PARTS = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f|.", re.DOTALL)


def shown(name: str, limit: int) -> str:
    """Returns a name in one line of at most `limit` characters, empty if nothing of it is visible.

    Control characters, invisible characters and those that change the text direction are removed.
    """
    line = "".join(map(_shown, _PARTS.findall(name)))
    words = (word.strip(JOINERS) for word in line.split())
    cut = shortened(" ".join(filter(None, words)), limit, mark="").rstrip(f" {JOINERS}")
    return cut if any(category(one)[0] in "LNPS" for one in cut) else ""


def _shown(part: str) -> str:
    if len(part) > 1 or part in JOINERS or part in _SEEN:
        return part
    if part.isspace():
        return " "
    return "" if category(part) in ("Cc", "Cf", "Cs") else part


def is_one_line(name: str) -> bool:
    """Returns whether every character of a name can be printed."""
    return all(one.isprintable() or one in JOINERS for one in name)
