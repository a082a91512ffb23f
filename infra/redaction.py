"""What a redacted transcript does not show: how to reach the customer, what is hidden from agents, whose it is. Pure.

Rather too much is masked than too little: what may be a telephone number is taken for one. README says what stays.
"""

import hashlib
import hmac
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pydantic import JsonValue

from infra.plain_text import INVISIBLE, plain
from infra.transcripts import Line
from shared.handoff.variables import CAPTURED_LIMIT
from shared.handoff.visibility import KEPT_KEYS
from shared.platforms.places import MAP_LINK
from shared.schemas.conversation import Conversation
from shared.schemas.ids import platform_of
from shared.schemas.journal import JournalEntry
from shared.schemas.variables import Audience

SHORTEST_HIDDEN = 3  # characters; a shorter value would mask half of what was said
HIDDEN = "[hidden]"
Span = tuple[int, int, str]  # from, to, what stands there instead

_OF_LOCAL = r"""[^ @"(),:;<>\[\]\\/。、]"""
_OF_DOMAIN = r"""[^ @"(),:;<>\[\]\\/。、?!*'&=#.]"""
_LOCAL = rf"""(?:"(?:\\.|[^"\\]){{1,256}}"|(?<!{_OF_LOCAL}){_OF_LOCAL}+)"""
_DOTTED = rf"{_OF_DOMAIN}+(?:\.+{_OF_DOMAIN}+)+"
_MAIL = re.compile(rf"{_LOCAL}(?:@(?:{_DOTTED}|{_OF_DOMAIN}+|\[[^\] ]+\])| ?@ ?{_DOTTED})")

_BETWEEN = rf" \-./\\()\[\]+_*'~|·•{INVISIBLE}"
_GAP = rf"(?:[{_BETWEEN}]|[,:;](?=\d)){{0,8}}"
_EXTENSION = rf"{_GAP}(?:x|ext|extn|extension|#)\.?{_GAP}\d{{1,6}}"
_PHONE = re.compile(rf"(?:\((?=\+?\d{{1,6}}\)))?\+?\d(?:{_GAP}\d){{6,}}(?:{_EXTENSION})?{INVISIBLE}*")

_DAY, _MONTH, _YEAR = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])", "(?:19|20)[0-9]{2}"
_DATE = "|".join(f"{_YEAR}{s}{_MONTH}{s}{_DAY}|{_DAY}{s}{_DAY}{s}{_YEAR}" for s in (r"\.", "-", "/"))
_MOMENT = rf"(?:{_DATE}|(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)"
_MOMENTS = re.compile(rf"{_MOMENT}(?:[ \-/]{{1,8}}{_MOMENT})*")

_LINK = re.compile(r"https?://[^ ?#]*([?#][^ ]*)?")
_FILE = re.compile(r"^\[(image|audio|video|document|sticker|file)\] .+$", re.MULTILINE)
_CONTACT = "[contact]\n"


class Mask:
    """Masks one conversation: addresses, numbers, and what was captured under keys that agents may not see."""

    def __init__(self, family: Iterable[Conversation] = ()) -> None:
        """`family` is the conversation and those that are linked with it, whose variables are known."""
        found = (one.value for known in family for one in known.variables if _is_hidden(one.audiences))
        leaves = (plain(leaf).strip() for value in found for leaf in _leaves(value))
        self._values = {leaf for leaf in leaves if len(leaf) >= SHORTEST_HIDDEN}
        self._captured: deque[str] = deque(maxlen=KEPT_KEYS)

    def learn(self, entry: JournalEntry) -> None:
        """From here on what the customer said there is masked too: its variable may have another value by now."""
        said = plain(entry.text or "").strip()[:CAPTURED_LIMIT]
        if _is_hidden(entry.captured_for) and len(said) >= SHORTEST_HIDDEN and said not in self._captured:
            self._captured.append(said)

    def line(self, line: Line) -> Line:
        if _is_hidden(line.captured_for):
            return replace(line, text=HIDDEN, reason=self.text(line.reason))
        said = line.text and _without_attachment(line.text, of_customer=line.role == "user")
        return replace(line, text=self.text(said, of_customer=line.role == "user"), reason=self.text(line.reason))

    def text(self, text: str | None, *, of_customer: bool = False) -> str | None:
        """Returns what stays of it. A link of the customer's is a file of theirs, so nothing of it does."""
        if text is None:
            return None
        form = plain(text)
        links = (found.span(0 if of_customer else 1) for found in _LINK.finditer(form))
        mails = (found.span() for found in _MAIL.finditer(form))
        phones = (found.span() for found in _PHONE.finditer(form) if not _MOMENTS.fullmatch(found[0]))
        hidden = (span for value in (*self._values, *self._captured) for span in _places(form, value))
        kinds = ((hidden, HIDDEN), (links, "[link]"), (mails, "[e-mail]"), (phones, "[phone]"))
        return _replaced(text, [(*span, label) for spans, label in kinds for span in spans if span[0] < span[1]])


def pseudonym(conversation: str, salt: str) -> str:
    """Returns what stands for a conversation id wherever `salt` is the same; nobody without it can find out whose."""
    digest = hmac.new(salt.encode(), conversation.encode(), hashlib.sha256).hexdigest()
    return f"{platform_of(conversation)}:p-{digest[:32]}"


def _is_hidden(audiences: Sequence[Audience] | None) -> bool:
    """What the agent may not see, a reader of the transcript may not see either."""
    return audiences is not None and Audience.AGENT not in audiences


def _without_attachment(text: str, *, of_customer: bool) -> str:
    """Returns the words without what stands for a place, a contact or a file's name; a caption stays."""
    if of_customer and MAP_LINK in text:
        return "[location]"
    return "[contact]" if text.startswith(_CONTACT) else _FILE.sub(r"[\1]", text)


def _places(text: str, value: str) -> Iterator[tuple[int, int]]:
    start = text.find(value)
    while start >= 0:
        yield start, start + len(value)
        start = text.find(value, start + 1)


def _replaced(text: str, spans: list[Span]) -> str:
    """Returns the text with labels in place of the spans; of those that overlap, the first one's for all of them."""
    parts, at = [], 0
    for start, end, label in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= at:
            parts += [text[at:start], label]
        at = max(at, end)
    return "".join([*parts, text[at:]])


def _leaves(value: JsonValue) -> Iterator[str]:
    """Yields the words and numbers of a value; a truth or a nothing tells nobody anything."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
