"""The reports page in a browser: what it shows is what the API says, each chart beside its numbers."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

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


TODAY = """(now) => import('/send_representative/reports/time.js')
    .then((time) => time.todayAndLastWeek(new Date(now), 'Europe/Berlin'))"""


@pytest.mark.parametrize(
    ("now", "today", "last_week"),
    [
        pytest.param(
            "2026-11-20T13:07:00Z", ("11-19T23:00", "11-20T13:15"), ("11-12T23:00", "11-13T13:15"), id="any-day"
        ),
        pytest.param(
            "2026-03-29T12:07:00Z", ("03-28T23:00", "03-29T12:15"), ("03-21T23:00", "03-22T12:15"), id="an-hour-less"
        ),
        pytest.param(
            "2026-10-25T00:20:00Z", ("10-24T22:00", "10-25T00:30"), ("10-17T22:00", "10-18T00:30"), id="an-hour-comes"
        ),
        pytest.param(
            "2026-10-25T01:20:00Z", ("10-24T22:00", "10-25T01:30"), ("10-17T22:00", "10-18T01:30"), id="comes-again"
        ),
    ],
)
def test_last_week_is_as_many_hours_of_the_same_weekday(
    page: Page, played: LocalServer, now: str, today: tuple[str, str], last_week: tuple[str, str]
) -> None:
    """Instants, as the hours of Berlin's clocks come twice in autumn and lack one in spring."""
    _open(page, played)
    asked = page.evaluate(TODAY, now)
    for name, (since, until) in (("today", today), ("lastWeek", last_week)):
        assert asked[name]["from"] == f"2026-{since}:00.000Z"
        assert asked[name]["to"] == f"2026-{until}:00.000Z"


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


WRONG = [
    pytest.param("tz=Berlin", "“Berlin” is no time zone; one is written like Asia/Jakarta.", id="zone"),
    pytest.param("tz=", "“” is no time zone", id="no-zone"),
    pytest.param("tz=Asia/Jakarta&from=abc", "“abc” is no day; one is written like 2026-11-20.", id="from"),
    pytest.param("tz=Asia/Jakarta&to=2026-02-31", "“2026-02-31” is no day", id="to"),
]


@pytest.mark.parametrize(("said", "answer"), WRONG)
def test_an_address_that_makes_no_sense_is_told_and_the_usual_shown(
    page: Page, played: LocalServer, said: str, answer: str
) -> None:
    page.goto(f"{played.url}/send_representative/reports/#key=dev-admin&{said}")
    expect(page.locator("#agents tbody th")).to_have_text("Jane <Doe>")
    expect(page.locator("#trouble")).to_contain_text(answer)
    expect(page.locator("#main")).to_have_attribute("aria-busy", "false")
    assert "key" not in page.url
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#trouble")).to_be_hidden()


@pytest.mark.parametrize(("said", "answer"), WRONG)
def test_it_is_told_to_who_has_no_key_too(page: Page, played: LocalServer, said: str, answer: str) -> None:
    page.goto(f"{played.url}/send_representative/reports/#{said}")
    expect(page.locator("#trouble")).to_contain_text(answer)
    expect(page.locator("#main")).to_have_attribute("aria-busy", "false")


def test_a_time_zone_that_does_not_exist_is_told(page: Page, played: LocalServer) -> None:
    _open(page, played)
    expect(page.locator("#period-title")).to_contain_text("Asia/Jakarta")
    page.get_by_label("Time zone").fill("Berlin")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#trouble")).to_have_text("“Berlin” is no time zone; one is written like Asia/Jakarta.")
    expect(page.locator("#main")).to_have_attribute("aria-busy", "false")


@pytest.mark.parametrize("key", ["nope", "dev-agent"])
def test_an_answer_that_comes_after_a_newer_question_is_not_shown(page: Page, played: LocalServer, key: str) -> None:
    _open(page, played)
    expect(page.locator("#agents tbody th")).to_have_text("Jane <Doe>")
    held = list[Route]()
    page.route(
        "**/v1/**",
        lambda route: held.append(route) if key in route.request.headers["authorization"] else route.continue_(),
    )
    for given in (key, "dev-admin"):
        page.get_by_label("API key").fill(given)
        page.get_by_role("button", name="Show").click()
        expect(page.locator("#main")).to_have_attribute("aria-busy", "true" if given == key else "false")
    for route in held:
        route.continue_()
    for route in held:
        response = route.request.response()
        assert response is not None
        response.finished()
    page.evaluate("new Promise((shown) => setTimeout(shown, 200))")
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#agents tbody th")).to_have_text("Jane <Doe>")


def test_who_waits_is_not_known_while_baton_does_not_answer(page: Page, played: LocalServer) -> None:
    page.clock.install()
    _open(page, played)
    tile = page.locator("#tiles > div").first
    expect(tile).to_contain_text("Waiting now2longest")
    page.route("**/v1/**", lambda route: route.abort())
    for _ in range(2):
        page.clock.fast_forward(31_000)
        expect(tile).to_contain_text(
            re.compile(r"\?not known since 20\S+ \d\d:\d\d, when it was 2\. Baton does not answer\.")
        )
        expect(page.locator("#queue-old")).to_have_count(1)
    page.unroute("**/v1/**")
    page.clock.fast_forward(31_000)
    expect(tile).to_contain_text("Waiting now2longest")
    expect(page.locator("#queue-old")).to_have_count(0)


# The darkest and the lightest of what a chart drew, from 0 to 255.
SHADES = """() => [...document.querySelectorAll("canvas")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const drawn = Array.from({ length: data.length / 4 }, (_, at) => 4 * at).filter((at) => data[at + 3] > 250);
  const shades = drawn.map((at) => (data[at] + data[at + 1] + data[at + 2]) / 3);
  return shades.reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [255, 0]);
})"""
TABLES = """() => [...document.querySelectorAll("figure table")].map((table) => table.checkVisibility())"""


def test_charts_are_dark_on_paper_beside_their_numbers_and_light_again_on_a_dark_screen(
    page: Page, played: LocalServer
) -> None:
    page.emulate_media(color_scheme="dark")
    _open(page, played)
    expect(page.locator("#days canvas")).to_be_visible()
    page.locator("#days summary").click()
    page.evaluate(f"addEventListener('beforeprint', () => (window.printed = [({SHADES})(), ({TABLES})()]))")
    page.pdf()
    shades, tables = page.evaluate("window.printed")
    assert [darkest < 60 for darkest, _ in shades] == [True] * len(CHARTS)
    assert tables == [True] * len(CHARTS)
    assert [lightest > 200 for _, lightest in page.evaluate(SHADES)] == [True] * len(CHARTS)
    assert page.evaluate(TABLES) == [chart == "days" for chart in CHARTS]


def test_no_table_is_wider_than_the_paper(page: Page, played: LocalServer) -> None:
    page.set_viewport_size({"width": 700, "height": 1000})
    _open(page, played)
    expect(page.locator("#agents table")).to_be_visible()
    page.emulate_media(media="print")
    assert page.evaluate("[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > 700)") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 700


def test_other_colours_are_drawn_without_asking_again(page: Page, played: LocalServer) -> None:
    _open(page, played)
    expect(page.locator("#days canvas")).to_be_visible()
    expect(page.locator("#main")).to_have_attribute("aria-busy", "false")
    asked = list[str]()
    page.on("request", lambda request: asked.append(request.url))
    light = page.evaluate(SHADES)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"(light) => ({SHADES})().every(([darkest], at) => darkest > light[at][0])", arg=light)
    assert asked == []


def test_other_colours_need_no_key(page: Page, played: LocalServer) -> None:
    page.goto(f"{played.url}/send_representative/reports/")
    expect(page.locator("#main")).to_have_attribute("aria-busy", "false")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("matchMedia('(prefers-color-scheme: dark)').matches")
    expect(page.locator("#main")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#trouble")).to_be_hidden()
