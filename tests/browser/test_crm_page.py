"""The CRM pane of a local run: the adapter in a frame of another origin, and the ticket that
shows who sees what.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect
from standardwebhooks.webhooks import Webhook

from infra.local.settings import CRM_COMMENT_SECRET
from tests.browser.conftest import PATIENCE, WIDE
from tests.browser.elsewhere import Elsewhere, hear_faults

REFERENCE = {
    "event": ["key_one", "key_four", "key_five"],
    "agent": ["key_three", "key_four", "key_five"],
}


@pytest.fixture
def page(chromium: Browser, server: str) -> Iterator[Page]:
    """A fresh page with its CRM pane open, which must not throw, and whose only other origin is
    the adapter's.
    """
    adapters = server.replace("127.0.0.1", "adapter.localhost")
    with closing(Elsewhere(server, adapters)) as elsewhere:
        context = chromium.new_context(
            viewport=WIDE, reduced_motion="reduce", proxy=elsewhere.proxy
        )
        opened, faults = context.new_page(), list[str]()
        hear_faults(opened, faults)
        opened.set_default_timeout(PATIENCE)
        opened.goto(server)
        opened.get_by_role("button", name="CRM page").click()
        yield opened
        context.close()
        assert faults == []
        assert elsewhere.asked() == []


def adapter(page: Page) -> FrameLocator:
    return page.frame_locator("#adapter iframe")


def post(page: Page, kind: str) -> None:
    adapter(page).get_by_role("button", name=f"Post {kind}").click()


def edit(page: Page, kind: str, **change: object) -> None:
    """Changes what is posted."""
    adapter(page).get_by_role("button", name=f"Edit {kind}").click()
    box = adapter(page).get_by_label("What is posted")
    box.fill(json.dumps({**json.loads(box.input_value()), **change}))


def keys(page: Page, audience: str) -> list[str]:
    return page.locator(f"#sees-{audience} .key").all_text_contents()


def test_the_page_acts_on_what_the_adapter_posts_and_shows_who_sees_it(page: Page) -> None:
    for kind in ("Task_VA_Joined", "Task_VA_Variables_Received", "Task_VA_Left"):
        edit(page, kind, chat_id=201)
        post(page, kind)
    expect(page.locator("#ticket-title")).to_have_text("chat 201")
    expect(page.locator("#ticket-status")).to_have_text("Parcel assistant left: Task VA failed.")
    expect(page.locator("#bridge-state")).to_contain_text("3 sent, 0 waiting, 0 dropped, 0 ignored")
    expect(page.locator("#sees-event .key")).to_have_text(["testkey_1", "testkey_2", "testkey"])
    expect(page.locator("#sees-event .hidden")).to_have_text("nothing hidden")
    for audience in ("agent", "comment"):
        expect(page.locator(f"#sees-{audience} .hidden")).to_have_text("3 hidden")
        assert keys(page, audience) == []


def test_a_bots_payload_is_shown_to_each_audience_as_its_page_says_and_the_hidden_is_counted(
    page: Page,
) -> None:
    edit(page, "Task_VA_Joined", chat_id=202)
    post(page, "Task_VA_Joined")
    expect(page.locator("#ticket-title")).to_have_text("chat 202")
    page.get_by_text("Or let a bot capture variables").click()
    page.get_by_role("button", name="Capture").click()
    expect(page.locator("#sees-event .key")).to_have_text(REFERENCE["event"])
    expect(page.locator("#ticket-title")).to_have_text("chat 202")
    for audience in ("agent", "comment"):
        expect(page.locator(f"#sees-{audience} .key")).to_have_text(REFERENCE["agent"])
    expect(page.locator(".hidden")).to_have_text(["2 hidden"] * 3)
    assert "key_two" not in page.locator("#ticket").inner_text()
    assert "cake" not in page.locator("#ticket").inner_text()


def test_a_key_that_is_hidden_but_not_there_is_reported(page: Page) -> None:
    page.get_by_text("Or let a bot capture variables").click()
    payload = {"payload": {"a": 1}, "capture_type": ["event"], "invisible_to_agent": ["b"]}
    page.get_by_label("session_variable").fill(json.dumps(payload))
    page.get_by_role("button", name="Capture").click()
    expect(page.locator("#crm-notice")).to_have_text("Taken, but no such key is in the payload: b.")


def test_an_unknown_audience_is_refused(page: Page) -> None:
    page.get_by_text("Or let a bot capture variables").click()
    payload = {"payload": {"a": 1}, "capture_type": ["everybody"]}
    page.get_by_label("session_variable").fill(json.dumps(payload))
    page.get_by_role("button", name="Capture").click()
    expect(page.locator("#crm-notice")).to_contain_text(
        "Refused (400 schema): session_variable.capture_type.0"
    )


def test_a_linked_chat_is_the_customers_conversation(page: Page) -> None:
    page.get_by_role("button", name="CRM page").click()
    page.get_by_role("button", name="New customer").click()
    page.get_by_label("Name").fill("Linus")
    page.get_by_role("button", name="Start").click()
    page.get_by_label("The customer’s message").fill("Hi")
    page.get_by_label("The customer’s message").press("Enter")
    expect(page.locator("#journal")).to_contain_text("customer wrote")
    page.get_by_role("button", name="CRM page").click()
    edit(page, "Task_VA_Variables_Received", chat_id=203)
    edit(page, "Task_VA_Joined", chat_id=203)
    post(page, "Task_VA_Joined")
    page.get_by_role("button", name="Link to Linus").click()
    expect(page.locator("#ticket-where")).to_contain_text("business_messages:linus-")
    post(page, "Task_VA_Variables_Received")
    expect(page.locator("#sees-event .key")).to_have_text(["testkey_1", "testkey_2"])
    page.get_by_role("button", name="CRM page").click()
    expect(page.locator("#journal")).to_contain_text("variables captured")


def test_what_is_no_json_is_not_posted(page: Page) -> None:
    adapter(page).get_by_role("button", name="Edit Task_VA_Joined").click()
    adapter(page).get_by_label("What is posted").fill("{")
    post(page, "Task_VA_Joined")
    expect(adapter(page).locator("#notice")).to_have_text("This is not JSON; nothing was posted.")
    expect(page.locator("#no-ticket")).to_be_visible()


def test_markup_in_a_variable_is_text(page: Page) -> None:
    markup = "<img src=x onerror=alert(1)>"
    captured = [{"variables": {markup: markup}}]
    edit(page, "Task_VA_Variables_Received", chat_id=204, captured_variables=captured)
    post(page, "Task_VA_Variables_Received")
    expect(page.locator("#sees-event .key")).to_have_text([markup])
    assert page.locator("#crm img").count() == 0


def test_a_narrow_screen_shows_it_whole(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    edit(page, "Task_VA_Variables_Received", chat_id=205)
    post(page, "Task_VA_Variables_Received")
    expect(page.locator("#sees-event .key").first).to_be_visible()
    script = """() => [...document.querySelectorAll('#crm *, header *')]
      .filter(one => one.checkVisibility())
      .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
      .map(one => one.outerHTML)"""
    assert page.evaluate(script) == []


def test_the_record_shows_each_comment_once_however_often_it_was_posted(
    page: Page, server: str
) -> None:
    page.goto(f"{server}#conversation=business_messages:commented")
    expect(page.locator("#comments")).to_contain_text("No comment yet")
    body = json.dumps({"comment": "order_number: A1\ncustomer_tier: gold"})
    for _ in range(2):
        answer = page.request.post(
            f"{server}/local/comments/business_messages:commented", data=body, headers=signed(body)
        )
        assert answer.ok
    expect(page.locator("#comments .comment")).to_have_text("order_number: A1\ncustomer_tier: gold")
    expect(page.locator("#comments .badge")).to_have_text(["signed", "posted 2 times, kept once"])
    expect(page.locator("#record-where")).to_have_text("business_messages:commented")


def signed(body: str) -> dict[str, str]:
    now = datetime.now(UTC)
    signature = Webhook(CRM_COMMENT_SECRET).sign("comment-1", now, body)
    return {
        "webhook-id": "comment-1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
