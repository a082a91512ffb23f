"""What the reports count of messages: who wrote, of what kind, and how long.

An ordinary message makes no write of its own for this. It is added to `uncounted` of its
conversation, in the commit of its event. All that is there is counted with the next measure of
another kind, when it has become too much, or when it is an hour old.
"""

from datetime import datetime

from shared.measures.counts import QUARTER, quarter_of
from shared.schemas.content import Content
from shared.schemas.conversation import COUNTED_WITHIN
from shared.schemas.events import FromUser
from shared.schemas.measures import Measure

# Characters with which the classes of length begin. A bin of `bins` begins with each.
LENGTHS = (1, 21, 81, 160, 500)
MOST_ROWS = 12  # of `uncounted`
TEXT, OTHER = "text", "other"
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
    if content.text is not None:
        return TEXT, _length_class(content.text)
    if content.file is not None:
        return content.file.kind_known, None
    if content.template is not None:
        return "template", None
    return "card" if content.image is None else "image", None


def _length_class(text: str | None) -> int | None:
    """Returns the characters with which the class of a text's length begins, None for no text."""
    length = len(text or "")
    return next((least for least in reversed(LENGTHS) if length >= least), None)


def _kind_by_customer(event: FromUser) -> str:
    kind = _OF_EVENTS.get(event.kind)
    if kind is not None:
        return kind
    details = event.details
    if details is None:
        return TEXT if event.said else OTHER
    if details.attachments:
        return details.attachments[0].kind or "file"
    beside = (kind for field, kind in _OF_DETAILS.items() if getattr(details, field))
    return next(beside, TEXT if event.said else OTHER)


def with_message(known: tuple[Measure, ...], one: Measure) -> tuple[Measure, ...]:
    """Returns `known` with one message more."""
    for place, row in enumerate(known):
        if row.at <= one.at < row.at + QUARTER and _is_alike(row, one):
            more = row.model_copy(update={"number": row.number + one.number})
            return (*known[:place], more, *known[place + 1 :])
    return (*known, one.model_copy(update={"at": quarter_of(one.at)}))


def _is_alike(row: Measure, one: Measure) -> bool:
    return (
        row.name is one.name
        and row.of == one.of
        and row.size == one.size
        and row.agent == one.agent
        and row.desk == one.desk
        and row.channel == one.channel
    )


def must_be_counted(uncounted: tuple[Measure, ...], now: datetime) -> bool:
    """Returns whether these messages must be counted now, also without another measure."""
    is_full = len(uncounted) > MOST_ROWS
    return is_full or any(row.at + COUNTED_WITHIN <= now for row in uncounted)
