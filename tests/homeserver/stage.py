"""Baton and a homeserver, each of which may be killed and started again on its data, and the people
of a desk.
"""

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from infra.local.server import LocalServer
from infra.local.settings import MATRIX_AS_TOKEN, MATRIX_HS_TOKEN, MATRIX_SERVER_NAME
from infra.matrix.registration import registration
from shared.platforms.matrix.names import Homeserver as Names
from tests.forked import ForkedServer
from tests.functions.desk import Customer
from tests.homeserver.loaded import Loaded
from tests.homeserver.person import Person, Signed
from tests.homeserver.server import Homeserver, ping
from tests.kill.people import PEOPLE
from tests.kill.story import tried


@dataclass(frozen=True, slots=True)
class Stage:
    baton: LocalServer
    homeserver: Homeserver
    people: Signed

    def room_of(self, customer: Customer, count: int = 1) -> str:
        """Returns the room of the customer's latest handoff, once there are so many of them."""
        self.baton.wait_until(lambda: len(self.chats_of(customer)) >= count)
        return self.chats_of(customer)[-1]

    def chats_of(self, customer: Customer) -> list[str]:
        """Returns the rooms that are linked, the oldest first."""
        links = customer.state().get("links", [])
        known = {_conversation(one["room_id"]): one["room_id"] for one in self.homeserver.rooms()}
        return [known[one] for one in links if one in known]

    def person(self, name: str) -> Person:
        return self.people[name]

    def lets_in(self, room: str, person: Person) -> None:
        """Invites somebody again who has left: in the name of the customer, who made the room."""
        made = {one["room_id"]: one["creator"] for one in self.homeserver.rooms()}
        path = f"/_matrix/client/v3/rooms/{quote(room)}/invite?user_id={quote(made[room])}"
        answer = self.homeserver.call("POST", path, {"user_id": person.id}, MATRIX_AS_TOKEN)
        assert answer.status == 200, answer.body

    def leaves_again(self, room: str, name: str) -> None:
        person = self.person(name)
        tried(lambda: self.lets_in(room, person))
        person.joins(room)
        person.leaves(room)

    def retries(self) -> None:
        """Makes the homeserver send what Baton did not take, without waiting 2, 4, 8 ... s."""
        ping(self.homeserver, "baton", MATRIX_AS_TOKEN)


@contextmanager
def staged(loaded: Loaded, folder: Path, **environment: str) -> Iterator[Stage]:
    """Starts all while the context lasts."""
    for name in ("baton", "synapse"):
        (folder / name).mkdir()
    baton = ForkedServer(folder / "baton")
    url = f"{baton.url}/receive_webhook/matrix"
    text = registration(url, MATRIX_AS_TOKEN, MATRIX_HS_TOKEN, Names(MATRIX_SERVER_NAME))
    homeserver = Homeserver(loaded, folder / "synapse", text)
    desks = json.dumps([{"name": "support", "kind": "matrix"}])  # it invites all people
    given = {"BATON_DESKS": desks, "MATRIX_API_URL": homeserver.url, **environment}
    baton.change(**given)
    with ExitStack() as stack:
        stack.callback(baton.stop, signal.SIGKILL)
        stack.callback(homeserver.stop, signal.SIGKILL)
        homeserver.start()
        baton.start()
        homeserver.make_everybody()
        yield Stage(baton, homeserver, stack.enter_context(Signed(homeserver.url, *PEOPLE)))


def _conversation(room: str) -> str:
    """Returns Baton's id of a room: `!abc:example.org` is `matrix:abc~example.org`."""
    return "matrix:" + room.removeprefix("!").replace(":", "~")
