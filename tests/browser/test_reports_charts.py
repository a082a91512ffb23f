"""The charts of the reports page: each beside its numbers, readable in light and dark and on
paper.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from infra.local.server import LocalServer
from tests.browser import reports

NUMBERS = re.compile(r"The numbers are in the table below\.$")
CHARTS = ("today", "outcomes", "waiting", "first", "days", "volume", "taken")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with reports.play(tmp_path_factory.mktemp("reports")) as server:
        yield server


@pytest.fixture
def page(chromium: Browser, played: LocalServer) -> Iterator[Page]:
    with reports.fresh(chromium, played) as opened:
        yield opened


@pytest.fixture(scope="module")
def shown(chromium: Browser, played: LocalServer) -> Iterator[Page]:
    """A page for the tests that only read it."""
    with reports.fresh(chromium, played) as opened:
        reports.show(opened, played)
        yield opened


@pytest.mark.parametrize("chart", CHARTS)
def test_each_chart_has_its_numbers_in_reach_of_the_keyboard(shown: Page, chart: str) -> None:
    figure = shown.locator(f"#{chart}")
    expect(figure.locator("canvas")).to_have_attribute("aria-label", NUMBERS)
    expect(figure.locator("table")).to_be_hidden()
    figure.locator("summary").focus()
    shown.keyboard.press("Enter")
    expect(figure.locator("table")).to_be_visible()
    assert figure.locator("tbody tr").count() > 0


# The darkest and the lightest of what a chart drew, from 0 to 255.
SHADES = """() => [...document.querySelectorAll("canvas")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const drawn = Array.from({ length: data.length / 4 }, (_, at) => 4 * at)
    .filter((at) => data[at + 3] > 250);
  const shades = drawn.map((at) => (data[at] + data[at + 1] + data[at + 2]) / 3);
  return shades.reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [255, 0]);
})"""
TABLES = """() => [...document.querySelectorAll("figure table")]
  .map((table) => table.checkVisibility())"""


def test_charts_are_dark_on_paper_beside_their_numbers_and_light_again_on_a_dark_screen(
    page: Page, played: LocalServer
) -> None:
    page.emulate_media(color_scheme="dark")
    reports.show(page, played)
    expect(page.locator("#days canvas")).to_be_visible()
    page.locator("#days summary").click()
    page.evaluate(
        f"addEventListener('beforeprint', () => (window.printed = [({SHADES})(), ({TABLES})()]))"
    )
    page.pdf()
    shades, tables = page.evaluate("window.printed")
    assert [darkest < 60 for darkest, _ in shades] == [True] * len(CHARTS)
    assert tables == [True] * len(CHARTS)
    assert [lightest > 200 for _, lightest in page.evaluate(SHADES)] == [True] * len(CHARTS)
    assert page.evaluate(TABLES) == [chart == "days" for chart in CHARTS]


def test_no_table_is_wider_than_the_paper(page: Page, played: LocalServer) -> None:
    page.set_viewport_size({"width": 700, "height": 1000})
    reports.show(page, played)
    expect(page.locator("#agents table")).to_be_visible()
    page.emulate_media(media="print")
    assert (
        page.evaluate(
            "[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > 700)"
        )
        == []
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 700


def test_other_colours_are_drawn_without_asking_again(page: Page, played: LocalServer) -> None:
    reports.show(page, played)
    expect(page.locator("#days canvas")).to_be_visible()
    expect(page.locator("#main")).to_have_attribute("aria-busy", "false")
    asked = list[str]()
    page.on("request", lambda request: asked.append(request.url))
    light = page.evaluate(SHADES)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        f"(light) => ({SHADES})().every(([darkest], at) => darkest > light[at][0])", arg=light
    )
    assert asked == []


def test_other_colours_need_no_key(page: Page, played: LocalServer) -> None:
    page.goto(f"{played.url}{reports.PATH}")
    expect(page.locator("#main")).to_have_attribute("aria-busy", "false")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("matchMedia('(prefers-color-scheme: dark)').matches")
    expect(page.locator("#main")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#trouble")).to_be_hidden()
