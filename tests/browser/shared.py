"""A page that loads once for the tests of a module."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.conftest import PATIENCE
from tests.browser.elsewhere import Elsewhere, hear_faults


class Shared:
    """A page at this address of a server, of which `clear` makes what it is after loading."""

    def __init__(
        self,
        chromium: Browser,
        server: str,
        address: str,
        viewport: ViewportSize,
        clear: Callable[[Page], None],
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
        self._faults.clear()
        self._elsewhere.asked()
        if self._page is None:
            self._page = self._load()
        else:
            self._page.unroute_all(behavior="ignoreErrors")
            self._clear(self._page)
        yield self._page
        if self._faults or session.testsfailed > failed:
            self._forget()
        assert self._faults == []
        assert self._elsewhere.asked() == []

    def _load(self) -> Page:
        context = self._chromium.new_context(
            viewport=self._viewport, reduced_motion="reduce", proxy=self._elsewhere.proxy
        )
        page = context.new_page()
        hear_faults(page, self._faults)
        page.set_default_timeout(PATIENCE)
        page.goto(self._address)
        return page

    def _forget(self) -> None:
        if self._page is not None:
            self._page.context.close()
            self._page = None

    def close(self) -> None:
        self._forget()
        self._elsewhere.close()
