"""The reports page in a browser: it shows what the API returns, and reports what cannot be asked or
is unknown.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from infra.local.server import LocalServer
from tests.browser import reports


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with reports.play(tmp_path_factory.mktemp("reports")) as server:
        yield server


@pytest.fixture
def page(chromium: Browser, played: LocalServer) -> Iterator[Page]:
    with reports.fresh(chromium, played) as opened:
        yield opened


def test_it_shows_what_the_api_says(page: Page, played: LocalServer) -> None:
    reports.show(page, played)
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
    page: Page, played: LocalServer, now: str, today: tuple[str, str], last_week: tuple[str, str]
) -> None:
    """Instants, as the hours of Berlin's clocks come twice in autumn and lack one in spring."""
    reports.show(page, played)
    asked = page.evaluate(TODAY, now)
    for name, (since, until) in (("today", today), ("lastWeek", last_week)):
        assert asked[name]["from"] == f"2026-{since}:00.000Z"
        assert asked[name]["to"] == f"2026-{until}:00.000Z"


def test_a_time_without_a_handoff_is_shown_as_such(page: Page, played: LocalServer) -> None:
    page.goto(f"{played.url}{reports.PATH}#key=dev-admin&tz=UTC&from=2020-01-01&to=2020-01-07")
    expect(page.locator("#outcomes")).to_contain_text(
        "0 requests and 0 who came unasked, of 0 conversations"
    )
    expect(page.locator("#waiting")).to_contain_text("None yet. Open: 0")
    expect(page.locator("#days canvas")).to_be_visible()


def test_the_sandbox_leads_to_it(page: Page, played: LocalServer) -> None:
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
    page: Page, played: LocalServer
) -> None:
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
