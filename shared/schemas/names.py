"""People's names, as they may be shown: nothing in them that is not seen, or moves what stands
around them.
"""

import re
from unicodedata import category

from shared.schemas.texts import shortened

# Persian and Indic names need the first two, emoji the second; they change how their neighbours
# look.
JOINERS = "\u200c\u200d"
# Signs that stand before a number or a word and are seen, though Unicode calls them format
# characters.
_SEEN = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
# The flag of England, and others that a black flag and unseen letters make; else one character.
_PARTS = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f|.", re.DOTALL)


def shown(name: str, limit: int) -> str:
    """Returns a name in one line, empty where nothing of it is seen.

    Left out are control characters and those that are not seen or turn the direction of a line.
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
