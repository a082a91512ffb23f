"""A handoff that goes on while Baton or the homeserver is killed: everybody in it tries again what
did not get through.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import TypeVar
from urllib.parse import quote

from infra.local.server import PATIENCE_SECONDS
from tests.functions.desk import Customer
from tests.homeserver.person import FIRST_NAP, LONGEST_NAP, PIXEL, Person
from tests.homeserver.server import PEOPLE
from tests.homeserver.stage import Stage

T = TypeVar("T")
STEPS = ("asks", "accepts", "customer-writes", "person-writes", "pictures", "leaves")
LONGEST_STEP = 600  # seconds
PIECES = 3  # what each writes in a step
# A person who sees after so long that nothing has reached the customer does it again.
AGAIN_SECONDS, MOST_AGAIN = 5.0, 20


def tried(what: Callable[[], T]) -> T:
    """Returns the first result of `what` for which both servers were there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return what()
        except (OSError, HTTPException):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def comes(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
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
    """One customer and who serves them. `together` is waited for before each step.

    `repeats`: people do again what had no effect, because something may be lost. A homeserver that
    is killed loses what it has not reported yet
    (https://github.com/element-hq/synapse/issues/11637). On WhatsApp, Baton does not send again
    what may have been sent when it was killed.
    """

    stage: Stage
    customer: Customer
    person: Person
    together: threading.Barrier
    repeats: bool
    room: str = ""

    def tell(self) -> None:
        try:
            for step in STEPS:
                self.together.wait(LONGEST_STEP)
                getattr(self, "_" + step.replace("-", "_"))()
        except BaseException:
            self.together.abort()
            raise

    def _asks(self) -> None:
        tried(lambda: self.customer.do("status", requestedLiveAgent=True))
        assert comes(lambda: len(self.stage.rooms_of(self.customer)) == 1), "there is no room"
        (self.room,) = tried(lambda: self.stage.rooms_of(self.customer))

    def _accepts(self) -> None:
        self.person.accepts(self.room)
        self._or_again(lambda: self._phase() == "HUMAN", self._comes_again)

    def _customer_writes(self) -> None:
        for number in range(PIECES):
            text = self._words("customer", number)
            message = f"wamid.{self.customer.key}-{number}"
            tried(lambda text=text, message=message: self._sends(text, message))  # type: ignore[misc]
        self.person.waits_to_hear(self.room, self._words("customer", PIECES - 1))

    def _sends(self, text: str, message: str) -> None:
        self.customer.do("messages", text=text, messageId=message)

    def _person_writes(self) -> None:
        for number in range(PIECES):
            text = self._words(self.person.name, number)
            self.person.says(self.room, text)
            if self.repeats:  # a person looks whether it got through before they go on
                self._or_again(lambda text=text: self._shows(text), self._says(text))  # type: ignore[misc]
        last = self._words(self.person.name, PIECES - 1)
        assert comes(lambda: self._shows(last)), "their words do not come"

    def _pictures(self) -> None:
        path = f"/sim/{self.customer.platform}/customers/{quote(self.customer.key)}/media"
        query = f"?kind=image&messageId=wamid.{self.customer.key}-picture"
        headers = {"content-type": "image/png"}
        tried(lambda: self.stage.baton.send("POST", path + query, PIXEL, headers))
        self.person.sends_file(self.room, "pixel.png", "image/png", PIXEL)
        if self.customer.platform == "business_messages":  # its pictures are links
            self.person.waits_to_hear(self.room, "/sim/business_messages/v1/media/")
        else:
            seen = self.person.waits_to_see(self.room, "m.image")
            assert self.person.downloads(seen.media) == PIXEL
        sends = lambda: self.person.sends_file(self.room, "again.png", "image/png", PIXEL)  # noqa: E731
        self._or_again(self._shows_picture, sends)

    def _leaves(self) -> None:
        self.person.leaves(self.room)
        self._or_again(lambda: self._phase() == "BOT", self._leaves_again)
        assert comes(lambda: self._pending() == 0), "something is still to be sent"

    def _or_again(self, holds: Callable[[], bool], does: Callable[[], object]) -> None:
        for _ in range(MOST_AGAIN if self.repeats else 0):
            if comes(holds, AGAIN_SECONDS):
                return
            does()
        assert comes(holds), "it has no effect"

    def _comes_again(self) -> None:
        self.person.says(self.room, f"{PEOPLE[self.person.name]} is here.")

    def _says(self, text: str) -> Callable[[], object]:
        return lambda: self.person.says(self.room, f"Again: {text}")

    def _leaves_again(self) -> None:
        tried(lambda: self.stage.lets_in(self.room, self.person))
        self.person.joins(self.room)
        self.person.leaves(self.room)

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
