"""The bot's pane of a local run: which bot runs, what it asked Dialogflow and what came back."""

from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from infra.local.settings import DIALOGFLOW_AGENT
from shared.bots.dialogflow import session_of

_numbers = count(1)


@pytest.fixture
def conversation(page: Page, server: str) -> str:
    """A customer whom no other test knows, chosen on the page, with the bot in sight."""
    native = f"bot-{next(_numbers)}"
    customer = f"/sim/business_messages/customers/{native}/messages"
    assert page.request.post(f"{server}{customer}", data={"text": "Hi", "displayName": native}).ok
    page.goto(f"{server}#conversation=business_messages:{native}")
    page.get_by_role("button", name="The bot").click()
    return f"business_messages:{native}"


def ask(page: Page, conversation: str, text: str, **parameters: Any) -> None:
    """Asks Dialogflow as the built-in bot does."""
    host = page.url.partition("#")[0].rstrip("/")
    path = f"/sim/dialogflow/v3/{DIALOGFLOW_AGENT}/sessions/{session_of(conversation)}:detectIntent"
    query = {"text": {"text": text}, "languageCode": "de"}
    body = {"queryInput": query, "queryParams": {"parameters": parameters}}
    assert page.request.post(f"{host}{path}", data=body).ok


def calls(page: Page) -> Locator:
    return page.locator("#turns > li:not(.empty)")


def test_the_pane_says_which_bot_runs_and_how_to_start_with_dialogflow(
    page: Page, conversation: str
) -> None:
    expect(page.locator("#bot-runs")).to_have_text("The bot acknowledges")
    expect(page.locator("#bot-start code")).to_have_text("BATON_BOT=dialogflow make run")
    expect(page.locator("#turns")).to_have_text("No call to Dialogflow in this conversation.")
    expect(page.locator("#bot-session")).to_be_hidden()
    expect(page.locator("#knows")).to_be_hidden()


def test_a_call_shows_what_was_asked_and_what_was_answered(page: Page, conversation: str) -> None:
    ask(page, conversation, "What are my options?")
    expect(calls(page)).to_have_count(1)
    expect(page.locator("#bot-session-id")).to_have_text(session_of(conversation))
    call = calls(page).first
    expect(call.locator(".quote")).to_have_text("What are my options?")
    expect(call.locator(".badge").first).to_have_text("de")
    expect(call.locator(".answer").first).to_have_text("“I can help with this:”")
    expect(call.locator(".chip")).to_have_text(["My order", "Opening hours", "A person, please"])
    expect(call.locator("details")).to_have_count(0)


def test_what_was_captured_tells_from_whom_it_is_hidden(page: Page, conversation: str) -> None:
    ask(page, conversation, "my order")
    ask(page, conversation, "A17")
    expect(calls(page)).to_have_count(2)
    expect(calls(page).first.locator(".captured li")).to_have_text(
        [
            "order_numberA17everybody sees it",
            "customer_tiergoldhidden from events",
            "internal_score42hidden from the agent and the CRM record",
        ]
    )
    expect(calls(page).last.locator(".captured li")).to_have_text(
        "order_numberasked foreverybody sees it"
    )


def test_an_escalation_stands_out_with_its_reason(page: Page, conversation: str) -> None:
    ask(page, conversation, "A person, please")
    answers = calls(page).first.locator(".answer")
    expect(answers.nth(1)).to_have_text("escalationby_consumer")
    expect(answers.nth(2)).to_contain_text("reason: billing dispute")


def test_parameters_are_folded_open_by_keyboard_and_stay_open(
    page: Page, conversation: str
) -> None:
    ask(page, conversation, "thanks", baton={"handoff": {"reason": "billing dispute"}})
    summary = page.locator("#turns summary")
    expect(summary).to_have_text("1 parameter passed: baton")
    expect(calls(page).first.locator("pre")).to_be_hidden()
    summary.focus()
    page.keyboard.press("Enter")
    expect(calls(page).first.locator("pre")).to_contain_text('"reason": "billing dispute"')
    ask(page, conversation, "hello")
    expect(calls(page)).to_have_count(2)
    expect(calls(page).last.locator("pre")).to_be_visible()
    expect(summary).to_be_focused()


def test_another_customer_has_calls_of_their_own(page: Page, conversation: str) -> None:
    ask(page, conversation, "hello")
    expect(page.locator(".views .turn-count")).to_have_text("1")
    page.get_by_role("button", name="New customer").click()
    page.get_by_role("button", name="Start").click()
    expect(calls(page)).to_have_count(0)
    expect(page.locator(".views .turn-count")).to_have_text("")


def test_markup_in_a_question_or_a_parameter_is_text(page: Page, conversation: str) -> None:
    markup = "<img src=x onerror=alert(1)>"
    ask(page, conversation, f"{markup} hello", **{markup: markup})
    expect(calls(page).first.locator(".quote")).to_have_text(f"{markup} hello")
    expect(calls(page).first.locator("summary")).to_have_text(f"1 parameter passed: {markup}")
    assert page.locator("#robot img").count() == 0


def test_a_fault_of_dialogflow_is_switched_on_seen_on_the_call_and_switched_off(
    page: Page, conversation: str
) -> None:
    page.locator("#faults-toggle").click()
    page.get_by_label("Dialogflow CX, share of calls: Give each message twice").fill("100")
    page.get_by_label("Dialogflow CX: Give each message twice").check()
    page.get_by_label("The CRM’s record: 500, server error").check()
    expect(page.locator("#faults-toggle")).to_have_text("Faults: 2 on")
    ask(page, conversation, "hello")
    expect(calls(page).first.locator(".badge.failed")).to_have_text("each message given twice")
    expect(calls(page).first.locator(".answer")).to_have_text(["“Hello! How can I help?”"] * 2)
    page.get_by_role("button", name="All off").click()
    expect(page.locator("#faults-toggle")).to_have_text("Faults: all off")
    expect(page.get_by_label("Dialogflow CX: Give each message twice")).not_to_be_checked()


def test_on_a_narrow_screen_the_bot_is_a_pane_of_its_own_and_nothing_runs_off_it(
    page: Page, conversation: str
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Baton", exact=True).click()
    expect(page.locator("#robot")).to_be_hidden()
    page.get_by_role("button", name="Bot", exact=True).click()
    expect(page.locator("#phone")).to_be_hidden()
    ask(page, conversation, "w" * 200, baton={"handoff": {"reason": "w" * 200}})
    ask(page, conversation, "my order")
    ask(page, conversation, "A17")
    expect(calls(page)).to_have_count(3)
    page.locator("#turns summary").click()
    script = """() => [...document.querySelectorAll('main *, header *')]
      .filter(one => one.checkVisibility() && !one.classList.contains('unseen'))
      .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
      .map(one => one.outerHTML)"""
    assert page.evaluate(script) == []


def test_the_panes_of_the_last_column_are_switched_by_keyboard(
    page: Page, conversation: str
) -> None:
    page.get_by_role("button", name="What Baton knows").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#journal")).to_be_visible()
    expect(page.get_by_role("button", name="What Baton knows")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("region", name="The bot")).to_be_visible()
    expect(page.get_by_role("button", name="The bot")).to_have_attribute("aria-pressed", "true")


def test_with_dialogflow_the_pane_says_so_and_what_to_try(page: Page, conversation: str) -> None:
    told = {"bot": "dialogflow", "session": "5e55", "turns": []}
    page.route("**/local/bot/**", lambda route: route.fulfill(json=told))
    expect(page.locator("#bot-runs")).to_have_text("Dialogflow CX")
    expect(page.locator("#bot-session-id")).to_have_text("5e55")
    expect(page.locator("#bot-start")).to_be_hidden()
    expect(page.locator("#turns")).to_contain_text("“Where is my order?”")
