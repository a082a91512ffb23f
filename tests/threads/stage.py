"""Baton and a vendor whose chats are threads, each of which may be killed and started again on its
data, and the people who are there.
"""

import base64
import json
import signal
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from infra.local.server import PATIENCE_SECONDS, LocalServer
from infra.local.settings import SLACK_TOKEN
from tests.forked import ROOT, Forked, ForkedServer
from tests.functions.desk import Customer
from tests.kill.people import EMAILS, PEOPLE
from tests.kill.story import PIXEL, comes, tried
from tests.threads.places import AUDIENCE, PLACES, PUSH

# The names by which a vendor knows people. Jane is one of BATON_AGENTS, by her address.
NAMES = {**PEOPLE, "jane": "J."}
BUTTONS = {
    "google_chat": {"Claim": "Claim", "Release": "Release"},
    "slack": {"Claim": "baton_claim", "Release": "baton_release"},
}
# Links to files of customers, which RCS and Business Messages give themselves.
LINKS = ("/relay_media/", "/sim/rcs/v1/blob/", "/sim/business_messages/v1/media/")
FIRST_WAIT = 5.0  # seconds, after which a vendor's next pause is over too


class Vendor(LocalServer):
    """A simulated vendor in a process of its own."""

    def __init__(self, kind: str, folder: Path, baton: str) -> None:
        super().__init__(folder, {"VENDOR": kind, "BATON_URL": baton})
        self.kind = kind

    def launch(self, log: BinaryIO) -> Forked:
        path, environment = Path(log.name), self.environment
        program = "tests.threads.program"
        return Forked(program, environment=environment, folder=ROOT, out=path, err=path)

    def serves(self) -> bool:
        try:
            return self.send("GET", f"/sim/{self.kind}/threads").status == 200
        except OSError:
            return False

    def threads(self) -> list[str]:
        found: list[str] = self.get(f"/sim/{self.kind}/threads")["threads"]
        return found

    def messages(self, thread: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/sim/{self.kind}/threads/{thread}")["messages"]
        return found

    def waiting(self) -> int:
        """Lets the pauses pass after which events are sent again. Returns how many are waiting."""
        return int(self.send("POST", f"/sim/{self.kind}/later").body["waiting"])

    def profile(self, user: str) -> Mapping[str, Any]:
        """Returns what Slack knows of somebody."""
        headers = {"authorization": f"Bearer {SLACK_TOKEN}"}
        answer = self.send("GET", f"/sim/slack/api/users.info?user={user}", headers=headers)
        profile: Mapping[str, Any] = answer.body["user"]["profile"]
        return profile


@dataclass(frozen=True)
class Colleague:
    """Somebody at the vendor. Their client sends again what was not answered, under its id."""

    name: str
    vendor: Vendor

    def accepts(self, chat: str) -> None:
        self.presses(chat, "Claim")

    def leaves(self, chat: str) -> None:
        self.presses(chat, "Release")

    def presses(self, chat: str, label: str) -> None:
        """Presses a button once it is there."""
        button = BUTTONS[self.vendor.kind][label]
        assert comes(lambda: self.acts(chat, press=button) == 200), f"there is no {button}"

    def says(self, chat: str, text: str) -> None:
        assert self.acts(chat, text=text) == 200

    def sends_picture(self, chat: str) -> None:
        content = base64.b64encode(PIXEL).decode()
        file = {"name": "pixel.png", "mimetype": "image/png", "content": content}
        assert self.acts(chat, file=file) == 200

    def acts(self, chat: str, **what: Any) -> int:
        """Returns the status."""
        email = {"email": EMAILS[self.name]} if self.name == "jane" else {}
        body = {"name": NAMES[self.name], **email, "id": str(uuid.uuid4()), **what}
        path, raw = f"/sim/{self.vendor.kind}/threads/{chat}/people", json.dumps(body).encode()
        return tried(lambda: self.vendor.send("POST", path, raw)).status

    def hears(self, chat: str, text: str) -> bool:
        return any(text in one["text"] for one in self.vendor.messages(chat))

    def sees_picture(self, chat: str) -> bool:
        return any(map(is_picture, self.vendor.messages(chat)))


@dataclass(frozen=True, slots=True)
class Stage:
    baton: LocalServer
    vendor: Vendor

    def chats_of(self, customer: Customer) -> list[str]:
        links: list[str] = customer.state().get("links", [])
        kind = f"{self.vendor.kind}:"
        return [one.removeprefix(kind) for one in links if one.startswith(kind)]

    def leaves_again(self, chat: str, name: str) -> None:
        button = BUTTONS[self.vendor.kind]["Release"]
        Colleague(name, self.vendor).acts(chat, press=button)

    def retries(self) -> None:
        """Makes the vendor send what Baton did not take, without waiting minutes. What Baton does
        not take yet, it gets after a wait again.
        """
        deadline, wait = time.monotonic() + PATIENCE_SECONDS, FIRST_WAIT
        while self.vendor.waiting():
            assert time.monotonic() < deadline, "Baton does not take an event"
            comes(lambda: self._waits_for_nothing(), wait)
            wait *= 2

    def _waits_for_nothing(self) -> bool:
        return int(self.vendor.get(f"/sim/{self.vendor.kind}/waiting")["waiting"]) == 0


@contextmanager
def staged(kind: str, folder: Path) -> Iterator[Stage]:
    """Starts all while the context lasts."""
    for name in ("baton", "vendor"):
        (folder / name).mkdir()
    baton = ForkedServer(folder / "baton")
    vendor = Vendor(kind, folder / "vendor", baton.url)
    desks = [
        {"name": channel, "kind": kind, "place": place, "channels": [channel]}
        for channel, place in PLACES[kind].items()
    ]
    baton.change(BATON_DESKS=json.dumps(desks), **_settings(vendor))
    try:
        vendor.start()
        baton.start()
        yield Stage(baton, vendor)
    finally:
        for one in (baton, vendor):
            one.stop(signal.SIGKILL)


def _settings(vendor: Vendor) -> Mapping[str, str]:
    if vendor.kind == "slack":
        return {"SLACK_API_URL": f"{vendor.url}/sim/slack/api"}
    return {
        "GOOGLE_CHAT_API_URL": f"{vendor.url}/sim/google_chat",
        "GOOGLE_CHAT_AUTH": "bearer:token",
        "GOOGLE_CHAT_AUDIENCE": AUDIENCE,
        "GOOGLE_CHAT_PUSH_ACCOUNT": PUSH,
    }


def is_picture(message: Mapping[str, Any]) -> bool:
    """Returns whether a message has a picture of the customer's, or a link to it."""
    is_ours = message.get("bot_id") or message.get("sender", {}).get("type") == "BOT"
    has_link = any(link in message.get("text", "") for link in LINKS)
    return bool(is_ours and (message.get("files") or has_link))
