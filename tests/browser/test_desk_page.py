"""The desk page, used as a person would who answers customers."""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from infra.local.server import LocalServer
from tests.browser import desk
from tests.browser.lasting_page import LastingPage
from tests.forked import ForkedServer

CANNED = {
    "id": {"Salam": "Halo {customer}"},
    "en": {"Greeting": "Hello {customer}, I am {agent}."},
}
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    settings = {"BATON_CANNED": json.dumps(CANNED)}
    with ForkedServer(tmp_path_factory.mktemp("desk"), settings) as running:
        yield running


@pytest.fixture(scope="module")
def lasting(chromium: Browser, server: LocalServer) -> Iterator[LastingPage]:
    with closing(desk.lasting(chromium, server)) as opened:
        yield opened


@pytest.fixture
def page(lasting: LastingPage, request: pytest.FixtureRequest) -> Iterator[Page]:
    with lasting.used(request.session) as opened:
        yield opened


def test_a_customer_is_claimed_answered_and_left(page: Page, server: LocalServer) -> None:
    talk = desk.waiting(server)
    seen = {"capture_type": ["agent"], "capture_target": "payload", "payload": {"plan": "gold"}}
    variable = server.encode({"session_variable": {**seen, "invisible_to_agent": []}})
    kept = server.send("POST", f"/local/variables/business_messages:{talk.id}", variable)
    assert kept.status == 200
    desk.open_talk(page, talk)
    for part in ("Michael", "refund", "Hi, I have a problem", "Business Messages", "English"):
        expect(desk.row(page, talk)).to_contain_text(part)
    expect(desk.row(page, talk).locator(".waited")).to_have_text(re.compile("waits for [0-9]+ s"))
    expect(page.locator("#facts")).to_contain_text("LanguageEnglish")
    expect(page.locator("#tried li")).to_have_text(["tracking link", "address check"])
    expect(page.locator("#metadata")).to_have_text("order4711")
    expect(page.locator("#variables")).to_have_text("plangold")
    page.get_by_role("button", name="Claim").click()
    expect(page.get_by_label("Your reply")).to_be_focused()
    desk.say(page, "How can I help?")
    expect(page.locator("#transcript .human .tick")).to_have_text("✓ sent")
    expect(page.locator(f"#mine [data-key='business_messages:{talk.id}']")).to_be_visible()
    talk.customer_says("My parcel is lost", "m-2")
    expect(page.locator("#transcript")).to_contain_text("My parcel is lost")
    page.get_by_role("button", name="Leave").click()
    expect(page.locator("#notice")).to_have_text("You left. The assistant speaks again.")
    expect(page.locator("#transcript")).to_contain_text("Jane Doe left")
    expect(page.locator("#handoffs")).to_contain_text("Jane Doe left at")
    assert talk.seen() == ["JOINED Jane Doe", "HUMAN Jane Doe: How can I help?", "LEFT Jane Doe"]
    assert [line.split("Hi,")[0].split("My parcel")[0] for line in desk.rows(page)] == [
        "Michael ",
        "Asked for a person: refund refund",
        "Jane Doe joined Jane Doe",
        "HUMAN Jane Doe How can I help?",
        "Michael ",
        "Jane Doe left Jane Doe",
    ]


def test_a_reply_that_was_not_sent_is_sent_again_under_its_id(
    page: Page, server: LocalServer
) -> None:
    talk = desk.waiting(server)
    desk.claim(page, talk)
    tried = list[str]()

    def refuse(route: Route) -> None:
        tried.append((route.request.post_data_json or {})["messageId"])
        route.abort() if len(tried) == 1 else route.continue_()

    page.route("**/messages", refuse)
    desk.say(page, "Are you there?")
    expect(page.locator("#unsent")).to_contain_text("Not sent. Baton does not answer.")
    page.reload()
    page.unroute("**/messages")
    page.route("**/messages", refuse)
    expect(page.locator("#unsent")).to_contain_text("Are you there?")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("#transcript")).to_contain_text("Are you there?")
    expect(page.locator("#unsent")).to_be_hidden()
    assert len(tried) == 2
    assert len(set(tried)) == 1
    assert talk.seen().count("HUMAN Jane Doe: Are you there?") == 1


def test_a_draft_outlives_a_reload_and_stays_with_its_conversation(
    page: Page, server: LocalServer
) -> None:
    first, second = desk.waiting(server, "First"), desk.waiting(server, "Second")
    desk.claim(page, second)
    desk.claim(page, first)
    page.get_by_label("Your reply").fill("For the first only")
    desk.open_talk(page, second)
    expect(page.get_by_label("Your reply")).to_have_value("")
    page.reload()
    desk.open_talk(page, first)
    expect(page.get_by_label("Your reply")).to_have_value("For the first only")


def test_two_people_claim_and_the_second_is_told_who_was_quicker(
    chromium: Browser, page: Page, server: LocalServer
) -> None:
    talk = desk.waiting(server)
    with desk.opened(chromium, server, "Omar Hassan") as other:
        desk.open_talk(other, talk)
        other.route("**/v1/conversations?*", lambda route: route.abort())
        other.route(f"**/*{talk.id}", lambda route: route.abort())
        desk.claim(page, talk)
        other.get_by_role("button", name="Claim").click()
        expect(other.locator("#notice")).to_have_text(
            "Jane Doe was quicker, and is with the customer."
        )


def test_markup_is_text_wherever_it_is_shown(page: Page, server: LocalServer) -> None:
    markup = """<img src=x onerror="document.title='owned'"><b>bold</b>"""
    talk = desk.waiting(server, markup, f"Hi, I have a problem {markup}")
    desk.claim(page, talk)
    expect(page.locator("#title")).to_have_text(markup)
    expect(page.locator("#transcript .customer .said")).to_contain_text(markup)
    assert page.locator("img, .said b").count() == 0


def test_a_refused_key_is_said_and_is_in_no_address(chromium: Browser, server: LocalServer) -> None:
    with desk.opened(chromium, server) as page:
        assert "dev-agent" not in unquote(page.url)
        page.goto(f"{server.url}{desk.PATH}#key=dev-nope")
        page.reload()
        expect(page.locator("#refused")).to_have_text("This key was not accepted.")
        expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_a_link_signs_nobody_in_under_a_key_that_is_not_of_the_local_run(
    chromium: Browser, server: LocalServer
) -> None:
    with desk.opened(chromium, server, key="") as page:
        expect(page).to_have_url(re.compile("/sign_in/"))
        link = f"{server.url}{desk.PATH}#key=somebody-elses-key&name=Jane"
        page.goto(link, wait_until="commit")
        expect(page).to_have_url(re.compile("/sign_in/"))
        assert page.evaluate("Object.values(sessionStorage)") == []


def test_older_parts_are_read_on_scrolling_up(page: Page, server: LocalServer) -> None:
    talk = desk.waiting(server)
    for number in range(70):
        talk.customer_says(f"message {number}", f"n-{number}")
    desk.row(page, talk).click()
    expect(page.locator("#transcript")).to_contain_text("message 69")
    expect(page.locator("#transcript")).not_to_contain_text("Hi, I have a problem")
    page.locator("#scroll").evaluate("one => one.scrollTo(0, 0)")
    expect(page.locator("#transcript > li.customer").first).to_contain_text("Hi, I have a problem")
    expect(page.locator("#transcript > li.customer")).to_have_count(71)


@pytest.mark.parametrize("size", [(320, 568), (740, 360), (640, 360), (768, 1024)], ids=str)
def test_nothing_runs_off_any_screen(
    chromium: Browser, server: LocalServer, size: tuple[int, int]
) -> None:
    talk = desk.waiting(server, "عبد الرحمن بن محمد الأنصاري" + "w" * 60)
    with desk.opened(chromium, server, size=size) as page:
        desk.row(page, talk).wait_for()
        _nothing_is_clipped(page)
        desk.claim(page, talk)
        desk.say(page, "w" * 90)
        expect(page.locator("#transcript .human")).to_be_in_viewport()
        expect(page.get_by_label("Your reply")).to_be_in_viewport()
        assert page.locator("#scroll").evaluate("one => one.clientHeight") > 100
        _nothing_is_clipped(page)
        if page.get_by_role("button", name="Details").is_visible():
            page.get_by_role("button", name="Details").click()
            _nothing_is_clipped(page)
            page.get_by_role("button", name="Close").click()
        if page.get_by_role("button", name="Back to the lists").is_visible():
            page.get_by_role("button", name="Back to the lists").click()
            expect(desk.row(page, talk)).to_be_focused()


def _nothing_is_clipped(page: Page) -> None:
    script = """() => [...document.querySelectorAll('body *')]
      .filter(one => one.checkVisibility() && !one.closest('.unseen, svg, dialog'))
      .filter(one => {
        const {left, right} = one.getBoundingClientRect();
        return right > innerWidth + 1 || left < -1 || one.scrollWidth > one.clientWidth + 1
          && getComputedStyle(one).overflowX !== 'visible' && one.clientWidth > 0;
      }).map(one => one.outerHTML.slice(0, 200))"""
    assert page.evaluate(script) == []


def test_all_of_it_works_by_keyboard(page: Page, server: LocalServer) -> None:
    talk = desk.waiting(server)
    desk.row(page, talk).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#conversation")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Claim")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your reply")).to_be_focused()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    expect(page.locator("#transcript .human .said")).to_have_text("one\ntwo")


def test_a_note_is_seen_by_colleagues_only(
    chromium: Browser, page: Page, server: LocalServer
) -> None:
    talk = desk.waiting(server)
    desk.claim(page, talk)
    page.get_by_label("Your reply").fill("not sent yet")
    page.get_by_role("button", name="Note", exact=True).click()
    expect(page.get_by_label("Your note")).to_have_value("")
    desk.say(page, "He is right, the box was empty", "Your note")
    expect(page.locator("#transcript .note")).to_contain_text("He is right, the box was empty")
    page.get_by_role("button", name="Reply", exact=True).click()
    expect(page.get_by_label("Your reply")).to_have_value("not sent yet")
    with desk.opened(chromium, server, "Omar Hassan") as other:
        desk.open_talk(other, talk)
        expect(other.locator("#transcript .note")).to_contain_text("NOTE Jane Doe")
    assert talk.seen() == ["JOINED Jane Doe"]


def test_an_answer_is_chosen_in_the_customers_language_and_filled_in(
    page: Page, server: LocalServer
) -> None:
    talk = desk.waiting(server)
    desk.claim(page, talk)
    page.get_by_role("button", name="Answers").click()
    expect(page.locator("#canned-list .name")).to_have_text(["Greeting", "Salam"])
    page.get_by_label("Words of an answer").fill("greet")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your reply")).to_have_value("Hello Michael, I am Jane Doe.")
    expect(page.get_by_label("Your reply")).to_be_focused()


def test_files_are_sent_with_the_text_and_shown_in_the_transcript(
    page: Page, server: LocalServer
) -> None:
    talk = desk.waiting(server)
    desk.claim(page, talk)
    picture = FilePayload(name="label.png", mimeType="image/png", buffer=PICTURE)
    page.locator("#reply-file").set_input_files(picture)
    expect(page.locator("#reply-tray")).to_contain_text("label.png")
    desk.say(page, "Print this label")
    shown = page.locator("#transcript .human")
    expect(shown.locator("img")).to_be_visible()
    expect(shown.locator(".tick")).to_have_text("✓ sent")
    assert shown.locator("img").evaluate("async one => (await one.decode(), one.naturalWidth)") == 1


def test_unread_words_are_counted_in_the_title_until_they_are_read(
    chromium: Browser, server: LocalServer
) -> None:
    talk, other = desk.waiting(server), desk.waiting(server)
    with desk.opened(chromium, server, "Alma") as page:
        desk.claim(page, talk)
        desk.claim(page, other)
        expect(page).to_have_title("Baton desk")
        talk.customer_says("Are you still there?", "m-2")
        talk.customer_says("Hello?", "m-3")
        expect(page).to_have_title("(2) Baton desk")
        expect(desk.row(page, talk).locator(".unread")).to_have_text("2 unread")
        desk.open_talk(page, talk)
        expect(page).to_have_title("Baton desk")


def test_the_words_of_a_row_are_asked_for_once_and_not_at_once_again_where_that_fails(
    page: Page, server: LocalServer
) -> None:
    asked, refuses = list[str](), True

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.abort() if refuses else route.continue_()

    page.route("**/journal?*limit=12*", answer)
    talk = desk.waiting(server, "Ida")
    server.wait_until_quiet(talk.id)
    desk.row(page, talk).scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    assert 1 <= len([url for url in asked if talk.id in url]) < 10  # one for each look at the lists
    asked.clear()
    refuses = False
    expect(desk.row(page, talk).locator(".words")).to_have_text("Hi, I have a problem")
    assert len([url for url in asked if talk.id in url]) == 1


def test_words_that_go_on_while_they_are_asked_for_are_asked_for_again_afterwards(
    page: Page, server: LocalServer
) -> None:
    asked = list[Route]()

    def hold_the_first(route: Route) -> None:
        if talk.id in route.request.url:
            asked.append(route)
        if asked != [route]:
            route.continue_()

    page.route("**/journal?*limit=12*", hold_the_first)
    talk = desk.waiting(server, "Eva")
    with page.expect_request(lambda request: f"{talk.id}/journal" in request.url):
        desk.row(page, talk).scroll_into_view_if_needed()
    talk.customer_says("Are you there?", "m-2")
    server.wait_until_quiet(talk.id)
    page.wait_for_timeout(500)
    assert len(asked) == 1
    asked[0].continue_()
    expect(desk.row(page, talk).locator(".words")).to_have_text("Are you there?")


ALERTS = """
  window.told = [];
  window.Notification = class extends EventTarget {
    static permission = 'granted';
    constructor(title, { body }) { super(); window.told.push(body); }
  };
  window.AudioContext = class {
    currentTime = 0;
    createOscillator() {
      window.told.push('tone');
      return { frequency: {}, connect: (next) => next, start() {}, stop() {} };
    }
    createGain() {
      const gain = { setValueAtTime() {}, exponentialRampToValueAtTime() {} };
      return { gain, connect: (next) => next };
    }
  };
"""


def test_alerts_are_asked_for_by_a_button_and_not_before(
    chromium: Browser, server: LocalServer
) -> None:
    """By a person whom no earlier test has used, so that nothing is unread from before."""
    with desk.opened(chromium, server, "Nina") as page:
        _hears_of_who_waits(page, server)


def _hears_of_who_waits(page: Page, server: LocalServer) -> None:
    asked = "Notification.requestPermission = () => { window.asked = true; }; window.asked = false"
    page.evaluate(asked)
    page.get_by_role("button", name="Alerts off").click()
    expect(page.get_by_role("button", name=re.compile("(Alerts|Sound) on"))).to_be_visible()
    page.add_init_script(ALERTS)
    desk.waiting(server, "Ida")
    page.reload()
    expect(page.get_by_role("button", name="Alerts on")).to_be_visible()
    expect(page.locator("#queue-count")).not_to_be_empty()
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    assert page.evaluate("window.told") == []
    desk.waiting(server, "Nora")
    page.wait_for_function("() => window.told.length === 3")
    assert page.evaluate("window.told") == ["tone", "tone", "Nora waits for a person"]


def test_the_customer_sees_a_person_type(page: Page, server: LocalServer) -> None:
    talk = desk.waiting(server)
    desk.claim(page, talk)
    server.wait_until_quiet(talk.id)
    page.get_by_label("Your reply").press_sequentially("Hm")
    place = f"/sim/business_messages/customers/{talk.id}"
    server.wait_until(lambda: "Jane Doe" in str(server.get(place)["typing"]))


def test_what_a_customer_did_with_a_message_stands_beside_it(page: Page) -> None:
    """Quotes, edits, deletions and reactions, which Business Messages does not have."""
    about = {"about": {"message": "m-1"}}
    quotes = {"about": {"message": "m-0", "text": "Which size?"}}
    happened: list[dict[str, object]] = [
        {"kind": "user_message", "eventId": "m-1", "text": "Small", "details": quotes},
        {"kind": "edited", "eventId": "e-1", "text": "Large", "details": about},
        {"kind": "reaction", "eventId": "e-2", "details": {**about, "reaction": {"emoji": "👍"}}},
        {"kind": "user_message", "eventId": "m-2", "text": "Sorry"},
        {"kind": "revoked", "eventId": "e-3", "details": {"about": {"message": "m-2"}}},
    ]
    common = {"time": "2026-01-01T00:00:00Z", "verdict": "accepted", "commands": []}
    entries = [{"id": str(n), "seq": n, **common, **one} for n, one in enumerate(happened)]
    script = "async entries => (await import('/send_representative/desk/rows.js')).rowsOf(entries)"
    rows = page.evaluate(script, entries)
    names = ("quote", "text", "mark", "reactions")
    assert [[row[name] for name in names] for row in rows] == [
        ["Which size?", "Large", "edited", ["👍"]],
        [None, "Sorry", "deleted by the customer", []],
    ]
