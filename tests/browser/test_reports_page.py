"""The reports page in a browser: what it shows is what the API says, each chart beside its numbers."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from infra.local.server import LocalServer
from infra.local.talk import Talk
from tests import quarter
from tests.browser.conftest import PATIENCE

NUMBERS = re.compile(r"The numbers are in the table below\.$")
CHARTS = ("today", "outcomes", "waiting", "first", "days")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """One handoff that was answered and ended, and two that wait."""
    with LocalServer(tmp_path_factory.mktemp("reports")) as server:
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


@pytest.fixture
def page(chromium: Browser, played: LocalServer) -> Iterator[Page]:
    """A fresh page that asks no other host, and that must not throw nor break its own policy."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    opened, faults, asked = context.new_page(), list[str](), list[str]()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    opened.on("request", lambda request: asked.append(request.url))
    opened.set_default_timeout(PATIENCE)
    yield opened
    context.close()
    assert faults == []
    assert [url for url in asked if not url.startswith((played.url, "data:"))] == []


def _open(page: Page, server: LocalServer, key: str = "dev-admin") -> None:
    page.goto(f"{server.url}/send_representative/reports/#key={key}&tz=Asia/Jakarta")


def test_it_shows_what_the_api_says(page: Page, played: LocalServer) -> None:
    _open(page, played)
    tiles = page.locator("#tiles > div")
    expect(tiles.nth(0)).to_contain_text("Waiting now2longest")
    expect(tiles.nth(1)).to_contain_text("Requests for a human3last week 0")
    expect(page.locator("#outcomes tbody tr").first).to_have_text("A person came and left1")
    counts = [int(text) for text in page.locator("#outcomes tbody td").all_text_contents()]
    assert counts[-1] == sum(counts[:-1]) == 3, "each handoff has one outcome"
    expect(page.locator("#desks tbody th")).to_have_text("api")
    expect(page.locator("#hours td[data-heat='5']")).to_have_text("3")
    expect(page.locator("#agents tbody th")).to_have_text("Jane <Doe>")
    page.get_by_text("Who is waiting").click()
    expect(page.locator("#queue tbody tr").first).to_contain_text("<b>refund</b>")
    assert "key" not in page.url


@pytest.mark.parametrize("chart", CHARTS)
def test_each_chart_has_its_numbers_in_reach_of_the_keyboard(page: Page, played: LocalServer, chart: str) -> None:
    _open(page, played)
    figure = page.locator(f"#{chart}")
    expect(figure.locator("canvas")).to_have_attribute("aria-label", NUMBERS)
    expect(figure.locator("table")).to_be_hidden()
    figure.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(figure.locator("table")).to_be_visible()
    assert figure.locator("tbody tr").count() > 0


def test_a_key_that_may_not_see_agents_is_told_so(page: Page, played: LocalServer) -> None:
    _open(page, played, "dev-agent")
    expect(page.locator("#agents")).to_have_text("Figures by agent need an admin key.")
    expect(page.locator("#outcomes canvas")).to_be_visible()


def test_a_wrong_key_is_said_to_be_wrong_and_can_be_mended(page: Page, played: LocalServer) -> None:
    _open(page, played, "nope")
    expect(page.locator("#trouble")).to_have_text("This key was not accepted.")
    page.get_by_label("API key").fill("dev-admin")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#agents tbody th")).to_have_text("Jane <Doe>")


def test_the_key_is_kept_for_this_tab_only(page: Page, played: LocalServer) -> None:
    _open(page, played)
    expect(page.locator("#agents table")).to_be_visible()
    page.goto(f"{played.url}/send_representative/reports/")
    expect(page.locator("#agents table")).to_be_visible()
    assert page.evaluate("Object.values(localStorage)") == []


def test_last_week_is_the_same_hours_of_the_same_weekday(page: Page, played: LocalServer) -> None:
    """The Sunday on which Berlin's clocks skip an hour, seen at 14:07 there."""
    _open(page, played)
    asked = page.evaluate(
        "import('/send_representative/reports/time.js')"
        ".then((time) => time.todayAndLastWeek(new Date('2026-03-29T12:07:00Z'), 'Europe/Berlin'))"
    )
    assert (asked["today"]["from"], asked["today"]["to"]) == ("2026-03-29", "2026-03-29T14:15")
    assert (asked["lastWeek"]["from"], asked["lastWeek"]["to"]) == ("2026-03-22", "2026-03-22T14:15")


def test_a_time_without_a_handoff_is_shown_as_such(page: Page, played: LocalServer) -> None:
    page.goto(f"{played.url}/send_representative/reports/#key=dev-admin&tz=UTC&from=2020-01-01&to=2020-01-07")
    expect(page.locator("#outcomes")).to_contain_text("0 requests and 0 who came unasked, of 0 conversations")
    expect(page.locator("#waiting")).to_contain_text("Nobody yet. Open: 0")
    expect(page.locator("#days canvas")).to_be_visible()


def test_the_sandbox_leads_to_it(page: Page, played: LocalServer) -> None:
    page.goto(played.url)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Reports").click()
    expect(opened.value.locator("#agents tbody th")).to_have_text("Jane <Doe>")
