"""What Baton writes into a desk's room for the people who answer."""

from collections.abc import Iterator, Sequence

import pydantic_core

from shared.platforms.desk import Opening, Spoken
from shared.schemas.texts import split_text

WAITING = "Waiting"
_NAMES = {"customer": "Customer", "bot": "Bot", "human": "Human"}
INTRODUCTION = "What you write in this room reaches the customer under your name."


def first_words(opening: Opening, limit: int) -> Sequence[str]:
    """Returns the first messages of a room, each within `limit` characters."""
    return [piece for part in _parts(opening) for piece in split_text(part, limit)]


def with_standing(topic: str, people: Sequence[str]) -> str:
    """Returns the topic of a room with those who have the customer now, before the reason."""
    standing = f"With {', '.join(people)}" if people else WAITING
    _, mark, reason = topic.partition(" · ")
    return f"{standing}{mark}{reason}"


def _parts(opening: Opening) -> Iterator[str]:
    command = opening.command
    if opening.said:
        said = "\n".join(_line(one, opening.name) for one in opening.said)
        yield f"Said before (UTC):\n{said}"
    known = {**(command.metadata or {}), **(command.variables or {})}
    lines = [f"Reason: {command.reason}"] if command.reason else []
    lines += [f"{name}: {_shown(value)}" for name, value in known.items()]
    page = [f"More: {opening.page}"] if opening.page else []
    yield "\n".join((*lines, INTRODUCTION, *page))


def _line(one: Spoken, customer: str | None) -> str:
    name = one.name or (customer if one.by == "customer" else None) or _NAMES[one.by]
    return f"{one.at:%H:%M} {name}: {one.text}"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else pydantic_core.to_json(value).decode()
