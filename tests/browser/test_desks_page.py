"""Desks on the page of a local run: which one has a handoff and when it opens, the chat that its
agents see, and the customer's other channels.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from playwright.sync_api import APIResponse, Browser, FilePayload, Locator, Page, Route, expect

from tests.browser import desk
from tests.browser.conftest import PATIENCE
from tests.browser.recordings import picture
from tests.browser.test_channels import expect_phase, send, start_customer
from tests.browser.test_page import assert_nothing_runs_off
from tests.forked import ForkedServer

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED = {
    "time_zone": "UTC",
    DAYS[(datetime.now(UTC) + timedelta(days=3)).weekday()]: ["09:00-10:00"],
}
DESKS = [
    {"name": "contact-center", "kind": "ccai", "channels": ["business_messages"]},
    {"name": "jakarta", "channels": ["rcs"], "hours": CLOSED, "outside": "wait"},
    {"name": "lisbon", "channels": ["whatsapp"], "hours": CLOSED},
]
PHONES = {"Business Messages": "business_messages", "RCS": "rcs", "WhatsApp": "whatsapp"}
_numbers = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ForkedServer(tmp_path_factory.mktemp("run"), {"BATON_DESKS": json.dumps(DESKS)}) as run:
        yield run.url


def writes(page: Page, phone: str) -> str:
    """Returns the conversation of a customer of that phone who has written, and whom no other
    test knows.
    """
    start_customer(page, phone, f"Customer {next(_numbers)}")
    send(page, "The customer’s message", "Hi, I have a problem")
    conversation: str = page.evaluate(
        "new URLSearchParams(location.hash.slice(1)).get('conversation')"
    )
    expect(page.locator("#journal")).to_contain_text("Hi, I have a problem")
    assert conversation.startswith(PHONES[phone])
    return conversation


def asks(page: Page, phone: str) -> str:
    conversation = writes(page, phone)
    page.get_by_role("button", name="Ask for a human").click()
    expect(page.locator("#journal")).to_contain_text("human asked for")
    return conversation


def bubbles(page: Page) -> Locator:
    return page.locator("#bubbles > li")


def chat(page: Page) -> Locator:
    """The view of the desk's agents, once it has a chat."""
    page.get_by_role("button", name="The desk’s chat").click()
    expect(page.locator("#chat-work")).to_be_visible()
    expect(page.locator("#chat-which")).to_contain_text("of contact-center")
    return page.locator("#chat")


def test_an_agent_of_the_contact_center_sees_the_customers_words_and_answers(page: Page) -> None:
    asks(page, "Business Messages")
    expect(page.locator("#facts")).to_contain_text("contact-center, open")
    view = chat(page)
    expect(page.locator("#chat-rows")).to_contain_text("Hi, I have a problem")
    expect(page.locator("#chat-rows > li").first).to_contain_text("before the handoff")
    view.get_by_role("button", name="Enter chat").click()
    expect(bubbles(page).last).to_have_text("Jane Doe joined")
    send(page, "The agent’s words", "What happened?")
    expect(bubbles(page).last).to_contain_text("What happened?")
    send(page, "The customer’s message", "It broke")
    expect(page.locator("#chat-rows > li").last).to_contain_text("It broke")
    view.get_by_role("button", name="Leave chat").click()
    expect(bubbles(page).last).to_have_text("Jane Doe left")
    view.get_by_role("button", name="End chat").click()
    expect(page.locator("#chat-state")).to_have_text("ended")
    expect(view.get_by_role("button", name="Enter chat")).to_be_disabled()
    expect(page.locator("#chat-rows .line")).to_have_text(
        ["Jane Doe entered", "Jane Doe left", "Jane Doe ended the chat"]
    )


def test_in_a_chat_one_can_do_only_what_makes_sense(page: Page) -> None:
    asks(page, "Business Messages")
    view = chat(page)
    expect(page.locator("#chat-say")).to_have_text("Enter and say")
    expect_able(view, "Enter chat", "End chat", "Deflect")
    view.get_by_role("button", name="Enter chat").click()
    expect(page.locator("#chat-say")).to_have_text("Say")
    expect_able(view, "Leave chat", "End chat")
    page.get_by_label("You are").fill("Tom Roe")
    expect_able(view, "Enter chat", "End chat")
    view.get_by_role("button", name="End chat").click()
    expect_able(view)


def expect_able(view: Locator, *names: str) -> None:
    for name in ("Enter chat", "Leave chat", "End chat", "Deflect"):
        button = view.get_by_role("button", name=name, exact=True)
        expect(button).to_be_enabled() if name in names else expect(button).to_be_disabled()


def test_what_each_agent_said_stands_under_their_name_in_this_chat_and_in_the_next(
    page: Page,
) -> None:
    asks(page, "Business Messages")
    view = chat(page)
    send(page, "The agent’s words", "I am Jane")
    expect(bubbles(page).last).to_contain_text("I am Jane")
    page.get_by_label("You are").fill("Tom Roe")
    send(page, "The agent’s words", "I am Tom")
    expect(bubbles(page).last).to_contain_text("I am Tom")
    rows = page.locator("#chat-rows > li")
    expect(rows.filter(has_text="entered")).to_have_text(["Jane Doe entered", "Tom Roe entered"])
    expect(rows.filter(has=page.get_by_text("I am Tom")).locator("b")).to_have_text("Tom Roe")
    view.get_by_role("button", name="End chat").click()
    expect(bubbles(page).last).to_contain_text("left")
    page.get_by_role("button", name="Ask for a human").click()
    expect(page.locator("#chat-notice")).to_contain_text("was opened for a new handoff")
    before = page.locator("#chat-rows > .before")
    for name, words in (("Jane Doe", "I am Jane"), ("Tom Roe", "I am Tom")):
        row = before.filter(has=page.get_by_text(words, exact=True))
        expect(row.locator("b")).to_have_text(name)


def test_who_ended_a_chat_that_was_turned_away_is_told(page: Page) -> None:
    asks(page, "Business Messages")
    chat(page).get_by_role("button", name="Deflect", exact=True).click()
    expect(page.locator("#chat-rows .line")).to_have_text(
        ["The contact center turned the customer away: after hours", "Baton ended the chat"]
    )


def test_what_leads_to_a_chat_is_said_where_there_is_none(page: Page) -> None:
    writes(page, "Business Messages")
    page.get_by_role("button", name="The desk’s chat").click()
    expect(page.locator("#no-chat-yet")).to_contain_text("Press “Ask for a human”")
    expect(page.locator("#no-desk")).to_be_hidden()
    writes(page, "RCS")
    expect(page.locator("#no-chat-yet")).to_contain_text("takes nobody on RCS")


def test_a_contact_center_that_turns_a_customer_away_is_seen_on_their_phone(page: Page) -> None:
    asks(page, "Business Messages")
    view = chat(page)
    view.get_by_label("Deflected because").select_option("over_capacity")
    view.get_by_role("button", name="Deflect", exact=True).click()
    expect(bubbles(page).last).to_contain_text("nobody is available right now")
    page.get_by_role("button", name="What Baton knows").click()
    expect_phase(page, "BOT")
    expect(page.locator("#journal")).to_contain_text("over_capacity")


def test_the_journal_has_true_words_for_a_handoff_that_went_well_and_the_fact_of_links_stays_small(
    page: Page,
) -> None:
    asks(page, "Business Messages")
    view = chat(page)
    view.get_by_role("button", name="Enter chat").click()
    expect(bubbles(page).last).to_have_text("Jane Doe joined")
    view.get_by_role("button", name="Leave chat").click()
    expect(bubbles(page).last).to_have_text("Jane Doe left")
    view.get_by_role("button", name="End chat").click()
    page.get_by_role("button", name="What Baton knows").click()
    expect(page.locator("#journal")).to_contain_text("the desk’s chat ended")
    expect(page.locator("#journal")).to_contain_text("the desk says whose chat it is")
    for broken in ("unknown event", "nobody available", "ignored"):
        expect(page.locator("#journal")).not_to_contain_text(broken)
    linked = page.locator("#facts div", has_text="Linked")
    expect(linked).to_have_text(re.compile(r"Linkedccai:chat-\d+"))
    page.get_by_role("button", name="Ask for a human").click()
    expect(linked.locator("summary")).to_have_text("2 conversations")
    expect(linked.get_by_role("listitem")).to_have_count(0)
    linked.locator("summary").click()
    expect(linked.get_by_role("listitem")).to_have_count(2)
    expect(linked).not_to_contain_text("ccai:user-")


def test_each_handoff_has_its_own_chat_and_one_can_look_at_the_last_one(page: Page) -> None:
    asks(page, "Business Messages")
    view = chat(page)
    number = page.locator("#chat-which").inner_text().split(" of ")[0]
    view.get_by_role("button", name="End chat").click()
    expect(bubbles(page).last).to_contain_text("nobody is available right now")
    page.get_by_role("button", name="Ask for a human").click()
    expect(page.locator("#chat-which")).not_to_contain_text(number)
    expect(page.locator("#chat-state")).to_have_text("open")
    choice = page.get_by_label("Another chat")
    expect(choice.locator("option")).to_have_text(["choose …", number])
    choice.select_option(number)
    expect(page.locator("#chat-state")).to_have_text("ended")
    expect(page.locator("#chat-which")).to_contain_text(number)
    expect(choice.locator("option")).not_to_contain_text([number])
    desk.press(desk.framed(page), "Nobody available")
    desk.press(desk.framed(page), "Tell the customer")
    page.get_by_role("button", name="Ask for a human").click()
    expect(page.locator("#chat-state")).to_have_text("open")
    expect(page.locator("#chat-count")).to_have_text("3")


@pytest.fixture
def in_jakarta(chromium: Browser, server: str) -> Iterator[Page]:
    """The page of somebody whose clock is seven hours ahead of the desk's."""
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", timezone_id="Asia/Jakarta"
    )
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    opened.goto(server)
    yield opened
    context.close()


def test_who_waits_for_a_desk_that_is_closed_is_shown_with_opening_and_place(
    in_jakarta: Page,
) -> None:
    page = in_jakarta
    for place in (1, 2):
        asks(page, "RCS")
        expect_phase(page, "QUEUED")
        expect(page.locator("#facts")).to_contain_text(
            re.compile(r"jakarta, opens .* 16:00 GMT\+7")
        )
        expect(page.locator("#facts div", has_text="Place in line")).to_have_text(
            f"Place in line{place}"
        )
        at_desk = desk.framed(page)
        expect(at_desk.locator("#queue [aria-current=true]")).to_contain_text("jakarta")
        expect(at_desk.locator("#facts")).to_contain_text(f"Place in line{place}")
        expect(at_desk.locator("#facts")).to_contain_text("Desk opens")


def test_a_desk_that_was_closed_when_it_was_asked_is_named(page: Page) -> None:
    asks(page, "WhatsApp")
    expect_phase(page, "BOT")
    expect(page.locator("#facts")).to_contain_text("lisbon, closed until")
    expect(desk.framed(page).locator("#facts")).to_contain_text("Desk was closedlisbon, until")
    page.get_by_role("button", name="The desk’s chat").click()
    expect(page.locator("#no-chat-yet")).to_contain_text("takes nobody on WhatsApp")


def join(page: Page, other: str) -> None:
    page.get_by_role("button", name="Join another channel").click()
    page.locator("#join-which").select_option(other)
    page.get_by_role("button", name="Join", exact=True).click()
    expect(page.locator("#join-notice")).to_contain_text("is joined")


def test_another_phone_is_joined_answers_go_where_the_customer_wrote_last_and_it_is_parted_again(
    page: Page,
) -> None:
    here = writes(page, "WhatsApp")
    there = writes(page, "RCS")
    join(page, here)
    channels = page.locator("#channels > li")
    expect(channels).to_have_count(2)
    expect(page.locator("#channels > li.used")).to_contain_text("RCS")
    channels.get_by_role("button", name="WhatsApp").first.click()
    expect(page.get_by_label("Platform")).to_have_value("whatsapp")
    expect(desk.framed(page).locator("#facts")).to_contain_text(f"Conversation{there}")
    send(page, "The customer’s message", "Here I am")
    expect(page.locator("#channels > li.used")).to_contain_text("WhatsApp")
    desk.press(desk.framed(page), "Claim")
    expect_phase(page, "HUMAN")
    desk.say(desk.framed(page), "I see you on WhatsApp")
    expect(bubbles(page).last).to_contain_text("Jane Doe: I see you on WhatsApp")
    page.get_by_role("button", name="Part WhatsApp").click()
    expect(channels).to_have_count(0)
    expect_phase(page, "BOT")
    desk.framed(page).locator("#mine button").click()
    expect(page.get_by_label("Platform")).to_have_value("rcs")
    expect_phase(page, "HUMAN")


def offered(page: Page) -> list[str]:
    """Returns the conversations that can be joined to the chosen one."""
    page.get_by_role("button", name="Join another channel").click()
    expect(page.locator("#join-which option").first).to_be_attached()
    values: list[str] = page.locator("#join-which option").evaluate_all(
        "all => all.map(one => one.value)"
    )
    page.get_by_role("button", name="Join another channel").click()
    return values


def test_a_third_phone_is_joined_from_that_phone(page: Page) -> None:
    here, there = writes(page, "WhatsApp"), writes(page, "RCS")
    join(page, here)
    writes(page, "RCS")
    assert (there in (known := offered(page)), here in known) == (True, False)
    join(page, there)
    expect(page.locator("#channels > li")).to_have_count(3)
    expect(page.get_by_role("button", name="Part RCS")).to_have_text("Part")


def test_what_has_channels_of_its_own_is_not_offered_to_what_has_them_too(page: Page) -> None:
    first = writes(page, "WhatsApp")
    joined = writes(page, "RCS")
    join(page, first)
    alone = writes(page, "WhatsApp")
    second = writes(page, "WhatsApp")
    writes(page, "RCS")
    join(page, second)
    known = offered(page)
    assert alone in known
    assert joined not in known


def test_whom_one_could_join_before_is_not_offered_while_that_is_asked_again(page: Page) -> None:
    writes(page, "WhatsApp")
    writes(page, "RCS")
    assert offered(page)
    held: list[Route] = []
    page.route(re.compile(r"/v1/conversations\?"), lambda route: held.append(route))
    page.get_by_role("button", name="Join another channel").click()
    expect(page.locator("#join")).to_be_visible()
    expect(page.locator("#join-which option")).to_have_count(0)
    for route in held:
        route.continue_()
    page.unroute_all(behavior="ignoreErrors")
    expect(page.locator("#join-which option").first).to_be_attached()


def test_the_desk_shows_the_words_of_the_phone_in_use(page: Page) -> None:
    here = writes(page, "WhatsApp")
    writes(page, "RCS")
    send(page, "The customer’s message", "Said on RCS")
    latest = desk.framed(page).locator("#transcript .customer .said").last
    expect(latest).to_have_text("Said on RCS")
    join(page, here)
    page.locator("#channels > li").get_by_role("button", name="WhatsApp").first.click()
    expect(page.locator("#bubbles")).to_contain_text("Hi, I have a problem")
    expect(latest).to_have_text("Said on RCS")


def test_a_fault_of_the_contact_center_is_switched_on_and_off(page: Page, server: str) -> None:
    page.locator("#faults-toggle").click()
    page.get_by_label("The contact center, seconds: chat_created comes late").fill("7")
    page.get_by_label("The contact center: chat_created comes late").check()
    page.get_by_label("The contact center: chat_created never comes").check()
    expect(page.locator("#faults-toggle")).to_have_text("Faults: 2 on")
    switched = page.request.get(f"{server}/sim/ccai/faults").json()
    assert (switched["created_seconds"], switched["created_silent"], switched["created_lost"]) == (
        7,
        0.5,
        0,
    )
    page.get_by_role("button", name="All off").click()
    expect(page.locator("#faults-toggle")).to_have_text("Faults: all off")
    assert page.request.get(f"{server}/sim/ccai/faults").json()["created_seconds"] == 0


def test_an_answer_that_comes_late_does_not_undo_what_was_switched_since(page: Page) -> None:
    held: list[tuple[Route, APIResponse]] = []

    def hold_the_first(route: Route) -> None:
        if route.request.method == "PUT" and not held:
            held.append((route, route.fetch()))
        else:
            route.continue_()

    page.route("**/sim/ccai/faults", hold_the_first)
    page.locator("#faults-toggle").click()
    first, second = (
        page.get_by_label(f"The contact center: {name}")
        for name in ("Slow answers", "429, Retry-After")
    )
    first.check()
    second.check()
    expect(page.locator("#faults-toggle")).to_have_text("Faults: 2 on")
    route, answer = held[0]
    route.fulfill(response=answer)
    page.evaluate("fetch('/sim/ccai/faults').then((answer) => answer.text())")
    assert (first.is_checked(), second.is_checked()) == (True, True)
    page.get_by_role("button", name="All off").click()
    expect(page.locator("#faults-toggle")).to_have_text("Faults: all off")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_has_the_chat_and_the_channels_and_nothing_runs_off_it(
    page: Page, scheme: str
) -> None:
    other = writes(page, "WhatsApp")
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 390, "height": 844})
    start_customer(page, "Business Messages", f"Customer {next(_numbers)} of a narrow screen")
    send(page, "The customer’s message", "w" * 90)
    expect(page.locator("#join-open")).to_be_visible()
    join(page, other)
    page.get_by_role("button", name="Ask for a human").click()
    assert_nothing_runs_off(page)
    page.locator(".tabs").get_by_role("button", name="Chat").click()
    expect(page.locator("#chat-rows")).to_contain_text("w" * 90)
    page.get_by_role("button", name="Enter chat").click()
    expect(page.locator("#chat-who")).to_contain_text("With the customer: Jane Doe")
    expect(page.get_by_label("The agent’s words")).to_be_in_viewport()
    assert_nothing_runs_off(page)


def test_a_file_of_the_customers_is_a_link_in_the_desks_chat(page: Page) -> None:
    asks(page, "Business Messages")
    chat(page)
    photo: FilePayload = {"name": "a.png", "mimeType": "image/png", "buffer": picture()}
    page.locator("#say-file").set_input_files([photo])
    page.get_by_label("The customer’s message").press("Enter")
    link = page.locator("#chat-rows .said a")
    expect(link).to_have_count(1)
    answer = page.request.get(str(link.get_attribute("href")))
    assert answer.body() == picture()
