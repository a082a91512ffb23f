"""A local run as its own process, and a page of it in headless Chromium. Only what was started
here is ended.
"""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from infra.local.browser import browser, find_browser
from infra.local.server import PATIENCE_SECONDS, LocalServer
from infra.local.settings import BRIDGE_KEY
from tests.browser.crm import Crm, Tab, serve
from tests.forked import ForkedServer

REQUIRE_ALL = "BATON_REQUIRE_ALL"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a run in a folder of its own."""
    with ForkedServer(tmp_path_factory.mktemp("run"), {"BATON_BOT": "acknowledge"}) as run:
        yield run.url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Closed at the end of the module: while it is open, this thread has a running event loop."""
    path = find_browser()
    if path is None:
        absence = "no Chromium was found on PATH (Debian: chromium-headless-shell)"
        if os.environ.get(REQUIRE_ALL) == "1":
            pytest.fail(f"{REQUIRE_ALL} is 1, and {absence}")
        pytest.skip(absence)
    with browser(path) as started:
        yield started


# a busy machine shows things late; what is never shown still fails
PATIENCE = PATIENCE_SECONDS * 1000
expect.set_options(timeout=PATIENCE)


@pytest.fixture
def page(chromium: Browser, server: str) -> Iterator[Page]:
    """A fresh page that has loaded, that asks no other host, and that must not throw."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    opened, thrown, asked = context.new_page(), list[str](), list[str]()
    opened.on("pageerror", lambda error: thrown.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.set_default_timeout(PATIENCE)
    opened.goto(server)
    yield opened
    _leave_all(opened, server)
    context.close()
    assert thrown == []
    assert [url for url in asked if not url.startswith((server, "data:"))] == []


def _leave_all(page: Page, server: str) -> None:
    """Lets the person at the desk leave every customer: they have room for four."""
    own, jane = f"{server}/send_representative/v1", {"authorization": "Bearer dev-jane"}
    seen = page.request.get(f"{own}/me?since=", headers=jane)
    for one in seen.json()["mine"] if seen.ok else ():
        page.request.post(f"{own}/{one['name']}:release", headers=jane, data={"reason": "over"})


@pytest.fixture(scope="module")
def crm() -> Iterator[Crm]:
    server, served = serve()
    yield served
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def run(crm: Crm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    settings = {"BRIDGE_ALLOWED_ORIGINS": crm.url, "BRIDGE_TOKEN_KEYS": BRIDGE_KEY}
    with ForkedServer(tmp_path_factory.mktemp("bridge"), settings) as running:
        crm.endpoint = f"http://127.0.0.1:{running.port}/forward_variables"
        yield running


@pytest.fixture
def context(chromium: Browser, run: LocalServer, crm: Crm) -> Iterator[BrowserContext]:
    """A browser of its own, whose storage is empty, and which must not throw."""
    opened, thrown = chromium.new_context(), list[str]()
    opened.set_default_timeout(PATIENCE)
    opened.on("weberror", lambda error: thrown.append(str(error.error)))
    crm.tokens.clear()
    yield opened
    opened.close()
    assert thrown == []


@pytest.fixture
def tab(context: BrowserContext, crm: Crm, run: LocalServer) -> Tab:
    return Tab.open(context, crm, run)
