"""Files travel through a whole local run: from a customer's phone to a plain desk webhook and to a
contact center's chat, and from a human to the phones. In between the process is killed.
"""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest

from infra.local.server import LocalServer
from tests.browser.recordings import PDF, picture, voice_note
from tests.forked import ForkedServer
from tests.functions.test_outbound import Listener, listener

__all__ = ["listener"]
API = "/send_representative/v1/conversations"
JANE = {"representativeType": "HUMAN", "displayName": "Jane"}
PHOTO = picture()
PATIENCE = 60.0


def started(folder: Path, **environment: str) -> ForkedServer:
    return ForkedServer(folder, {"BATON_BOT": "none", **environment})


class Phone:
    """A customer's simulated phone."""

    def __init__(self, server: LocalServer, platform: str) -> None:
        self._server = server
        self._base = f"/sim/{platform}/customers"
        body = json.dumps({"displayName": "Ana"}).encode()
        known = server.send("POST", self._base, body).body
        self.conversation: str = known["conversation"]
        self._path = f"{self._base}/{quote(known['id'])}"

    def says(self, text: str) -> None:
        self._server.send("POST", f"{self._path}/messages", json.dumps({"text": text}).encode())

    def asks_for_human(self) -> None:
        body = json.dumps({"requestedLiveAgent": True}).encode()
        self._server.send("POST", f"{self._path}/status", body)

    def sends(self, content: bytes, kind: str, mime_type: str, **more: str) -> None:
        path = f"{self._path}/media?{urlencode({'kind': kind, **more})}"
        answer = self._server.send("POST", path, content, {"content-type": mime_type})
        assert answer.status == 200, answer.body

    def files(self) -> list[dict[str, Any]]:
        """Returns the files that the business has sent."""
        rows = self._server.get(self._path)["transcript"]
        business = (row for row in rows if row["side"] == "business")
        return [file for row in business for file in row["body"].get("files", [])]


def eventually(found: Any) -> Any:
    """Returns what `found` returns once it is true."""
    ends = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.1)
    return value


def bytes_at(url: str) -> tuple[bytes, str]:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  # our own loopback address
        return answer.read(), answer.headers["content-type"]


def claimed(server: LocalServer, phone: Phone) -> None:
    body = json.dumps({"representative": JANE}).encode()
    path = f"{API}/{quote(phone.conversation)}:claim"
    assert server.send("POST", path, body, {"authorization": "Bearer dev-agent"}).status == 200


@pytest.fixture
def desk(tmp_path: Path, listener: Listener) -> Iterator[LocalServer]:
    """A run whose humans answer at a desk with a plain webhook."""
    with started(
        tmp_path, DESK_WEBHOOK_URL=f"{listener.url}/desk", OUTBOUND_WEBHOOK_KEYS="dev-out"
    ) as server:
        yield server


def test_a_photo_and_a_voice_note_reach_a_plain_desk_with_links_that_work(
    desk: LocalServer, listener: Listener
) -> None:
    phone = Phone(desk, "whatsapp")
    phone.says("Hi")
    phone.asks_for_human()
    claimed(desk, phone)
    phone.sends(PHOTO, "image", "image/png", caption="The broken part")
    phone.sends(voice_note(), "voice", "audio/ogg; codecs=opus")
    files = eventually(lambda: two_files(listener))
    assert [file["kind"] for file in files] == ["image", "voice"]
    assert files[0]["caption"] == "The broken part"
    assert bytes_at(files[0]["url"]) == (PHOTO, "image/png")
    voice, mime_type = bytes_at(files[1]["url"])
    assert voice == voice_note()
    assert mime_type.startswith("audio/ogg")


def two_files(listener: Listener) -> list[dict[str, Any]] | None:
    details = [body.get("details") or {} for body in listener.bodies]
    files = [file for one in details for file in one.get("attachments", [])]
    return files if len(files) == 2 else None


@pytest.fixture
def center(tmp_path: Path) -> Iterator[LocalServer]:
    """A run whose humans answer at a contact center."""
    with started(tmp_path, BATON_DESKS=json.dumps([{"name": "center", "kind": "ccai"}])) as server:
        yield server


def test_a_photo_and_a_voice_note_reach_a_contact_centers_chat_as_links_also_after_a_kill(
    center: LocalServer,
) -> None:
    phone = Phone(center, "whatsapp")
    phone.says("Hi")
    phone.sends(PHOTO, "image", "image/png", caption="Before")
    phone.asks_for_human()
    (number,) = eventually(lambda: chats_of(center))
    # an answer that a kill loses leaves it unknown whether there is a chat
    eventually(lambda: f"ccai:chat-{number}" in links_of(center, phone))
    center.stop()  # SIGKILL
    center.start()
    phone.sends(voice_note(), "voice", "audio/ogg; codecs=opus")
    center.stop()
    center.start()
    said = eventually(lambda: words_in(center, number))
    (before,) = [one for one in transcript_of(center, number) if "Before" in one]
    assert bytes_at(before.rpartition("\n")[2]) == (PHOTO, "image/png")
    assert len(said) == 1
    assert bytes_at(said[0].rpartition("\n")[2])[0] == voice_note()


def chats_of(server: LocalServer) -> list[str]:
    return [one["id"] for one in server.get("/sim/ccai/customers")["customers"]
            if str(one["id"]).isdecimal()]  # fmt: skip


def links_of(server: LocalServer, phone: Phone) -> list[str]:
    state = server.get(f"{API}/{quote(phone.conversation)}", "dev-agent")
    return [str(one) for one in state["links"]]


def transcript_of(server: LocalServer, number: str) -> list[str]:
    """Returns what was said before the chat, as its agents read it."""
    rows = server.get(f"/sim/ccai/customers/{number}")["transcript"]
    (created,) = [row["body"] for row in rows if row["kind"] == "created"]
    return [part["text"] for line in created["transcript"] for part in line["content"]]


def words_in(server: LocalServer, number: str) -> list[str]:
    """Returns what the customer has said in the chat with a file."""
    rows = server.get(f"/sim/ccai/customers/{number}")["transcript"]
    return [row["body"]["text"] for row in rows if "[audio]" in row["body"].get("text", "")]


@pytest.mark.parametrize("platform", ["whatsapp", "rcs"])
@pytest.mark.parametrize("killed", ["after the upload", "after the message"])
def test_a_document_reaches_the_customer_once_although_the_process_is_killed(
    tmp_path: Path, platform: str, killed: str
) -> None:
    with started(tmp_path) as server:
        phone = Phone(server, platform)
        phone.says("Hi")
        claimed(server, phone)
        media = uploaded(server, phone)
        if killed == "after the upload":
            server.stop()
            server.start()
        message = {"messageId": str(uuid4()), "representative": JANE}
        message["file"] = {"mediaId": media, "altText": "The manual"}
        for status in (200, 409):  # a caller who does not know the outcome says it again
            answer = server.send(
                "POST",
                f"{API}/{quote(phone.conversation)}/messages",
                json.dumps(message).encode(),
                {"authorization": "Bearer dev-agent"},
            )
            assert answer.status == status, answer.body
            if killed == "after the message":
                server.stop()
                server.start()
        server.wait_until_quiet(quote(phone.conversation))
        (file,) = eventually(phone.files)
        assert bytes_at(f"{server.url}{file['url']}") == (PDF, "application/pdf")


def uploaded(server: LocalServer, phone: Phone) -> str:
    path = f"{API}/{quote(phone.conversation)}/media"
    headers = {"authorization": "Bearer dev-agent", "content-type": "application/pdf"}
    headers["content-disposition"] = 'attachment; filename="Manual.pdf"'
    answer = server.send("POST", path, PDF, headers)
    assert answer.status == 200, answer.body
    media: str = answer.body["mediaId"]
    return media
