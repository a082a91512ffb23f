"""What agents' browsers report: it is taken, counts once, and belongs to the conversation that
is meant.
"""

import json
import threading
from collections.abc import Callable

import pytest

from infra.local.server import LocalServer
from infra.local.talk import Talk
from tests.functions.reporting import (
    CAPTURED,
    JOINED,
    LEFT,
    RECEIVED,
    Answer,
    Browser,
    chats,
    token,
)


@pytest.fixture
def browser(server: LocalServer) -> Browser:
    return Browser(server, next(chats))


# What is taken.


def test_the_three_events_are_taken_and_told(browser: Browser) -> None:
    events = [
        browser.event(JOINED),
        browser.event(RECEIVED),
        browser.event(LEFT, finish_reason="Task VA failed"),
    ]
    answer = browser.post(*events)
    assert (answer.status, answer.json) == (
        200,
        {"accepted": [event["id"] for event in events], "refused": []},
    )
    expected = [
        "virtual_agent_joined",
        "variables_captured",
        "virtual_agent_left",
        "variables_captured",
    ]
    assert browser.kinds() == expected
    assert browser.entries()[2]["reason"] == "Task VA failed"
    assert {entry["actor"] for entry in browser.entries()} == {"browser:jane"}


def test_an_unknown_session_becomes_a_tracked_conversation_and_the_speaker_does_not_change(
    browser: Browser,
) -> None:
    browser.post(browser.event(JOINED), browser.event(LEFT, finish_reason="escalated"))
    state = browser.state()
    assert (state["tracked"], state["phase"], state["representatives"]) == (True, "BOT", [])


def test_a_call_has_a_conversation_of_its_own(browser: Browser) -> None:
    browser.post(browser.event(JOINED, chat_id=None, call_id=browser.chat))
    assert browser.kinds(f"ccai:call-{browser.chat}") == ["virtual_agent_joined"]
    assert browser.kinds() == []


def test_variables_reach_the_event_audience_with_their_provenance_and_no_other(
    browser: Browser,
) -> None:
    browser.post(browser.event())
    browser.server.wait_until_quiet(browser.conversation)
    assert browser.state()["variables"] == {}
    audiences = browser.view()["audiences"]
    assert audiences["event"]["variables"] == {"testkey_1": "s3cret-1", "testkey_2": "s3cret-2"}
    assert [audiences[name] for name in ("agent", "comment")] == [
        {"variables": {}, "hidden": 2}
    ] * 2
    for body in browser.view()["topic"]:  # only the embedded queue lets the local run listen
        assert body["variables"] == audiences["event"]["variables"]
        who = {"signed": False, "agent": "jane", "origin": "https://adapter.test"}
        assert body["provenance"] == {**who, "seen_at": "2026-01-01T00:00:00.000000Z"}


def test_a_setting_widens_the_audience(start: Callable[..., LocalServer]) -> None:
    browser = Browser(start(BRIDGE_VARIABLES_AUDIENCES="event,agent"), next(chats))
    browser.post(browser.event())
    assert browser.state()["variables"] == {"testkey_1": "s3cret-1", "testkey_2": "s3cret-2"}
    assert browser.view()["audiences"]["comment"] == {"variables": {}, "hidden": 2}


def test_the_publication_ends_as_sent_and_no_value_is_in_the_journal_or_the_log(
    browser: Browser,
) -> None:
    browser.post(browser.event(), {**browser.event(), "data": {"captured_variables": CAPTURED}})
    browser.post(browser.event(captured_variables=[{"variables": {"s3cret": float("inf")}}]))
    browser.server.wait_until_quiet(browser.conversation)
    (entry,) = browser.entries()
    assert [(one["kind"], one["state"]) for one in entry["commands"]] == [("publish", "sent")]
    assert "s3cret" not in json.dumps(entry)
    assert "testkey" not in json.dumps(entry)
    log = browser.server.log.read_text()
    assert "s3cret" not in log
    assert "testkey" not in log
    assert token().split(".")[0] not in log


def test_a_value_of_null_and_an_empty_key_do_no_harm(browser: Browser) -> None:
    browser.post(browser.event(captured_variables=[{"variables": {"k": None, "": 0}}]))
    browser.post(browser.event(captured_variables=[{"variables": {"later": 1}}]))
    assert browser.view()["audiences"]["event"]["variables"] == {"k": None, "": 0, "later": 1}


# What counts once.


def test_the_same_event_id_again_is_accepted_and_counts_once(browser: Browser) -> None:
    event = browser.event(LEFT)
    for _ in range(3):
        assert browser.post(event, event).json["accepted"] == [event["id"]] * 2
    assert browser.kinds() == ["virtual_agent_left", "variables_captured"]


def test_the_same_content_from_two_tabs_and_two_agents_counts_once(browser: Browser) -> None:
    other = Browser(browser.server, browser.chat, "sam")
    turned = dict(reversed(browser.event(LEFT)["data"].items()))
    for one in (browser, browser, other):
        assert one.post(one.event(LEFT), {**one.event(LEFT), "data": turned}).json["refused"] == []
    assert browser.kinds() == ["virtual_agent_left", "variables_captured"]


def test_many_tabs_and_agents_at_once_count_once(browser: Browser) -> None:
    agents = [Browser(browser.server, browser.chat, f"agent-{number % 3}") for number in range(8)]
    answers = list[Answer]()
    threads = [
        threading.Thread(target=lambda one=one: answers.append(one.post(one.event(LEFT))))
        for one in agents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200] * 8
    assert browser.kinds() == ["virtual_agent_left", "variables_captured"]


def test_an_id_is_an_agents_own(browser: Browser) -> None:
    other = Browser(browser.server, browser.chat, "sam")
    browser.post(browser.event(JOINED, "same"))
    other.post(other.event(JOINED, "same", timestamp="1727853576"))
    assert browser.kinds() == ["virtual_agent_joined"] * 2


# Which conversation is meant.


def test_a_linked_session_is_the_customers(browser: Browser, talk: Talk) -> None:
    assert talk.link(browser.conversation).status == 200
    browser.post(browser.event(JOINED), browser.event())
    assert [entry["kind"] for entry in talk.journal()][-2:] == [
        "virtual_agent_joined",
        "variables_captured",
    ]
    assert talk.state()["phase"] == "BOT"


def test_a_claim_says_nothing_about_who_speaks_while_a_customer_waits_or_a_human_is_there(
    browser: Browser, talk: Talk
) -> None:
    talk.link(browser.conversation)
    talk.asks_for_human()
    browser.post(browser.event(JOINED), browser.event(LEFT, finish_reason="Task VA failed"))
    assert talk.state()["phase"] == "QUEUED"
    talk.post(":claim", {"representative": {"displayName": "Jane Doe"}})
    browser.post(
        browser.event(JOINED, timestamp="1727853599"), browser.event(LEFT, timestamp="1727853600")
    )
    state = talk.state()
    assert (state["phase"], [one["displayName"] for one in state["representatives"]]) == (
        "HUMAN",
        ["Jane Doe"],
    )
    assert [line for line in talk.seen() if "LEFT" in line or "Jane" in line] == ["JOINED Jane Doe"]


def test_a_session_that_baton_knows_from_dialogflow_is_that_conversation(
    browser: Browser, talk: Talk
) -> None:
    dialogflow = f"dialogflow:c-{browser.chat}"
    assert talk.link(dialogflow).status == 200
    browser.post(browser.event(JOINED, conversation_id=f"c-{browser.chat}"))
    assert browser.kinds() == []
    assert talk.journal()[-1]["kind"] == "virtual_agent_joined"


def test_an_unknown_dialogflow_conversation_is_the_session_itself(
    browser: Browser,
) -> None:
    browser.post(browser.event(JOINED, conversation_id="../nobody knows"))
    assert browser.kinds() == ["virtual_agent_joined"]
