"""The file of a customer's message for a reader with a link: from a server with the platform's
rules, through the real fetcher.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.conversations.apply import apply
from shared.conversations.receive_webhook import receive_webhook
from shared.customers.erase import erase
from shared.errors import (
    BatonError,
    Gone,
    MethodNotAllowed,
    NotFound,
    OutOfRange,
    Refused,
    TooLarge,
    Unavailable,
    Unsupported,
)
from shared.media.names import kept_name, upload_name
from shared.media.relay import relay_media
from shared.media_links import MediaLinks, MediaName
from shared.platforms.rcs.platform import Rcs
from shared.platforms.whatsapp.platform import WhatsApp
from shared.ports import Ports
from shared.schemas.content import Content, File
from shared.schemas.details import Attachment, Details
from shared.schemas.events import HumanJoined, HumanMessage, UserMessage
from shared.schemas.http import Request, Response
from shared.schemas.representative import Representative, RepresentativeType
from shared.stores.media.directory import DirectoryStore
from shared.transports.http_sender import HttpSender
from shared.transports.media_fetcher import MediaFetcher, origin_of
from tests.unit.file_server import PNG, TOKEN, FileServer, serving
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.phones_play import ANA, signed

JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane")
MP4 = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(range(256)) * 1000
OGG = b"OggS\0\2" + bytes(20) + b"\1\x13OpusHead" + bytes(500)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>' + b" " * 100
HTML = b"<!doctype html><script>alert(1)</script>" + b" " * 100
PDF = b"%PDF-1.7\n" + b"x" * 200


@dataclass
class Relay:
    """A customer of WhatsApp who sends files, and readers who have links to them."""

    ports: Ports
    links: MediaLinks
    server: FileServer
    clock: Any

    async def link(self, content: bytes, kind: str = "image", **media: Any) -> str:
        """Returns the token of a link to a file that the customer has just sent."""
        name = f"{1000 + len(self.server.files)}"
        mime_type = media.setdefault("mime_type", "image/png")
        self.server.files[name] = (content, mime_type)
        message = {
            "from": "12025550100",
            "id": f"wamid.{name}",
            "timestamp": "1767225600",
            "type": kind,
            kind: {"id": name, **media},
        }
        await receive_webhook(self.ports, signed(messages=[message]))
        return self.token(await self.last_entry())

    async def last_entry(self, conversation: str = ANA) -> MediaName:
        latest = await self.ports.store.latest(conversation, 9)
        return MediaName(conversation, next(one.value.id for one in latest if one.value.details))

    def token(self, name: MediaName) -> str:
        return self.links.link(name).rpartition("/")[2]

    async def get(self, token: str, method: str = "GET", **headers: str) -> Response:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return await relay_media(
            self.ports, self.links, Request(method, f"/{token}", headers=headers)
        )

    async def read(self, token: str, **headers: str) -> tuple[Response, bytes]:
        answer = await self.get(token, **headers)
        assert answer.stream is not None
        try:
            return answer, b"".join([chunk async for chunk in answer.stream.chunks])
        finally:
            await answer.stream.close()


@pytest.fixture
async def relay(bench: Bench) -> AsyncIterator[Relay]:
    async with serving(FileServer()) as server:
        fetcher = MediaFetcher({origin_of(server.url)}, idle=0.5, total=3.0)
        sender = HttpSender()
        whatsapp = WhatsApp(app_secrets=("s",), access_token=TOKEN, api_url=server.graph)
        known = {**bench.ports.platforms, "whatsapp": whatsapp, "rcs": Rcs(api_url=server.url)}
        able = {name: one.capabilities for name, one in known.items()}
        policy = replace(bench.ports.policy, capabilities=able)
        ports = replace(bench.ports, platforms=known, policy=policy, sender=sender, media=fetcher)
        links = MediaLinks(
            "https://relay.test", ("dev-media-key",), timedelta(hours=1), bench.clock.now
        )
        yield Relay(ports, links, server, bench.clock)
        await fetcher.close()
        await sender.close()


async def test_a_picture_comes_as_it_is_and_may_be_shown(relay: Relay) -> None:
    token = await relay.link(PNG, caption="broken part")
    answer, content = await relay.read(token)
    assert (answer.status, answer.content_type, content) == (200, "image/png", PNG)
    headers = answer.headers
    assert headers["content-length"] == str(len(PNG))
    assert headers["content-disposition"].startswith("inline;")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert headers["cache-control"].startswith("private")
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert relay.server.asked[0]["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("content", "kind", "claimed"),
    [
        (SVG, "image", "image/svg+xml"),
        (SVG, "image", "image/png"),
        (HTML, "document", "text/html"),
        (HTML, "image", "image/jpeg"),
        (HTML, "audio", "audio/ogg"),
        (PNG, "document", "text/html"),  # what it says and what it is do not agree
        (PDF, "image", "image/png"),
        (OGG, "image", "image/png"),
        (b"GIF8" + HTML, "image", "image/gif"),
        (b"", "image", "image/png"),
        (b"PK\x03\x04" + bytes(100), "document", "application/zip"),
    ],
)
async def test_what_a_browser_might_run_is_only_saved(
    relay: Relay, content: bytes, kind: str, claimed: str
) -> None:
    token = await relay.link(content, kind, mime_type=claimed)
    answer, sent = await relay.read(token)
    assert (answer.content_type, sent) == ("application/octet-stream", content)
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("content", "kind", "claimed", "mime_type", "how"),
    [
        (OGG, "audio", "audio/ogg; codecs=opus", "audio/ogg", "inline"),
        (MP4, "video", "video/mp4", "video/mp4", "inline"),
        (MP4, "audio", "audio/mp4", "video/mp4", "inline"),
        (b"\xff\xd8\xff\xe0" + bytes(99), "image", "image/jpeg", "image/jpeg", "inline"),
        (b"RIFF\1\2\3\4WEBPVP8 " + bytes(99), "sticker", "image/webp", "image/webp", "inline"),
        (PDF, "document", "application/pdf", "application/pdf", "attachment"),
        (PNG, "document", "application/octet-stream", "image/png", "inline"),
    ],
)
async def test_types_are_those_of_the_bytes(
    relay: Relay, content: bytes, kind: str, claimed: str, mime_type: str, how: str
) -> None:
    token = await relay.link(content, kind, mime_type=claimed)
    answer, sent = await relay.read(token)
    assert (answer.content_type, sent) == (mime_type, content)
    assert answer.headers["content-disposition"].startswith(f"{how};")


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("manual.pdf", "filename=\"manual.pdf\"; filename*=UTF-8''manual.pdf"),
        ("Réf 1.pdf", "filename=\"Ref 1.pdf\"; filename*=UTF-8''R%C3%A9f%201.pdf"),
        ('a"b\r\nx: y.pdf', "filename=\"a_bx_ y.pdf\"; filename*=UTF-8''a_bx_%20y.pdf"),
        ("../../etc/passwd", "filename=\"_.._etc_passwd\"; filename*=UTF-8''_.._etc_passwd"),
        ("inv\u202efdp.exe", "filename=\"invfdp.exe\"; filename*=UTF-8''invfdp.exe"),
        ("page.HTML", "filename=\"page.HTML.txt\"; filename*=UTF-8''page.HTML.txt"),
        ("p.svg. ", "filename=\"p.svg.txt\"; filename*=UTF-8''p.svg.txt"),
        ("手册.pdf", "filename=\".pdf\"; filename*=UTF-8''%E6%89%8B%E5%86%8C.pdf"),
        (" \u200b ", "filename=\"document.pdf\"; filename*=UTF-8''document.pdf"),
        ("n" * 300 + ".pdf", None),
    ],
)
async def test_names_are_harmless(relay: Relay, name: str, disposition: str | None) -> None:
    token = await relay.link(PDF, "document", mime_type="application/pdf", filename=name)
    answer = await relay.get(token, "HEAD")
    said = answer.headers["content-disposition"]
    assert said.isascii() and said.isprintable()
    if disposition is None:
        assert len(said) < 400 and ".pdf" in said
    else:
        assert said == f"attachment; {disposition}"


@pytest.mark.parametrize("fault", ["", "no ranges"])
@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-", 0, len(MP4)),
        ("bytes=0-99", 0, 100),
        ("bytes=100-199", 100, 200),
        ("bytes=150000-", 150000, len(MP4)),
        ("bytes=-7", len(MP4) - 7, len(MP4)),
        (f"bytes=9-{len(MP4) * 2}", 9, len(MP4)),
        ("Bytes=5-5", 5, 6),
    ],
)
async def test_parts(relay: Relay, fault: str, asked: str, start: int, end: int) -> None:
    """Also if the platform has no ranges."""
    token = await relay.link(MP4, "video", mime_type="video/mp4")
    relay.server.faults["1000"] = fault
    answer, content = await relay.read(token, range=asked)
    assert (answer.status, answer.content_type) == (206, "video/mp4")
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(MP4)}"
    assert answer.headers["content-length"] == str(end - start)
    assert content == MP4[start:end]
    assert relay.server.lookups == 1


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,4-5", "bytes=5-2", "bytes=-", "items=0-1", "bytes=a-b", "0-5", ""]
)
async def test_what_is_no_single_part_is_answered_with_the_whole(relay: Relay, asked: str) -> None:
    token = await relay.link(MP4, "video", mime_type="video/mp4")
    answer, content = await relay.read(token, range=asked)
    assert (answer.status, content) == (200, MP4)


@pytest.mark.parametrize("asked", [f"bytes={len(MP4)}-", "bytes=-0", "bytes=999999999999-"])
async def test_a_part_that_is_not_there(relay: Relay, asked: str) -> None:
    token = await relay.link(MP4, "video", mime_type="video/mp4")
    with pytest.raises(OutOfRange) as error:
        await relay.get(token, range=asked)
    assert error.value.metadata["content_range"] == f"bytes */{len(MP4)}"


async def test_a_part_of_another_version_is_not_mixed_in(relay: Relay) -> None:
    token = await relay.link(MP4, "video", mime_type="video/mp4")
    tag = (await relay.get(token, "HEAD")).headers["etag"]
    answer, _ = await relay.read(token, range="bytes=4-9", if_range=tag)
    assert answer.status == 206
    answer, content = await relay.read(token, range="bytes=4-9", if_range='"another"')
    assert (answer.status, content) == (200, MP4)


async def test_a_reader_that_has_the_file_gets_it_not_again(relay: Relay) -> None:
    token = await relay.link(PNG)
    tag = (await relay.get(token, "HEAD")).headers["etag"]
    before = len(relay.server.asked)
    answer = await relay.get(token, if_none_match=tag)
    assert (answer.status, answer.stream, len(relay.server.asked)) == (304, None, before)


async def test_a_head_says_the_same_and_sends_nothing(relay: Relay) -> None:
    token = await relay.link(PNG)
    head = await relay.get(token, "HEAD")
    answer, _ = await relay.read(token)
    assert (head.status, head.content_type, head.headers) == (200, "image/png", answer.headers)
    assert head.stream is None
    with pytest.raises(MethodNotAllowed):
        await relay.get(token, "POST")


async def test_a_link_of_an_erased_conversation_leads_nowhere(relay: Relay) -> None:
    token = await relay.link(PNG)
    await relay.read(token)
    await erase(relay.ports, ANA, "admin")
    before = relay.server.lookups
    with pytest.raises(Gone, match="erased"):
        await relay.get(token)
    assert relay.server.lookups == before


async def test_links_that_are_none(relay: Relay) -> None:
    token = await relay.link(PNG)
    changed = token[:60] + ("A" if token[60] != "A" else "B") + token[61:]
    for wrong in ("x", token[:-4], changed, f"{token}/x", token.swapcase()):
        with pytest.raises(NotFound):
            await relay.get(wrong)
    foreign = replace(relay.links, keys=("dev-another-key",))
    with pytest.raises(NotFound):
        await relay.get(foreign.link(await relay.last_entry()).rpartition("/")[2])


async def test_a_link_expires(relay: Relay) -> None:
    token = await relay.link(PNG)
    relay.clock.forward(3601)
    with pytest.raises(Gone, match="expired"):
        await relay.get(token)


async def test_a_link_is_good_for_its_own_file_only(relay: Relay) -> None:
    """One with a conversation, an entry or a file that do not belong together finds nothing."""
    await relay.link(PNG)
    name = await relay.last_entry()
    for wrong in (
        replace(name, conversation="whatsapp:1:+1202555999"),
        replace(name, entry="other"),
        replace(name, index=1),
    ):
        with pytest.raises(Gone):
            await relay.get(relay.token(wrong))


async def _error(relay: Relay, token: str) -> BatonError:
    with pytest.raises(BatonError) as found:
        await relay.read(token)
    return found.value


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        ("404", 410, "file-gone"),
        ("410", 410, "file-gone"),
        ("401", 503, "platform-refused"),
        ("403", 503, "platform-refused"),
        ("429", 503, "platform-failed"),
        ("500", 503, "platform-failed"),
        ("silent", 504, "platform-too-slow"),
        ("stalls", 504, "platform-too-slow"),
        ("cut", 503, "platform-failed"),
        ("busy", 503, "platform-failed"),
        ("to http://127.0.0.1:1/x", 409, "host-not-allowed"),
        ("to https://localhost/x", 409, "host-not-allowed"),
        ("to https://169.254.169.254/x", 409, "host-not-allowed"),
        ("to file:///etc/passwd", 409, "host-not-allowed"),
    ],
)
async def test_each_failure_of_the_platform_has_its_own_answer(
    relay: Relay, fault: str, code: int, reason: str
) -> None:
    token = await relay.link(MP4, "video", mime_type="video/mp4")
    relay.server.faults["1000"] = fault
    error = await _error(relay, token)
    assert (error.code, error.reason) == (code, reason)


async def test_an_id_that_has_expired_at_whatsapp(relay: Relay) -> None:
    token = await relay.link(PNG)
    del relay.server.files["1000"]
    error = await _error(relay, token)
    assert (error.code, error.reason) == (410, "file-gone")


async def test_a_token_that_whatsapp_does_not_accept(relay: Relay) -> None:
    token = await relay.link(PNG)
    other = replace(relay.ports.platforms["whatsapp"], access_token="dev-another-token")  # type: ignore[type-var]  # a frozen dataclass
    relay.ports = replace(relay.ports, platforms={"whatsapp": other})
    assert (await _error(relay, token)).reason == "platform-refused"


@pytest.mark.parametrize("fault", ["", "no length", "endless"])
async def test_what_is_too_large_is_refused_or_cut_off(relay: Relay, fault: str) -> None:
    token = await relay.link(PNG + bytes(8 << 20), "sticker", mime_type="image/png")
    relay.server.faults["1000"] = fault
    error = await _error(relay, token)
    assert isinstance(error, TooLarge)


async def test_what_the_platform_says_is_too_large_is_not_fetched(relay: Relay) -> None:
    token = await relay.link(PNG, file_size=1 << 30)
    assert isinstance(await _error(relay, token), TooLarge)
    assert relay.server.lookups == 0


async def test_a_file_without_a_length_comes_whole(relay: Relay) -> None:
    token = await relay.link(MP4, "video", mime_type="video/mp4")
    relay.server.faults["1000"] = "no length"
    answer, content = await relay.read(token, range="bytes=5-")
    assert (answer.status, content) == (200, MP4)
    assert "content-length" not in answer.headers


async def test_a_long_file_is_sent_without_its_length(relay: Relay) -> None:
    """Cloud Run refuses an answer of more than 32 MiB that has one."""
    token = await relay.link(MP4 + bytes(32 << 20), "video", mime_type="video/mp4")
    answer = await relay.get(token, "HEAD", range="bytes=0-")
    assert "content-length" not in answer.headers
    assert answer.headers["content-range"].endswith(f"/{len(MP4) + (32 << 20)}")


async def test_a_reader_that_goes_away_closes_the_connection_to_the_platform(relay: Relay) -> None:
    token = await relay.link(MP4, "video", mime_type="video/mp4")
    relay.server.faults["1000"] = "drips"
    answer = await relay.get(token)
    assert answer.stream is not None and relay.server.open_now == 1
    await answer.stream.close()
    for _ in range(100):
        if not relay.server.open_now:
            break
        await asyncio.sleep(0.05)
    assert relay.server.open_now == 0


async def _message(relay: Relay, source: str, file: Attachment) -> str:
    event = UserMessage(
        id="m1",
        source=source,
        address="a",
        actor="customer",
        form={"message": {"text": "x"}},
        said="x",
        details=Details(attachments=(file,)),
    )
    await apply(relay.ports, event)
    return relay.token(await relay.last_entry(source))


async def test_rcs_has_files_at_links_without_credentials(relay: Relay) -> None:
    relay.server.files["a"] = (PNG, "image/png")
    link = f"{relay.server.url}/files/a"
    token = await _message(relay, "rcs:a:h-1", Attachment(kind="image", link=link))
    _, content = await relay.read(token)
    assert content == PNG
    assert "authorization" not in relay.server.asked[0]


@pytest.mark.parametrize(
    "link", ["https://evil.example/a.png", "file:///etc/passwd", "http://[::1]/"]
)
async def test_a_link_to_a_host_that_is_not_the_platforms(relay: Relay, link: str) -> None:
    token = await _message(relay, "rcs:a:h-1", Attachment(kind="image", link=link))
    with pytest.raises(Refused):
        await relay.get(token)


async def test_a_platform_whose_files_cannot_be_fetched(relay: Relay) -> None:
    link = "https://files.example/a.png"
    token = await _message(relay, "plain:a", Attachment(kind="image", link=link))
    with pytest.raises(Unsupported):
        await relay.get(token)


async def test_a_file_that_a_human_gave_by_a_public_link_is_read_there(relay: Relay) -> None:
    await relay.link(PNG)
    content = Content(file=File(file_url="https://example.com/manual.pdf", kind="document"))
    common: dict[str, Any] = {"source": ANA, "actor": "key:jane", "representative": JANE}
    await apply(relay.ports, HumanJoined(id="j1", **common))
    await apply(relay.ports, HumanMessage(id="m1", content=content, **common))
    answer = await relay.get(relay.token(await relay.last_entry()))
    assert (answer.status, answer.headers["location"]) == (302, "https://example.com/manual.pdf")


async def test_relays_need_keys(relay: Relay) -> None:
    token = await relay.link(PNG)
    relay.links = replace(relay.links, keys=())
    with pytest.raises(Unavailable, match="MEDIA_LINK_KEYS"):
        await relay.get(token)


async def _chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def _keeping(relay: Relay, folder: Path) -> DirectoryStore:
    store = DirectoryStore(folder / "files", timedelta(days=30))
    relay.ports = replace(relay.ports, media_store=store)
    return store


@pytest.mark.parametrize("asked", [None, "bytes=1000-1999"])
async def test_a_kept_file_outlives_the_platforms(
    relay: Relay, tmp_path: Path, asked: str | None
) -> None:
    store = _keeping(relay, tmp_path)
    token = await relay.link(MP4, "video", mime_type="video/mp4")
    await store.put(kept_name(relay.links.named_by(token)), "video/mp4", _chunks(MP4))
    relay.server.files.clear()
    answer, content = await relay.read(token, **({"range": asked} if asked else {}))
    assert answer.content_type == "video/mp4"
    assert content == (MP4 if asked is None else MP4[1000:2000])
    assert relay.server.lookups == 0


async def test_what_is_not_kept_yet_comes_from_the_platform(relay: Relay, tmp_path: Path) -> None:
    _keeping(relay, tmp_path)
    token = await relay.link(PNG)
    assert (await relay.read(token))[1] == PNG


async def test_a_kept_file_runs_no_more_than_any_other(relay: Relay, tmp_path: Path) -> None:
    store = _keeping(relay, tmp_path)
    token = await relay.link(PNG, mime_type="image/svg+xml")
    await store.put(kept_name(relay.links.named_by(token)), "image/svg+xml", _chunks(SVG))
    answer, content = await relay.read(token)
    assert (answer.content_type, content) == ("application/octet-stream", SVG)


async def test_an_upload_comes_from_where_it_is_kept(relay: Relay, tmp_path: Path) -> None:
    store = _keeping(relay, tmp_path)
    await relay.link(PNG)
    await store.put(upload_name(ANA, "u1"), "application/pdf", _chunks(PDF))
    file = File(upload="u1", kind="document", mime_type="application/pdf", file_name="m.pdf")
    common: dict[str, Any] = {"source": ANA, "actor": "key:jane", "representative": JANE}
    await apply(relay.ports, HumanJoined(id="j1", **common))
    await apply(relay.ports, HumanMessage(id="m1", content=Content(file=file), **common))
    token = relay.token(await relay.last_entry())
    answer, content = await relay.read(token)
    assert (answer.content_type, content) == ("application/pdf", PDF)
    await store.delete(f"{upload_name(ANA, 'u1')}")
    with pytest.raises(Gone):
        await relay.get(token)
