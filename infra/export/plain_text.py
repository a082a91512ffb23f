"""Normalised forms of a text, for a search that ignores how it was typed. Pure. Both forms know the
position of each character.
"""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# stands for characters without width: joiners, marks of direction, combining accents
INVISIBLE = "\u200b"
CURRENCY = "$"  # stands for any currency sign
_SAME = {
    **dict.fromkeys("−ー", "-"), **dict.fromkeys("⁄∕", "/"), **dict.fromkeys("’‘ʼ`´", "'"),
    **dict.fromkeys("・∙‧⋅", "·"), **dict.fromkeys("、،", ","), "؛": ";", "؟": "?", "ı": "i",
}  # fmt: skip
_FILLERS = "\u115f\u1160\u3164\uffa0"  # letters by their Unicode category, but blank
_WITHOUT_ROOM = ("Cc", "Cf", "Mn", "Me")


class _Forms(dict[int, str]):
    """The form of each character, computed once."""

    def __init__(self, form: Callable[[str], str]) -> None:
        super().__init__()
        self._form = form

    def __missing__(self, code: int) -> str:
        self[code] = self._form(chr(code))
        return self[code]


@dataclass(frozen=True, slots=True)
class Words:
    """The letters and digits of a text, with the start and end of each in the text."""

    text: str
    starts: list[int]
    ends: list[int]

    def places(self, value: str) -> Iterator[tuple[int, int]]:
        """Yields start and end of each place where the value occurs, also where places overlap."""
        for at in occurrences(self.text, value):
            yield self.starts[at], self.ends[at + len(value) - 1]

    def squeezed(self) -> "Words":
        """Returns the letters and digits without spaces."""
        kept = [at for at, one in enumerate(self.text) if one != " "]
        return Words(
            self.text.replace(" ", ""),
            [self.starts[at] for at in kept],
            [self.ends[at] for at in kept],
        )


def plain(text: str) -> str:
    """Returns the text in lower case with plain digits, spaces and signs, and the position of each
    character.
    """
    return text.translate(_PLAIN)


def words(text: str) -> Words:
    """Returns letters and digits without capitals and accents.

    What stands between two letters that can be capitals becomes a space. Signs and spaces
    elsewhere, as between digits, are left out.
    """
    pieces: list[tuple[str, int, int]] = []
    for at, character in enumerate(text):
        folded = _FOLDED[ord(character)]
        if not folded and pieces:
            pieces[-1] = (*pieces[-1][:2], at + 1)
        pieces += [
            (one, at, at + 1) for one in folded if one != " " or (pieces and pieces[-1][0] != " ")
        ]
    kept = [
        piece for at, piece in enumerate(pieces) if piece[0] != " " or _is_between_cased(pieces, at)
    ]
    return Words(
        "".join(one for one, _, _ in kept),
        [start for _, start, _ in kept],
        [end for _, _, end in kept],
    )


def occurrences(text: str, value: str) -> Iterator[int]:
    """Yields the positions at which the value begins."""
    at = text.find(value)
    while at >= 0:
        yield at
        at = text.find(value, at + 1)


def _is_between_cased(pieces: list[tuple[str, int, int]], at: int) -> bool:
    sides = pieces[at - 1 : at + 2 : 2]
    return len(sides) == 2 and all(one.upper() != one.lower() for one, _, _ in sides)


def _plain(character: str) -> str:
    digit, category = unicodedata.digit(character, None), unicodedata.category(character)
    if digit is not None:
        return str(digit)
    if character.isspace():
        return " "
    if category in _WITHOUT_ROOM or character in _FILLERS:
        return INVISIBLE
    if category == "Sc":
        return CURRENCY
    return "-" if category == "Pd" else _single(_SAME.get(character, character))


def _single(character: str) -> str:
    """Returns the plain form of a wide or bold character, if it is one letter or sign."""
    folded = unicodedata.normalize("NFKC", character).lower()
    return _SAME.get(folded, folded) if len(folded) == 1 else character


def _folded(character: str) -> str:
    """Returns the letters and digits of a character (ss for ß), a space for a sign, nothing for a
    character without width.
    """
    return "".join(_letter(one) for one in unicodedata.normalize("NFKD", character.casefold()))


def _letter(character: str) -> str:
    form = _PLAIN[ord(character)]
    if form == INVISIBLE:
        return ""
    return form.casefold() if form.isalnum() or unicodedata.category(character) == "Mc" else " "


_PLAIN = _Forms(_plain)
_FOLDED = _Forms(_folded)
