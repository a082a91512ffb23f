"""What a redacted transcript hides: how to reach the customer, values that agents may not see, and
whose transcript it is. Pure.

In doubt it masks: every number that may be a telephone number counts as one. README lists what
stays.
"""

import hashlib
import hmac
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from infra.export.plain_text import CURRENCY, INVISIBLE, Words, occurrences, plain, words
from infra.export.transcripts import Line
from shared.handoff.effects.variables import CAPTURED_LIMIT
from shared.handoff.visibility import KEPT_KEYS, words_to_mask
from shared.platforms.map_links import MAP_LINK, NOWHERE
from shared.schemas.conversation import Conversation
from shared.schemas.journal import JournalEntry
from shared.schemas.notation import platform_of
from shared.schemas.texts import shortened
from shared.schemas.variables import Audience

SHORTEST_HIDDEN = 3  # characters; the mask of a shorter value would hide half of a text
HIDDEN = "[hidden]"
Span = tuple[int, int, str]  # start, end, replacement

_OF_LOCAL = r"""[^ @"(),:;<>\[\]\\/。]"""
_OF_DOMAIN = r"""[^ @"(),:;<>\[\]\\/。?!*'&=#.]"""
_LOCAL = rf"""(?:"(?:\\.|[^"\\]){{1,256}}"|(?<!{_OF_LOCAL}){_OF_LOCAL}+)"""
_DOTTED = rf"{_OF_DOMAIN}+(?:\.+{_OF_DOMAIN}+)+"
_AT = r"(?:@|%(?:25)*40|&#64;|&#x40;|&commat;)"
_MAIL = re.compile(
    rf"{_LOCAL}(?:{_AT}(?:{_DOTTED}|{_OF_DOMAIN}+|\[[^\] ]+\])| {{0,8}}@ {{0,8}}{_DOTTED})"
)

_ENCODED = r"%[0-9a-f]{2}|<[^<>\d]{0,40}>|&(?:[a-z]{1,8}|#160|#xa0);|\\[nrt]"
_SIGN = rf"(?![{CURRENCY}%,:;!?])[\W_]|[,:;!?](?=\d)"
_GAP = rf"(?:{_ENCODED}|{_SIGN}){{0,8}}+"
_EXTENSION = rf"{_GAP}(?:x|ext|extn|extension|#)\.?{_GAP}\d{{1,6}}"
_PHONE = re.compile(
    rf"(?:\((?=\+?\d{{1,6}}\)))?\+?\d(?:{_GAP}\d){{6,}}(?:{_EXTENSION})?{INVISIBLE}*"
)

_DAY, _MONTH, _YEAR = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])", "(?:19|20)[0-9]{2}"
_DATE = "|".join(
    f"{_YEAR}{s}{_MONTH}{s}{_DAY}|{_DAY}{s}{_DAY}{s}{_YEAR}" for s in (r"\.", "-", "/")
)
_MOMENT = rf"(?:{_DATE}|(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)"
_MOMENTS = re.compile(rf"{_MOMENT}(?:(?:{_ENCODED}|[^\w:]|_){{1,8}}+{_MOMENT})*")

_LINK = re.compile(r"https?://[^ ?#]*([?#][^ ]*)?")
_FILE = re.compile(r"^\[(image|audio|video|document|sticker|file)\] .+", re.MULTILINE | re.DOTALL)
_CONTACT = "[contact]\n"


@dataclass(frozen=True, slots=True)
class _Value:
    """A hidden value, as it is written and as its letters and digits alone."""

    literal: str
    words: str

    @classmethod
    def of(cls, text: str) -> "_Value":
        return cls(plain(text).strip(), words(text).text)

    def places(self, literal: str, spaced: Words, squeezed: Words) -> Iterator[tuple[int, int]]:
        """Yields the places where it occurs. The division into words makes no difference."""
        if len(self.literal) >= SHORTEST_HIDDEN:
            yield from ((at, at + len(self.literal)) for at in occurrences(literal, self.literal))
        letters = self.words.replace(" ", "")
        if len(letters) >= SHORTEST_HIDDEN:
            yield from (spaced if letters == self.words else squeezed).places(letters)


class Mask:
    """Masks one conversation: addresses, numbers, and values of keys that agents may not see."""

    def __init__(self, family: Iterable[Conversation] = ()) -> None:
        """`family` is the conversation and those that are linked with it. Their variables are
        masked.
        """
        found = (
            one.value for known in family for one in known.variables if _is_hidden(one.audiences)
        )
        self._values = {_Value.of(leaf) for value in found for leaf in _leaves(value)}
        self._captured: deque[_Value] = deque(maxlen=KEPT_KEYS)

    def learn(self, entry: JournalEntry) -> None:
        """Adds what the customer wrote as the value of a variable: the variable may have another
        value by now.
        """
        said = _Value.of(shortened(words_to_mask(entry) or "", CAPTURED_LIMIT, mark=""))
        if _is_hidden(entry.captured_for) and said not in self._captured:
            self._captured.append(said)

    def line(self, line: Line) -> Line:
        if _is_hidden(line.captured_for):
            return replace(line, text=HIDDEN, reason=self.text(line.reason), files=())
        said = line.text and _without_attachment(line.text, of_customer=line.role == "user")
        return replace(
            line,
            text=self.text(said, of_customer=line.role == "user"),
            reason=self.text(line.reason),
            files=(),
        )

    def text(self, text: str | None, *, of_customer: bool = False) -> str | None:
        """Returns the text with all masks. A link of the customer's points to a file of theirs, so
        it is masked whole.
        """
        if text is None:
            return None
        form = plain(text)
        links = (found.span(0 if of_customer else 1) for found in _LINK.finditer(form))
        mails = (found.span() for found in _MAIL.finditer(form))
        phones = (
            found.span() for found in _PHONE.finditer(form) if not _MOMENTS.fullmatch(found[0])
        )
        kinds = (
            (self._hidden(text, form), HIDDEN),
            (links, "[link]"),
            (mails, "[e-mail]"),
            (phones, "[phone]"),
        )
        return _replaced(
            text, [(*span, label) for spans, label in kinds for span in spans if span[0] < span[1]]
        )

    def _hidden(self, text: str, form: str) -> Iterator[tuple[int, int]]:
        values = (*self._values, *self._captured)
        if values:
            spaced = words(text)
            squeezed = spaced.squeezed()
            yield from (span for value in values for span in value.places(form, spaced, squeezed))


def pseudonym(conversation: str, salt: str) -> str:
    """Returns the pseudonym of a conversation id: the same for the same `salt`. Without the salt
    the id cannot be found.
    """
    digest = hmac.new(salt.encode(), conversation.encode(), hashlib.sha256).hexdigest()
    return f"{platform_of(conversation)}:p-{digest[:32]}"


def _is_hidden(audiences: Sequence[Audience] | None) -> bool:
    """Returns whether a value is hidden from agents: it is hidden from readers of the transcript
    too.
    """
    return audiences is not None and Audience.AGENT not in audiences


def _without_attachment(text: str, *, of_customer: bool) -> str:
    """Returns the words without those that stand for a place, a contact or a file's name; a caption
    stays.
    """
    if of_customer and (MAP_LINK in text or NOWHERE in text.splitlines()):
        return NOWHERE
    return "[contact]" if text.startswith(_CONTACT) else _FILE.sub(r"[\1]", text)


def _replaced(text: str, spans: list[Span]) -> str:
    """Returns the text with labels in place of the spans. Spans that overlap get the label of the
    first one.
    """
    parts, at = [], 0
    for start, end, label in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= at:
            parts += [text[at:start], label]
        at = max(at, end)
    return "".join([*parts, text[at:]])


def _leaves(value: JsonValue) -> Iterator[str]:
    """Yields the words and numbers of a value. True, false and null are no information."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    elif isinstance(value, float) and value.is_integer():
        yield str(int(value))
    elif value is not None and not isinstance(value, bool):
        yield str(value)
