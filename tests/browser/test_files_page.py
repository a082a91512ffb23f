"""Files on the page of a local run: chosen, pasted and dropped, sent, and shown on both sides."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.browser import desk
from tests.browser.recordings import PDF, picture, voice_note
from tests.browser.test_page import (
    PROBLEM,
    assert_nothing_runs_off,
    bubbles,
    customer_says,
    expect_phase,
    press,
    start_customer,
)

PHOTO: FilePayload = {"name": "broken.png", "mimeType": "image/png", "buffer": picture()}
VOICE: FilePayload = {
    "name": "note.ogg",
    "mimeType": "audio/ogg; codecs=opus",
    "buffer": voice_note(),
}
MANUAL: FilePayload = {"name": "Manual.pdf", "mimeType": "application/pdf", "buffer": PDF}
IS_WHOLE = "image => image?.complete && image.naturalWidth === 320"
CAN_PLAY = "audio => audio?.error === null && audio.duration > 0.9 && audio.duration < 1.1"
PUT = """(box, [event, name, type, bytes]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
  const how = { bubbles: true, cancelable: true };
  box.dispatchEvent(event === 'paste'
    ? new ClipboardEvent(event, { ...how, clipboardData: transfer })
    : new DragEvent(event, { ...how, dataTransfer: transfer }));
}"""


def writes_on_whatsapp(page: Page) -> None:
    page.get_by_label("Platform").select_option("whatsapp")
    is_chosen(page, start_customer(page))
    customer_says(page, PROBLEM)
    expect(bubbles(page)).to_have_count(2)


def is_chosen(page: Page, name: str) -> None:
    expect(page.locator("#customer option:checked")).to_contain_text(name)


def is_claimed(page: Page) -> None:
    press(page, "Ask for a human")
    expect_phase(page, "QUEUED")
    desk.press(desk.framed(page), "Claim")
    expect_phase(page, "HUMAN")


def send_files(page: Page, *files: FilePayload, text: str = "") -> None:
    """Sends files with the keyboard alone, after they were chosen."""
    page.locator("#say-file").set_input_files(list(files))
    expect(page.locator("#say-tray li")).to_have_count(len(files))
    box = page.get_by_label("The customer’s message")
    box.fill(text)
    box.press("Enter")
    expect(page.locator("#say-tray")).to_be_hidden()


def test_the_customer_sends_a_photo_a_voice_note_and_a_document(page: Page) -> None:
    writes_on_whatsapp(page)
    send_files(page, PHOTO, VOICE, MANUAL, text="The broken part")
    photo = page.locator("#bubbles").get_by_alt_text("Picture: The broken part")
    expect(photo).to_have_count(1)
    page.wait_for_function(f"() => ({IS_WHOLE})(document.querySelector('#bubbles img'))")
    voice = page.locator("#bubbles").get_by_label("Voice note note.ogg")
    expect(voice).to_have_count(1)
    page.wait_for_function(f"() => ({CAN_PLAY})(document.querySelector('#bubbles audio'))")
    document = page.locator("#bubbles .file.document")
    expect(document).to_contain_text(f"Manual.pdf{len(PDF)} bytes")
    assert_nothing_runs_off(page)


def test_the_human_at_the_desk_sees_and_hears_what_the_customer_sent(page: Page) -> None:
    writes_on_whatsapp(page)
    send_files(page, PHOTO, VOICE, MANUAL, text="The broken part")
    is_claimed(page)
    files = desk.framed(page).locator("#transcript .customer")
    expect(files.get_by_alt_text("Picture: The broken part")).to_have_count(1)
    wait_until(files.locator("img"), IS_WHOLE)
    expect(files.get_by_label("Voice note")).to_have_count(1)
    wait_until(files.locator("audio"), CAN_PLAY)
    link = files.get_by_role("link", name="Manual.pdf")
    with page.expect_download() as download:
        link.click()
    assert Path(download.value.path()).read_bytes() == PDF


@pytest.mark.parametrize("platform", ["WhatsApp", "RCS"])
def test_a_document_of_the_humans_is_on_the_customers_phone(page: Page, platform: str) -> None:
    page.get_by_label("Platform").select_option(label=platform)
    is_chosen(page, start_customer(page))
    customer_says(page, PROBLEM)
    expect(bubbles(page)).to_have_count(2)
    is_claimed(page)
    at_desk = desk.framed(page)
    at_desk.locator("#reply-file").set_input_files([MANUAL])
    desk.say(at_desk, "Here is the manual")
    expect(at_desk.locator("#reply-tray")).to_be_hidden()
    expect(page.locator("#bubbles .theirs .file")).to_have_count(1)
    expect(page.locator("#bubbles")).to_contain_text("Here is the manual")
    sent = at_desk.locator("#transcript .human")
    expect(sent).to_contain_text("Jane Doe")
    expect(sent).to_contain_text("Manual.pdf")


def wait_until(element: Locator, holds: str) -> None:
    """Returns once a script says true of the element."""
    script = f"""async one => {{
      while (!({holds})(one)) await new Promise(again => setTimeout(again, 50));
    }}"""
    element.evaluate(script)


def put(page: Page, box: str, event: str, file: FilePayload) -> None:
    """Pastes or drops a file."""
    data = [event, file["name"], file["mimeType"], list(file["buffer"])]
    page.locator(box).evaluate(PUT, data)


@pytest.mark.parametrize(("box", "event"), [("#say-text", "paste"), ("#device", "drop")])
def test_a_file_is_pasted_or_dropped_and_may_be_removed(page: Page, box: str, event: str) -> None:
    writes_on_whatsapp(page)
    tray = page.locator("#say-tray li")
    put(page, box, event, PHOTO)
    put(page, box, event, MANUAL)
    expect(tray).to_have_count(2)
    press(page, "Remove broken.png")
    expect(tray).to_have_count(1)
    expect(page.get_by_label("The customer’s message")).to_be_focused()
    page.get_by_label("The customer’s message").press("Enter")
    expect(page.locator("#bubbles .file")).to_contain_text("Manual.pdf")


def test_files_in_hand_stay_with_their_customer(page: Page) -> None:
    writes_on_whatsapp(page)
    page.locator("#say-file").set_input_files([PHOTO])
    first = page.get_by_label("Customer", exact=True).input_value()
    is_chosen(page, start_customer(page))
    expect(page.locator("#say-tray")).to_be_hidden()
    page.get_by_label("Customer", exact=True).select_option(first)
    expect(page.locator("#say-tray li")).to_contain_text("broken.png")


def test_a_file_that_the_platform_refuses_stays_in_hand_with_the_reason(page: Page) -> None:
    writes_on_whatsapp(page)
    svg: FilePayload = {"name": "a.svg", "mimeType": "image/svg+xml", "buffer": b"<svg/>"}
    page.locator("#say-file").set_input_files([svg])
    page.get_by_label("The customer’s message").fill("Look")
    page.get_by_label("The customer’s message").press("Enter")
    expect(page.locator("#phone-notice")).to_contain_text("image/svg+xml is no image")
    expect(page.locator("#say-tray li")).to_contain_text("a.svg")
    expect(page.get_by_label("The customer’s message")).to_have_value("Look")


def test_an_upload_that_is_refused_or_cut_off_is_explained(page: Page) -> None:
    writes_on_whatsapp(page)
    is_claimed(page)
    refusal = {
        "error": {
            "code": 413,
            "status": "INVALID_ARGUMENT",
            "message": "The channel takes at most 5 MB of a picture.",
            "details": [{"reason": "too-large"}],
        }
    }

    def refuse(route: Route) -> None:
        route.fulfill(status=413, content_type="application/json", body=json.dumps(refusal))

    page.route("**/media", refuse)
    at_desk = desk.framed(page)
    at_desk.locator("#reply-file").set_input_files([PHOTO])
    desk.press(at_desk, "Send")
    unsent = at_desk.locator("#unsent")
    expect(unsent).to_contain_text("The channel takes at most 5 MB of a picture.")
    page.unroute("**/media")
    page.route("**/media", lambda route: route.abort())
    desk.press(at_desk, "Send again")
    expect(unsent).to_contain_text("Not sent. Baton does not answer.")
    expect(unsent).to_contain_text("broken.png")
    page.unroute("**/media")
    desk.press(at_desk, "Send again")
    expect(page.locator("#bubbles .theirs .file")).to_have_count(1)


def test_files_fit_a_narrow_screen(page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    writes_on_whatsapp(page)
    long_name: Any = {**MANUAL, "name": f"{'Invoice-' * 12}2026.pdf"}
    page.locator("#say-file").set_input_files([PHOTO, long_name])
    assert_nothing_runs_off(page)
    page.get_by_label("The customer’s message").press("Enter")
    expect(page.locator("#bubbles .file")).to_have_count(2)
    assert_nothing_runs_off(page)
    page.set_viewport_size({"width": 720, "height": 450})  # 1440 by 900 at 200 %
    shown = page.locator("#bubbles").bounding_box()
    assert shown is not None
    assert shown["height"] > 120  # the pane scrolls before the messages vanish
    page.set_viewport_size({"width": 320, "height": 640})
    press(page, "Desk")
    expect(desk.framed(page).locator("#transcript .file")).to_have_count(2)
    assert_nothing_runs_off(page)
    press(page, "Baton")
    assert_nothing_runs_off(page)


def test_an_upload_shows_how_far_it_came(page: Page) -> None:
    writes_on_whatsapp(page)
    is_claimed(page)
    held: list[Route] = []
    page.route("**/media", lambda route: held.append(route))
    at_desk = desk.framed(page)
    at_desk.locator("#reply-file").set_input_files([MANUAL])
    at_desk.get_by_label("Your reply").press("Enter")
    expect(at_desk.get_by_role("progressbar", name="Uploading Manual.pdf")).to_be_visible()
    expect(at_desk.locator("#reply-tray")).to_be_hidden()
    held[0].continue_()
    expect(at_desk.locator("#unsent")).to_be_hidden()
    expect(page.locator("#bubbles .theirs .file")).to_have_count(1)


@pytest.mark.parametrize("refusals", [1, 100])
def test_a_link_that_has_expired_is_asked_for_once_more(page: Page, refusals: int) -> None:
    refused: dict[str, int] = {}

    def answer(route: Route) -> None:
        """Refuses so many links of each place where the picture is shown: the desk, the journal."""
        refused[route.request.url] = refused.get(route.request.url, 0) + 1
        if len(refused) <= refusals:
            route.fulfill(status=410, content_type="application/json", body="{}")
        else:
            route.continue_()

    page.route("**/relay_media/*", answer)
    writes_on_whatsapp(page)
    send_files(page, PHOTO)
    files = desk.framed(page).locator("#transcript .customer").last
    if refusals == 1:
        wait_until(files.locator("img"), IS_WHOLE)
    else:
        expect(files).to_contain_text("cannot be shown any more")
        expect(files.locator("img")).to_have_count(0)
