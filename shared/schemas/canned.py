"""Answers that an operator has written for the people at the desk, by language."""

import re
from collections.abc import Mapping

from shared.schemas.content import TEXT_LIMIT
from shared.schemas.languages import language_of

Canned = Mapping[str, Mapping[str, str]]  # by language and title
LONGEST_TITLE = 80
PLACEHOLDERS = ("customer", "agent", "desk")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def checked(canned: Canned) -> Canned:
    """Returns them. Raises ValueError, naming language and title, for an answer that no person
    could give.
    """
    for language, answers in canned.items():
        if not _LANGUAGE.fullmatch(language) or language_of(language) != language:
            raise ValueError(f"{language}: give a language like en or pt, in lower case")
        for title, text in answers.items():
            fault = _fault(title, text)
            if fault:
                raise ValueError(f"{language}.{title[:LONGEST_TITLE]}: {fault}")
    return canned


def _fault(title: str, text: str) -> str | None:
    if not title.strip() or len(title) > LONGEST_TITLE:
        return f"the title must have 1 to {LONGEST_TITLE} characters"
    if not text.strip() or len(text) > TEXT_LIMIT:
        return f"must have 1 to {TEXT_LIMIT} characters"
    unknown = set(_PLACEHOLDER.findall(text)) - set(PLACEHOLDERS)
    known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
    return f"{{{min(unknown)}}} has no meaning here; there are {known}" if unknown else None
