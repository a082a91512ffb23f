"""The reports page of a local run in which something has happened."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from infra.local.server import LocalServer
from infra.local.talk import Talk
from tests import quarter
from tests.browser.conftest import PATIENCE
from tests.forked import ForkedServer

PATH = "/send_representative/reports/"


@contextmanager
def play(folder: Path) -> Iterator[LocalServer]:
    """Yields a run with one handoff that was answered and ended, and two that wait."""
    with ForkedServer(folder) as server:
        quarter.until_it_has(60)
        talks = [Talk.open(server) for _ in range(3)]
        for talk in talks:
            talk.post(":requestHuman", {"reason": "<b>refund</b>"}, "dev-bot")
        talks[0].post(":claim", {"representative": {"displayName": "Jane <Doe>"}})
        talks[0].say("HUMAN", "Jane <Doe>", "Hello", "h-1")
        talks[0].post(":release", {"representative": {"displayName": "Jane <Doe>"}})
        for talk in talks:
            server.wait_until_quiet(talk.id)
        yield server


@contextmanager
def fresh(chromium: Browser, server: LocalServer) -> Iterator[Page]:
    """Yields a page that asks no other host, and that must not throw nor break its own policy."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    opened, faults, asked = context.new_page(), list[str](), list[str]()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on(
        "console",
        lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None,
    )
    opened.on("request", lambda request: asked.append(request.url))
    opened.set_default_timeout(PATIENCE)
    try:
        yield opened
    finally:
        context.close()
    assert faults == []
    assert [url for url in asked if not url.startswith((server.url, "data:"))] == []


def show(page: Page, server: LocalServer, key: str = "dev-admin") -> None:
    page.goto(f"{server.url}{PATH}#key={key}&tz=Asia/Jakarta")
