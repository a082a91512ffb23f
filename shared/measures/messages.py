"""What the reports count of messages: who wrote, of what kind, and how long.

An ordinary message makes no write of its own for this. It is added to `uncounted` of its
conversation, in the commit of its event. All that is there is counted with the next measure of
another kind, when it has become too much, or by a timer within an hour.

A key of `uncounted` has the quarter of an hour since 1970 and the fields of a Message, on a line
each. The oldest is the first.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from shared.schemas.content import Content
from shared.schemas.events import FromUser
from shared.schemas.measures import MESSAGES, Measure, Name

# Characters with which the classes of length begin. A bin of `bins` begins with each.
LENGTHS = (1, 21, 81, 160, 500)
MOST_ROWS = 12  # of `uncounted`
TEXT, OTHER = "text", "other"
SECONDS = 900  # of a quarter of an hour
PARTS = 7  # of a key
_OF_EVENTS = {
    "suggestion_response": "suggestion",
    "survey_response": "survey",
    "authentication_response": "authentication",
    "reaction": "reaction",
    "call_permission": "call permission",
}
_OF_DETAILS = {
    "choice": "suggestion",
    "location": "location",
    "contacts": "contact",
    "order": "order",
    "form": "form",
    "other": OTHER,
}


def by_customer(event: FromUser) -> tuple[str, int | None]:
    """Returns kind and length class of what a customer did."""
    kind = _kind_by_customer(event)
    return kind, _length_class(event.said) if kind == TEXT else None


def by_representative(content: Content) -> tuple[str, int | None]:
    """Returns kind and length class of what a bot or a human said."""
    text = content.text
    if text is not None:
        return TEXT, _length_class(text)
    if content.file is not None:
        return content.file.kind_known, None
    if content.template is not None:
        return "template", None
    return "card" if content.image is None else "image", None


def _length_class(text: str | None) -> int | None:
    """Returns the characters with which the class of a text's length begins, None for no text."""
    return LENGTHS[bisect_right(LENGTHS, len(text)) - 1] if text else None


def _kind_by_customer(event: FromUser) -> str:
    of_event = _OF_EVENTS.get(event.kind)
    if of_event is not None:
        return of_event
    details = event.details
    if details is None:
        return TEXT if event.said else OTHER
    if details.attachments:
        return details.attachments[0].kind or "file"
    beside = (kind for field, kind in _OF_DETAILS.items() if getattr(details, field))
    return next(beside, TEXT if event.said else OTHER)


class Message(NamedTuple):
    """A message: `name` says who wrote it, `of` is its kind, `size` its length class."""

    name: Name
    of: str
    size: int | None
    channel: str
    desk: str
    agent: str = ""


def with_messages(
    known: Mapping[str, Any], messages: Iterable[Message], now: datetime
) -> dict[str, Any]:
    """Returns `known` with these messages of now."""
    quarter, more = int(now.timestamp()) // SECONDS, dict(known)
    for name, of, size, channel, desk, agent in messages:
        key = f"{quarter}\n{name}\n{of}\n{size or ''}\n{channel}\n{desk}\n{agent}"
        more[key] = more.get(key, 0) + 1
    return more


def together(one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the messages of two conversations, the oldest first."""
    both = {key: one[key] + two[key] for key in one.keys() & two.keys() if "\n" in key}
    return dict(sorted({**two, **one, **both}.items()))


def measures_of(uncounted: Mapping[str, Any]) -> tuple[Measure, ...]:
    """Returns the measures of messages that are not counted yet, without those of a newer
    version.
    """
    found = []
    for key, number in uncounted.items():
        parts = key.split("\n", 6)
        if len(parts) == PARTS and parts[1] in MESSAGES:
            quarter, name, of, size, channel, desk, agent = parts
            at = datetime.fromtimestamp(int(quarter) * SECONDS, UTC)
            found.append(
                Measure(
                    name=Name(name),
                    at=at,
                    channel=channel,
                    desk=desk,
                    agent=agent,
                    of=of,
                    size=int(size) if size else None,
                    number=number,
                )
            )
    return tuple(found)
