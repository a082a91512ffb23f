"""Converts a representative's message to WhatsApp's format: suggestions become buttons, a list, or
lines of text.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages
"""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from shared.platforms.rich_text import WHATSAPP, with_marks
from shared.platforms.suggestions import (
    REQUEST_CONTACT,
    all_of,
    cards_of,
    left_out,
    lines,
    reply_of,
    without_sign_in,
)
from shared.schemas.base import JsonObject
from shared.schemas.content import CardContent, Content, File, Suggestion, Template
from shared.schemas.texts import first_piece
from shared.values import frozen

PLATFORM = "whatsapp"
TEXT_LIMIT = 4096
BODY_LIMIT = 1024  # characters of an interactive message's body and of a caption
LONG_BODY = 4096  # of a list's body, by a copy of Meta's page; other sources say 1024
CAPTIONS = ("image", "video", "document")
BUTTONS, BUTTON_TITLE, BUTTON_ID = 3, 20, 256
ROWS, ROW_TITLE, ROW_ID = 10, 24, 200
# The label of the button that opens the list.
LIST_LABELS: Mapping[str, str] = {
    "en": "Options",
    "es": "Opciones",
    "id": "Pilihan",
    "pt": "Opções",
    "zh": "选项",
}


@frozen
class _Said:
    """The content of one call. `language` selects the labels that Baton adds."""

    words: str
    suggestions: tuple[Suggestion, ...]
    language: str | None
    image: str | None
    long_body: int

    @property
    def label(self) -> str:
        """The label of the button that opens the list."""
        return LIST_LABELS.get(self.language or "en", LIST_LABELS["en"])

    def replies(self) -> list[Suggestion]:
        """Returns the suggestions that can be tapped."""
        return [one for one in self.suggestions if reply_of(one, self.language)]

    def lines(self, tapped: Sequence[Suggestion] = ()) -> list[str]:
        """Returns the suggestions that are not in `tapped`, as lines of text."""
        return lines((one for one in self.suggestions if one not in tapped), self.language)

    def interactive(
        self, tapped: Sequence[Suggestion], *, shorten: bool = False
    ) -> JsonObject | None:
        """Returns buttons if they fit, else a list if that fits, else None: WhatsApp refuses a
        message over its limits.

        With `shorten` the text is cut to the limit.
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
        """Returns buttons or a list, or None if neither fits. Only buttons may have an image."""
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

    def contact(self) -> JsonObject | None:
        """Returns the message with WhatsApp's own button for sharing the number, None where no
        suggestion asks for that. It has no room for other buttons.
        """
        asking = [one for one in self.suggestions if _asks_contact(one)]
        if not asking:
            return None
        others = lines((one for one in self.suggestions if one not in asking), self.language)
        label = reply_of(asking[0], self.language)
        text = _shortened(self.words, others, BODY_LIMIT) or (label.text if label else self.label)
        name = "request_contact_info"
        return {"type": name, "body": {"text": text}, "action": {"name": name}}

    def plain(self) -> JsonObject:
        """Returns the message with all suggestions as text."""
        if self.image is None:
            body = _shortened(self.words, self.lines(), TEXT_LIMIT)
            return {"type": "text", "text": {"preview_url": False, "body": body}}
        caption = _shortened(self.words, self.lines(), BODY_LIMIT)
        return {
            "type": "image",
            "image": {"link": self.image, **({"caption": caption} if caption else {})},
        }


def message_of(
    content: Content,
    language: str | None,
    long_body: int = LONG_BODY,
    *,
    asks_contact: bool = True,
) -> JsonObject:
    """Returns the `type` and its object.

    A liveAgentRequest can be tapped even if the other suggestions do not fit.
    """
    if content.template is not None:
        return template_of(content.template)
    if content.file is not None:
        return file_of(content.file)
    said = _said(content, language, long_body)
    contact = said.contact() if asks_contact else None
    if contact is not None:
        return {"type": "interactive", "interactive": contact}
    asking = [one for one in said.suggestions if _asks(one)]
    found = (
        said.interactive(said.replies())
        or said.interactive(asking)
        or said.interactive(asking, shorten=True)
    )
    return {"type": "interactive", "interactive": found} if found else said.plain()


def template_of(template: Template) -> JsonObject:
    """Returns the `type` and its object. Only the body of the template may have parameters.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview
    """
    values: list[JsonValue] = [{"type": "text", "text": one} for one in template.parameters]
    components: JsonObject = (
        {"components": [{"type": "body", "parameters": values}]} if values else {}
    )
    named: JsonObject = {"name": template.name, "language": {"code": template.language}}
    return {"type": "template", "template": {**named, **components}}


def file_of(file: File) -> JsonObject:
    """Returns the `type` and its object. Recordings and stickers have no caption.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/document-messages
    https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/audio-messages
    """
    kind = "audio" if file.kind_known == "voice" else file.kind_known
    where: JsonObject = {"id": file.native_id} if file.native_id else {"link": file.file_url}
    caption = _shortened(file.alt_text or "", (), BODY_LIMIT) if kind in CAPTIONS else None
    more: JsonObject = {
        "caption": caption or None,
        "filename": file.name if kind == "document" else None,
        "voice": True if file.kind_known == "voice" else None,
    }
    kept: JsonObject = {name: value for name, value in more.items() if value is not None}
    return {"type": kind, kind: {**where, **kept}}


def plain_message_of(content: Content) -> JsonObject:
    """Returns the `type` and its object, with all suggestions as text: groups take no buttons.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/groups-messaging
    """
    if content.template is not None:
        return template_of(content.template)
    if content.file is not None:
        return file_of(content.file)
    return _said(content, None, BODY_LIMIT).plain()


def _said(content: Content, language: str | None, long_body: int) -> _Said:
    content = with_marks(without_sign_in(content, PLATFORM), WHATSAPP)
    image = content.image.content_info.file_url if content.image else None
    return _Said(_words(content), _suggestions(content), language, image, long_body)


def _asks_contact(one: Suggestion) -> bool:
    return one.reply is not None and one.reply.postback_data == REQUEST_CONTACT


def _asks(one: Suggestion) -> bool:
    return one.live_agent_request is not None


def _suggestions(content: Content) -> tuple[Suggestion, ...]:
    """Returns the suggestions that may be tapped.

    If a card is replaced by its fallback, only the liveAgentRequest of its suggestions is kept. Of
    several such requests the first is kept.
    """
    shown = all_of(content)
    if content.fallback is not None:
        of_cards = shown[: len(shown) - len(content.suggestions)]
        shown = [*filter(_asks, of_cards), *content.suggestions]
    wish = next((place for place, one in enumerate(shown) if _asks(one)), None)
    return tuple(one for place, one in enumerate(shown) if place == wish or not _asks(one))


def _words(content: Content) -> str:
    """Returns the text. For a card this is the sender's fallback, else the card's own texts."""
    if content.image is not None:
        return (content.image.content_info.alt_text or "").strip()
    if content.text is not None:
        return content.text
    return content.fallback or "\n\n".join(map(_card, cards_of(content))) or content.summary


def _card(card: CardContent) -> str:
    media = card.media.content_info.file_url if card.media else None
    return "\n".join(filter(None, [card.title, card.description, media]))


def _shortened(words: str, added: Sequence[str], limit: int) -> str:
    """Returns the text with the added lines, cut to `limit` at the end of a line if possible.

    A cut is logged.
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
    """Returns whether all labels and ids are within the limits, have no blanks at their ends,
    and are distinct.
    """
    lengths = all(len(one) <= identifier and len(label) <= title for one, label in pairs)
    lengths = lengths and all(
        part and part == part.strip() and "\n" not in part for pair in pairs for part in pair
    )
    ids, labels = ({pair[part] for pair in pairs} for part in (0, 1))
    return len(pairs) <= most and lengths and len(ids) == len(labels) == len(pairs)
