"""A local run as its own process, and a page of it in headless Chromium. Only what was started
here is ended.
"""

import asyncio
import os
from asyncio import AbstractEventLoop
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from infra.local.browser import browser, find_browser
from infra.local.server import PATIENCE_SECONDS, LocalServer
from infra.local.settings import BRIDGE_KEY
from tests.browser.crm import Crm, Tab, serve
from tests.browser.elsewhere import Elsewhere, hear_faults
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


class Sandbox:
    """The page of a local run. It loads once for the tests of a module: loading it takes 70
    requests.
    """

    def __init__(self, chromium: Browser, url: str) -> None:
        self.url, self.faults = url, list[str]()
        self.elsewhere = Elsewhere(url)
        self._chromium = chromium
        self._page: Page | None = None

    def page(self) -> Page:
        """Returns the page as it is after loading."""
        self.faults.clear()
        self.elsewhere.asked()
        if self._page is None:
            self._page = self._load()
        else:
            self._clear(self._page)
        return self._page

    def _load(self) -> Page:
        context = self._chromium.new_context(
            viewport=WIDE, reduced_motion="reduce", proxy=self.elsewhere.proxy
        )
        page = context.new_page()
        hear_faults(page, self.faults)
        page.set_default_timeout(PATIENCE)
        page.goto(self.url)
        return page

    def _clear(self, page: Page) -> None:
        page.unroute_all(behavior="ignoreErrors")
        if page.viewport_size != WIDE:
            page.set_viewport_size(WIDE)
        page.emulate_media(color_scheme="light")
        page.evaluate(CLEAR)

    def close(self) -> None:
        if self._page is not None:
            self._page.context.close()
            self._page = None


@pytest.fixture(scope="module")
def sandbox(chromium: Browser, server: str) -> Iterator[Sandbox]:
    opened = Sandbox(chromium, server)
    yield opened
    opened.close()
    opened.elsewhere.close()


@pytest.fixture
def unshared(sandbox: Sandbox) -> Iterator[None]:
    """For a test that needs a page which has just loaded, or leaves one that no other can use."""
    sandbox.close()
    yield
    sandbox.close()


@pytest.fixture
def page(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that asks no other host, and that must not throw nor break its own policy."""
    failed = request.session.testsfailed
    opened = sandbox.page()
    yield opened
    _leave_all(opened, sandbox.url)
    if sandbox.faults or request.session.testsfailed > failed:
        sandbox.close()
    assert sandbox.faults == []
    assert sandbox.elsewhere.asked() == []


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
