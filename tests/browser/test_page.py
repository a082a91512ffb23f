"""The page of a local run, used as a person would: what is typed and pressed, and what the
customer's phone shows.
"""

import re
from http.client import HTTPConnection, HTTPResponse
from itertools import count
from urllib.parse import unquote

import pytest
from playwright.sync_api import Locator, Page, Request, Response, Route, expect

from infra.local.server import PATIENCE_SECONDS
from tests.browser import desk

PROBLEM = "Hi, I have a problem"
ACKNOWLEDGEMENT = (
    "Thanks for contacting us. I'll pass this along when a "
    "live agent is available to chat with you."
)
HELP = "I see you have a problem. How can I help?"
LONG = "a long story about a parcel, "
_numbers = count(1)


def start_customer(page: Page) -> str:
    """Returns the name of a customer whom no other test knows."""
    name = f"Customer {next(_numbers)}"
    page.get_by_role("button", name="New customer").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Start").click()
    return name


def customer_says(page: Page, text: str) -> None:
    send(page, "The customer’s message", text)


def agent_says(page: Page, text: str) -> None:
    desk.say(desk.framed(page), text)


def bot_says(page: Page, text: str) -> None:
    press(page, "The bot")
    send(page, "Say as the bot", text)


def csku_says(page: Page, text: str) -> None:
    open_csku(page)
    send(page, "The words of CSKU’s human", text)


def open_csku(page: Page) -> None:
    press(page, "The desk’s chat")
    page.get_by_text("Answer as CSKU").click()


def send(page: Page, label: str, text: str) -> None:
    page.get_by_label(label).fill(text)
    page.get_by_label(label).press("Enter")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, disabled=False).click()


def queue(page: Page) -> None:
    """A customer who has written and asked for a human."""
    start_customer(page)
    customer_says(page, PROBLEM)
    expect(bubbles(page).last).to_contain_text(ACKNOWLEDGEMENT)
    press(page, "Ask for a human")
    expect_phase(page, "QUEUED")


def bubbles(page: Page) -> Locator:
    return page.locator("#bubbles > li")


def expect_phase(page: Page, name: str) -> None:
    expect(page.locator(f"[data-phase={name}].here")).to_have_count(1)


def shown(page: Page) -> list[str]:
    """What the customer sees, top to bottom, without the times."""
    script = """list => list.map(item => [
      ...item.querySelectorAll('.label, bdi, .said, .line span')]
      .map(part => part.textContent).join(' ') || item.textContent)"""
    lines: list[str] = bubbles(page).evaluate_all(script)
    return lines


def expect_shown(page: Page, *lines: str) -> None:
    expect(bubbles(page)).to_have_count(len(lines))
    assert shown(page) == list(lines)


def claim(page: Page) -> None:
    """Returns once the customer has seen who joined: people answer what they have seen."""
    desk.press(desk.framed(page), "Claim")
    expect_phase(page, "HUMAN")
    expect(bubbles(page).last).to_have_text("Jane Doe joined")


def test_the_reference_conversation_reads_on_the_phone_as_it_was_played(page: Page) -> None:
    queue(page)
    claim(page)
    agent_says(page, HELP)
    expect(bubbles(page)).to_have_count(5)
    customer_says(page, "My parcel has not arrived")
    expect(bubbles(page)).to_have_count(6)
    agent_says(page, "It will be there tomorrow")
    expect(bubbles(page)).to_have_count(7)
    desk.press(desk.framed(page), "Leave")
    expect_phase(page, "BOT")
    bot_says(page, "How was that?")
    expect_shown(
        page,
        PROBLEM,
        f"BOT Hello World Agent {ACKNOWLEDGEMENT}",
        "You asked for a human",
        "Jane Doe joined",
        f"HUMAN Jane Doe {HELP}",
        "My parcel has not arrived",
        "HUMAN Jane Doe It will be there tomorrow",
        "Jane Doe left",
        "BOT Hello World Agent How was that?",
    )


def test_the_bot_is_refused_while_a_human_is_there_and_told_who_holds_the_conversation(
    page: Page,
) -> None:
    queue(page)
    claim(page)
    bot_says(page, "May I interrupt?")
    expect(page.locator("#bot-notice")).to_have_text(
        "Refused (409 human-present): Jane Doe holds this conversation. The bot stays silent until "
        "they leave."
    )
    expect(page.locator("#journal > li").first).to_contain_text("human-present")
    expect(page.get_by_label("Say as the bot")).to_have_value("May I interrupt?")
    expect(page.locator("#bubbles")).not_to_contain_text("May I interrupt?")


def test_a_reply_posted_as_a_csku_event_joins_its_human_and_the_ai_takes_over_again(
    page: Page,
) -> None:
    queue(page)
    csku_says(page, "Saya bisa membantu")
    expect(page.locator("#csku-notice")).to_contain_text("First linked csku:")
    expect(page.locator("#csku-notice")).to_contain_text("agent.message_out")
    expect(bubbles(page).last).to_contain_text("Saya bisa membantu")
    assert shown(page)[-2:] == ["Jane Doe joined", "HUMAN Jane Doe Saya bisa membantu"]
    press(page, "CSKU’s AI says: no human is needed")
    expect(page.locator("#csku-notice")).to_contain_text(
        "CSKU’s human left, and the bot speaks again."
    )
    expect(bubbles(page).last).to_contain_text("BOT")
    assert shown(page)[-2] == "Jane Doe left"


def test_the_ai_of_csku_may_not_speak_over_a_human_who_came_through_the_api(page: Page) -> None:
    queue(page)
    claim(page)
    open_csku(page)
    press(page, "CSKU’s AI says: no human is needed")
    expect(page.locator("#csku-notice")).to_contain_text(
        "Kept from the customer: Jane Doe came through the API"
    )
    assert shown(page)[-1] == "Jane Doe joined"


def test_no_human_available_is_said_and_the_notice_of_that_goes_when_the_customer_asks_again(
    page: Page,
) -> None:
    queue(page)
    at_desk = desk.framed(page)
    desk.press(at_desk, "Nobody available")
    desk.press(at_desk, "Tell the customer")
    expect(at_desk.locator("#notice")).to_have_text("The customer was told.")
    expect_phase(page, "BOT")
    expect(bubbles(page).last).to_contain_text("nobody is available right now")
    expect(at_desk.locator("#notice")).to_have_text("The customer was told.")
    press(page, "Ask for a human")
    expect_phase(page, "QUEUED")
    expect(at_desk.locator("#notice")).to_be_empty()


def test_an_erased_conversation_is_said_to_be_erased_and_asked_for_once(
    page: Page, server: str
) -> None:
    queue(page)
    asked, place = list[str](), f"/send_representative/v1/conversations/{chosen(page)}"
    desk.framed(page).get_by_role("button", name="Claim").wait_for()

    def note(request: Request) -> None:
        asked.append(unquote(request.url).removeprefix(server))

    page.on("request", note)
    assert page.request.delete(server + place, headers={"authorization": "Bearer dev-admin"}).ok
    expect(desk.framed(page).locator("#nothing")).to_contain_text("it was erased")
    expect(page.locator("#journal")).to_contain_text("Erased: Baton keeps nothing")
    expect(page.locator("#journal")).not_to_contain_text(PROBLEM)
    asked.clear()
    wait_for_looks(page, server, 8)
    assert place not in asked
    page.remove_listener("request", note)
    customer_says(page, "Here I am again")
    expect(page.locator("#journal")).to_contain_text("Here I am again")
    expect(desk.framed(page).locator("#transcript")).to_contain_text("Here I am again")


def chosen(page: Page) -> str:
    conversation: str = page.evaluate(
        "new URLSearchParams(location.hash.slice(1)).get('conversation')"
    )
    return conversation


def wait_for_looks(page: Page, server: str, times: int) -> None:
    """Returns once the page has asked Baton for what it shows so many times."""
    for _ in range(times):
        with page.expect_request(f"{server}/send_representative/v1/conversations?phase=BOT"):
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_without_a_desk_of_its_kind_the_chat_says_how_to_have_one(page: Page) -> None:
    start_customer(page)
    press(page, "The desk’s chat")
    expect(page.locator("#no-desk")).to_contain_text("BATON_DESKS=")


def test_each_side_sees_the_other_type_and_the_desk_sees_what_was_read(page: Page) -> None:
    queue(page)
    claim(page)
    reply = desk.framed(page).get_by_label("Your reply")
    reply.press_sequentially("Hm")
    expect(page.locator("#typing")).to_have_text("Jane Doe is typing …")
    reply.press("Enter")
    expect(page.locator("#typing")).to_have_text("")
    at_desk = desk.framed(page)
    expect(at_desk.locator("#transcript .human .tick")).to_have_text("✓✓ read")
    typing = at_desk.get_by_role("status").and_(at_desk.locator("#typing"))
    expect(typing).to_have_text("")
    page.get_by_label("The customer’s message").press_sequentially("It br")
    expect(typing).to_have_text(re.compile("Customer .* is typing …"))
    expect(at_desk.locator("#mine .words")).to_have_text("is typing …")
    customer_says(page, "It broke")
    expect(typing).to_have_text("")
    expect(at_desk.locator("#mine .words")).to_have_text("It broke")


@pytest.mark.parametrize("speaks", [customer_says, agent_says], ids=["customer", "agent"])
def test_markup_in_a_message_is_text_wherever_it_is_shown(page: Page, speaks: object) -> None:
    markup = """<img src=x onerror="document.title='owned'"><b>bold</b>"""
    queue(page)
    claim(page)
    customer_says(page, markup) if speaks is customer_says else agent_says(page, markup)
    expect(bubbles(page).last.locator(".said")).to_have_text(markup)
    expect(page.locator("#journal > li").first.locator(".quote")).to_have_text(markup)
    expect(desk.framed(page).locator("#transcript .said").last).to_have_text(markup)
    for one in (page, desk.framed(page)):
        assert one.locator("img, .said b, .quote b").count() == 0
    assert page.title() == "Baton"


def test_a_customer_with_markup_for_a_name_is_text_too(page: Page) -> None:
    name = "<i onclick=alert(1)>Eve</i>"
    page.get_by_role("button", name="New customer").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Start").click()
    customer_says(page, PROBLEM)
    expect(page.locator("#customer option:checked")).to_contain_text(name)
    expect(desk.framed(page).locator("#title")).to_have_text(name)
    for one in (page, desk.framed(page)):
        assert one.locator("i").count() == 0


def test_a_customer_who_only_types_keeps_the_name_that_they_were_given(page: Page) -> None:
    page.get_by_role("button", name="New customer").click()
    page.get_by_label("Name").fill("Eve Adams")
    page.get_by_role("button", name="Start").click()
    with page.expect_response(lambda one: _knows(one, "eve-adams")):  # by their typing alone
        page.get_by_label("The customer’s message").fill(PROBLEM)
    customer_says(page, PROBLEM)
    expect(desk.framed(page).locator("#title")).to_have_text("Eve Adams")
    expect(page.locator("#customer option:checked")).to_contain_text("Eve Adams")


def _knows(response: Response, customer: str) -> bool:
    return response.url.endswith("/local/customers") and customer in response.text()


def test_a_fault_is_switched_on_seen_in_the_journal_and_switched_off(page: Page) -> None:
    start_customer(page)
    page.locator("#faults-toggle").click()
    page.get_by_label("500, server error", exact=True).check()
    page.get_by_label("500, server error: share of calls").fill("100")
    expect(page.locator("#faults-toggle")).to_have_text("Faults: 1 on")
    customer_says(page, PROBLEM)
    expect(page.locator("#journal")).to_contain_text("HTTP 500")
    expect(page.locator("#facts")).to_contain_text("in the outbox")
    page.get_by_role("button", name="All off").click()
    expect(page.locator("#faults-toggle")).to_have_text("Faults: all off")
    expect(page.get_by_label("500, server error", exact=True)).not_to_be_checked()
    expect_shown(page, PROBLEM, f"BOT Hello World Agent {ACKNOWLEDGEMENT}")


@pytest.mark.usefixtures("loaded_anew")
def test_conversations_are_apart_and_a_draft_stays_with_its_own(page: Page) -> None:
    first = start_customer(page)
    customer_says(page, "I am the first")
    expect(bubbles(page)).to_have_count(2)
    say = page.get_by_label("The customer’s message")
    say.fill("Half a message of the first")
    start_customer(page)
    expect(say).to_have_value("")
    customer_says(page, "I am the second")
    expect(page.locator("#bubbles")).not_to_contain_text("I am the first")
    at_desk = desk.framed(page)
    expect(at_desk.locator("#transcript")).to_contain_text("I am the second")
    desk.choose_with_assistant(at_desk, first)
    expect(page.locator("#bubbles")).to_contain_text("I am the first")
    expect(at_desk.locator("#transcript")).to_contain_text("I am the first")
    expect(say).to_have_value("Half a message of the first")
    page.reload()
    expect(say).to_have_value("Half a message of the first")
    page.get_by_label("Signed in at the desk").select_option(label="Omar Haddad (agent)")
    expect(at_desk.locator("#my-name")).to_have_text("Omar Haddad")
    expect(at_desk.locator("#title")).to_have_text(first)


def test_a_narrow_screen_shows_one_pane_at_a_time_and_nothing_runs_off_it(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    queue(page)
    customer_says(page, (LONG * 110)[:3000] + "w" * 72)
    expect(bubbles(page)).to_have_count(4)
    press(page, "Desk")
    expect(page.locator("#bubbles")).to_be_hidden()
    desk.press(desk.framed(page), "Claim")
    agent_says(page, HELP)
    press(page, "Baton")
    expect(page.locator("#journal > li").first).to_contain_text(HELP)
    assert_nothing_runs_off(page)
    press(page, "Customer")
    expect(bubbles(page).last).to_be_in_viewport()
    expect(page.get_by_label("The customer’s message")).to_be_in_viewport()
    assert_nothing_runs_off(page)
    page.reload()  # the desk is hidden while its transcript is drawn
    latest = desk.framed(page).locator("#transcript > li").last
    expect(latest).to_contain_text(HELP)
    press(page, "Desk")
    expect(latest).to_be_in_viewport()


def assert_nothing_runs_off(page: Page) -> None:
    script = """() => [...document.querySelectorAll('main *, header *')]
      .filter(one => one.checkVisibility() && !one.classList.contains('unseen'))
      .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
      .map(one => one.outerHTML)"""
    assert page.evaluate(script) == []


def test_claim_and_reply_need_no_mouse(page: Page) -> None:
    queue(page)
    at_desk = desk.framed(page)
    expect(at_desk.locator("#claim")).to_be_visible()
    page.get_by_label("Signed in at the desk").focus()
    tab_to(at_desk.locator("#claim"))
    page.keyboard.press("Enter")
    expect(at_desk.get_by_label("Your reply")).to_be_focused()
    page.keyboard.type(HELP)
    page.keyboard.press("Enter")
    expect(bubbles(page).last).to_contain_text(HELP)
    expect(at_desk.get_by_label("Your reply")).to_be_focused()
    tab_to(page.get_by_role("button", name="What Baton knows"))


def tab_to(target: Locator) -> None:
    for _ in range(40):
        target.page.keyboard.press("Tab")
        if target.evaluate("one => one === one.ownerDocument.activeElement"):
            return
    raise AssertionError(f"Tab does not reach {target}")


def test_the_answer_to_a_slow_message_does_not_take_the_keyboard_from_the_next_control(
    page: Page,
) -> None:
    start_customer(page)
    held = list[Route]()
    page.route("**/customers/*/messages", lambda route: held.append(route))
    with page.expect_request("**/customers/*/messages"):
        customer_says(page, PROBLEM)
    person = page.get_by_label("Signed in at the desk")
    person.focus()
    held[0].continue_()
    expect(bubbles(page).first).to_contain_text(PROBLEM)
    expect(desk.framed(page).locator("#transcript")).to_contain_text(PROBLEM)
    expect(person).to_be_focused()


@pytest.mark.usefixtures("loaded_anew")
def test_the_page_says_so_while_the_server_is_away_and_comes_back(page: Page) -> None:
    expect(page.locator("#banner")).to_be_hidden()
    page.context.set_offline(True)
    expect(page.locator("#banner")).to_contain_text("Reconnecting")
    page.context.set_offline(False)
    expect(page.locator("#banner")).to_be_hidden()


@pytest.mark.usefixtures("loaded_anew")
def test_a_desk_that_could_not_be_loaded_is_loaded_when_the_server_is_back(page: Page) -> None:
    page.context.set_offline(True)
    page.locator("#desk-person").select_option("dev-omar")
    expect(page.locator("#banner")).to_contain_text("Reconnecting")
    page.context.set_offline(False)
    expect(page.frame_locator("#desk-frame").locator("#lists")).to_be_visible()


@pytest.mark.usefixtures("loaded_anew")
def test_a_refused_key_is_explained(page: Page) -> None:
    refused = '{"error": {"code": 401, "message": "no", "status": "UNAUTHENTICATED"}}'
    page.route("**/send_representative/**", lambda route: route.fulfill(status=401, body=refused))
    expect(page.locator("#banner")).to_contain_text("BATON_API_KEYS")


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/", "text/html"), ("/page/style.css", "text/css"), ("/page/page.js", "text/javascript")],
)
def test_the_files_of_the_page_have_their_types_and_are_not_cached(
    server: str, path: str, content_type: str
) -> None:
    answer = fetch(server, path)
    assert answer.status == 200
    assert answer.headers["content-type"] == f"{content_type}; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["/page/../app.py", "/page/%2e%2e/app.py", "/page/..%2fapp.py", "/page/", "/page//etc/passwd"],
)
def test_nothing_beside_the_page_is_served(server: str, path: str) -> None:
    assert fetch(server, path).status == 404


def fetch(server: str, path: str) -> HTTPResponse:
    """Sends the path as it is written."""
    connection = HTTPConnection(server.removeprefix("http://"), timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


@pytest.mark.parametrize("size", [(640, 360), (740, 360), (320, 568)], ids=str)
def test_the_conversation_keeps_its_place_on_a_small_screen_and_beside_the_faults(
    page: Page, size: tuple[int, int]
) -> None:
    """640 by 360 is a screen of 1280 by 720 at 200 % zoom."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    start_customer(page)
    customer_says(page, PROBLEM)
    expect(bubbles(page)).to_have_count(2)
    page.locator("#faults-toggle").click()
    assert page.locator("#bubbles").evaluate("one => one.clientHeight") > 130
    page.locator("#bubbles").scroll_into_view_if_needed()
    expect(page.locator("#bubbles")).to_be_in_viewport()
    assert_nothing_runs_off(page)
    page.locator("#faults-toggle").click()
    press(page, "Desk")
    expect(desk.framed(page).locator("#transcript")).to_contain_text(PROBLEM)
    expect(desk.framed(page).get_by_role("button", name="Claim")).to_be_in_viewport()
    assert desk.framed(page).locator("#scroll").evaluate("one => one.clientHeight") > 90


def test_the_faults_do_not_cover_the_conversation(page: Page) -> None:
    start_customer(page)
    page.locator("#faults-toggle").click()
    phone, faults = page.locator("#phone").bounding_box(), page.locator("#faults").bounding_box()
    assert phone is not None and faults is not None
    assert phone["x"] + phone["width"] <= faults["x"]


def test_a_message_shows_that_it_is_being_sent(page: Page) -> None:
    start_customer(page)
    held = list[Route]()
    page.route("**/customers/*/messages", lambda route: held.append(route))
    with page.expect_request("**/customers/*/messages"):
        customer_says(page, PROBLEM)
    expect(bubbles(page).last).to_have_text(f"{PROBLEM}sending …")
    held[0].continue_()
    expect(bubbles(page)).to_have_count(2)
    expect(page.locator("#bubbles")).not_to_contain_text("sending")
