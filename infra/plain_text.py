"""A plain form of a text to search in: a character for each of its characters, however it was typed."""

import unicodedata

INVISIBLE = "\u200b"  # stands for whatever takes no room: joiners, marks of direction, accents that combine
_SAME = {"−": "-", "⁄": "/", "∕": "/", "’": "'", "‘": "'", "`": "'", "´": "'", "・": "·", "∙": "·", "‧": "·", "⋅": "·"}


class _Forms(dict[int, str]):
    def __missing__(self, code: int) -> str:
        self[code] = _form(chr(code))
        return self[code]


_FORMS = _Forms()


def plain(text: str) -> str:
    """Returns the text in lower case with plain digits, spaces and hyphens; each character stands where it stood."""
    return text.translate(_FORMS)


def _form(character: str) -> str:
    digit, category = unicodedata.digit(character, None), unicodedata.category(character)
    if digit is not None:
        return str(digit)
    if character.isspace():
        return " "
    if category in ("Cc", "Cf", "Mn", "Me"):
        return INVISIBLE
    return "-" if category == "Pd" else _single(_SAME.get(character, character))


def _single(character: str) -> str:
    """Returns the plain letter or sign that a wide or bold one stands for, if it is one."""
    folded = unicodedata.normalize("NFKC", character).lower()
    return _SAME.get(folded, folded) if len(folded) == 1 else character
