"""A page that loads once for the tests of a module."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import Browser, Error, Page, ViewportSize

from infra.local.server import PATIENCE_SECONDS
from tests.browser.elsewhere import Elsewhere, hear_faults

# Playwright hands out what a page threw only while one of its calls waits for the page, and a timer
# that a test's last action started may fire after that action. This one fires after it.
LAST_TIMER = "() => new Promise(fired => setTimeout(fired))"


class LastingPage:
    """A page at this address of a server, of which `clear` makes what it is after loading."""

    def __init__(
        self,
        chromium: Browser,
        server: str,
        address: str,
        viewport: ViewportSize,
        clear: Callable[[Page], object],
    ) -> None:
        self._chromium, self._address, self._viewport = chromium, address, viewport
        self._clear = clear
        self._elsewhere, self._faults = Elsewhere(server), list[str]()
        self._page: Page | None = None

    @contextmanager
    def used(self, session: pytest.Session) -> Iterator[Page]:
        """Yields the page, which must ask no other host, throw nothing, nor break its own policy. A
        test that fails leaves it to no other.
        """
        failed = session.testsfailed
        page = self._cleared() or self._load()
        yield page
        self._hear_out(page)
        if self._faults or session.testsfailed > failed:
            self.forget()
        self._judge()

    def _cleared(self) -> Page | None:
        """Returns the page that the test before has left, None if it left none that can be used."""
        if self._page is not None:
            try:
                self._page.unroute_all(behavior="ignoreErrors")
                self._clear(self._page)
            except Error:
                self.forget()
        return self._page

    def _load(self) -> Page:
        context = self._chromium.new_context(
            viewport=self._viewport, reduced_motion="reduce", proxy=self._elsewhere.proxy
        )
        page = context.new_page()
        hear_faults(page, self._faults)
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        page.goto(self._address)
        self._page = page
        return page

    def _hear_out(self, page: Page) -> None:
        try:
            page.evaluate(LAST_TIMER)
        except Error:  # it has crashed, was closed, or is on its way to another address
            self.forget()

    def forget(self) -> None:
        """Closes the page, so that the next test loads it anew."""
        page, self._page = self._page, None
        if page is not None:
            page.context.close()

    def _judge(self) -> None:
        faults, asked = self._faults.copy(), self._elsewhere.asked()
        self._faults.clear()
        assert faults == [], faults
        assert asked == [], asked

    def close(self) -> None:
        """Closes the page, and judges what was heard of it after the last test."""
        with closing(self._elsewhere):
            self.forget()
            self._judge()
