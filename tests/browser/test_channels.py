"""The phone of a customer on RCS and on WhatsApp: words instead of frames and labels, and chips
to tap.
"""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import desk

PROBLEM = "Hi, I have a problem"


def start_customer(page: Page, platform: str, name: str) -> None:
    page.get_by_label("Platform").select_option(platform)
    page.get_by_role("button", name="New customer").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#customer option:checked")).to_contain_text(name)


def send(page: Page, label: str, text: str) -> None:
    page.get_by_label(label).fill(text)
    page.get_by_label(label).press("Enter")


def bubbles(page: Page) -> Locator:
    return page.locator("#bubbles > li")


def expect_phase(page: Page, name: str) -> None:
    expect(page.locator(f"[data-phase={name}].here")).to_have_count(1)


@pytest.mark.parametrize("platform", ["RCS", "WhatsApp"])
def test_a_handoff_on_a_platform_without_frames_is_told_in_words(page: Page, platform: str) -> None:
    start_customer(page, platform, f"Ana of {platform}")
    send(page, "The customer’s message", PROBLEM)
    expect(bubbles(page).first).to_contain_text(PROBLEM)
    page.get_by_role("button", name="Ask for a human").click()
    expect_phase(page, "QUEUED")
    desk.press(desk.framed(page), "Claim")
    expect_phase(page, "HUMAN")
    desk.say(desk.framed(page), "How can I help?")
    expect(bubbles(page).last).to_contain_text("How can I help?")
    expect(page.locator("#bubbles .label")).to_have_count(0)
    # no room is kept for an avatar
    assert bubbles(page).last.evaluate("bubble => bubble.clientWidth") > 150


def test_the_desks_list_turns_the_phone_to_the_platform_of_whom_one_chooses(page: Page) -> None:
    start_customer(page, "WhatsApp", "Bea of WhatsApp")
    send(page, "The customer’s message", PROBLEM)
    expect(desk.framed(page).locator("#title")).to_have_text("Bea of WhatsApp")
    page.get_by_label("Platform").select_option("Business Messages")
    expect(page.get_by_label("Platform")).to_have_value("business_messages")
    start_customer(page, "Business Messages", "Bob")
    send(page, "The customer’s message", PROBLEM)
    expect(desk.framed(page).locator("#title")).to_have_text("Bob")
    desk.choose_with_assistant(desk.framed(page), "Bea of WhatsApp")
    expect(page.get_by_label("Platform")).to_have_value("whatsapp")
    expect(bubbles(page).first).to_contain_text(PROBLEM)


def test_a_chip_can_be_tapped_while_its_message_is_the_newest(page: Page, server: str) -> None:
    start_customer(page, "RCS", "Cleo of RCS")
    send(page, "The customer’s message", PROBLEM)
    expect(bubbles(page)).to_have_count(2)  # the bot has acknowledged
    expect(page.locator("#journal")).to_contain_text(PROBLEM)
    conversation = page.evaluate("new URLSearchParams(location.hash.slice(1)).get('conversation')")
    answered = page.request.post(
        f"{server}/send_representative/v1/conversations/{conversation}/messages",
        headers={"authorization": "Bearer dev-bot"},
        data={"messageId": "chips", "text": "What now?", "suggestions": [{"liveAgentRequest": {}}]},
    )
    assert answered.status == 200
    page.get_by_role("button", name="Talk to a person").click()
    expect_phase(page, "QUEUED")
    expect(page.get_by_role("button", name="Talk to a person")).to_have_count(0)


def test_an_agent_reads_the_new_words_of_a_changed_message(page: Page) -> None:
    start_customer(page, "WhatsApp", "Dora of WhatsApp")
    send(page, "The customer’s message", "Street 12")
    words = desk.framed(page).locator("#transcript .customer")
    expect(words).to_contain_text("Street 12")
    page.on("dialog", lambda dialog: dialog.accept("Street 21"))
    bubbles(page).first.get_by_role("button", name="Edit").click()
    expect(bubbles(page).first).to_contain_text("Street 21")
    expect(words).to_contain_text("Street 21")
    expect(words).to_contain_text("edited")
    journal = page.locator("#journal > li")
    first = journal.filter(has_text="customer wrote")
    expect(first).to_contain_text("Street 21")
    expect(first).to_contain_text("edited")
    bubbles(page).first.get_by_role("button", name="Delete").click()
    expect(bubbles(page).first).to_contain_text("deleted")
    expect(first).to_contain_text("deleted")
    expect(journal.filter(has_text="customer deleted a message")).to_have_count(1)
    expect(words).to_contain_text("deleted by the customer")


def test_a_customer_hides_the_number_and_stays_the_same_customer(page: Page) -> None:
    start_customer(page, "WhatsApp", "Edo of WhatsApp")
    send(page, "The customer’s message", PROBLEM)
    page.get_by_role("button", name="Ask for a human").click()
    desk.press(desk.framed(page), "Claim")
    expect_phase(page, "HUMAN")
    hide = page.get_by_role("button", name="Hide the phone number")
    hide.click()
    expect(hide).to_have_attribute("aria-pressed", "true")
    for words in ("The last words with my number", "Words with my name only"):
        send(page, "The customer’s message", words)
        expect(desk.framed(page).locator("#transcript")).to_contain_text(words)
    expect_phase(page, "HUMAN")
    desk.say(desk.framed(page), "I am still here.")
    expect(bubbles(page).last).to_contain_text("I am still here.")
