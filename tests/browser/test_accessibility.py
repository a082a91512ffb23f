"""axe finds nothing serious on any page, light and dark, however it is opened."""

import json
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from infra.local.server import LocalServer
from infra.local.talk import Talk
from tests.browser import desk
from tests.browser.conftest import PATIENCE
from tests.forked import ForkedServer

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
Opens = Callable[[Page, LocalServer, Talk], None]
CANNED = {"en": {"Greeting": "Hello {customer}, I am {agent}."}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    settings = {"BATON_CANNED": json.dumps(CANNED), "BATON_BOT": "acknowledge"}
    with ForkedServer(tmp_path_factory.mktemp("axe"), settings) as running:
        yield running


@pytest.fixture(scope="module")
def talk(server: LocalServer) -> Talk:
    """A customer who was answered, with everything that a transcript may show."""
    desk.waiting(server, "عبد الرحمن")
    talk = desk.waiting(server)
    talk.post(":claim", {"representative": {"displayName": "Jane Doe"}})
    talk.say("HUMAN", "Jane Doe", "How can I help?", "h-1")
    note = {"representative": {"displayName": "Omar Hassan"}, "text": "He called before"}
    talk.post(":note", note)
    talk.customer_says("My parcel is lost", "m-2")
    server.wait_until_quiet(talk.id)
    return talk


def sign_in(page: Page, server: LocalServer, talk: Talk) -> None:
    page.goto(f"{server.url}{desk.PATH}")
    expect(page.get_by_role("button", name="Jane Doe (agent)")).to_be_visible()


def choose_who_signs_in(page: Page, server: LocalServer, talk: Talk) -> None:
    page.goto(f"{server.url}/send_representative/sign_in/")
    expect(page.locator("#people button")).to_have_count(3)
    page.get_by_label("Your key").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()


def open_desk(page: Page, server: LocalServer, talk: Talk) -> None:
    page.goto(f"{server.url}{desk.PATH}#key=dev-agent&name=Jane%20Doe")
    desk.open_talk(page, talk)
    page.get_by_role("button", name="Answers").click()


def open_note(page: Page, server: LocalServer, talk: Talk) -> None:
    page.set_viewport_size({"width": 320, "height": 568})
    page.goto(f"{server.url}{desk.PATH}#key=dev-agent&name=Omar%20Hassan")
    desk.open_talk(page, talk)
    expect(page.get_by_label("Your note")).to_be_visible()


def open_question(page: Page, server: LocalServer, talk: Talk) -> None:
    page.goto(f"{server.url}{desk.PATH}#key=dev-agent&name=Jane%20Doe")
    page.locator("#queue button").click()
    page.get_by_role("button", name="Nobody available").click()
    expect(page.locator("#sure")).to_be_visible()


def open_transfer(page: Page, server: LocalServer, talk: Talk) -> None:
    page.goto(f"{server.url}{desk.PATH}#key=dev-sue")
    desk.open_talk(page, talk)
    desk.press(page, "Transfer")
    expect(page.locator("#pass-on")).to_be_visible()


def open_sandbox(page: Page, server: LocalServer, talk: Talk) -> None:
    page.goto(f"{server.url}/#conversation=business_messages:{talk.id}")
    expect(page.locator("#bubbles")).to_contain_text("My parcel is lost")
    expect(page.locator("#journal > li").first).to_be_visible()
    page.locator("#faults-toggle").click()


def open_crm(page: Page, server: LocalServer, talk: Talk) -> None:
    page.goto(server.url)
    page.locator("#crm-toggle").click()
    expect(page.locator("#crm")).to_be_visible()


def open_adapter(page: Page, server: LocalServer, talk: Talk) -> None:
    page.goto(f"http://adapter.localhost:{server.port}/")


def open_reports(page: Page, server: LocalServer, talk: Talk) -> None:
    page.goto(f"{server.url}/send_representative/reports/#key=dev-admin&tz=Asia/Jakarta")
    expect(page.locator("#outcomes canvas")).to_be_visible()
    page.get_by_text("Who is waiting").click()


PAGES: dict[str, Opens] = {
    "sign-in": sign_in,
    "sign-in-page": choose_who_signs_in,
    "desk": open_desk,
    "desk-note-narrow": open_note,
    "desk-question": open_question,
    "desk-transfer": open_transfer,
    "sandbox": open_sandbox,
    "crm": open_crm,
    "adapter": open_adapter,
    "reports": open_reports,
}


@pytest.mark.parametrize("opens", PAGES.values(), ids=PAGES)
def test_axe_finds_nothing_serious(
    chromium: Browser, server: LocalServer, talk: Talk, opens: Opens
) -> None:
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        opens(page, server, talk)
        found = {scheme: serious(page, scheme) for scheme in SCHEMES}
    finally:
        context.close()
    assert found == {"light": [], "dark": []}


def serious(page: Page, scheme: Literal["light", "dark"]) -> list[tuple[str, str, list[str]]]:
    """Returns what axe finds once the page is light or dark."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    return [
        (one["impact"], one["id"], [node["html"][:120] for node in one["nodes"]])
        for one in Axe().run(page).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
