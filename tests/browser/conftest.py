"""A local run as its own process, and a page of it in headless Chromium. Only what was started
here is ended.
"""

import asyncio
import os
from asyncio import AbstractEventLoop
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from infra.local.browser import browser, find_browser
from infra.local.server import PATIENCE_SECONDS, LocalServer
from infra.local.settings import BRIDGE_KEY
from tests.browser.crm import Crm, Tab, serve
from tests.browser.lasting_page import LastingPage
from tests.forked import ForkedServer

# Each request takes less processor time where it need not go through a process of its own.
NO_NETWORK_PROCESS = "--enable-features=NetworkServiceInProcess2"
REQUIRE_ALL = "BATON_REQUIRE_ALL"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a run in a folder of its own."""
    with ForkedServer(tmp_path_factory.mktemp("run"), {"BATON_BOT": "acknowledge"}) as run:
        yield run.url


@pytest.fixture(scope="session")
def _started() -> Iterator[tuple[Browser, AbstractEventLoop]]:
    """Starts Chromium once for all tests of a worker. While it is open, this thread has a running
    event loop, which other tests must not find.
    """
    path = find_browser()
    if path is None:
        absence = "no Chromium was found on PATH (Debian: chromium-headless-shell)"
        if os.environ.get(REQUIRE_ALL) == "1":
            pytest.fail(f"{REQUIRE_ALL} is 1, and {absence}")
        pytest.skip(absence)
    with browser(path, NO_NETWORK_PROCESS) as started:
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield started, loop
        asyncio._set_running_loop(loop)


@pytest.fixture(scope="module")
def chromium(_started: tuple[Browser, AbstractEventLoop]) -> Iterator[Browser]:
    """Returns a browser in which no page is open."""
    started, loop = _started
    asyncio._set_running_loop(loop)
    try:
        yield started
        for left in started.contexts:
            left.close()
    finally:
        asyncio._set_running_loop(None)


# a busy machine shows things late; what is never shown still fails
PATIENCE = PATIENCE_SECONDS * 1000
WIDE: ViewportSize = {"width": 1440, "height": 900}
expect.set_options(timeout=PATIENCE)


# As after loading, but for the customer who is chosen until a test chooses another.
CLEAR = """() => {
  for (const one of document.querySelectorAll("button[aria-expanded=true]")) one.click();
  for (const one of document.querySelectorAll("details[open]")) one.open = false;
  for (const shown of ["knows", "phone"])
    document.querySelector(`[data-shows=${shown}]`).click();
  const agent = document.getElementById("agent");
  agent.value = agent.defaultValue;
  agent.dispatchEvent(new Event("input"));
  document.getElementById("desk-frame").contentWindow.location.hash = "";
}"""


def _clear(page: Page) -> None:
    if page.viewport_size != WIDE:
        page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    page.evaluate(CLEAR)


@pytest.fixture(scope="module")
def sandbox(chromium: Browser, server: str) -> Iterator[LastingPage]:
    """The page of a local run. Loading it takes 70 requests."""
    with closing(LastingPage(chromium, server, server, WIDE, _clear)) as lasting:
        yield lasting


@pytest.fixture
def loaded_anew(sandbox: LastingPage) -> Iterator[None]:
    """For a test that needs a page which has just loaded, or leaves one that no other can use."""
    sandbox.forget()
    yield
    sandbox.forget()


@pytest.fixture
def page(sandbox: LastingPage, server: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that asks no other host, and that must not throw nor break its own policy."""
    with sandbox.used(request.session) as opened:
        yield opened
        _leave_all(opened, server)


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
    opened, thrown = chromium.new_context(reduced_motion="reduce"), list[str]()
    opened.set_default_timeout(PATIENCE)
    opened.on("weberror", lambda error: thrown.append(str(error.error)))
    crm.tokens.clear()
    yield opened
    opened.close()
    assert thrown == []


@pytest.fixture
def tab(context: BrowserContext, crm: Crm, run: LocalServer) -> Tab:
    return Tab.open(context, crm, run)
