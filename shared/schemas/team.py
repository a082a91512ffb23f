"""What a team is told: the notification, in words, with what one wants to know before going in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from shared.schemas.http import Answer, Call
from shared.schemas.notifications import Notification

HEADLINES: Mapping[str, str] = {
    "handoff.requested": "A customer asks for a person",
    "handoff.joined": "A person has joined",
    "handoff.ended": "The person has left, the bot is back",
    "handoff.returned": "The person went quiet, the bot is back",
    "handoff.unclaimed": "Still nobody has come",
    "handoff.failed": "Nobody came, and the customer was told",
    "delivery.failed": "Something did not reach the customer",
    "bot.silenced": "A bot talks with a robot, and is silent for now",
}


@dataclass(frozen=True, slots=True)
class Briefing:
    """A notification with its context, told at `at`. `lines` are the conversation's last words,
    oldest first.
    """

    notification: Notification
    at: datetime
    customer: str | None = None
    lines: tuple[str, ...] = ()
    link: str | None = None

    @property
    def headline(self) -> str:
        reminder = self.notification.reminder
        headline = HEADLINES[self.notification.type]
        return f"{headline} (reminder {reminder})" if reminder else headline

    @property
    def facts(self) -> Mapping[str, str]:
        """Returns who, why and how long, as far as they are known."""
        told = self.notification
        who = told.representative.display_name if told.representative else None
        waited = None if told.waited_seconds is None else in_words(told.waited_seconds)
        facts = {
            "Customer": self.customer,
            "Conversation": told.conversation,
            "Who": who,
            "Why": told.reason,
            "Desk": told.desk,
            "Waited": waited,
        }
        return {name: value for name, value in facts.items() if value}


def in_words(seconds: float) -> str:
    """Returns a duration as people say it: `45 s`, `3 min 20 s`, `2 h 5 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Target(Protocol):
    """Where a team reads. `dedupes`: informed twice under one id, it shows it once."""

    @property
    def name(self) -> str: ...

    @property
    def dedupes(self) -> bool: ...

    def call(self, briefing: Briefing) -> Call: ...

    def fault(self, answer: Answer) -> str | None:
        """Returns the target's own name of an error, None where it gives none."""


@dataclass(frozen=True, slots=True)
class Team:
    """Who is informed, and the page on which people look (`{conversation}` in its address is
    filled in).
    """

    targets: Sequence[Target] = ()
    console_url: str | None = None

    def named(self, name: str) -> Target | None:
        return next((target for target in self.targets if target.name == name), None)

    def link(self, conversation: str) -> str | None:
        if self.console_url is None:
            return None
        return self.console_url.replace("{conversation}", quote(conversation, safe=":"))


@dataclass(frozen=True, slots=True)
class Url:
    """An address that is itself a secret: it never prints."""

    value: str = field(repr=False)
