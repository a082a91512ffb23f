"""Words in Slack's markup, and what they are in plain words.

https://docs.slack.dev/messaging/formatting-message-text
https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

# What a customer reads in place of a colleague, who is a mere id here.
COLLEAGUE, GROUP, CHANNEL = "@colleague", "@group", "#channel"
_Part = Mapping[str, Any]
_MARKUP = re.compile(r"<([^<>]+)>")
_CONTROLS = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_CONTROL = re.compile("[&<>]")
_ESCAPED = re.compile("&(amp|lt|gt);")
_PLAIN = {"amp": "&", "lt": "<", "gt": ">"}


def escaped(text: str) -> str:
    """Returns plain words as Slack's markup: nothing in them is a mention or a link."""
    return _CONTROL.sub(lambda found: _CONTROLS[found[0]], text)


def plain(markup: str, ours: str | None = None) -> str:
    """Returns Slack's markup in plain words. A mention of the user `ours` is left out."""
    words = _MARKUP.sub(lambda found: _reference(found[1], ours), markup)
    return _ESCAPED.sub(lambda found: _PLAIN[found[1]], words)


def words_of(message: Mapping[str, Any], ours: str | None = None) -> str:
    """Returns what a message says in plain words.

    Its rich text is read where it has some: its `text` names emoji by codes, and does not tell
    marks from the signs that somebody typed.
    """
    blocks = message.get("blocks")
    rich = _rich(blocks, ours) if isinstance(blocks, list) and blocks else None
    text = message.get("text")
    words = plain(text, ours) if rich is None and isinstance(text, str) else rich or ""
    return words.strip()


def _reference(inside: str, ours: str | None) -> str:
    """Returns what stands between `<` and `>` in words."""
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return "" if target[1:] == ours else f"@{label}" if label else COLLEAGUE
    if target.startswith("#"):
        return f"#{label}" if label else CHANNEL
    if target.startswith("!subteam"):
        return label or GROUP
    if target.startswith("!date"):
        return label
    if target.startswith("!"):
        return f"@{target[1:]}"
    return _link(target, label)


def _link(url: str, label: str) -> str:
    shown = url.removeprefix("mailto:").removeprefix("tel:")
    if not label or label in (shown, re.sub("^https?://", "", shown)):
        return shown
    return f"{label} ({shown})"


def _rich(blocks: Sequence[Any], ours: str | None) -> str | None:
    """Returns the words of rich text, None if a part of it is not known."""
    try:
        return "\n".join(_block(block, ours) for block in blocks)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _block(block: _Part, ours: str | None) -> str:
    if block["type"] != "rich_text":
        raise ValueError("not rich text")
    parts = (_SECTIONS[part["type"]](part, ours) for part in block["elements"])
    return "\n".join(part.removesuffix("\n") for part in parts)


def _section(part: _Part, ours: str | None) -> str:
    return "".join(_INLINE[one["type"]](one, ours) for one in part["elements"])


def _listed(part: _Part, ours: str | None) -> str:
    indent, first = "  " * int(part.get("indent", 0)), int(part.get("offset", 0)) + 1
    is_numbered = part.get("style") == "ordered"
    items = enumerate((_section(one, ours) for one in part["elements"]), first)
    return "\n".join(f"{indent}{f'{n}.' if is_numbered else '•'} {item}" for n, item in items)


def _quoted(part: _Part, ours: str | None) -> str:
    return "\n".join(f"> {line}" for line in _section(part, ours).split("\n"))


def _emoji(one: _Part, ours: str | None) -> str:
    """Returns the emoji itself. A workspace's own picture has no code point, only its name."""
    code = one.get("unicode")
    if not isinstance(code, str):
        return f":{one['name']}:"
    emoji = "".join(chr(int(point, 16)) for point in code.split("-"))
    emoji.encode()  # raises ValueError for what is no character
    return emoji


def _user(one: _Part, ours: str | None) -> str:
    return "" if one["user_id"] == ours else COLLEAGUE


_Reader = Callable[[_Part, str | None], str]
_SECTIONS: Mapping[str, _Reader] = {
    "rich_text_section": _section,
    "rich_text_list": _listed,
    "rich_text_quote": _quoted,
    "rich_text_preformatted": _section,
}
_INLINE: Mapping[str, _Reader] = {
    "text": lambda one, _: str(one["text"]),
    "link": lambda one, _: _link(str(one["url"]), str(one.get("text") or "")),
    "emoji": _emoji,
    "user": _user,
    "usergroup": lambda one, _: GROUP,
    "channel": lambda one, _: CHANNEL,
    "broadcast": lambda one, _: f"@{one['range']}",
    "color": lambda one, _: str(one["value"]),
    "date": lambda one, _: str(one.get("fallback") or one["timestamp"]),
}


def without_lines(text: str, lines: Iterable[str]) -> str:
    """Returns a text without the lines that are exactly one of `lines`."""
    known = set(lines)
    return "\n".join(line for line in text.split("\n") if line not in known)
