"""Desks on the page of a local run: which one has a handoff and when it opens, the chat that its agents see, and the
customer's other channels."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from playwright.sync_api import Locator, Page, expect

from infra.local.server import LocalServer
from tests.browser.test_channels import expect_phase, send, start_customer
from tests.browser.test_page import assert_nothing_runs_off

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED = {"time_zone": "UTC", DAYS[(datetime.now(UTC) + timedelta(days=3)).weekday()]: ["09:00-10:00"]}
DESKS = [
    {"name": "contact-center", "kind": "ccai", "channels": ["business_messages"]},
    {"name": "jakarta", "channels": ["rcs"], "hours": CLOSED, "outside": "wait"},
    {"name": "lisbon", "channels": ["whatsapp"], "hours": CLOSED},
]
PHONES = {"Business Messages": "business_messages", "RCS": "rcs", "WhatsApp": "whatsapp"}
_numbers = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with LocalServer(tmp_path_factory.mktemp("run"), {"BATON_DESKS": json.dumps(DESKS)}) as run:
        yield run.url


def writes(page: Page, phone: str) -> str:
    """Returns the conversation of a customer of that phone who has written, and whom no other test knows."""
    start_customer(page, phone, f"Customer {next(_numbers)}")
    send(page, "The customer’s message", "Hi, I have a problem")
    conversation: str = page.evaluate("new URLSearchParams(location.hash.slice(1)).get('conversation')")
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


def test_a_contact_center_that_turns_a_customer_away_is_seen_on_their_phone(page: Page) -> None:
    asks(page, "Business Messages")
    view = chat(page)
    view.get_by_label("Deflected because").select_option("over_capacity")
    view.get_by_role("button", name="Deflect", exact=True).click()
    expect(bubbles(page).last).to_contain_text("nobody is available right now")
    page.get_by_role("button", name="What Baton knows").click()
    expect_phase(page, "BOT")
    expect(page.locator("#journal")).to_contain_text("over_capacity")


def test_each_handoff_has_its_own_chat_and_one_can_look_at_the_last_one(page: Page) -> None:
    asks(page, "Business Messages")
    view = chat(page)
    first = page.locator("#chat-which").inner_text()
    view.get_by_role("button", name="End chat").click()
    expect(bubbles(page).last).to_contain_text("nobody is available right now")
    page.get_by_role("button", name="Ask for a human").click()
    expect(page.locator("#chat-which")).not_to_have_text(first)
    expect(page.locator("#chat-state")).to_have_text("open")
    page.get_by_label("Another chat").select_option(index=1)
    expect(page.locator("#chat-state")).to_have_text("ended")
    assert page.locator("#chat-which").inner_text().split(" of ")[0] == first.split(" of ")[0]


def test_who_waits_for_a_desk_that_is_closed_is_shown_with_opening_and_place(page: Page) -> None:
    for place in (1, 2):
        asks(page, "RCS")
        expect_phase(page, "QUEUED")
        expect(page.locator("#facts")).to_contain_text("jakarta, opens")
        expect(page.locator("#facts div", has_text="Place in line")).to_have_text(f"Place in line{place}")
        expect(page.locator("#queued .row-button[aria-pressed=true]")).to_contain_text(f"{place} in line at jakarta")


def test_a_desk_that_was_closed_when_it_was_asked_is_named(page: Page) -> None:
    asks(page, "WhatsApp")
    expect_phase(page, "BOT")
    expect(page.locator("#facts")).to_contain_text("lisbon, closed until")
    expect(page.locator("#bot .row-button[aria-pressed=true]")).to_contain_text("desk lisbon, closed until")
    page.get_by_role("button", name="The desk’s chat").click()
    expect(page.locator("#no-chat")).to_contain_text("BATON_DESKS=")


def join(page: Page, other: str) -> None:
    page.get_by_role("button", name="Join another channel").click()
    page.locator("#join-which").select_option(other)
    page.get_by_role("button", name="Join", exact=True).click()
    expect(page.locator("#join-notice")).to_contain_text("is joined")


def test_another_phone_is_joined_answers_go_where_the_customer_wrote_last_and_it_is_parted_again(page: Page) -> None:
    here = writes(page, "WhatsApp")
    there = writes(page, "RCS")
    join(page, here)
    channels = page.locator("#channels > li")
    expect(channels).to_have_count(2)
    expect(page.locator("#channels > li.used")).to_contain_text("RCS")
    channels.get_by_role("button", name="WhatsApp").first.click()
    expect(page.get_by_label("Platform")).to_have_value("whatsapp")
    expect(page.locator("#bot .row-button[aria-pressed=true]")).to_contain_text(there)
    send(page, "The customer’s message", "Here I am")
    expect(page.locator("#channels > li.used")).to_contain_text("WhatsApp")
    page.get_by_role("button", name="Claim", disabled=False).click()
    expect_phase(page, "HUMAN")
    send(page, "Your reply", "I see you on WhatsApp")
    expect(bubbles(page).last).to_contain_text("Jane Doe: I see you on WhatsApp")
    page.get_by_role("button", name="Part WhatsApp").click()
    expect(channels).to_have_count(0)
    expect_phase(page, "BOT")
    page.locator("#human .row-button").click()
    expect(page.get_by_label("Platform")).to_have_value("rcs")
    expect_phase(page, "HUMAN")


def test_where_nobody_else_can_be_joined_the_page_says_why(page: Page) -> None:
    here, there = writes(page, "WhatsApp"), writes(page, "RCS")
    join(page, here)
    third = writes(page, "RCS")
    join_refused(page, here, "already")
    page.locator("#bot .row-button", has_text=there).click()
    expect(page.locator("#channels > li")).to_have_count(2)
    join(page, third)
    expect(page.locator("#channels > li")).to_have_count(3)


def join_refused(page: Page, other: str, why: str) -> None:
    page.get_by_role("button", name="Join another channel").click()
    page.locator("#join-which").select_option(other)
    page.get_by_role("button", name="Join", exact=True).click()
    expect(page.locator("#join-notice")).to_contain_text(why)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_has_the_chat_and_the_channels_and_nothing_runs_off_it(page: Page, scheme: str) -> None:
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
