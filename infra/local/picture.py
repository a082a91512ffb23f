"""`make picture`: plays the reference conversation on the page in a real browser, and takes the
picture of README.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, expect

from infra.command import run_tool
from infra.local.browser import browser, find_browser
from infra.local.server import LocalServer

PICTURE = Path(__file__).parent / "page" / "picture.png"
SIZE = ViewportSize(width=1440, height=900)
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
    print(f"{PICTURE} ({PICTURE.stat().st_size // 1024} KB)")
    return 0


def play(page: Page) -> None:
    """Plays the reference conversation until the bot tries to speak while a human is present, and
    is refused.
    """
    page.get_by_role("button", name="New customer").click()
    page.get_by_role("button", name="Start").click()
    _send(page, "The customer’s message", "Hi, I have a problem")
    expect(page.locator(".bubble.bot")).to_be_visible()
    page.get_by_role("button", name="Ask for a human").click()
    page.get_by_role("button", name="Claim").and_(page.locator("[aria-disabled=false]")).click()
    _send(page, "Your reply", "I see you have a problem. How can I help?")
    expect(page.locator(".bubble.human")).to_be_visible()
    _send(page, "The customer’s message", "My parcel has not arrived")
    _send(page, "Say as the bot", "Have you tried our FAQ?")
    expect(page.locator("#bot-notice")).to_contain_text("Jane Doe holds this conversation")
    expect(page.locator("#journal li").first).to_contain_text("human-present")
    page.locator("#bot-text").fill("")
    page.locator("#bot-text").blur()


def _send(page: Page, label: str, text: str) -> None:
    box = page.get_by_label(label)
    box.fill(text)
    box.press("Enter")
    expect(page.locator("#journal")).to_contain_text(text)


if __name__ == "__main__":
    run_tool(main)
