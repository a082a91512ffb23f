"""Converts Business Messages' rich text, a subset of Markdown, to the marks of other channels.

https://developers.google.com/business-communications/business-messages/guides/how-to/message/send#rich_text
https://faq.whatsapp.com/539178204879377 (WhatsApp's marks)

Only inline marks are converted: bold, italic, strikethrough, code and links. Other text is left
unchanged.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from shared.schemas.content import CardContent, Content, RichCard

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

Marks = Mapping[str, str]
PLAIN: Marks = {}
WHATSAPP: Marks = {"strong": "*", "em": "_", "s": "~", "code": "```"}

_FENCED = re.compile(r"(```[^\n`]*\n.*?\n```)", re.DOTALL)
_FENCE = re.compile(r"```[^\n`]*\n(.*?)\n```", re.DOTALL)
_OPEN, _CLOSE = "\ue000", "\ue001"  # placeholders before a mark, until its surroundings are known
_PRIVATE = re.compile(f"[{_OPEN}{_CLOSE}]")


def with_marks(content: Content, marks: Marks) -> Content:
    """Returns the message with its rich text in a channel's own marks, or as plain text if it
    has none.
    """
    if not content.contains_rich_text:
        return content
    card = _card_with_marks(content.rich_card, marks) if content.rich_card else None
    text = None if content.text is None else translated(content.text, marks)
    return content.model_copy(update={"text": text, "rich_card": card, "contains_rich_text": None})


def translated(text: str, marks: Marks) -> str:
    """Returns Markdown in these marks.

    Marks that the channel cannot show between letters are left out.
    """
    parts = _FENCED.split(_PRIVATE.sub("", text))
    done = "".join(
        _fenced(part, marks) if _FENCE.fullmatch(part) else _inline(part, marks) for part in parts
    )
    return done if done.strip() else text


def _card_with_marks(card: RichCard, marks: Marks) -> RichCard:
    def one(content: CardContent) -> CardContent:
        words = {"title": content.title, "description": content.description}
        return content.model_copy(
            update={name: value and translated(value, marks) for name, value in words.items()}
        )

    if card.standalone_card is not None:
        standing = card.standalone_card
        return card.model_copy(
            update={
                "standalone_card": standing.model_copy(
                    update={"card_content": one(standing.card_content)}
                )
            }
        )
    if card.carousel_card is None:
        return card
    contents = tuple(map(one, card.carousel_card.card_contents))
    return card.model_copy(
        update={"carousel_card": card.carousel_card.model_copy(update={"card_contents": contents})}
    )


def _fenced(part: str, marks: Marks) -> str:
    found = _FENCE.fullmatch(part)
    inner = found[1] if found else part
    return f"{marks['code']}{inner}{marks['code']}" if "code" in marks else inner


@cache
def _parser() -> "MarkdownIt":
    """Returns the parser.

    It is imported at the first rich text only, because that takes 70 ms of a cold start.
    """
    from markdown_it import MarkdownIt

    rules = ["emphasis", "strikethrough", "link", "image", "autolink", "backticks", "escape"]
    parser = MarkdownIt("zero").enable(rules)
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]  # keeps the URL as it was written
    return parser


def _inline(part: str, marks: Marks) -> str:
    tokens = [token for block in _parser().parseInline(part) for token in block.children or ()]
    return _settled("".join(_pieces(tokens, marks)))


def _pieces(tokens: "list[Token]", marks: Marks) -> Iterator[str]:
    links: list[tuple[str, list[str]]] = []
    for token in tokens:
        kind, _, end = token.type.rpartition("_")
        piece = token.content
        if token.type == "link_open":
            links.append((str(token.attrs["href"]), []))
            continue
        if token.type == "link_close":
            address, words = links.pop()
            piece = _link("".join(words), address)
        elif token.type == "image":
            piece = _link(token.content, str(token.attrs["src"]))
        elif token.type == "code_inline" and "code" in marks:
            piece = f"{marks['code']}{token.content}{marks['code']}"
        elif token.type in ("softbreak", "hardbreak"):
            piece = "\n"
        elif end in ("open", "close") and kind in marks:
            piece = (_OPEN if end == "open" else _CLOSE) + marks[kind]
        if links:
            links[-1][1].append(piece)
        else:
            yield piece


def _link(words: str, address: str) -> str:
    shown = words.strip()
    if not shown or shown in (address, address.partition("://")[2], address.partition(":")[2]):
        return address
    return f"{words} ({address})"


def _settled(text: str) -> str:
    """Returns the text with its pairs of marks.

    A pair is left out if the channel would show the marks themselves: between letters, and around
    several lines.
    """
    opened: list[int] = []
    pairs: dict[int, int] = {}
    for place, one in enumerate(text):
        if one == _OPEN:
            opened.append(place)
        elif one == _CLOSE and opened:
            pairs[opened.pop()] = place
    dropped = {place for pair in pairs.items() if not _can_stand(text, *pair) for place in pair}
    kept = (
        "" if one in (_OPEN, _CLOSE) or (place - 1) in dropped else one
        for place, one in enumerate(text)
    )
    return "".join(kept)


def _can_stand(text: str, begin: int, end: int) -> bool:
    before, after = text[:begin], text[end + 2 :]
    while len(before) >= 2 and before[-2] in (_OPEN, _CLOSE):
        before = before[:-2]
    while after[:1] in (_OPEN, _CLOSE) and after:
        after = after[2:]
    return not (before[-1:].isalnum() or after[:1].isalnum() or "\n" in text[begin:end])
