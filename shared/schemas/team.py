"""Team notifications in words, with the context that an agent needs before they join."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from shared.schemas.http import Answer, Call
from shared.schemas.notifications import Notification
from shared.values import frozen

HEADLINES: Mapping[str, str] = {
    "handoff.requested": "A customer asks for a person",
    "handoff.joined": "A person has joined",
    "handoff.answered": "A person has answered",
    "handoff.transferred": "A customer was passed on",
    "handoff.ended": "The person has left, the bot is back",
    "handoff.returned": "The person went quiet, the bot is back",
    "handoff.unclaimed": "The customer still waits",
    "handoff.failed": "Not answered, and the customer was told",
    "handoff.floor_lost": "Another sender took the conversation from the person",
    "delivery.failed": "Something did not reach the customer",
    "bot.silenced": "A bot talks with a robot, and is silent for now",
    "virtual_agent.failed": "A virtual agent failed, as an agent's browser reports",
    "identity.conflict": "Two conversations are one customer's, and stay apart",
}


@frozen
class Briefing:
    """A notification with its context, sent at `at`.

    `lines` are the conversation's last messages, oldest first.
    """

    notification: Notification
    at: datetime
    customer: str | None = None
    lines: tuple[str, ...] = ()
    link: str | None = None

    @property
    def headline(self) -> str:
        """The first line of the notification."""
        reminder = self.notification.reminder
        headline = HEADLINES[self.notification.type]
        return f"{headline} (reminder {reminder})" if reminder else headline

    @property
    def facts(self) -> Mapping[str, str]:
        """Returns labels and values of what is known: who, why and how long."""
        told = self.notification
        who = told.representative.display_name if told.representative else None
        waited = None if told.waited_seconds is None else in_words(told.waited_seconds)
        facts = {
            "Customer": self.customer,
            "Conversation": told.conversation,
            "Who": who,
            "From": told.from_,
            "To": told.to,
            "Why": told.reason,
            "Desk": told.desk,
            "Waited": waited,
        }
        return {name: value for name, value in facts.items() if value}


def in_words(seconds: float) -> str:
    """Returns a duration for display: `45 s`, `3 min 20 s`, `2 h 5 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Target(Protocol):
    """A place where the team reads notifications. `dedupes`: it shows a repeated id only once."""

    @property
    def name(self) -> str: ...

    @property
    def dedupes(self) -> bool: ...

    def call(self, briefing: Briefing) -> Call: ...

    def fault(self, answer: Answer) -> str | None:
        """Returns the target's own name of an error, or None if it names none."""


@frozen
class Team:
    """The team's targets, and the URL of the page where agents work, in which `{conversation}`
    is replaced.
    """

    targets: Sequence[Target] = ()
    console_url: str | None = None

    def named(self, name: str) -> Target | None:
        """Returns the target of that name, or None."""
        return next((target for target in self.targets if target.name == name), None)

    def link(self, conversation: str) -> str | None:
        """Returns the URL of the conversation's page, or None if no console URL is set."""
        if self.console_url is None:
            return None
        return self.console_url.replace("{conversation}", quote(conversation, safe=":"))


@frozen
class Url:
    """A URL that contains a secret. Its repr leaves the value out."""

    value: str = field(repr=False)
