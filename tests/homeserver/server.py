"""A homeserver that ends with the tests, and what it has stored, by its own admin interface."""

import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from infra.local.server import PATIENCE_SECONDS
from infra.local.settings import MATRIX_SERVER_NAME
from infra.matrix.synapse import Synapse
from tests.homeserver.loaded import Launched, Loaded
from tests.kill.people import PEOPLE

PASSWORD = "dev-password"
WITNESS = "witness"  # an administrator, who is in no room


class Homeserver(Synapse):
    """A homeserver with people, and a witness who reads all rooms."""

    token: str = ""

    def __init__(self, loaded: Loaded, folder: Path, registration: str) -> None:
        super().__init__(loaded.python, folder, registration)
        self._loaded = loaded

    def launch(self, command: list[str]) -> Launched:
        program = command.index("synapse.app.homeserver")
        return self._loaded.start(self.log, *command[program + 1 :])

    def make_everybody(self) -> None:
        for name, displayed in PEOPLE.items():
            self.make_person(name, PASSWORD, displayed)
        self.make_person(WITNESS, PASSWORD, "Witness", admin=True)
        self.token = self.sign_in(WITNESS, PASSWORD)

    def events(self, room: str) -> list[dict[str, Any]]:
        """Returns all events of a room as the server has stored them, the oldest first."""
        query, found = {"dir": "b", "limit": "500"}, list[dict[str, Any]]()
        while True:
            path = f"/_synapse/admin/v1/rooms/{quote(room)}/messages?{urlencode(query)}"
            answer = self.call("GET", path, token=self.token)
            assert answer.status == 200, answer.body
            found += answer.body["chunk"]
            if not answer.body["chunk"] or "end" not in answer.body:
                return found[::-1]
            query["from"] = answer.body["end"]

    def download(self, where: str, token: str) -> bytes:
        """Returns the bytes of `server/id`, as somebody with this token gets them."""
        asked = urllib.request.Request(  # noqa: S310  # a loopback address
            f"{self.url}/_matrix/client/v1/media/download/{where}",
            headers={"authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310  # as above
            return bytes(answer.read())

    def limit_messages(self, user: str, per_second: int, burst: int) -> None:
        """Limits what one user may send. It is refused for a service without limits."""
        path = f"/_synapse/admin/v1/users/{quote(user)}/override_ratelimit"
        body = {"messages_per_second": per_second, "burst_count": burst}
        assert self.call("POST", path, body, self.token).status == 200

    def rooms(self) -> list[dict[str, Any]]:
        answer = self.call("GET", "/_synapse/admin/v1/rooms?limit=500", token=self.token)
        rooms: list[dict[str, Any]] = answer.body["rooms"]
        return rooms

    def members(self, room: str) -> set[str]:
        """Returns who is joined."""
        path = f"/_synapse/admin/v1/rooms/{quote(room)}/members"
        return set(self.call("GET", path, token=self.token).body["members"])


@dataclass(frozen=True, slots=True)
class Spoken:
    """A message that stands in a room: its last words, after edits and redactions."""

    event: str
    sender: str
    text: str
    kind: str = "m.text"
    media: str = ""
    redacted: bool = False


def ping(homeserver: Synapse, service: str, token: str) -> None:
    """Makes the homeserver send at once what an application service did not take. Raises
    AssertionError if the service cannot be reached.

    Synapse answers 502 where a connection that it has kept was closed meanwhile, and where it is
    about to send by itself ("AlreadyCalled").
    """
    path, deadline = (
        f"/_matrix/client/v1/appservice/{service}/ping",
        time.monotonic() + PATIENCE_SECONDS,
    )
    while True:
        answer = homeserver.call("POST", path, {}, token)
        if answer.status == 200 or "AlreadyCalled" in answer.body["error"]:
            return
        assert time.monotonic() < deadline, answer.body
        time.sleep(0.1)


def spoken(events: list[dict[str, Any]]) -> list[Spoken]:
    """Returns the messages of a room as a client shows them. An edit counts where it comes from
    who wrote the message.

    https://spec.matrix.org/v1.16/client-server-api/#event-replacements
    """
    found = dict[str, Spoken]()
    for event in events:
        if event["type"] != "m.room.message":
            continue
        content = event["content"]
        about = content.get("m.relates_to", {})
        if about.get("rel_type") == "m.replace":
            first = found.get(about["event_id"])
            if first is not None and first.sender == event["sender"] and not first.redacted:
                found[first.event] = _spoken(content["m.new_content"], event, first.event)
            continue
        found[event["event_id"]] = _spoken(content, event, event["event_id"])
    return list(found.values())


def _spoken(content: dict[str, Any], event: dict[str, Any], named: str) -> Spoken:
    return Spoken(
        named,
        event["sender"],
        content.get("body", ""),
        content.get("msgtype", ""),
        content.get("url", ""),
        "redacted_because" in event.get("unsigned", {}),
    )


def user_id(name: str) -> str:
    return f"@{name}:{MATRIX_SERVER_NAME}"
