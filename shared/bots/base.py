"""Questions to a built-in bot, its replies, and the interface of a bot."""

from dataclasses import field, replace
from typing import Protocol

from shared.schemas.base import JsonObject
from shared.schemas.content import Content
from shared.schemas.http import Answer, Call
from shared.schemas.variables import SessionVariable
from shared.values import frozen


@frozen
class Question:
    """The customer's message (`postback`: a tap on a suggestion) and the context that the bot gets
    with it.
    """

    conversation: str
    text: str
    postback: str | None = None
    locale: str | None = None
    context: JsonObject = field(default_factory=dict)


@frozen
class Escalation:
    """The bot wants a human. `named`: its author wrote the reason, it is not the default one."""

    reason: str
    metadata: JsonObject | None = None
    named: bool = False


@frozen
class Reply:
    """The content of a bot's answer, in order.

    `ends`: the bot has no more to say. `refused` are slugs of the parts that could not be read.
    `missed`: the bot did not understand the customer, or a part that it needs has failed.
    """

    contents: tuple[Content, ...] = ()
    captures: tuple[SessionVariable, ...] = ()
    escalation: Escalation | None = None
    ends: bool = False
    refused: tuple[str, ...] = ()
    missed: bool = False

    @property
    def says_something(self) -> bool:
        """Whether the customer gets an answer or a human."""
        return bool(self.contents or self.captures or self.escalation or self.ends)

    @property
    def fails(self) -> bool:
        """Whether the customer is left without an answer. A bot may be silent where it understood
        the customer and no part of its answer was lost.
        """
        return not self.says_something and bool(self.missed or self.refused)

    def __add__(self, other: "Reply") -> "Reply":
        return Reply(
            (*self.contents, *other.contents),
            (*self.captures, *other.captures),
            _both(self.escalation, other.escalation),
            self.ends or other.ends,
            (*self.refused, *other.refused),
            self.missed or other.missed,
        )

    def without_repetitions(self) -> "Reply":
        """Returns it with each content once."""
        once = {content.model_dump_json(): content for content in self.contents}
        return replace(self, contents=tuple(once.values()))


class Bot(Protocol):
    """`while_queued`: it also answers a customer who waits for a human. `timeout`: the seconds that
    it may take.
    """

    @property
    def name(self) -> str: ...

    @property
    def while_queued(self) -> bool: ...

    @property
    def timeout(self) -> float: ...

    def call(self, question: Question) -> Call:
        """Returns the call that asks it."""

    def heard(self, answer: Answer) -> JsonObject:
        """Returns the part of an answer that is stored until all of the reply is accepted. Raises
        BadRequest.
        """

    def reply(self, heard: JsonObject) -> Reply:
        """Returns the reply in the stored part of an answer; never raises."""


def _both(first: Escalation | None, second: Escalation | None) -> Escalation | None:
    if first is None or second is None:
        return first or second
    reason = second if second.named and not first.named else first
    return Escalation(
        reason.reason, {**(second.metadata or {}), **(first.metadata or {})} or None, reason.named
    )
