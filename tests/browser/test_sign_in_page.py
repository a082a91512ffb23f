"""Signing in, in a browser, which judges the cookie: where it goes, and who may read it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from infra.local.server import LocalServer
from infra.local.settings import PEOPLE, PEOPLE_KEYS
from tests.browser.conftest import PATIENCE
from tests.browser.elsewhere import hear_faults
from tests.forked import ForkedServer
from tests.infra.framework import serving

ME = "fetch('../v1/me', {headers: {'baton-page': '1'}}).then((answer) => answer.json())"
LIST = "fetch('../v1/conversations').then((answer) => answer.status)"
GOOGLE = """
globalThis.google = { accounts: { id: {
  initialize: (given) => { globalThis.asked = given; },
  renderButton: (where) => {
    const button = document.createElement("button");
    button.textContent = "Sign in with Google";
    button.addEventListener("click", () => globalThis.asked.callback({ credential: "a.b.c" }));
    where.append(button);
  },
} } };
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with ForkedServer(tmp_path_factory.mktemp("sign-in")) as running:
        yield running


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the function on a host of its own, where nothing stands before its paths."""
    people = {
        "BATON_AGENTS": json.dumps(PEOPLE),
        "BATON_API_KEYS": json.dumps(PEOPLE_KEYS),
        "BATON_SESSION_KEYS": "dev-session-key",
        "BATON_SIGN_IN_CLIENT_ID": "1-a.apps.googleusercontent.com",
    }
    with serving("send_representative", tmp_path_factory.mktemp("alone"), **people) as served:
        yield f"http://127.0.0.1:{served.port}"


@contextmanager
def opened(chromium: Browser, url: str) -> Iterator[Page]:
    """Yields a page that must not throw nor break its own policy."""
    context, faults = (
        chromium.new_context(viewport={"width": 320, "height": 640}, reduced_motion="reduce"),
        list[str](),
    )
    page = context.new_page()
    hear_faults(page, faults)
    page.set_default_timeout(PATIENCE)
    try:
        page.route("https://accounts.google.com/**", _googles_script)
        page.goto(url)
        yield page
    finally:
        context.close()
    assert faults == []


def _googles_script(route: Route) -> None:
    route.fulfill(body=GOOGLE, content_type="text/javascript")


def cookie(context: BrowserContext) -> dict[str, object]:
    (found,) = context.cookies()
    return {name: found.get(name) for name in ("name", "path", "httpOnly", "sameSite", "secure")}


def test_a_person_of_the_local_run_is_chosen_and_answers(
    chromium: Browser, local: LocalServer
) -> None:
    with opened(chromium, f"{local.url}/send_representative/sign_in/#business_messages:3") as page:
        expect(page.locator("#people button")).to_have_text(
            ["Jane Doe (agent)", "Omar Haddad (agent)", "Sue Park (supervisor)"]
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.get_by_role("button", name="Jane Doe").click()
        page.wait_for_url(f"{local.url}/send_representative/desk/#business_messages:3")
        assert page.evaluate(ME)["id"] == "jane@example.com"
        assert page.evaluate("document.cookie") == ""
        assert page.evaluate(LIST) == 403  # without the header of Baton's pages
        assert cookie(page.context) == {
            "name": "baton",
            "path": "/send_representative/v1",
            "httpOnly": True,
            "sameSite": "Strict",
            "secure": False,
        }


def test_the_desk_sends_people_here_and_gets_them_back_where_they_were(
    chromium: Browser, local: LocalServer
) -> None:
    with opened(chromium, f"{local.url}/send_representative/desk/#business_messages:3") as page:
        page.get_by_role("button", name="Omar Haddad").click()
        page.wait_for_url(f"{local.url}/send_representative/desk/#business_messages:3")
        expect(page.locator("#my-name")).to_have_text("Omar Haddad")
        expect(page.locator("#sign-in")).to_be_hidden()


def test_on_a_host_of_its_own_the_cookie_goes_to_the_api_alone(
    chromium: Browser, alone: str
) -> None:
    with opened(chromium, f"{alone}/sign_in/") as page:
        page.get_by_label("Your key").fill("dev-omar ")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(f"{alone}/desk/")
        assert page.evaluate(ME)["id"] == "omar@example.com"
        assert cookie(page.context)["path"] == "/v1"


def test_what_is_not_accepted_is_said_and_can_be_mended(
    chromium: Browser, local: LocalServer
) -> None:
    with opened(chromium, f"{local.url}/send_representative/sign_in/?next=https://x.test") as page:
        for key, words in (("nope", "was not accepted"), ("dev-agent", "the key of a system")):
            page.get_by_label("Your key").fill(key)
            page.get_by_role("button", name="Sign in", exact=True).click()
            expect(page.get_by_role("alert")).to_contain_text(words)
        page.get_by_label("Your key").fill("dev-jane")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(f"{local.url}/send_representative/desk/")


def test_googles_button_is_there_where_people_sign_in_with_google(
    chromium: Browser, alone: str
) -> None:
    with opened(chromium, f"{alone}/sign_in/") as page:
        with page.expect_response(lambda one: one.request.method == "POST") as answered:
            page.get_by_role("button", name="Sign in with Google").click()
        sent = answered.value.request
        assert sent.post_data_json == {"credential": "a.b.c"}
        assert (answered.value.status, sent.headers["baton-page"]) == (401, "1")
        expect(page.get_by_role("alert")).to_contain_text("was not accepted")


def test_a_supervisor_who_is_signed_in_sees_the_reports_without_a_key(
    chromium: Browser, local: LocalServer
) -> None:
    with opened(chromium, f"{local.url}/send_representative/reports/") as page:
        page.get_by_role("link", name="Sign in").click()
        page.get_by_role("button", name="Sue Park").click()
        page.wait_for_url(f"{local.url}/send_representative/reports/")
        expect(page.locator("#agents")).not_to_contain_text("does not show")
        expect(page.get_by_label("API key")).to_be_hidden()
        expect(page.locator("#tiles")).to_contain_text("nobody")
        page.context.clear_cookies()
        page.get_by_role("button", name="Show").click()
        expect(page.locator("#trouble")).to_contain_text("not signed in any more")
