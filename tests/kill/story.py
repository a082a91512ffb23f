"""A handoff that goes on while Baton or the desk's own side is killed: everybody in it tries again
what did not get through.
"""

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Protocol, TypeVar
from urllib.parse import quote

from infra.local.server import PATIENCE_SECONDS, LocalServer
from tests.functions.desk import Customer
from tests.kill.people import PEOPLE

T = TypeVar("T")
STEPS = ("asks", "accepts", "customer-writes", "person-writes", "pictures", "leaves")
LONGEST_STEP = 900  # seconds
# Pauses between the tries of Baton and of vendors grow with the time that the other side was away.
PATIENCE = 4 * PATIENCE_SECONDS
PIECES = 3  # what each writes in a step
# Questions come less often the longer they wait, so that they do not take the processor from what
# they wait for.
FIRST_NAP, LONGEST_NAP = 0.05, 0.5
# A person who sees after so long that nothing has reached the customer does it again.
AGAIN_SECONDS, MOST_AGAIN = 5.0, 20
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


class Person(Protocol):
    """Somebody who answers customers at a desk. `chat` is the desk's own id of a chat."""

    @property
    def name(self) -> str: ...
    def accepts(self, chat: str, /) -> None:
        """Takes the customer, once the chat is there."""

    def says(self, chat: str, text: str, /) -> object: ...
    def sends_picture(self, chat: str, /) -> object: ...
    def hears(self, chat: str, text: str, /) -> bool:
        """Returns whether the customer's words stand in the chat."""

    def sees_picture(self, chat: str, /) -> bool:
        """Returns whether the chat has the customer's picture, or a link to it."""

    def leaves(self, chat: str, /) -> None: ...


class Stage(Protocol):
    @property
    def baton(self) -> LocalServer: ...
    def chats_of(self, customer: Customer) -> list[str]:
        """Returns the customer's chats that Baton knows, the oldest first."""

    def leaves_again(self, chat: str, name: str, /) -> None:
        """Lets a person leave again, because it had no effect."""


def tried(what: Callable[[], T]) -> T:
    """Returns the first result of `what` for which both servers were there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return what()
        except (OSError, HTTPException):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def comes(holds: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Returns whether `holds` returns true within this time."""
    deadline, nap = time.monotonic() + seconds, FIRST_NAP
    while not tried(holds):
        if time.monotonic() > deadline:
            return False
        time.sleep(nap)
        nap = min(nap * 1.5, LONGEST_NAP)
    return True


@dataclass
class Story:
    """One customer and who serves them.

    `repeats`: people do again what had no effect, because something may be lost. On WhatsApp, Baton
    does not send again what may have been sent when it was killed.

    `once`: the desk recognises no id of Baton's, so that words may be lost on their way to it.
    """

    stage: Stage
    customer: Customer
    person: Person
    repeats: bool
    once: bool = False
    chat: str = ""
    sent: int = 1  # messages of the customer's, with the first, which they wrote before

    def tell(self, together: threading.Barrier) -> None:
        """Tells the story. `together` is waited for before each step."""
        try:
            for step in STEPS:
                together.wait(LONGEST_STEP)
                getattr(self, "_" + step.replace("-", "_"))()
        except BaseException:
            together.abort()
            raise

    def _asks(self) -> None:
        tried(lambda: self.customer.do("status", requestedLiveAgent=True))
        assert comes(lambda: len(self.stage.chats_of(self.customer)) == 1), "there is no chat"
        (self.chat,) = tried(lambda: self.stage.chats_of(self.customer))

    def _accepts(self) -> None:
        self.person.accepts(self.chat)
        self._or_again(lambda: self._phase() == "HUMAN", self._comes_again)

    def _customer_writes(self) -> None:
        for number in range(PIECES):
            text = self._words("customer", number)
            message = f"wamid.{self.customer.key}-{number}"
            tried(lambda text=text, message=message: self._sends(text, message))  # type: ignore[misc]
            self.sent += 1
        last = self._words("customer", PIECES - 1)
        self._reaches_person(lambda: self.person.hears(self.chat, last))

    def _sends(self, text: str, message: str) -> None:
        self.customer.do("messages", text=text, messageId=message)

    def _person_writes(self) -> None:
        for number in range(PIECES):
            text = self._words(self.person.name, number)
            self.person.says(self.chat, text)
            if self.repeats:  # a person looks whether it got through before they go on
                self._or_again(lambda text=text: self._shows(text), self._says(text))  # type: ignore[misc]
        last = self._words(self.person.name, PIECES - 1)
        assert comes(lambda: self._shows(last)), "their words do not come"

    def _pictures(self) -> None:
        message = f"wamid.{self.customer.key}-picture"
        path = f"/sim/{self.customer.platform}/customers/{quote(self.customer.key)}/media"
        query, headers = f"?kind=image&messageId={quote(message)}", {"content-type": "image/png"}
        tried(lambda: self.stage.baton.send("POST", path + query, PIXEL, headers))
        self.sent += 1
        self.person.sends_picture(self.chat)
        self._reaches_person(lambda: self.person.sees_picture(self.chat))
        self._or_again(self._shows_picture, lambda: self.person.sends_picture(self.chat))

    def _leaves(self) -> None:
        self.person.leaves(self.chat)
        self._or_again(
            lambda: self._phase() == "BOT",
            lambda: self.stage.leaves_again(self.chat, self.person.name),
        )
        assert comes(lambda: self._pending() == 0), "something is still to be sent"

    def _reaches_person(self, holds: Callable[[], bool]) -> None:
        """Waits until the customer's last message is in the chat, or, at a desk that gets it at
        most once, until it is unknown whether it is.
        """
        assert comes(lambda: holds() or (self.once and self._is_unknown())), "it does not come"

    def _is_unknown(self) -> bool:
        taken = [one for one in self.customer.journal() if one["kind"] == "user_message"]
        return len(taken) == self.sent and taken[-1]["outcome"] == "unknown"

    def _or_again(self, holds: Callable[[], bool], does: Callable[[], object]) -> None:
        for _ in range(MOST_AGAIN if self.repeats else 0):
            if comes(holds, AGAIN_SECONDS):
                return
            does()
        assert comes(holds), "it has no effect"

    def _comes_again(self) -> None:
        self.person.says(self.chat, f"{PEOPLE[self.person.name]} is here.")

    def _says(self, text: str) -> Callable[[], object]:
        return lambda: self.person.says(self.chat, f"Again: {text}")

    def _phase(self) -> str:
        return str(self.customer.state().get("phase"))

    def _pending(self) -> int:
        return int(self.customer.state()["pending"])

    def _shows(self, text: str) -> bool:
        return any(text in one for one in self.customer.texts(list(PEOPLE.values())))

    def _shows_picture(self) -> bool:
        rows = [row for row in self.customer.rows() if row["side"] == "business"]
        return any(row["body"].get("files") for row in rows)

    def _words(self, who: str, number: int) -> str:
        return f"{who} writes {number} about {self.customer.key}"
