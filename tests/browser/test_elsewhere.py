"""What the tests hear of requests to other hosts."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.elsewhere import Elsewhere, hear_faults

ASK = "url => { fetch(url, { mode: 'no-cors' }).catch(() => {}) }"


@pytest.fixture
def elsewhere(server: str) -> Iterator[Elsewhere]:
    with closing(Elsewhere(server)) as others:
        yield others


@pytest.fixture
def page(chromium: Browser, elsewhere: Elsewhere) -> Iterator[Page]:
    context = chromium.new_context(proxy=elsewhere.proxy)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("http://example.com/a", "GET http://example.com/a HTTP/1.1"),
        ("https://example.com/a", "CONNECT example.com:443 HTTP/1.1"),
        ("http://127.0.0.1:9999/a", "GET http://127.0.0.1:9999/a HTTP/1.1"),
    ],
)
def test_a_request_to_another_host_or_port_is_heard(
    page: Page, elsewhere: Elsewhere, server: str, url: str, line: str
) -> None:
    page.evaluate(ASK, url)
    page.goto(f"{server}/local/customers")  # this one needs no proxy
    expect(page.locator("body")).to_contain_text("business_messages")
    asked = list[str]()
    for _ in range(100):
        asked += elsewhere.asked()
        if asked:
            break
        page.wait_for_timeout(20)
    assert asked == [line]
    assert elsewhere.asked() == []


@pytest.mark.parametrize("closes", [False, True])
def test_a_connection_that_asks_nothing_counts_as_nothing(closes: bool) -> None:
    with closing(Elsewhere(heard_seconds=0.05)) as elsewhere:
        host, port = elsewhere.proxy["server"].removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as reserve:
            if closes:
                reserve.close()
            assert elsewhere.asked() == []


def test_what_the_policy_of_a_page_stops_is_heard(page: Page, server: str) -> None:
    faults = list[str]()
    hear_faults(page, faults)
    page.goto(f"{server}/page/words.js")
    page.evaluate(ASK, "http://example.com/a")
    page.wait_for_function("() => true")
    assert [one for one in faults if "http://example.com/a" in one] != []
