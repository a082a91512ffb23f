"""The reports page of a local run in which something has happened."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize

from infra.local.server import LocalServer
from infra.local.talk import Talk
from tests import quarter
from tests.browser.conftest import PATIENCE
from tests.browser.elsewhere import Elsewhere, hear_faults
from tests.browser.lasting_page import LastingPage
from tests.forked import ForkedServer

PATH = "/send_representative/reports/"
DESKTOP: ViewportSize = {"width": 1280, "height": 900}


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
    with closing(Elsewhere(server.url)) as elsewhere:
        context = chromium.new_context(
            viewport=DESKTOP, reduced_motion="reduce", proxy=elsewhere.proxy
        )
        opened, faults = context.new_page(), list[str]()
        hear_faults(opened, faults)
        opened.set_default_timeout(PATIENCE)
        try:
            yield opened
        finally:
            context.close()
        assert faults == []
        assert elsewhere.asked() == []


def lasting(chromium: Browser, server: LocalServer) -> LastingPage:
    """Returns a blank page for the tests of a module."""
    return LastingPage(chromium, server.url, "about:blank", DESKTOP, _clear)


def _clear(page: Page) -> None:
    page.evaluate("() => { sessionStorage.clear(); localStorage.clear(); }")
    page.goto("about:blank")


def show(page: Page, server: LocalServer, key: str = "dev-admin") -> None:
    page.goto(f"{server.url}{PATH}#key={key}&tz=Asia/Jakarta")
