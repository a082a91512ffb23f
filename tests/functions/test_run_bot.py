"""The built-in bot on Dialogflow CX, through the real functions: the reference conversation,
and what may go wrong.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.oracle import violations
from infra.local.server import LocalServer
from infra.local.talk import Talk

Start = Callable[..., LocalServer]
NewServer = Callable[[Path, dict[str, str]], LocalServer]
GREETING = "Hello! How can I help?"
SORRY = "Sorry, something went wrong and I cannot answer right now. Please try again in a moment."


@pytest.fixture(scope="module")
def running(
    new_server: NewServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalServer]:
    settings = {"BATON_BOT": "dialogflow", "DIALOGFLOW_TIMEOUT": "3"}
    with new_server(tmp_path_factory.mktemp("bot"), settings) as server:
        yield server


@pytest.fixture
def server(running: LocalServer) -> LocalServer:
    """One local run for all tests, without the faults of the one before."""
    faults(running)
    return running


def says(talk: Talk, text: str, message_id: str, *answers: str, waits: bool = True) -> None:
    """Returns once the bot has answered so."""
    assert talk.customer_says(text, message_id).status == 200
    shows(talk, *answers, waits=waits)


def shows(talk: Talk, *answers: str, waits: bool = True) -> None:
    """Returns once these were the last words to the customer, and (if it `waits`) nothing more
    is on its way.
    """
    talk.server.wait_until(lambda: shown(talk)[-len(answers) :] == list(answers))
    if waits:
        talk.server.wait_until_quiet(talk.id)
        assert shown(talk)[-len(answers) :] == list(answers)


def shown(talk: Talk) -> list[str]:
    return [
        row["body"].get("text", "")
        for row in talk.server.transcript(talk.id)
        if row["side"] == "business"
    ]


def turns(talk: Talk) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = talk.server.get(f"/local/bot/business_messages:{talk.id}")[
        "turns"
    ]
    return turns


def asking(talk: Talk) -> list[str]:
    """Returns how asking the bot ended, message by message."""
    return [entry["outcome"] for entry in talk.journal() if entry["kind"] == "bot"]


def comments(talk: Talk) -> list[str]:
    found = talk.server.get(f"/local/comments/business_messages:{talk.id}")["comments"]
    return [one["comment"] for one in found]


def faults(server: LocalServer, **share: float) -> None:
    assert server.send("PUT", "/sim/dialogflow/faults", json.dumps(share).encode()).status == 200


def test_the_reference_conversation_from_bot_to_human_and_back(server: LocalServer) -> None:
    talk = Talk.open(server)
    shows(talk, GREETING)
    says(talk, "Where is my order?", "m-2", "What is your order number?")
    says(talk, "A-12345", "m-3", "Thank you, I found order A-12345. It arrives tomorrow.")
    says(talk, "I want to talk to a person", "m-4", "I will connect you.")
    server.wait_until(lambda: talk.state()["phase"] == "QUEUED")
    state = talk.state()
    assert state["requestReason"] == "billing dispute"
    assert state["requestMetadata"]["queue"] == "billing"
    assert state["variables"] == {"order_number": "A-12345", "customer_tier": "gold"}
    assert "requestMetadata" not in talk.state("dev-bot")
    assert comments(talk) == ["order_number: A-12345", "customer_tier: gold"]
    talk.frame("JOINED", "Jane Doe", "e-1")
    talk.say("HUMAN", "Jane Doe", "I have refunded it.", "h-1")
    talk.customer_says("Great!", "m-5")
    released = {"representative": {"displayName": "Jane Doe"}, "reason": "refunded"}
    assert talk.post(":release", released).status == 200
    said = [entry["text"] for entry in talk.journal() if "text" in entry]
    assert said[-4:] == [
        "I want to talk to a person",
        "I will connect you.",
        "I have refunded it.",
        "Great!",
    ]
    says(talk, "Thank you", "m-6", "Welcome back. A human has helped you with: billing dispute.")
    handoff = turns(talk)[-1]["parameters"]["baton"]["handoff"]
    assert (handoff["requestReason"], handoff["representatives"]) == (
        "billing dispute",
        ["Jane Doe"],
    )
    assert handoff["said"] == [
        {"by": "Jane Doe", "text": "I have refunded it."},
        {"text": "Great!"},
    ]
    assert "Great!" not in [turn["query"]["text"] for turn in turns(talk)]
    assert violations(server.transcript(talk.id)) == []


@pytest.mark.parametrize("fault", ["server_error", "drop_before", "drop_after", "garbled"])
def test_a_bot_that_fails_is_asked_once_and_apologized_for(server: LocalServer, fault: str) -> None:
    faults(server, **{fault: 1})
    talk = Talk.open(server)
    shows(talk, SORRY)
    assert [turn["fault"] for turn in turns(talk)] == [fault]
    faults(server)
    says(talk, "hello", "m-2", SORRY, GREETING)


def test_a_bot_that_says_everything_twice_is_heard_once(server: LocalServer) -> None:
    faults(server, twice=1)
    talk = Talk.open(server)
    shows(talk, GREETING)
    says(
        talk,
        "opening hours",
        "m-2",
        GREETING,
        "We are open from 9 to 17.",
        "On Saturdays we close at noon.",
    )


def test_a_bot_that_is_too_slow_holds_up_no_human_and_is_not_heard_when_it_is_late(
    start: Start,
) -> None:
    server = start(BATON_BOT="dialogflow", DIALOGFLOW_TIMEOUT="40")
    faults(server, slow=1, slow_seconds=30)
    talk = Talk.open(server)
    server.wait_until(lambda: server.get("/sim/dialogflow/waiting") == {"waiting": 1})
    assert asking(talk) == ["in-flight"]
    talk.frame("JOINED", "Jane Doe", "e-1")
    talk.say("HUMAN", "Jane Doe", "I am here already.", "h-1")
    server.wait_until(lambda: "I am here already." in shown(talk))
    assert asking(talk) == ["in-flight"]
    faults(server)  # which lets it answer
    server.wait_until(lambda: asking(talk) == ["done"])
    server.wait_until_quiet(talk.id)
    assert GREETING not in shown(talk)
    assert violations(server.transcript(talk.id)) == []


def test_a_bot_that_takes_too_long_is_given_up(server: LocalServer) -> None:
    faults(server, slow=1, slow_seconds=5)
    talk = Talk.open(server)
    shows(talk, SORRY)
    assert asking(talk) == ["unknown"]


def test_where_so_configured_a_failure_asks_for_a_human(start: Start) -> None:
    server = start(BATON_BOT="dialogflow", DIALOGFLOW_ON_FAILURE="escalate")
    faults(server, server_error=1)
    talk = Talk.open(server)
    server.wait_until(lambda: talk.state()["phase"] == "QUEUED")
    assert talk.state()["requestReason"] == "the bot cannot answer"


def test_the_crm_gets_each_comment_once_when_it_answers_again_and_delays_no_other(
    server: LocalServer,
) -> None:
    assert server.send("PUT", "/local/comments-faults", b'{"server_error": 1}').status == 200
    talk = Talk.open(server)
    says(talk, "my order", "m-2", "What is your order number?", waits=False)
    says(talk, "A-1", "m-3", "Thank you, I found order A-1. It arrives tomorrow.", waits=False)
    assert comments(talk) == []
    assert server.send("PUT", "/local/comments-faults", b'{"server_error": 0}').status == 200
    server.wait_until_quiet(talk.id)
    assert comments(talk) == ["order_number: A-1", "customer_tier: gold"]


def test_the_bot_survives_the_end_of_the_process(start: Start) -> None:
    server = start(BATON_BOT="dialogflow", DIALOGFLOW_TIMEOUT="6")
    faults(server, slow=1, slow_seconds=30)
    talk = Talk.open(server)
    server.wait_until(lambda: asking(talk) == ["in-flight"])
    server.stop()
    server.start()
    server.wait_until(lambda: bool(shown(talk)))
    server.wait_until_quiet(talk.id)
    assert (shown(talk), asking(talk)) == ([SORRY], ["unknown"])


def test_without_a_bot_no_answer_comes(start: Start) -> None:
    server = start(BATON_BOT="none")
    talk = Talk.open(server)
    server.wait_until_quiet(talk.id)
    assert (shown(talk), turns(talk), asking(talk)) == ([], [], [])


def test_without_an_agent_of_dialogflow_the_bot_acknowledges(start: Start) -> None:
    server = start(BATON_BOT="dialogflow", DIALOGFLOW_AGENT=" ")
    talk = Talk.open(server)
    server.wait_until(lambda: bool(shown(talk)))
    assert shown(talk)[0].startswith("Thanks for contacting us.")
