"""`make picture`: plays the reference conversation on the page in a real browser, and takes the
picture of README; plays a customer at the desk among those of `make demo-data`, and takes the
pictures of its page and of the reports.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from infra.command import run_tool
from infra.local import demo_data
from infra.local.browser import browser, find_browser
from infra.local.server import LocalServer
from infra.local.talk import Talk

PICTURE = Path(__file__).parent / "page" / "picture.png"
OF_DESK = Path(__file__).parents[2] / "functions" / "send_representative" / "pictures"
SIZE = ViewportSize(width=1440, height=900)
REPORTS_SIZE = ViewportSize(width=1280, height=900)
DESK_SIZES = {
    "desk.png": ViewportSize(width=1280, height=720),
    "desk_phone.png": ViewportSize(width=375, height=720),
}
REPORTS = OF_DESK / "reports.png"
SAMPLE = "600"  # conversations
ANSWERS = '{"en": {"Greeting": "Hello {customer}, I am {agent}. How can I help?"}}'
SHARPNESS = 1.25


def main(given: list[str] | None = None) -> int:
    what = "Take the picture in README."
    argparse.ArgumentParser(prog="python -m infra.local.picture", description=what).parse_args(
        given
    )
    chromium = find_browser()
    if chromium is None:
        sys.exit(
            "No Chromium was found; install it with your system's packages (Debian: "
            "chromium-headless-shell)."
        )
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalServer(Path(folder), {"BATON_BOT": "acknowledge"}) as server,
        browser(chromium) as window,
    ):
        page = window.new_page(viewport=SIZE, device_scale_factor=SHARPNESS, color_scheme="light")
        page.goto(server.url)
        play(page)
        page.screenshot(path=PICTURE)
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "sample"
        demo_data.main(["--folder", str(sample), "--conversations", SAMPLE])
        with browser(chromium) as window:
            take_pictures_of_the_sample(window, sample)
    for taken in (PICTURE, REPORTS, *(OF_DESK / name for name in DESK_SIZES)):
        print(f"{taken} ({taken.stat().st_size // 1024} KB)")
    return 0


def take_pictures_of_the_sample(window: Browser, sample: Path) -> None:
    """Takes those of the reports and of the desk."""
    with LocalServer(sample, {"BATON_CANNED": ANSWERS}) as server:
        page = window.new_page(viewport=REPORTS_SIZE, color_scheme="light")
        page.goto(f"{server.url}/send_representative/reports/#key=dev-admin&tz=Europe/Berlin")
        expect(page.locator("#outcomes canvas")).to_be_visible()
        page.screenshot(path=REPORTS)
        talk = play_at_desk(server)
        for name, size in DESK_SIZES.items():
            page = window.new_page(viewport=size, color_scheme="light")
            page.goto(
                f"{server.url}/send_representative/desk/#key=dev-jane"
                f"&conversation=business_messages:{talk.id}"
            )
            expect(page.locator("#transcript .note")).to_be_visible()
            if page.locator("#lists").is_visible():
                expect(page.locator("#queue .words").nth(1)).to_be_visible()
            page.screenshot(path=OF_DESK / name)


def play_at_desk(server: LocalServer) -> Talk:
    """Returns a customer whom Jane Doe answers while others wait."""
    talks = [
        _asks(server, "Michael", "My parcel has not arrived", "refund"),
        _asks(server, "Ana Souza", "Where can I change my address?", "address"),
        _asks(server, "عبد الرحمن", "أين طلبي؟", "the assistant could not help"),
    ]
    first = talks[0]
    first.post(":claim", {}, "dev-jane")
    said = {"messageId": "desk-1", "text": "Hello Michael, I am looking for it."}
    first.post("/messages", said, "dev-jane")
    first.post(":note", {"text": "The carrier lost it; a new one is on its way."}, "dev-jane")
    first.customer_says("It is order 4711", "m-2")
    server.wait_until_quiet(first.id)
    return first


def _asks(server: LocalServer, name: str, text: str, reason: str) -> Talk:
    talk = Talk(server, f"desk-{name.encode().hex()[:8]}")
    who = {"userInfo": {"displayName": name, "userDeviceLocale": "en"}}
    talk.webhook(message={"messageId": "m-1", "text": text}, context=who)
    about = {"order": "4711", "tried": ["tracking link", "address check"]}
    talk.post(":requestHuman", {"reason": reason, "metadata": about}, "dev-bot")
    return talk


def play(page: Page) -> None:
    """Plays the reference conversation until the bot tries to speak while a human is present, and
    is refused.
    """
    page.get_by_role("button", name="New customer").click()
    page.get_by_role("button", name="Start").click()
    customer = page.get_by_label("The customer’s message")
    _send(page, customer, "Hi, I have a problem")
    expect(page.locator(".bubble.bot")).to_be_visible()
    page.get_by_role("button", name="Ask for a human").click()
    desk = page.frame_locator("#desk-frame")
    desk.get_by_role("button", name="Claim").click()
    _send(page, desk.get_by_label("Your reply"), "I see you have a problem. How can I help?")
    expect(page.locator(".bubble.human")).to_be_visible()
    _send(page, customer, "My parcel has not arrived")
    page.get_by_role("button", name="The bot").click()
    _send(page, page.get_by_label("Say as the bot"), "Have you tried our FAQ?")
    expect(page.locator("#bot-notice")).to_contain_text("Jane Doe holds this conversation")
    page.get_by_role("button", name="What Baton knows").click()
    expect(page.locator("#journal li").first).to_contain_text("human-present")
    expect(desk.locator("#transcript")).to_contain_text("My parcel has not arrived")


def _send(page: Page, box: Locator, text: str) -> None:
    box.fill(text)
    box.press("Enter")
    expect(page.locator("#journal")).to_contain_text(text)


if __name__ == "__main__":
    run_tool(main)
