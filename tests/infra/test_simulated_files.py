"""The simulated platforms hold files with the rules of the real ones: who may fetch them, for how
long, and what a message may carry.
"""

import hashlib
import io
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web

from infra.local.simulators.business_messages import BusinessMessagesSimulator
from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.rcs import AGENT, RcsSimulator
from infra.local.simulators.simulator import Simulator
from infra.local.simulators.whatsapp import NUMBER, WhatsAppSimulator
from shared.schemas.http import Answer, Call
from tests.infra.simulated import HERE, PHONE, ask, customer, says

PNG = b"\x89PNG\r\n\x1a\n\r\n\r and more\n"
API = f"{HERE}/sim/whatsapp/v23.0"
DAY = 86_400


@pytest.fixture
def whatsapp() -> WhatsAppSimulator:
    return WhatsAppSimulator(PlatformStore(":memory:"), "", "secret", "access")


@pytest.fixture
def rcs() -> RcsSimulator:
    return RcsSimulator(PlatformStore(":memory:"), "", "token")


async def sends(
    simulator: Simulator, query: str, mime_type: str = "image/png", content: bytes = PNG
) -> Answer:
    simulator.let_baton_hear = _at_once  # type: ignore[method-assign]  # there is no Baton here
    url = f"{HERE}{simulator.prefix}/customers/{PHONE}/media?{query}"
    return await ask(simulator, Call("POST", url, content, {"content-type": mime_type}))


async def _at_once() -> None:
    return None


def reported(simulator: Simulator) -> dict[str, Any]:
    """Returns the latest webhook that waits."""
    webhook: dict[str, Any] = json.loads(simulator.store.webhooks(100)[-1][1])
    return webhook


def said(whatsapp: WhatsAppSimulator) -> dict[str, Any]:
    message: dict[str, Any] = reported(whatsapp)["entry"][0]["changes"][0]["value"]["messages"][0]
    return message


def failure(whatsapp: WhatsAppSimulator) -> tuple[str, Any]:
    status = reported(whatsapp)["entry"][0]["changes"][0]["value"]["statuses"][0]
    return status["status"], status.get("errors")


async def get(simulator: Simulator, url: str, key: str = "access") -> Answer:
    return await ask(simulator, Call("GET", url, b"", auth=f"bearer:{key}"))


async def located(whatsapp: WhatsAppSimulator, media: str) -> str:
    answer = await get(whatsapp, f"{API}/{media}")
    assert answer.status == 200
    url: str = json.loads(answer.body)["url"]
    return url


async def test_a_photo_is_reported_with_an_id_that_leads_to_its_bytes(
    whatsapp: WhatsAppSimulator,
) -> None:
    await sends(whatsapp, "kind=image&caption=Broken")
    photo = said(whatsapp)
    digest = hashlib.sha256(PNG).digest()
    assert photo["type"] == "image"
    assert photo["image"] == {
        "mime_type": "image/png",
        "sha256": b64encode(digest).decode(),
        "id": photo["image"]["id"],
        "caption": "Broken",
    }
    found = json.loads((await get(whatsapp, f"{API}/{photo['image']['id']}")).body)
    assert (found["mime_type"], found["sha256"], found["file_size"]) == (
        "image/png",
        digest.hex(),
        len(PNG),
    )
    answer = await get(whatsapp, found["url"])
    assert (answer.status, answer.body) == (200, PNG)


async def test_a_voice_note_and_a_document_are_reported_as_what_they_are(
    whatsapp: WhatsAppSimulator,
) -> None:
    await sends(whatsapp, "kind=voice", "audio/ogg; codecs=opus", b"OggS")
    voice = said(whatsapp)
    assert (voice["type"], voice["audio"]["voice"]) == ("audio", True)
    assert voice["audio"]["mime_type"] == "audio/ogg; codecs=opus"
    await sends(whatsapp, "kind=document&fileName=Bill%201.pdf", "application/pdf", b"%PDF-")
    document = said(whatsapp)
    assert (document["type"], document["document"]["filename"]) == ("document", "Bill 1.pdf")


async def test_whatsapp_gives_a_file_only_to_the_token_and_only_for_a_while(
    whatsapp: WhatsAppSimulator,
) -> None:
    await sends(whatsapp, "kind=image")
    media = said(whatsapp)["image"]["id"]
    url = await located(whatsapp, media)
    assert (await get(whatsapp, f"{API}/{media}", "guess")).status == 401
    assert (await get(whatsapp, url, "guess")).status == 401
    assert (await get(whatsapp, url.replace("hash=", "hash=0"))).status == 404

    await clock(whatsapp, 301)
    assert (await get(whatsapp, url)).status == 404  # the url is gone, the id is not
    assert (await get(whatsapp, await located(whatsapp, media))).status == 200

    await clock(whatsapp, 7 * DAY + 1)
    gone = await get(whatsapp, f"{API}/{media}")
    error = json.loads(gone.body)["error"]
    assert (gone.status, error["code"], error["error_subcode"]) == (400, 100, 33)


async def clock(simulator: Simulator, ahead: int) -> None:
    await customer(simulator, "/clock", {"aheadSeconds": ahead}, "PUT")


async def uploaded(
    whatsapp: WhatsAppSimulator, content: bytes, mime_type: str, key: str = "access"
) -> Answer:
    """Uploads with the form of a client that has nothing to do with Baton or its simulators."""
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": mime_type})
    form.add_field("file", io.BytesIO(content), filename="file.bin", content_type=mime_type)
    body = form()
    call = Call(
        "POST",
        f"{API}/{NUMBER}/media",
        await body.as_bytes(),
        {"content-type": body.headers["content-type"]},
        auth=f"bearer:{key}",
    )
    return await ask(whatsapp, call)


async def written(whatsapp: WhatsAppSimulator, kind: str, part: dict[str, Any]) -> Answer:
    body = {"messaging_product": "whatsapp", "to": PHONE, "type": kind, kind: part}
    url = f"{API}/{NUMBER}/messages"
    return await ask(whatsapp, Call("POST", url, json.dumps(body).encode(), auth="bearer:access"))


def phone_files(simulator: Simulator) -> list[dict[str, Any]]:
    rows = simulator.store.transcript(PHONE)
    return [
        file for row in rows if row["side"] == "business" for file in row["body"].get("files", [])
    ]


async def test_an_upload_becomes_a_message_that_the_phone_shows(
    whatsapp: WhatsAppSimulator,
) -> None:
    await says(whatsapp)
    media = json.loads((await uploaded(whatsapp, PNG, "image/png")).body)["id"]
    assert (await written(whatsapp, "image", {"id": media, "caption": "Here"})).status == 200
    (file,) = phone_files(whatsapp)
    assert (file["kind"], file["mimeType"], file["size"]) == ("image", "image/png", len(PNG))
    assert (await get(whatsapp, f"{HERE}{file['url']}")).body == PNG

    await clock(whatsapp, 8 * DAY)
    assert (await get(whatsapp, f"{API}/{media}")).status == 200  # an upload lives for 30 days
    await clock(whatsapp, 30 * DAY + 1)
    assert (await get(whatsapp, f"{API}/{media}")).status == 400


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("image", {"id": "17"}),
        ("image", {}),
        ("image", {"id": "17", "link": "https://shop.example/a.png"}),
        ("audio", {"link": "https://shop.example/a.ogg", "caption": "no caption"}),
        ("document", {"link": "https://shop.example/a.pdf", "caption": "x" * 1025}),
        ("hologram", {"link": "https://shop.example/a"}),
    ],
)
async def test_whatsapp_refuses_a_file_message_that_is_wrong(
    whatsapp: WhatsAppSimulator, kind: str, part: dict[str, Any]
) -> None:
    await says(whatsapp)
    assert (await written(whatsapp, kind, part)).status == 400


async def test_whatsapp_refuses_an_upload_that_it_does_not_take(
    whatsapp: WhatsAppSimulator,
) -> None:
    svg = await uploaded(whatsapp, b"<svg/>", "image/svg+xml")
    assert (svg.status, b"one of the following types" in svg.body) == (400, True)
    large = await uploaded(whatsapp, bytes((5 << 20) + 1), "image/png")
    assert (large.status, b"too large" in large.body) == (400, True)
    assert (await uploaded(whatsapp, PNG, "image/png", "guess")).status == 401


@asynccontextmanager
async def served(content: bytes, content_type: str, status: int = 200) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=content, content_type=content_type, status=status)

    app = web.Application()
    app.router.add_get("/file", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/file"
    finally:
        await runner.cleanup()


async def test_whatsapp_fetches_a_link_and_shows_it(whatsapp: WhatsAppSimulator) -> None:
    await says(whatsapp)
    async with served(b"%PDF-1.7", "application/pdf") as link:
        part = {"link": link, "filename": "Manual.pdf", "caption": "The manual"}
        assert (await written(whatsapp, "document", part)).status == 200
    (file,) = phone_files(whatsapp)
    assert (file["fileName"], file["mimeType"]) == ("Manual.pdf", "application/pdf")
    assert failure(whatsapp) == ("delivered", None)


@pytest.mark.parametrize(
    ("kind", "content", "content_type", "status"),
    [
        ("image", PNG, "image/png", 404),
        ("image", b"<html>", "text/html", 200),
        ("image", bytes((5 << 20) + 1), "image/png", 200),
        ("audio", b"RIFF", "audio/wav", 200),
    ],
)
async def test_a_link_that_gives_no_such_file_fails_after_the_answer(
    whatsapp: WhatsAppSimulator, kind: str, content: bytes, content_type: str, status: int
) -> None:
    await says(whatsapp)
    async with served(content, content_type, status) as link:
        assert (await written(whatsapp, kind, {"link": link})).status == 200
    result, errors = failure(whatsapp)
    assert (result, errors[0]["code"]) == ("failed", 131053)
    assert phone_files(whatsapp) == []


async def test_rcs_reports_a_link_and_fetches_one(rcs: RcsSimulator) -> None:
    await sends(rcs, "kind=document&fileName=Bill.pdf", "application/pdf", b"%PDF-")
    message = json.loads(b64decode(reported(rcs)["message"]["data"]))
    payload = message["userFile"]["payload"]
    assert (payload["mimeType"], payload["fileName"], payload["fileSizeBytes"]) == (
        "application/pdf",
        "Bill.pdf",
        5,
    )
    assert urlsplit(payload["fileUri"]).path.startswith("/sim/rcs/v1/blob/")
    assert (await get(rcs, payload["fileUri"])).body == b"%PDF-"

    async with served(b"%PDF-1.7", "application/pdf") as link:
        assert (await rcs_message(rcs, link)).status == 200
    assert [file["mimeType"] for file in phone_files(rcs)] == ["application/pdf"]
    async with served(b"zip", "application/zip") as link:
        assert (await rcs_message(rcs, link)).status == 400


async def test_an_upload_to_rcs_lives_for_sixty_days(rcs: RcsSimulator) -> None:
    await says(rcs)
    url = f"{HERE}/sim/rcs/upload/v1/files?agentId={AGENT}"
    pdf = Call("POST", url, b"%PDF-1.7", {"content-type": "application/pdf"})
    named = {"uploadedRbmFile": {"fileName": json.loads((await ask(rcs, pdf)).body)["name"]}}
    assert (await rcs_content(rcs, named)).status == 200
    assert [file["mimeType"] for file in phone_files(rcs)] == ["application/pdf"]
    await clock(rcs, 60 * DAY)
    assert (await rcs_content(rcs, named)).status == 400
    assert (await rcs_content(rcs, {"uploadedRbmFile": {"fileName": "files/1"}})).status == 400
    zipped = Call("POST", url, b"PK", {"content-type": "application/zip"})
    assert (await ask(rcs, zipped)).status == 400


async def rcs_message(rcs: RcsSimulator, link: str) -> Answer:
    return await rcs_content(rcs, {"contentInfo": {"fileUrl": link}})


async def rcs_content(rcs: RcsSimulator, content: dict[str, Any]) -> Answer:
    body = json.dumps({"contentMessage": content}).encode()
    url = f"{HERE}/sim/rcs/v1/phones/{PHONE}/agentMessages?messageId={uuid4()}&agentId={AGENT}"
    return await ask(rcs, Call("POST", url, body))


async def test_business_messages_customers_send_pictures_only() -> None:
    simulator = BusinessMessagesSimulator(PlatformStore(":memory:"), "", "key")
    await sends(simulator, "kind=image")
    link = reported(simulator)["message"]["text"]
    assert (await get(simulator, link)).body == PNG
    assert (await sends(simulator, "kind=document", "application/pdf")).status == 400


async def test_a_file_that_could_be_a_page_is_a_download(whatsapp: WhatsAppSimulator) -> None:
    answer = await sends(whatsapp, "kind=document&fileName=a.html", "text/html", b"<script>1")
    (view,) = json.loads(answer.body)["files"]
    shown = await get(whatsapp, f"{HERE}{view['url']}")
    assert shown.headers["content-disposition"].startswith("attachment")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-security-policy"] == "sandbox"


async def test_faults_lose_and_cut_files(whatsapp: WhatsAppSimulator) -> None:
    await sends(whatsapp, "kind=image")
    media = said(whatsapp)["image"]["id"]
    url = await located(whatsapp, media)
    await customer(whatsapp, "/faults", {"media_cut": 1}, "PUT")
    answer = await get(whatsapp, url)
    assert int(answer.headers["content-length"]) == len(PNG)
    assert answer.body == PNG[: len(PNG) // 2]
    await customer(whatsapp, "/faults", {"media_gone": 1}, "PUT")
    assert (await get(whatsapp, url)).status == 404
    assert (await get(whatsapp, f"{API}/{media}")).status == 400
