"""What the desks have in common whose chats are threads: what the message says from which a thread
starts, the transcript below it, and the buttons.

Each desk shows it in its own form.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import pydantic_core

from shared.platforms.base import Deflected
from shared.platforms.desk import Opening, Speaker, Spoken
from shared.schemas.events import Event, HumanJoined, HumanLeft, Transfer
from shared.schemas.texts import shortened, split_text
from shared.values import frozen

CUSTOMER = "Customer"  # the name of one whose name is not known
NAME_LIMIT, VALUE_LIMIT, LAST_WORDS_LIMIT = 80, 300, 1000  # characters
MOST_FACTS = 12
LEFT_OUT = "… (the desk page has what was said before)"
_SPEAKERS: Mapping[Speaker, str] = {
    "customer": "Customer",
    "bot": "Assistant",
    "human": "Colleague",
}


class Act(StrEnum):
    """What a button does."""

    CLAIM = "claim"
    UNAVAILABLE = "unavailable"
    RELEASE = "release"
    QUEUE = "queue"


LABELS: Mapping[Act, str] = {
    Act.CLAIM: "Claim",
    Act.UNAVAILABLE: "Nobody available",
    Act.RELEASE: "Release",
    Act.QUEUE: "Back to the queue",
}


@frozen
class Request:
    """A customer who needs a human, in words: who, why, what is known, and what they said last."""

    customer: str
    facts: Mapping[str, str]
    last_words: str | None = None

    @property
    def headline(self) -> str:
        return f"{self.customer} needs a person"


def request_of(opening: Opening) -> Request:
    """Returns what the first message of a thread says."""
    command = opening.command
    own = {"Reason": command.reason, "Channel": (opening.channel or "").replace("_", " ")}
    known = {**own, **(command.metadata or {}), **(command.variables or {})}
    facts = {shortened(name, NAME_LIMIT): _value(value) for name, value in known.items() if value}
    last = next((one.text for one in reversed(opening.said) if one.by == "customer"), None)
    return Request(
        customer_of(opening.name),
        dict(list(facts.items())[:MOST_FACTS]),
        last and shortened(last, LAST_WORDS_LIMIT),
    )


def customer_of(name: str | None) -> str:
    """Returns the name under which the customer speaks in a thread."""
    return shortened(" ".join((name or "").split()), NAME_LIMIT) or CUSTOMER


def _value(value: object) -> str:
    text = value if isinstance(value, str) else pydantic_core.to_json(value).decode()
    return shortened(" ".join(text.split()), VALUE_LIMIT)


def line_of(one: Spoken) -> str:
    """Returns a message from before the handoff as a line, with who said it."""
    return f"{one.name or _SPEAKERS[one.by]}: {one.text}"


def transcript(said: Sequence[Spoken], limit: int, most: int) -> list[str]:
    """Returns what was said before in at most `most` texts of at most `limit` characters. Where it
    has more, the earliest is left out, and the first text says so.
    """
    lines = "\n".join(map(line_of, said))
    pieces = split_text(lines, limit - len(LEFT_OUT) - 1)
    if len(pieces) <= most:
        return pieces
    kept = pieces[-most:]
    return [f"{LEFT_OUT}\n{kept[0]}", *kept[1:]]


def acts_for(people: Sequence[str]) -> tuple[Act, ...]:
    """Returns the buttons, by who has the customer."""
    return (Act.CLAIM, Act.RELEASE, Act.QUEUE) if people else (Act.CLAIM, Act.UNAVAILABLE)


def standing_of(people: Sequence[str]) -> str:
    """Returns who has the customer, in words."""
    return (
        f"With the customer: {', '.join(people)}"
        if people
        else "No person is with the customer now"
    )


def pressed(act: Act, common: Mapping[str, Any], who: Mapping[str, Any]) -> Event:
    """Returns what a person did who pressed a button. `who` are the fields of ByRepresentative."""
    by: dict[str, Any] = {**common, **who}
    if act is Act.CLAIM:
        return HumanJoined(**by)
    if act is Act.RELEASE:
        return HumanLeft(**by, reason="released")
    if act is Act.QUEUE:
        return Transfer(**by, fact=False, to_queue=True, reason="back to the queue")
    return Deflected(**common, reason="nobody is available")
