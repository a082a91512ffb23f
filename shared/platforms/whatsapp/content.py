"""What a representative says, as WhatsApp wants it: suggestions become buttons, a list, or lines of
text.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from shared.platforms.rich_text import WHATSAPP, with_marks
from shared.platforms.suggestions import (
    all_of,
    cards_of,
    left_out,
    lines,
    reply_of,
    without_sign_in,
)
from shared.schemas.base import JsonObject
from shared.schemas.content import CardContent, Content, Suggestion
from shared.schemas.texts import first_piece

PLATFORM = "whatsapp"
TEXT_LIMIT = 4096
BODY_LIMIT = 1024  # of an interactive message, and of a caption
LONG_BODY = 4096  # of a list, by a copy of Meta's page; others' pages say 1024
BUTTONS, BUTTON_TITLE, BUTTON_ID = 3, 20, 256
ROWS, ROW_TITLE, ROW_ID = 10, 24, 200
# What opens the list.
LIST_LABELS: Mapping[str, str] = {
    "en": "Options",
    "es": "Opciones",
    "id": "Pilihan",
    "pt": "Opções",
    "zh": "选项",
}


@dataclass(frozen=True, slots=True)
class _Said:
    """What is to be said in one call. `language` is for what Baton itself must name."""

    words: str
    suggestions: tuple[Suggestion, ...]
    language: str | None
    image: str | None
    long_body: int

    @property
    def label(self) -> str:
        return LIST_LABELS.get(self.language or "en", LIST_LABELS["en"])

    def replies(self) -> list[Suggestion]:
        return [one for one in self.suggestions if reply_of(one, self.language)]

    def lines(self, tapped: Sequence[Suggestion] = ()) -> list[str]:
        """Returns as lines whatever cannot be tapped."""
        return lines((one for one in self.suggestions if one not in tapped), self.language)

    def interactive(
        self, tapped: Sequence[Suggestion], *, shorten: bool = False
    ) -> JsonObject | None:
        """Returns buttons if they fit, else a list if that fits, else None. A refused message
        would be a lost one.
        """
        if not tapped:
            return None
        taps = [tap for one in tapped if (tap := reply_of(one, self.language))]
        pairs = [(tap.postback_data or tap.text, tap.text) for tap in taps]
        most = self.long_body if any(map(_asks, tapped)) and self.image is None else BODY_LIMIT
        whole = "\n".join(filter(None, [self.words, *self.lines(tapped)])) or self.label
        text = _shortened(self.words, self.lines(tapped), most) or self.label if shorten else whole
        action = self._action(pairs, len(text)) if len(text) <= most else None
        return {**action, "body": {"text": text}} if action else None

    def _action(self, pairs: Sequence[tuple[str, str]], length: int) -> JsonObject | None:
        """Only buttons may stand under an image."""
        if length <= BODY_LIMIT and _fit(pairs, BUTTONS, BUTTON_TITLE, BUTTON_ID):
            buttons: list[JsonValue] = [
                {"type": "reply", "reply": {"id": one, "title": title}} for one, title in pairs
            ]
            header: JsonObject = (
                {"header": {"type": "image", "image": {"link": self.image}}} if self.image else {}
            )
            return {"type": "button", "action": {"buttons": buttons}, **header}
        if self.image is None and _fit(pairs, ROWS, ROW_TITLE, ROW_ID):
            rows: list[JsonValue] = [{"id": one, "title": title} for one, title in pairs]
            return {"type": "list", "action": {"button": self.label, "sections": [{"rows": rows}]}}
        return None

    def plain(self) -> JsonObject:
        """Returns it without anything to tap."""
        if self.image is None:
            body = _shortened(self.words, self.lines(), TEXT_LIMIT)
            return {"type": "text", "text": {"preview_url": False, "body": body}}
        caption = _shortened(self.words, self.lines(), BODY_LIMIT)
        return {
            "type": "image",
            "image": {"link": self.image, **({"caption": caption} if caption else {})},
        }


def message_of(content: Content, language: str | None, long_body: int = LONG_BODY) -> JsonObject:
    """Returns `type` and what belongs to it. The suggestion that asks for a person can be tapped
    whatever else is said.
    """
    content = with_marks(without_sign_in(content, PLATFORM), WHATSAPP)
    image = content.image.content_info.file_url if content.image else None
    said = _Said(_words(content), _suggestions(content), language, image, long_body)
    asking = [one for one in said.suggestions if _asks(one)]
    found = (
        said.interactive(said.replies())
        or said.interactive(asking)
        or said.interactive(asking, shorten=True)
    )
    return {"type": "interactive", "interactive": found} if found else said.plain()


def _asks(one: Suggestion) -> bool:
    return one.live_agent_request is not None


def _suggestions(content: Content) -> tuple[Suggestion, ...]:
    """Returns what may be tapped. Where a card's fallback is shown, of its own suggestions only the
    wish for a person stays; of several such wishes the first.
    """
    shown = all_of(content)
    if content.fallback is not None:
        of_cards = shown[: len(shown) - len(content.suggestions)]
        shown = [*filter(_asks, of_cards), *content.suggestions]
    wish = next((place for place, one in enumerate(shown) if _asks(one)), None)
    return tuple(one for place, one in enumerate(shown) if place == wish or not _asks(one))


def _words(content: Content) -> str:
    """Returns the text; of a card, the fallback that its sender gave for such a case, else what
    stands on it.
    """
    if content.image is not None:
        return (content.image.content_info.alt_text or "").strip()
    if content.text is not None:
        return content.text
    return content.fallback or "\n\n".join(map(_card, cards_of(content))) or content.summary


def _card(card: CardContent) -> str:
    media = card.media.content_info.file_url if card.media else None
    return "\n".join(filter(None, [card.title, card.description, media]))


def _shortened(words: str, added: Sequence[str], limit: int) -> str:
    """Returns words and lines. Of what is too long the end goes, at the end of a line if there is
    one, and never in silence.
    """
    whole = "\n".join(filter(None, [words, *added]))
    if len(whole) <= limit:
        return whole
    left_out("a message is longer than the platform takes; its end was left out", PLATFORM)
    cut = whole.rfind("\n", 0, limit - 1)
    if cut < len(words) <= limit - 2:
        return f"{words}\n\u2026"
    if len(words) <= limit and cut < len(words):
        return words
    return first_piece(whole, limit - 2) + "\n\u2026"


def _fit(pairs: Sequence[tuple[str, str]], most: int, title: int, identifier: int) -> bool:
    """Returns whether all are within the limits, without blanks at the ends, and no two are the
    same to WhatsApp.
    """
    lengths = all(len(one) <= identifier and len(label) <= title for one, label in pairs)
    lengths = lengths and all(
        part and part == part.strip() and "\n" not in part for pair in pairs for part in pair
    )
    ids, labels = ({pair[part] for pair in pairs} for part in (0, 1))
    return len(pairs) <= most and lengths and len(ids) == len(labels) == len(pairs)
