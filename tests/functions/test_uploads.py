"""A file from a representative's hand to the customer's phone: uploaded first, then named by a
message.
"""

import asyncio
import hashlib
import hmac
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import BodyPartReader, web

from infra.local.server import LocalServer, Reply
from infra.local.settings import WHATSAPP_SECRET
from infra.local.talk import Talk
from shared.edge.http import STREAMS_AT_ONCE
from shared.schemas.notation import conversation_id
from tests.forked import ForkedServer

API = "/send_representative/v1/conversations"
PDF = b"%PDF-1.7\n" + os.urandom(300_000)
JANE = {"representativeType": "HUMAN", "displayName": "Jane"}
LINKS = {"MEDIA_LINK_KEYS": "dev-media-key"}
ANA = "whatsapp:" + conversation_id("whatsapp", "1065:+15550100").partition(":")[2]


@dataclass
class Platform:
    """Stands for WhatsApp: a form is read by aiohttp's own reader. Its next uploads are answered
    by `script`.
    """

    url: str = ""
    files: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    script: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    async def media(self, request: web.Request) -> web.Response:
        form: dict[str, Any] = {"authorization": request.headers["authorization"]}
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            form[str(part.name)] = bytes(await part.read())
            if part.name == "file":
                form |= {"named": part.filename, "sent_as": part.headers["content-type"]}
        status, body = self.script.pop(0) if self.script else (200, {"id": str(len(self.files))})
        if status == 200:
            self.files.append(form)
        return web.json_response(body, status=status)

    async def message(self, request: web.Request) -> web.Response:
        self.messages.append(await request.json())
        return web.json_response({"messages": [{"id": f"wamid.{len(self.messages)}"}]})


@pytest.fixture
def platform() -> Iterator[Platform]:
    kept, loop = Platform(), asyncio.new_event_loop()
    app = web.Application(client_max_size=200 << 20)
    app.router.add_post("/v1/{number}/media", kept.media)
    app.router.add_post("/v1/{number}/messages", kept.message)
    runner = web.AppRunner(app)
    loop.run_until_complete(runner.setup())
    site = web.TCPSite(runner, "127.0.0.1", 0)
    loop.run_until_complete(site.start())
    kept.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield kept
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(runner.cleanup())
    loop.close()


@pytest.fixture
def server(tmp_path: Path, platform: Platform) -> Iterator[LocalServer]:
    """A local run that keeps no files."""
    environment = {**LINKS, "WHATSAPP_API_URL": platform.url, "MEDIA_BUCKET": ""}
    environment["MEDIA_URL"] = "https://baton.test/relay_media"
    with ForkedServer(tmp_path, environment) as running:
        yield running


@pytest.fixture
def keeper(tmp_path: Path, platform: Platform) -> Iterator[LocalServer]:
    """A local run that keeps files in a directory."""
    environment = {**LINKS, "WHATSAPP_API_URL": platform.url}
    environment["MEDIA_URL"] = "https://baton.test/relay_media"
    environment["MEDIA_BUCKET"] = f"file://{tmp_path / 'media'}"
    with ForkedServer(tmp_path, environment) as running:
        yield running


def _ana_writes(server: LocalServer) -> str:
    """Returns the conversation of a customer who has just written on WhatsApp."""
    message = {
        "id": f"wamid.{uuid.uuid4()}",
        "from": "15550100",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": "Hi"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": "1065", "display_phone_number": "1"},
        "contacts": [{"wa_id": "15550100", "profile": {"name": "Ana"}}],
        "messages": [message],
    }
    whole = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
        {"field": "messages", "value": value}]}]}  # fmt: skip
    raw = json.dumps(whole).encode()
    signed = hmac.new(WHATSAPP_SECRET.encode(), raw, "sha256").hexdigest()
    headers = {"x-hub-signature-256": f"sha256={signed}"}
    assert server.send("POST", "/receive_webhook/whatsapp", raw, headers).status == 200
    return ANA


def _upload(
    server: LocalServer, conversation: str, whole: bytes, mime_type: str, **said: str
) -> Reply:
    key, name = said.pop("key", "dev-agent"), said.pop("fileName", None)
    query = "&".join(f"{name}={quote(value)}" for name, value in said.items())
    headers = {"authorization": f"Bearer {key}", "content-type": mime_type}
    if name is not None:
        headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return server.send("POST", f"{API}/{conversation}/media?{query}", whole, headers)


def _say(server: LocalServer, conversation: str, **body: Any) -> Reply:
    whole = {"messageId": "m-1", "representative": JANE, **body}
    headers = {"authorization": "Bearer dev-agent"}
    return server.send(
        "POST", f"{API}/{conversation}/messages", json.dumps(whole).encode(), headers
    )


def _join(server: LocalServer, conversation: str) -> None:
    headers = {"authorization": "Bearer dev-agent"}
    body = {"eventType": "REPRESENTATIVE_JOINED", "representative": JANE}
    path = f"{API}/{conversation}/events?eventId=j-1"
    assert server.send("POST", path, json.dumps(body).encode(), headers).status == 200


def _files(tmp_path: Path) -> list[Path]:
    return [one for one in (tmp_path / "media").rglob("*") if one.is_file()]


def test_a_pdf_reaches_the_whatsapp_customer_by_whatsapps_own_upload(
    server: LocalServer, platform: Platform
) -> None:
    ana = _ana_writes(server)
    _join(server, ana)
    taken = _upload(server, ana, PDF, "application/pdf", fileName="The manual.pdf")
    assert taken.status == 200
    assert taken.body["size"] == len(PDF)
    assert taken.body["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert taken.body["shownAs"] == "document"
    (form,) = platform.files
    assert form["file"] == PDF
    assert (form["messaging_product"], form["type"]) == (b"whatsapp", b"application/pdf")
    assert (form["named"], form["sent_as"]) == ("The manual.pdf", "application/pdf")
    assert form["authorization"] == "Bearer dev-whatsapp-token"

    said = {"file": {"mediaId": taken.body["mediaId"], "altText": "Page 3 helps."}}
    answer = _say(server, ana, **said)
    assert answer.status == 200
    assert answer.body["file"] == said["file"]  # and nothing of what Baton knows of it
    server.wait_until_quiet(ana)
    document = {"id": "0", "caption": "Page 3 helps.", "filename": "The manual.pdf"}
    assert platform.messages[-1]["document"] == document
    assert platform.messages[-2]["text"]["body"].startswith("Jane")
    count = len(platform.messages)
    assert _say(server, ana, **said).body["error"]["status"] == "ALREADY_EXISTS"
    server.wait_until_quiet(ana)
    assert len(platform.messages) == count


def test_what_the_channel_does_not_take_is_refused_before_anything_is_sent(
    server: LocalServer, platform: Platform
) -> None:
    ana = _ana_writes(server)
    large = _upload(server, ana, bytes(6 << 20), "image/png")
    assert (large.status, _reason(large)) == (413, "file-too-large")
    assert str(5 << 20) in large.body["error"]["message"]
    wrong = _upload(server, ana, b"x", "image/tiff", kind="image")
    assert (wrong.status, _reason(wrong)) == (415, "media-type")
    assert "image/png" in wrong.body["error"]["message"]
    assert _upload(server, ana, b"<html>", "text/html").status == 415
    assert _upload(server, ana, b"x", "image/png", kind="film").status == 400
    assert _upload(server, ana, b"x", "image/png", fileName="../x").status == 400
    assert _upload(server, ana, b"", "image/png").status == 400
    headers = {"authorization": "Bearer dev-agent", "content-type": "image/png"}
    headers["content-disposition"] = "attachment; filename*=UTF-8''%2e%2e%2fx"
    assert server.send("POST", f"{API}/{ana}/media", b"x", headers).status == 400
    assert _upload(server, ana, b"x", "image/png", key="wrong").status == 401
    assert _upload(server, "whatsapp:unknown", b"x", "image/png").status == 404
    assert platform.files == []
    headers["content-disposition"] = "attachment; filename*=UTF-8''Foto%20%C3%A4.png"
    named = server.send("POST", f"{API}/{ana}/media", b"x", headers)
    assert named.body["fileName"] == "Foto \u00e4.png"


@pytest.mark.parametrize(
    ("status", "body", "expected", "reason"),
    [
        (400, {"error": {"code": 100, "message": "(#100) Param file"}}, 409, "upload-refused"),
        (429, {"error": {"code": 130429, "message": "Too fast"}}, 503, "upload-failed"),
        (500, {}, 503, "upload-failed"),
        (200, {}, 503, "upload-failed"),
    ],
)
def test_what_the_platform_says_of_an_upload(
    server: LocalServer, platform: Platform, status: int, body: Any, expected: int, reason: str
) -> None:
    ana = _ana_writes(server)
    platform.script = [(status, body)]
    answer = _upload(server, ana, b"x", "image/png")
    assert (answer.status, _reason(answer)) == (expected, reason)


def test_an_id_is_good_for_its_own_conversation_only(
    server: LocalServer, platform: Platform
) -> None:
    ana, talk = _ana_writes(server), Talk.open(server)
    taken = _upload(server, ana, b"x", "image/png").body["mediaId"]
    talk.frame("JOINED", "Jane", "j")
    other = _say(server, talk.id, file={"mediaId": taken})
    assert (other.status, _reason(other)) == (409, "media-of-another-conversation")
    _join(server, ana)
    forged = _say(server, ana, file={"mediaId": taken[:-4] + "AAAA"})
    assert (forged.status, _reason(forged)) == (400, "unknown-media")
    link = _say(server, ana, file={"upload": "x", "fileUrl": "https://x.test/a"})
    assert (link.status, _reason(link)) == (400, "schema")


def test_a_channel_that_shows_no_files_needs_a_store(server: LocalServer) -> None:
    talk = Talk.open(server)
    answer = _upload(server, talk.id, PDF, "application/pdf")
    assert (answer.status, _reason(answer)) == (409, "no-media-store")
    assert "MEDIA_BUCKET" in answer.body["error"]["message"]


def test_a_pdf_is_a_link_where_the_channel_shows_pictures_only(
    keeper: LocalServer, tmp_path: Path
) -> None:
    talk = Talk.open(keeper)
    talk.frame("JOINED", "Jane", "j")
    taken = _upload(keeper, talk.id, PDF, "application/pdf", fileName="manual.pdf").body
    (kept,) = _files(tmp_path)
    assert kept.read_bytes().endswith(PDF)
    assert _say(keeper, talk.id, file={"mediaId": taken["mediaId"]}).status == 200
    keeper.wait_until_quiet(talk.id)
    text = keeper.transcript(talk.id)[-1]["body"]["text"]
    assert text.startswith("A file for you: manual.pdf\nhttps://baton.test/relay_media/")
    keeper.send("DELETE", f"{API}/{talk.id}", headers={"authorization": "Bearer dev-admin"})
    assert _files(tmp_path) == []


def test_a_hundred_megabytes_pass_through_little_memory(
    keeper: LocalServer, tmp_path: Path
) -> None:
    talk = Talk.open(keeper)
    _upload(keeper, talk.id, PDF, "application/pdf")
    before = _peak(keeper)
    whole = bytes(100 << 20)
    assert _upload(keeper, talk.id, whole, "application/zip").status == 200
    assert _peak(keeper) - before < 40 << 10
    over = _upload(keeper, talk.id, whole + b"x", "application/zip")
    assert over.status == 413
    assert max(one.stat().st_size for one in _files(tmp_path)) < len(whole) + 100


def _peak(server: LocalServer) -> int:
    """Returns the most memory that the process has had, in KiB."""
    assert server.process is not None
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def test_what_the_platform_refuses_is_not_kept(
    keeper: LocalServer, platform: Platform, tmp_path: Path
) -> None:
    ana = _ana_writes(keeper)
    platform.script = [(400, {"error": {"code": 100, "message": "(#100) Param file"}})]
    assert _upload(keeper, ana, PDF, "application/pdf").status == 409
    assert _files(tmp_path) == []


def test_an_upload_that_is_cut_off_leaves_nothing(keeper: LocalServer, tmp_path: Path) -> None:
    talk = Talk.open(keeper)
    with _half_an_upload(keeper, talk.id):
        keeper.wait_until(lambda: _files(tmp_path) != [])
    keeper.wait_until(lambda: _files(tmp_path) == [])
    assert _upload(keeper, talk.id, PDF, "application/pdf").status == 200


def test_one_upload_too_many_at_once_is_told_to_come_again(
    keeper: LocalServer, tmp_path: Path
) -> None:
    talk = Talk.open(keeper)
    with ExitStack() as uploads:
        for _ in range(STREAMS_AT_ONCE):
            uploads.enter_context(_half_an_upload(keeper, talk.id))
        keeper.wait_until(lambda: len(_files(tmp_path)) == STREAMS_AT_ONCE)
        refused = _upload(keeper, talk.id, bytes(20 << 20), "application/pdf")
        assert (refused.status, _reason(refused)) == (503, "too-busy")
    keeper.wait_until(lambda: _files(tmp_path) == [])
    assert _upload(keeper, talk.id, PDF, "application/pdf").status == 200


def test_clients_without_a_key_do_not_hold_the_places_of_uploads(keeper: LocalServer) -> None:
    """They are refused and go on sending."""
    talk = Talk.open(keeper)
    with ExitStack() as uploads:
        for _ in range(STREAMS_AT_ONCE):
            client = uploads.enter_context(_half_an_upload(keeper, talk.id, key="guess"))
            assert client.recv(1 << 10).startswith(b"HTTP/1.1 401 ")
        assert _upload(keeper, talk.id, PDF, "application/pdf").status == 200


def _half_an_upload(
    server: LocalServer, conversation: str, key: str = "dev-agent"
) -> socket.socket:
    """Returns the connection of a client that has sent half of its file."""
    lines = [
        f"POST {API}/{conversation}/media HTTP/1.1",
        f"host: 127.0.0.1:{server.port}",
        "content-type: application/pdf",
        f"authorization: Bearer {key}",
        "content-length: 100000",
    ]
    head = "".join(f"{line}\r\n" for line in (*lines, ""))
    client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    client.sendall(head.encode() + bytes(50_000))
    return client


def test_a_crash_between_upload_and_message_loses_nothing(
    keeper: LocalServer, platform: Platform, tmp_path: Path
) -> None:
    ana = _ana_writes(keeper)
    _join(keeper, ana)
    keeper.wait_until_quiet(ana)
    taken = _upload(keeper, ana, PDF, "application/pdf", fileName="manual.pdf").body
    keeper.stop()
    keeper.start()
    said = {"file": {"mediaId": taken["mediaId"]}}
    assert _say(keeper, ana, **said).status == 200
    keeper.stop()  # before or after it was sent: a message is sent at most once there
    keeper.start()
    assert _say(keeper, ana, **said).body["error"]["status"] == "ALREADY_EXISTS"
    keeper.wait_until_quiet(ana)
    shown = [one["document"] for one in platform.messages if one["type"] == "document"]
    assert shown in ([], [{"id": "0", "filename": "manual.pdf"}])
    assert len(platform.files) == len(_files(tmp_path)) == 1


def _reason(reply: Reply) -> str:
    return str(reply.body["error"]["details"][0]["reason"])
