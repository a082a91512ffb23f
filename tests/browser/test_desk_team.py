"""Two people and a supervisor at their desks: they are available or away, pass customers on,
accept, decline and take over.
"""

import random
import re
import statistics
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from infra.local.oracle import open_frames, violations
from infra.local.server import LocalServer
from infra.local.talk import Talk
from tests.browser import desk, recordings
from tests.browser.lasting_page import LastingPage
from tests.forked import ForkedServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with ForkedServer(tmp_path_factory.mktemp("team")) as running:
        yield running


@pytest.fixture(scope="module")
def of_jane(chromium: Browser, server: LocalServer) -> Iterator[LastingPage]:
    with closing(desk.lasting(chromium, server, key="dev-jane")) as lasting:
        yield lasting


@pytest.fixture(scope="module")
def of_omar(chromium: Browser, server: LocalServer) -> Iterator[LastingPage]:
    with closing(desk.lasting(chromium, server, key="dev-omar")) as lasting:
        yield lasting


@pytest.fixture
def jane(of_jane: LastingPage, request: pytest.FixtureRequest) -> Iterator[Page]:
    with of_jane.used(request.session) as page:
        yield page


@pytest.fixture
def omar(of_omar: LastingPage, request: pytest.FixtureRequest) -> Iterator[Page]:
    with of_omar.used(request.session) as page:
        yield page


@pytest.fixture
def sue(chromium: Browser, server: LocalServer) -> Iterator[Page]:
    with desk.opened(chromium, server, key="dev-sue") as page:
        yield page


def be_available(page: Page) -> None:
    button = page.locator("#presence")
    expect(button).to_have_text(re.compile("You are (available|away) "))
    if "away" in (button.text_content() or ""):
        button.click()
    expect(button).to_have_text(re.compile("You are available"))


def pass_on(page: Page, to: str, reason: str = "knows the order", note: str = "") -> None:
    desk.press(page, "Transfer")
    choice = page.locator("#pass-on-to option", has_text=to)
    page.get_by_label("To", exact=True).select_option(label=choice.text_content())
    page.get_by_label("Why").fill(reason)
    page.get_by_label("Note for the colleague").fill(note)
    desk.press(page, "Pass on")


def test_a_customer_is_offered_to_a_colleague_who_accepts(
    jane: Page, omar: Page, server: LocalServer
) -> None:
    talk = desk.waiting(server)
    desk.claim(jane, talk)
    desk.say(jane, "One moment")
    be_available(omar)
    pass_on(jane, "Omar Haddad", note="He called twice")
    expect(jane.locator("#offer-words")).to_contain_text("Offered to Omar Haddad")
    expect(omar).to_have_title("(1) Baton desk")
    omar.locator("#offers button").click()
    expect(omar.locator("#offer-words")).to_contain_text("knows the order. He called twice")
    desk.press(omar, "Accept")
    desk.say(omar, "Hello, I take it from here")
    expect(omar.locator("#transcript .human").last.locator(".tick")).to_have_text("✓ sent")
    expect(jane.locator("#standing")).to_have_text("Omar Haddad is here")
    assert talk.seen() == [
        "JOINED Jane Doe",
        "HUMAN Jane Doe: One moment",
        "JOINED Omar Haddad",
        "LEFT Jane Doe",
        "HUMAN Omar Haddad: Hello, I take it from here",
    ]
    assert "He called twice" not in str(server.transcript(talk.id))
    message = server.transcript(talk.id)[-1]["id"]
    name = f"conversations/{talk.id}/messages/{message}"
    talk.webhook(receipts={"receipts": [{"message": name, "receiptType": "DELIVERED"}]})
    expect(omar.locator("#transcript .human").last.locator(".tick")).to_have_text("✓✓ delivered")
    assert talk.state("dev-omar")["device"] == {"receipts": {message: "DELIVERED"}}
    assert "device" not in talk.state("dev-bot"), "a bot gets none of it"


def test_an_offer_is_declined_and_one_is_withdrawn(
    jane: Page, omar: Page, server: LocalServer
) -> None:
    talk = desk.waiting(server)
    desk.claim(jane, talk)
    be_available(omar)
    pass_on(jane, "Omar Haddad")
    omar.locator("#offers button").click()
    desk.press(omar, "Decline")
    expect(omar.locator("#offers-part")).to_be_hidden()
    expect(jane.locator("#offer")).to_be_hidden()
    expect(jane.locator("#standing")).to_have_text("You are here")
    pass_on(jane, "Omar Haddad")
    expect(omar.locator("#offers button")).to_be_visible()
    desk.press(jane, "Withdraw")
    expect(omar.locator("#offers-part")).to_be_hidden()
    assert talk.seen() == ["JOINED Jane Doe"]


def test_a_customer_is_passed_on_to_the_queue_and_told_so(
    jane: Page, omar: Page, server: LocalServer
) -> None:
    talk = desk.waiting(server)
    desk.claim(jane, talk)
    pass_on(jane, "The queue")
    expect(jane.locator("#notice")).to_contain_text("keeps their place")
    expect(jane.locator("#transcript")).to_contain_text(
        "Jane Doe passes the customer on: knows the order"
    )
    expect(omar.locator("#queue button")).to_be_visible()
    desk.claim(omar, talk)
    assert not any("assistant again" in line for line in talk.seen())


def test_a_supervisor_takes_over_and_an_agent_may_not(
    jane: Page, omar: Page, sue: Page, server: LocalServer
) -> None:
    talk = desk.waiting(server)
    desk.claim(jane, talk)
    expect(omar.locator("#others-part")).to_be_hidden()
    desk.open_talk(sue, talk)
    expect(sue.locator("#standing")).to_have_text("Jane Doe is here")
    desk.press(sue, "Take over")
    expect(sue.locator("#standing")).to_have_text("You are here")
    expect(jane.locator("#standing")).to_have_text("Sue Park is here")
    assert talk.seen() == ["JOINED Jane Doe", "JOINED Sue Park", "LEFT Jane Doe"]
    omar.goto(f"{omar.url.split('#')[0]}#conversation=business_messages:{talk.id}")
    expect(omar.locator("#standing")).to_have_text("Sue Park is here")
    expect(omar.get_by_role("button", name="Take over")).to_be_hidden()


def test_a_person_signs_in_with_a_session_and_out_again(
    chromium: Browser, server: LocalServer
) -> None:
    with desk.opened(chromium, server, key="") as page:
        page.get_by_role("button", name="Jane Doe (agent)").click()
        expect(page.locator("#my-name")).to_have_text("Jane Doe")
        assert page.evaluate("Object.values(sessionStorage)") == []
        assert page.evaluate("document.cookie") == "", "scripts cannot read the session"
        page.reload()
        expect(page.locator("#my-name")).to_have_text("Jane Doe")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("button", name="Jane Doe (agent)")).to_be_visible()
        page.goto(f"{server.url}{desk.PATH}")
        expect(page.get_by_role("button", name="Jane Doe (agent)")).to_be_visible()


def test_a_message_reaches_an_open_desk_within_a_second(jane: Page, server: LocalServer) -> None:
    talk = desk.waiting(server)
    desk.claim(jane, talk)
    jane.evaluate("""() => {
      const list = document.getElementById('transcript'), came = window.came = {};
      new MutationObserver(() => {
        for (const [word] of list.textContent.matchAll(/word-[0-9]/g)) came[word] ??= Date.now();
      }).observe(list, {childList: true, subtree: true});
    }""")
    took = list[float]()
    for number in range(5):
        jane.wait_for_timeout(random.uniform(300, 3000))  # also while the page is calm
        sent = time.time() * 1000
        talk.customer_says(f"word-{number}", f"n-{number}")
        expect(jane.locator("#transcript")).to_contain_text(f"word-{number}")
        took.append(jane.evaluate(f"window.came['word-{number}']") - sent)
    assert statistics.median(took) < 1000, took


def test_a_team_plays_support_and_every_customer_sees_who_speaks(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Claim, reply with a picture, transfer, accept, take over, note, away, survey: the oracle
    judges what each customer saw, and the reports say what happened.
    """
    settings = {"BATON_SURVEY": "on", "BATON_BOT": "acknowledge"}
    with (
        ForkedServer(tmp_path_factory.mktemp("hour"), settings) as server,
        desk.opened(chromium, server, key="dev-jane") as jane,
        desk.opened(chromium, server, key="dev-omar") as omar,
        desk.opened(chromium, server, key="dev-sue") as sue,
    ):
        talks = [desk.waiting(server, name) for name in ("Ana", "Ben", "Cleo")]
        ana, ben, cleo = talks
        desk.claim(jane, ana)
        jane.locator("#reply-file").set_input_files(
            FilePayload(name="map.png", mimeType="image/png", buffer=recordings.picture())
        )
        desk.say(jane, "Here is the way")
        expect(jane.locator("#transcript img")).to_be_visible()
        be_available(omar)
        pass_on(jane, "Omar Haddad", note="knows the shop")
        omar.locator("#offers button").click()
        desk.press(omar, "Accept")
        desk.say(omar, "Hello, this is Omar")
        desk.claim(jane, ben)
        desk.press(jane, "Note")
        desk.say(jane, "He is in a hurry", "Your note")
        desk.open_talk(sue, ben)
        desk.press(sue, "Take over")
        expect(sue.locator("#standing")).to_have_text("You are here")
        desk.say(sue, "I am the supervisor")
        desk.claim(jane, cleo)
        pass_on(jane, "The queue")
        desk.claim(omar, cleo)
        omar.locator("#presence").click()
        expect(omar.locator("#presence")).to_have_text(re.compile("You are away .2 of 4"))
        for page, talk in ((omar, ana), (omar, cleo), (sue, ben)):
            desk.open_talk(page, talk)
            desk.press(page, "Leave")
            expect(page.locator("#standing")).to_have_text("With the assistant")
        for talk in talks:
            server.wait_until_quiet(talk.id)
            assert violations(server.transcript(talk.id)) == []
            assert open_frames(server.transcript(talk.id)) == []
            assert "hurry" not in str(server.transcript(talk.id))
        for answer in ("5", "4"):  # once for each handoff
            _rates(ana, answer)
        _the_reports_say_what_happened(server)


def _rates(talk: Talk, answer: str) -> None:
    """The customer taps a button of the survey."""
    shown = [row["body"] for row in talk.server.transcript(talk.id) if row["side"] == "business"]
    (survey,) = (one for one in shown if len(one.get("suggestions", ())) == 5)
    (tap,) = (one["reply"] for one in survey["suggestions"] if one["reply"]["text"] == answer)
    talk.webhook(requestId=f"tap {answer}", suggestionResponse={**tap, "type": "REPLY"})
    talk.server.wait_until_quiet(talk.id)


def _the_reports_say_what_happened(server: LocalServer) -> None:
    """Each customer had one handoff, however many people answered. Whom nobody had spoken to is
    not asked how it was.
    """
    figures = {
        "requested": 3, "unasked": 0, "joined": 3, "left": 3, "withHuman": 0, "transferred": 2,
        "offered": 1, "declined": 0, "surveyed": 2, "rated": 1, "ratingSum": 5,
    }  # fmt: skip
    reports = "/send_representative/v1/reports"
    report = server.get(f"{reports}/handoffs?by=desk", "dev-admin")
    assert {name: report["total"][name] for name in figures} == figures
    (row,) = (row for row in report["rows"] if row["by"]["desk"] == "api")
    assert {name: row[name] for name in figures} == figures
    agents = server.get(f"{reports}/agents", "dev-sue")["rows"]
    assert {
        row["by"]["agent"]: [row[name] for name in ("transferred", "offered", "surveyed", "rated")]
        for row in agents
    } == {"Jane Doe": [2, 0, 0, 0], "Omar Haddad": [0, 1, 1, 1], "Sue Park": [0, 0, 1, 0]}
    (rated,) = (row for row in agents if row["rated"])
    assert (rated["by"]["agent"], rated["ratingSum"]) == ("Omar Haddad", 5)
