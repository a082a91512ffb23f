"""What Baton itself says to a customer, in the customer's language. The words are in
notices.json.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from shared.schemas.languages import language_of, read
from shared.schemas.names import shown
from shared.values import frozen

Templates = Mapping[str, Mapping[str, str]]
ENGLISH, LONGEST, LONGEST_NAME = "en", 500, 80
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


class Notice(StrEnum):
    """`prefix` stands before a human's words where the channel does not show who speaks;
    `somebody` has no name.
    """

    WAITING = "waiting"
    NOBODY = "nobody"
    RETURNED = "returned"
    RESUMED = "resumed"  # no human has come, and the desk's own assistant is gone
    APOLOGY = "apology"
    JOINED = "joined"
    LEFT = "left"
    PASSED_ON = "passed_on"  # a human has left, and the customer waits for a colleague
    BACK = "back"  # the last human has left, and an automated assistant speaks
    PREFIX = "prefix"
    SOMEBODY = "somebody"
    CLOSED = "closed"  # the desk is closed, and the handoff has failed
    CLOSED_WAITING = "closed_waiting"  # the desk is closed, and the customer waits
    OPENS = "opens"  # how a moment is said
    WEEKDAYS = "weekdays"  # from Monday on, with commas between
    FILE = "file"  # stands before a link to a file that the channel cannot show
    PLACE = "place"
    PLACE_NEXT = "place_next"
    PLACE_FAR = "place_far"
    PLACE_UNKNOWN = "place_unknown"  # the line is longer than what was counted
    PLACE_ASKED = "place_asked"  # what a customer says who wants to know it, with | between
    BACK_ASKED = "back_asked"  # what a customer says who wants to leave the humans, with | between
    SURVEY = "survey"  # asks for a digit from 1 to 5
    SURVEY_THANKS = "survey_thanks"


_NAME = frozenset({"{name}"})
_MAY_HOLD: Mapping[str, frozenset[str]] = {
    **dict.fromkeys((Notice.JOINED, Notice.LEFT, Notice.BACK, Notice.PREFIX), _NAME),
    **dict.fromkeys((Notice.CLOSED, Notice.CLOSED_WAITING), frozenset({"{opens}"})),
    Notice.OPENS: frozenset({"{weekday}", "{date}", "{time}", "{zone}"}),
    Notice.FILE: frozenset({"{file}"}),
    **dict.fromkeys((Notice.PLACE, Notice.PLACE_FAR), frozenset({"{ahead}"})),
}


def _built_in() -> Templates:
    read: Templates = json.loads(Path(__file__).with_name("notices.json").read_text("utf-8"))
    return read


BUILT_IN = _built_in()


@frozen
class Notices:
    """`templates` by language and notice; what a language lacks is said in `language`, and else
    in English.
    """

    templates: Templates
    language: str = ENGLISH

    def text(self, notice: Notice, locale: str | None, name: str = "", **values: object) -> str:
        """Returns the words for a customer of this locale, with the name of whom they are about
        and other values.
        """
        who = shown(name, LONGEST_NAME) or self._template(Notice.SOMEBODY, locale)
        known = {"name": who, **values}
        return _PLACEHOLDER.sub(
            lambda found: str(known.get(found[0][1:-1], found[0])), self._template(notice, locale)
        )

    def moment(self, moment: datetime, locale: str | None) -> str:
        """Returns a moment in words, in its own time zone; 2026-03-02 is the same date to all
        readers.
        """
        weekday = self.text(Notice.WEEKDAYS, locale).split(",")[moment.weekday()].strip()
        date, time, zone = moment.date().isoformat(), f"{moment:%H:%M}", str(moment.tzinfo)
        return self.text(Notice.OPENS, locale, weekday=weekday, date=date, time=time, zone=zone)

    def asks_place(self, text: str, locale: str | None) -> bool:
        """Returns whether these words ask how long the line is."""
        return self._is_one_of(Notice.PLACE_ASKED, text, locale)

    def asks_back(self, text: str, locale: str | None) -> bool:
        """Returns whether these words ask for the assistant in place of a human."""
        return self._is_one_of(Notice.BACK_ASKED, text, locale)

    def _is_one_of(self, notice: Notice, text: str, locale: str | None) -> bool:
        """Returns whether the whole text is one of these phrases: in the customer's language, the
        operator's, English.
        """
        asked = {self._template(notice, one) for one in (locale, self.language, ENGLISH)}
        return _bare(text) in {_bare(phrase) for phrases in asked for phrase in phrases.split("|")}

    def _template(self, notice: Notice, locale: str | None) -> str:
        reader = read(locale)
        languages = (reader.language, reader.akin, self.language, ENGLISH)
        known = (self.templates.get(one, {}).get(notice) for one in languages)
        return next(template for template in known if template)


def notices(overrides: Templates, language: str = ENGLISH) -> Notices:
    """Returns Baton's own words with an operator's in their place. Raises ValueError, which
    names what is wrong.
    """
    merged = {language: dict(words) for language, words in BUILT_IN.items()}
    for code, words in checked(overrides).items():
        merged.setdefault(language_of(code), {}).update(words)
    if language_of(language) not in merged:
        raise ValueError(f"{language}: there are words in {', '.join(sorted(merged))} only")
    return Notices(merged, language_of(language))


def checked(overrides: Templates) -> Templates:
    """Returns them. Raises ValueError, naming language and notice, for a template that could
    not be said.
    """
    for language, templates in overrides.items():
        if not re.fullmatch(r"[a-z]{2,3}", language):
            raise ValueError(f"{language}: give a language like en or pt, in lower case")
        for notice, template in templates.items():
            fault = _fault(notice, template)
            if fault:
                raise ValueError(f"{language}.{notice}: {fault}")
    return overrides


def _fault(notice: str, template: str) -> str | None:
    if notice not in set(Notice):
        return f"no such notice; there are {', '.join(Notice)}"
    if not template.strip() or len(template) > LONGEST:
        return f"must have 1 to {LONGEST} characters"
    unknown = set(_PLACEHOLDER.findall(template)) - _MAY_HOLD.get(notice, frozenset())
    if unknown:
        return f"the placeholder {min(unknown)} has no meaning here"
    if notice == Notice.WEEKDAYS and template.count(",") != 6:
        return "must hold seven days, from Monday on, with commas between"
    if template.count("{name}") > 1:
        return "may hold {name} once"
    return "must hold {name}" if notice == Notice.PREFIX and "{name}" not in template else None


def _bare(text: str) -> str:
    return text.casefold().strip().strip("?!.¿¡？！。").strip()
