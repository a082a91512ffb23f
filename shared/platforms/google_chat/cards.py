"""What Google Chat shows of a handoff: the message from which its thread starts, and the customer's
words below it.

Texts have Google Chat's marks, cards have a few tags of HTML.
https://developers.google.com/workspace/chat/format-messages
https://developers.google.com/workspace/chat/api/reference/rest/v1/cards
"""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import pydantic_core

from shared.platforms.desk import Spoken, Words
from shared.platforms.threads import (
    LABELS,
    Act,
    Request,
    acts_for,
    customer_of,
    line_of,
    standing_of,
)
from shared.schemas.texts import shortened, split_text

Json = dict[str, Any]
# Google Chat allows 32,000 bytes to a message and its cards, and a code point has up to four bytes.
LONGEST_TEXT = 7_000
LARGEST_CARD = 24_000
LONGEST_LINE = 1_000
SHOWN_LINES = 1
DELETED, ERASED, OVER = "[deleted]", "[erased]", "This conversation is over."
EDITED = "_(edited)_"
# `<users/all>` would call everybody in the space, `<https://a|b>` is a link that looks like b
_REFERENCE = re.compile(r"<(?=users/|customEmojis/|[^<>\s]*[:|])")
_UNREAD = "<\u2060"  # a word joiner, which is not seen


def plain(text: str) -> str:
    """Returns somebody's words so that nothing in them is a mention or a hidden link. Marks like
    `*bold*` are left: people at Google Chat and customers mean the same by them.
    """
    return _REFERENCE.sub(_UNREAD, text)


def request_message(request: Request, said: Sequence[Spoken], page: str | None) -> Json:
    """Returns the message from which a thread starts. Its card never changes; its text and its
    buttons change with who has the customer.
    """
    card = _card(request, page)
    sections = [*_sections(request, page), *_earlier(said, LARGEST_CARD - _size(card))]
    return {
        **standing_message((), request.customer),
        "cardsV2": [{"cardId": "request", "card": {**card, "sections": sections}}],
    }


def standing_message(people: Sequence[str], customer: str | None = None) -> Json:
    """Returns the text and the buttons of that message, by who has the customer."""
    asked = f"*{plain(customer)}* needs a person." if customer else None
    return {
        "text": asked or plain(standing_of(people)),
        "accessoryWidgets": [_buttons(acts_for(people))],
    }


def over_message() -> Json:
    return {"text": OVER, "accessoryWidgets": []}


def erased_message() -> Json:
    return {"text": ERASED, "cardsV2": [], "accessoryWidgets": []}


def said_messages(words: Words) -> list[Json]:
    """Returns what the customer said or did in as many messages as it needs. Google Chat shows a
    picture from its link; the words name the links to all files.
    """
    texts = split_text(f"*{plain(customer_of(words.name))}:* {plain(words.text)}", LONGEST_TEXT)
    messages: list[Json] = [{"text": text} for text in texts]
    pictures = [
        {"image": {"imageUrl": link, "altText": file.caption or file.file_name or "picture"}}
        for file, link in zip(words.details.attachments, words.links, strict=False)
        if file.kind in ("image", "sticker") and link.startswith("https://")
    ]
    if pictures:
        card: Json = {"sections": [{"widgets": pictures}]}
        messages[-1]["cardsV2"] = [{"cardId": "pictures", "card": card}]
    return messages


def edited_text(words: Words) -> str:
    """Returns the new words of an earlier message."""
    text = f"*{plain(customer_of(words.name))}:* {plain(words.said or words.text)}"
    return f"{shortened(text, LONGEST_TEXT)} {EDITED}"


def deleted_text(words: Words) -> str:
    return f"*{plain(customer_of(words.name))}:* {DELETED}"


def _card(request: Request, page: str | None) -> Json:
    return {"header": {"title": request.customer}, "sections": _sections(request, page)}


def _sections(request: Request, page: str | None) -> list[Json]:
    facts = [*request.facts.items()]
    facts += [("Last words", request.last_words)] if request.last_words else []
    widgets: list[Json] = [
        {"decoratedText": {"topLabel": name, "text": _html(value), "wrapText": True}}
        for name, value in facts
    ]
    if page:
        button = {"text": "Open the desk", "onClick": {"openLink": {"url": page}}}
        widgets.append({"buttonList": {"buttons": [button]}})
    return [{"widgets": widgets}] if widgets else []


def _earlier(said: Sequence[Spoken], budget: int) -> list[Json]:
    """Returns the section of what was said before, as far back as there is room for."""
    lines: list[str] = []
    for one in reversed(said):
        line = _html(shortened(line_of(one), LONGEST_LINE))
        budget -= _size(line) + len("<br>")
        if budget < 0:
            break
        lines.append(line)
    if not lines:
        return []
    return [
        {
            "header": "What was said before",
            "collapsible": True,
            "uncollapsibleWidgetsCount": SHOWN_LINES,
            "widgets": [{"textParagraph": {"text": part}} for part in _newest_apart(lines) if part],
        }
    ]


def _newest_apart(lines: Sequence[str]) -> Iterable[str]:
    """Returns the last words, which are shown, and all of it, which is shown once it is opened."""
    return lines[0], "<br>".join(reversed(lines[1:]))


def _buttons(acts: Iterable[Act]) -> Json:
    buttons = [
        {"text": LABELS[act], "onClick": {"action": {"function": act.value}}} for act in acts
    ]
    return {"buttonList": {"buttons": buttons}}


def _html(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>")


def _size(value: object) -> int:
    """Returns how many bytes it has as JSON."""
    return len(pydantic_core.to_json(value))
