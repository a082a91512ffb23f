"""The reports page in a browser: it shows what the API returns, and reports what cannot be asked or
is unknown.
"""

import csv
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from infra.local.server import LocalServer
from tests.browser import reports
from tests.browser.lasting_page import LastingPage


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with reports.play(tmp_path_factory.mktemp("reports")) as server:
        yield server


@pytest.fixture(scope="module")
def blank(chromium: Browser, played: LocalServer) -> Iterator[LastingPage]:
    with closing(reports.lasting(chromium, played)) as lasting:
        yield lasting


@pytest.fixture
def page(blank: LastingPage, request: pytest.FixtureRequest) -> Iterator[Page]:
    with blank.used(request.session) as opened:
        yield opened


@pytest.fixture
def fresh(chromium: Browser, played: LocalServer) -> Iterator[Page]:
    """A page for a test that leaves one which no other can use."""
    with reports.fresh(chromium, played) as opened:
        yield opened


@pytest.fixture(scope="module")
def shown(chromium: Browser, played: LocalServer) -> Iterator[Page]:
    """A page for the tests that only read it."""
    with reports.fresh(chromium, played) as opened:
        reports.show(opened, played)
        yield opened


def test_it_shows_what_the_api_says(page: Page, played: LocalServer) -> None:
    reports.show(page, played)
    tiles = page.locator("#tiles > div")
    expect(tiles.nth(0)).to_contain_text("Waiting now2longest")
    expect(tiles.nth(2)).to_contain_text("Requests for a human3last week 0")
    expect(page.locator("#outcomes tbody tr").first).to_have_text("A person came, and has left10")
    cells = [int(text) for text in page.locator("#outcomes tbody td").all_text_contents()]
    *outcomes, _, every = cells[::2]  # the last row but one adds up two of them
    assert every == sum(outcomes) == 3, "each handoff has one outcome"
    assert not any(cells[1::2]), "there was nothing in the period before"
    expect(page.locator("#desks tbody th")).to_have_text("api")
    expect(page.locator("#hours td[data-heat='5']")).to_have_text("3")
    expect(page.locator("#agents tbody th")).to_have_text("Jane <Doe>")
    page.get_by_text("Who is waiting").click()
    expect(page.locator("#queue tbody tr").first).to_contain_text("<b>refund</b>")
    assert "key" not in page.url


def test_a_key_that_may_not_see_agents_is_told_so(page: Page, played: LocalServer) -> None:
    reports.show(page, played, "dev-agent")
    expect(page.locator("#agents")).to_have_text("Your role or key does not show figures by agent.")
    expect(page.locator("#outcomes canvas")).to_be_visible()


def test_a_wrong_key_is_said_to_be_wrong_and_can_be_mended(page: Page, played: LocalServer) -> None:
    reports.show(page, played, "nope")
    expect(page.locator("#trouble")).to_have_text("This key was not accepted.")
    page.get_by_label("API key").fill("dev-admin")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#agents tbody th")).to_have_text("Jane <Doe>")


def test_the_key_is_kept_for_this_tab_only(page: Page, played: LocalServer) -> None:
    reports.show(page, played)
    expect(page.locator("#agents table")).to_be_visible()
    page.goto(f"{played.url}{reports.PATH}")
    expect(page.locator("#agents table")).to_be_visible()
    assert page.evaluate("Object.values(localStorage)") == []


TODAY = """(now) => import('/send_representative/reports/time.js')
    .then((time) => time.todayAndLastWeek(new Date(now), 'Europe/Berlin'))"""


@pytest.mark.parametrize(
    ("now", "today", "last_week"),
    [
        pytest.param(
            "2026-11-20T13:07:00Z",
            ("11-19T23:00", "11-20T13:15"),
            ("11-12T23:00", "11-13T13:15"),
            id="any-day",
        ),
        pytest.param(
            "2026-03-29T12:07:00Z",
            ("03-28T23:00", "03-29T12:15"),
            ("03-21T23:00", "03-22T12:15"),
            id="an-hour-less",
        ),
        pytest.param(
            "2026-10-25T00:20:00Z",
            ("10-24T22:00", "10-25T00:30"),
            ("10-17T22:00", "10-18T00:30"),
            id="an-hour-comes",
        ),
        pytest.param(
            "2026-10-25T01:20:00Z",
            ("10-24T22:00", "10-25T01:30"),
            ("10-17T22:00", "10-18T01:30"),
            id="comes-again",
        ),
    ],
)
def test_last_week_is_as_many_hours_of_the_same_weekday(
    shown: Page, now: str, today: tuple[str, str], last_week: tuple[str, str]
) -> None:
    """Instants, as the hours of Berlin's clocks come twice in autumn and lack one in spring."""
    asked = shown.evaluate(TODAY, now)
    for name, (since, until) in (("today", today), ("lastWeek", last_week)):
        assert asked[name]["from"] == f"2026-{since}:00.000Z"
        assert asked[name]["to"] == f"2026-{until}:00.000Z"


def test_days_on_which_nothing_happened_have_one_sentence(page: Page, played: LocalServer) -> None:
    page.goto(f"{played.url}{reports.PATH}#key=dev-admin&tz=UTC&from=2020-01-01&to=2020-01-07")
    expect(page.locator("#nothing")).to_contain_text("No customer wrote in these days")
    expect(page.locator("canvas")).to_have_count(0)
    expect(page.locator("#tiles > div").first).to_contain_text("Waiting now2")
    page.get_by_role("button", name="28 days").click()
    expect(page.locator("#outcomes canvas")).to_be_visible()
    expect(page.locator("#nothing")).to_be_hidden()


DAYS = """(name) => import('/send_representative/reports/time.js')
    .then((time) => time.preset(name, '2026-03-02'))"""


@pytest.mark.parametrize(
    ("button", "name", "since"),
    [
        ("Today", "today", "2026-03-02"),
        ("7 days", "7", "2026-02-24"),
        ("28 days", "28", "2026-02-03"),
        ("This month", "month", "2026-03-01"),
    ],
)
def test_a_preset_sets_the_days_and_shows_them(
    page: Page, played: LocalServer, button: str, name: str, since: str
) -> None:
    reports.show(page, played)
    expect(page.locator("#agents table")).to_be_visible()
    assert page.evaluate(DAYS, name) == {"from": since, "last": "2026-03-02"}
    page.get_by_role("button", name=button).click()
    today = page.locator("#last").input_value()
    expect(page.locator("#period-title")).to_contain_text(f"to {today}, Asia/Jakarta")
    expect(page.locator("#outcomes canvas")).to_be_visible()


def test_each_figure_stands_beside_that_of_the_period_before(
    page: Page, played: LocalServer
) -> None:
    """The API gets the question of a period that ends where the one that is shown begins."""
    asked = list[str]()

    def note(request: Request) -> None:
        asked.append(unquote(request.url))

    page.on("request", note)
    reports.show(page, played)
    expect(page.locator("#figures > div").nth(2)).to_have_text("Requests for a person3before 0")
    expect(page.locator("#desks tbody td").first).to_have_text("3 (–)")
    expect(page.locator("#waiting thead th").last).to_have_text("Before")
    page.remove_listener("request", note)
    (shown,) = {one for one in asked if "by=day;hour;channel;desk" in one}
    (earlier,) = {one for one in asked if "by=channel;desk" in one}
    begins, ends = (re.findall(r"(?:from|to)=([0-9-]{10})", one) for one in (shown, earlier))
    assert begins[0] == ends[1]
    lengths = [date.fromisoformat(to) - date.fromisoformat(since) for since, to in (begins, ends)]
    assert lengths[0] == lengths[1]


@pytest.mark.parametrize(
    ("button", "heads", "row"),
    [
        ("days", "day", "3"),
        ("channels", "channel", "business_messages"),
        ("desks", "desk", "api"),
        ("reasons", "reason", "<b>refund</b>"),
        ("agents", "agent", "Jane <Doe>"),
    ],
)
def test_a_table_can_be_saved_as_csv(shown: Page, button: str, heads: str, row: str) -> None:
    with shown.expect_download() as saved:
        shown.get_by_role("button", name=f"Download {button} as CSV").click()
    written = list(csv.DictReader(saved.value.path().read_text().splitlines()))
    assert any(row in one.values() for one in written)
    assert heads in written[0]
    assert saved.value.suggested_filename.endswith(".csv")


def test_a_key_for_reports_suffices(page: Page, played: LocalServer) -> None:
    reports.show(page, played, "dev-reports")
    expect(page.locator("#tiles > div").first).to_contain_text("Waiting now2of those who asked")
    expect(page.locator("#outcomes canvas")).to_be_visible()
    expect(page.locator("#trouble")).to_be_hidden()


def test_the_page_asks_again_by_itself(fresh: Page, played: LocalServer) -> None:
    page = fresh
    # not shortly before midnight: the page does not ask again for a period that is over
    page.clock.install(time=datetime.now(ZoneInfo("Asia/Jakarta")).replace(hour=12))
    reports.show(page, played)
    expect(page.locator("#agents table")).to_be_visible()
    with page.expect_request(re.compile("/reports/handoffs")):
        page.clock.fast_forward(301_000)
    page.get_by_label("Refresh every 5 minutes").uncheck()
    asked = list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.clock.fast_forward(301_000)
    page.wait_for_timeout(300)
    assert [one for one in asked if "/reports/handoffs" in one] == []


def test_the_sandbox_leads_to_it(fresh: Page, played: LocalServer) -> None:
    page = fresh
    page.goto(played.url)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Reports").click()
    expect(opened.value.locator("#agents tbody th")).to_have_text("Jane <Doe>")


WRONG = [
    pytest.param(
        "tz=Berlin", "“Berlin” is no time zone; one is written like Asia/Jakarta.", id="zone"
    ),
    pytest.param("tz=", "“” is no time zone", id="no-zone"),
    pytest.param(
        "tz=Asia/Jakarta&from=abc", "“abc” is no day; one is written like 2026-11-20.", id="from"
    ),
    pytest.param("tz=Asia/Jakarta&to=2026-02-31", "“2026-02-31” is no day", id="to"),
]


@pytest.mark.parametrize(("said", "answer"), WRONG)
def test_an_address_that_makes_no_sense_is_told_and_the_usual_shown(
    page: Page, played: LocalServer, said: str, answer: str
) -> None:
    page.goto(f"{played.url}{reports.PATH}#key=dev-admin&{said}")
    expect(page.locator("#agents tbody th")).to_have_text("Jane <Doe>")
    expect(page.locator("#trouble")).to_contain_text(answer)
    expect(page.locator("#main")).to_have_attribute("aria-busy", "false")
    assert "key" not in page.url
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#trouble")).to_be_hidden()


@pytest.mark.parametrize(("said", "answer"), WRONG)
def test_it_is_told_to_who_has_no_key_too(
    page: Page, played: LocalServer, said: str, answer: str
) -> None:
    page.goto(f"{played.url}{reports.PATH}#{said}")
    expect(page.locator("#trouble")).to_contain_text(answer)
    expect(page.locator("#main")).to_have_attribute("aria-busy", "false")


def test_a_time_zone_that_does_not_exist_is_told(page: Page, played: LocalServer) -> None:
    reports.show(page, played)
    expect(page.locator("#period-title")).to_contain_text("Asia/Jakarta")
    page.get_by_label("Time zone").fill("Berlin")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#trouble")).to_have_text(
        "“Berlin” is no time zone; one is written like Asia/Jakarta."
    )
    expect(page.locator("#main")).to_have_attribute("aria-busy", "false")


@pytest.mark.parametrize("key", ["nope", "dev-agent"])
def test_an_answer_that_comes_after_a_newer_question_is_not_shown(
    page: Page, played: LocalServer, key: str
) -> None:
    reports.show(page, played)
    expect(page.locator("#agents tbody th")).to_have_text("Jane <Doe>")
    held = list[Route]()
    page.route(
        "**/v1/**",
        lambda route: (
            held.append(route)
            if key in route.request.headers["authorization"]
            else route.continue_()
        ),
    )
    for given in (key, "dev-admin"):
        page.get_by_label("API key").fill(given)
        page.get_by_role("button", name="Show").click()
        expect(page.locator("#main")).to_have_attribute(
            "aria-busy", "true" if given == key else "false"
        )
    for route in held:
        route.continue_()
    for route in held:
        response = route.request.response()
        assert response is not None
        response.finished()
    page.evaluate("new Promise((shown) => setTimeout(shown, 200))")
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#agents tbody th")).to_have_text("Jane <Doe>")


def test_who_waits_is_not_known_while_baton_does_not_answer(
    fresh: Page, played: LocalServer
) -> None:
    page = fresh
    page.clock.install()
    reports.show(page, played)
    tile = page.locator("#tiles > div").first
    expect(tile).to_contain_text("Waiting now2longest")
    page.route("**/v1/**", lambda route: route.abort())
    for _ in range(2):
        page.clock.fast_forward(31_000)
        expect(tile).to_contain_text(
            re.compile(
                r"\?not known since 20\S+ \d\d:\d\d, when it was 2\. Baton does not answer\."
            )
        )
        expect(page.locator("#queue-old")).to_have_count(1)
    page.unroute("**/v1/**")
    page.clock.fast_forward(31_000)
    expect(tile).to_contain_text("Waiting now2longest")
    expect(page.locator("#queue-old")).to_have_count(0)


def test_without_a_key_it_says_what_to_do_and_shows_no_empty_figures(
    page: Page, played: LocalServer
) -> None:
    page.goto(f"{played.url}{reports.PATH}")
    expect(page.locator("#hint")).to_have_text("Sign in, or give an API key and press Show.")
    expect(page.locator("#main")).to_be_hidden()
    page.get_by_label("API key").fill("dev-admin")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#outcomes canvas")).to_be_visible()
    expect(page.locator("#hint")).to_be_hidden()


# A manager's questions: what to click, where the answer stands, and what it says.
QUESTIONS = {
    "how long did people wait last week, by desk": (["7 days", "Desks"], "#desks", "api"),
    "who answered": (["Agents"], "#agents", "Jane <Doe>"),
    "what did customers want": (["Reasons"], "#reasons", "<b>refund</b>"),
    "how many gave up": (["Period"], "#figures", "Gave up, not answered"),
    "what changed": (["Period"], "#period-title", "Before: 20"),
    "which hours": (["Hours"], "#hours", "Monday"),
    "how many messages does a handoff take": (["Messages"], "#taken", "Half of 1 took 1 messages"),
    "were customers content": (["Period"], "#figures", "How content, from 1 to 5"),
    "what did the bot hand over": (["Period"], "#figures", "Went from the bot to a person100.0 %"),
    "what stands open now": (["Now"], "#tiles", "Waiting now2"),
}


def test_each_question_of_a_manager_is_answered_within_two_clicks(
    page: Page, played: LocalServer
) -> None:
    reports.show(page, played)
    for question, (clicks, place, answer) in QUESTIONS.items():
        for name in clicks:
            # figures that come after a jump would move what it jumped to
            expect(page.locator("#main")).to_have_attribute("aria-busy", "false")
            page.get_by_text(name, exact=True).first.click()
        found = page.locator(place)
        expect(found, question).to_contain_text(answer)
        expect(found, question).to_be_in_viewport()
        assert len(clicks) <= 2
