"""What the page of a module's tests keeps from one test to the next, and what is heard of it."""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest
from playwright.sync_api import Browser, Error, Page

from tests.browser.conftest import WIDE
from tests.browser.lasting_page import LastingPage

Act = Callable[[Page], None]
BUTTON = "data:text/html,<button onclick='throw new Error(`of a click`)'>Press</button>"
THROW_LATER = "() => { setTimeout(() => { throw new Error('of a timer') }) }"
REJECT = "() => { Promise.reject(new Error('of a promise')) }"


def clear(page: Page) -> None:
    page.evaluate("document.body.append('cleared')")


def lasting_page(chromium: Browser) -> LastingPage:
    return LastingPage(chromium, "http://127.0.0.1:9", BUTTON, WIDE, clear)


@pytest.fixture
def lasting(chromium: Browser) -> Iterator[LastingPage]:
    with closing(lasting_page(chromium)) as opened:
        yield opened


def click(page: Page) -> None:
    page.get_by_role("button").click()


def throw_later(page: Page) -> None:
    page.evaluate(THROW_LATER)


def reject(page: Page) -> None:
    page.evaluate(REJECT)


def close(page: Page) -> None:
    page.close()


def close_all(page: Page) -> None:
    page.context.close()


def crash(page: Page) -> None:
    with suppress(Error):
        page.goto("chrome://crash")


def go_where_it_cannot_be_cleared(page: Page) -> None:
    page.goto("data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>")


def text(page: Page) -> str:
    return page.inner_text("body")


@pytest.mark.parametrize(
    ("act", "thrown"),
    [(click, "of a click"), (throw_later, "of a timer"), (reject, "of a promise")],
)
def test_what_the_last_action_of_a_test_throws_fails_this_test_alone(
    lasting: LastingPage, request: pytest.FixtureRequest, act: Act, thrown: str
) -> None:
    with pytest.raises(AssertionError, match=thrown), lasting.used(request.session) as page:
        act(page)
    with lasting.used(request.session) as page:
        assert text(page) == "Press"


def test_what_a_page_throws_after_a_test_fails_the_next(
    lasting: LastingPage, request: pytest.FixtureRequest
) -> None:
    with lasting.used(request.session) as page:
        pass
    throw_later(page)
    with pytest.raises(AssertionError, match="of a timer"), lasting.used(request.session):
        pass


def test_what_a_page_throws_after_the_last_test_is_judged_when_it_closes(
    chromium: Browser, request: pytest.FixtureRequest
) -> None:
    lasting = lasting_page(chromium)
    with lasting.used(request.session) as page:
        pass
    click(page)
    with pytest.raises(AssertionError, match="of a click"):
        lasting.close()


def test_a_page_that_can_be_cleared_stays(
    lasting: LastingPage, request: pytest.FixtureRequest
) -> None:
    with lasting.used(request.session) as first:
        pass
    with lasting.used(request.session) as second:
        assert second is first
        assert text(second) == "Presscleared"


@pytest.mark.parametrize("act", [close, close_all, crash, go_where_it_cannot_be_cleared])
def test_a_page_that_cannot_be_cleared_is_loaded_anew(
    lasting: LastingPage, request: pytest.FixtureRequest, act: Act
) -> None:
    with lasting.used(request.session) as page:
        act(page)
    with lasting.used(request.session) as page:
        assert text(page) == "Press"
