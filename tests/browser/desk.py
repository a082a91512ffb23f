"""The desk page of a local run, and the customers whom people answer there."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count

from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from infra.local.server import LocalServer
from infra.local.talk import Talk
from tests.browser.conftest import PATIENCE, WIDE
from tests.browser.elsewhere import Elsewhere, hear_faults
from tests.browser.lasting_page import LastingPage

PATH = "/send_representative/desk/"
Desk = Page | FrameLocator
_numbers = count(1)


def framed(page: Page) -> FrameLocator:
    """Returns the desk page in the frame of the local run's own page."""
    return page.frame_locator("#desk-frame")


@contextmanager
def opened(
    chromium: Browser,
    server: LocalServer,
    name: str = "Jane Doe",
    *,
    key: str = "dev-agent",
    size: tuple[int, int] = (1440, 900),
    dark: bool = False,
) -> Iterator[Page]:
    """Yields the desk of a person, which asks no other host, and must not throw nor break its own
    policy.
    """
    with closing(Elsewhere(server.url)) as elsewhere:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            proxy=elsewhere.proxy,
        )
        page, faults = context.new_page(), list[str]()
        hear_faults(page, faults)
        page.set_default_timeout(PATIENCE)
        try:
            page.goto(address(server, name, key))
            yield page
        finally:
            context.close()
        assert faults == []
        assert elsewhere.asked() == []


def address(server: LocalServer, name: str, key: str) -> str:
    return f"{server.url}{PATH}" + (f"#key={key}&name={name}" if key else "")


# As after loading.
CLEAR = """() => {
  for (const one of document.querySelectorAll("dialog[open]")) one.close();
  for (const one of document.querySelectorAll("details[open]")) one.open = false;
  if (!document.getElementById("canned").hidden) document.getElementById("canned-open").click();
  location.hash = "";
}"""


def lasting(
    chromium: Browser, server: LocalServer, name: str = "Jane Doe", key: str = "dev-agent"
) -> LastingPage:
    """Returns the desk of a person for the tests of a module."""
    return LastingPage(
        chromium, server.url, address(server, name, key), WIDE, lambda page: page.evaluate(CLEAR)
    )


def waiting(server: LocalServer, name: str = "Michael", text: str = "Hi, I have a problem") -> Talk:
    """Returns a customer who has written and asked for a human."""
    talk = Talk(server, f"desk-{next(_numbers)}")
    talk.webhook(
        message={"messageId": "m-1", "text": text},
        context={"userInfo": {"displayName": name, "userDeviceLocale": "en"}},
    )
    about = {"order": "4711", "tried": ["tracking link", "address check"]}
    talk.post(":requestHuman", {"reason": "refund", "metadata": about}, "dev-bot")
    return talk


def row(page: Desk, talk: Talk) -> Locator:
    """Returns the conversation's row in a list."""
    return page.locator(f"#lists [data-key='business_messages:{talk.id}'] button")


def open_talk(page: Desk, talk: Talk) -> None:
    row(page, talk).click()
    expect(page.locator("#transcript")).to_contain_text("Hi, I have a problem")


def press(page: Desk, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def claim(page: Desk, talk: Talk) -> None:
    open_talk(page, talk)
    page.get_by_role("button", name="Claim").click()
    expect(page.locator("#transcript")).to_contain_text("joined")


def say(page: Desk, text: str, label: str = "Your reply") -> None:
    page.get_by_label(label).fill(text)
    page.get_by_label(label).press("Enter")


def rows(page: Desk) -> list[str]:
    """Returns the transcript, one line for each row, without times."""
    script = """list => list.map(item => [
      ...item.querySelectorAll('.label, bdi, .said, .line > span, .day > span')]
      .map(part => part.textContent).join(' ') || item.firstChild.textContent)"""
    found: list[str] = page.locator("#transcript > li:not(.day)").evaluate_all(script)
    return found


def choose_with_assistant(page: Desk, name: str) -> None:
    """Opens a customer who is with the assistant."""
    back = page.get_by_role("button", name="Back to the lists")
    if back.is_visible():
        back.click()
    # by keyboard: rows that come and go meanwhile move what a mouse would hit
    if page.locator("#with-bot:not([open])").count():
        page.locator("#with-bot summary").press("Enter")
    page.locator("#bot").get_by_role("button", name=name).press("Enter")
