"""A desk at the CCAI Platform over HTTP: from the customer's phone to the agent's screen and
back, on every channel.
"""

import base64
import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local import oracle
from infra.local.server import LocalServer
from infra.local.settings import (
    CCAI_EVENTS_PASSWORD,
    CCAI_EVENTS_USER,
    CRM_COMMENT_SECRET,
    CSKU_SECRET,
)
from tests.functions.conftest import NewServer
from tests.functions.desk import API, CHANNELS, Chats, Customer, Team, team
from tests.soak import each_once

DESKS = json.dumps([{"name": "support", "kind": "ccai"}])
JANE: dict[str, Any] = {"id": 17, "name": "Jane Doe"}
NOBODY = "Sorry, nobody is available right now"


@pytest.fixture(scope="module")
def told(new_server: NewServer) -> Iterator[Team]:
    """Starts again for each server: the numbers of customers begin again."""
    with team() as one:
        yield one


@pytest.fixture(scope="module")
def desk_server(
    new_server: NewServer, told: Team, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalServer]:
    """A local run whose handoffs go to the CCAI Platform."""
    environment = {
        "BATON_DESKS": DESKS,
        "TEAM_WEBHOOK_URL": told.url,
        "TEAM_WEBHOOK_SECRET": CRM_COMMENT_SECRET,
    }
    with new_server(tmp_path_factory.mktemp("desks"), environment) as running:
        yield running


@pytest.fixture
def chats(desk_server: LocalServer) -> Iterator[Chats]:
    one = Chats(desk_server)
    yield one
    one.faults()


@pytest.fixture(params=CHANNELS)
def customer(request: pytest.FixtureRequest, desk_server: LocalServer) -> Customer:
    return Customer.on(desk_server, request.param)


@pytest.fixture
def writer(desk_server: LocalServer) -> Customer:
    """A customer of Business Messages, where the channel itself makes no difference."""
    return Customer.on(desk_server, "business_messages")


def _accepted(customer: Customer) -> list[str]:
    """Returns what Baton took of humans and bots, in that order."""
    spoken = ("human_message", "bot_message")
    return [
        entry["text"]
        for entry in customer.journal()
        if entry["kind"] in spoken and entry["verdict"] == "accepted"
    ]


def _is_sound(customer: Customer, *humans: str) -> None:
    """Holds the oracle against all that the customer saw."""
    shown = customer.labelled(humans)
    assert oracle.violations(shown, _accepted(customer)) == []
    assert (oracle.open_frames(shown) != []) is (customer.phase() == "HUMAN")


def test_a_handoff_from_the_first_words_to_the_bot_again(
    customer: Customer, chats: Chats, told: Team
) -> None:
    customer.asks_for_a_person()
    chat = chats.wait_for(customer)
    customer.says("It is about my order")
    assert chats.agent(chat, "joins", **JANE) == 200
    customer.wait_for("HUMAN")
    assert chats.agent(chat, "says", text="Hello, I am Jane.", **JANE) == 200
    assert (
        customer.post("/messages", "dev-bot", messageId="b-1", text="I talk over her.").status
        == 409
    )
    customer.says("Thank you")
    customer.server.wait_until(lambda: chats.heard(chat) == ["It is about my order", "Thank you"])
    assert chats.agent(chat, "leaves", **JANE) == 200
    customer.wait_for("BOT")
    created = chats.rows(chat)[0]["body"]
    assert [line["content"][0]["text"] for line in created["transcript"]] == [
        "Hi, I have a problem"
    ]
    assert customer.key.removeprefix("+") not in json.dumps(created)
    assert "Hello, I am Jane." in customer.texts([JANE["name"]])
    _is_sound(customer, JANE["name"])
    customer.server.wait_until(lambda: len(told.told(customer.conversation)) == 4)
    assert told.told(customer.conversation) == [
        "handoff.requested",
        "handoff.joined",
        "handoff.answered",
        "handoff.ended",
    ]


FAULTS: dict[str, dict[str, float]] = {
    "duplicates": {"duplicate": 1},
    "created-first": {"created_first": 1},
    "created-first-and-twice": {"created_first": 1, "duplicate": 1},
    "created-never": {"created_silent": 1},
    "reordered": {"reorder": 0.5, "duplicate": 0.3},
    "too-many": {"too_many": 0.3, "retry_after": 0},
    "slow": {"slow": 0.5, "slow_seconds": 0.3},
}


# A chat takes two calls. Where both may be refused, one in a hundred needs eight tries: a minute
# and more of pauses.
UNLUCKY_SECONDS = 240.0


@each_once(channel=CHANNELS, faults=FAULTS)
def test_for_any_answers_of_the_platform_the_customer_sees_whole_frames(
    desk_server: LocalServer, chats: Chats, channel: str, faults: dict[str, float]
) -> None:
    customer = Customer.on(desk_server, channel)
    chats.faults(**faults)
    customer.asks_for_a_person()
    chat = chats.wait_for(customer, patience=UNLUCKY_SECONDS)
    chats.agent(chat, "joins", **JANE)
    for number in range(3):
        chats.agent(chat, "says", text=f"Sentence {number}", **JANE)
        customer.says(f"Answer {number}")
    chats.faults()
    customer.server.wait_until(lambda: len(chats.heard(chat)) == 3)
    customer.server.wait_until(lambda: sum("Sentence" in text for text in _accepted(customer)) == 3)
    chats.agent(chat, "ends")
    customer.wait_for("BOT")
    _is_sound(customer, JANE["name"])
    assert len(chats.of(customer)) == 1
    assert chats.heard(chat) == [f"Answer {number}" for number in range(3)]


@pytest.mark.parametrize("reason", ["after_hours", "over_capacity"])
def test_a_desk_that_turns_customers_away_tells_each_of_them_and_the_team_once(
    customer: Customer, chats: Chats, told: Team, reason: str
) -> None:
    for count in (1, 2):
        customer.asks_for_a_person()
        chat = chats.wait_for(customer, count)
        chats.agent(chat, "deflects", reason=reason)
        customer.wait_for("BOT")
        assert sum(text.startswith(NOBODY) for text in customer.texts()) == count
        expected = ["handoff.requested", "handoff.failed"] * count
        customer.server.wait_until(
            lambda expected=expected: told.told(customer.conversation) == expected  # type: ignore[misc]
        )
    failed = [
        one
        for one in told.got
        if one["conversation"] == customer.conversation and one["type"].endswith("failed")
    ]
    assert reason in failed[0]["reason"]
    _is_sound(customer)


def test_a_chat_that_was_turned_away_is_ended_so_that_no_agent_speaks_in_it(
    writer: Customer, chats: Chats
) -> None:
    writer.asks_for_a_person()
    chat = chats.wait_for(writer)
    chats.agent(chat, "deflects")
    chats.agent(chat, "joins", **JANE)
    writer.server.wait_until(lambda: any(row["kind"] == "finished" for row in chats.rows(chat)))
    assert chats.agent(chat, "says", text="Is anybody there?", **JANE) == 409
    assert writer.phase() == "BOT"
    _is_sound(writer, JANE["name"])


def test_an_agent_of_an_earlier_chat_does_not_take_the_next_handoff(
    writer: Customer, chats: Chats
) -> None:
    writer.asks_for_a_person()
    first = chats.wait_for(writer)
    chats.agent(first, "joins", **JANE)
    writer.wait_for("HUMAN")
    chats.agent(first, "leaves", **JANE)
    writer.wait_for("BOT")
    chats.faults(server_error=1)  # the first chat cannot be finished yet
    writer.asks_for_a_person()
    chats.agent(first, "says", text="One more thing.", **JANE)
    assert writer.phase() == "QUEUED"
    chats.faults()
    second = chats.wait_for(writer, 2)
    writer.server.wait_until(lambda: any(row["kind"] == "finished" for row in chats.rows(first)))
    assert not any(row["kind"] == "finished" for row in chats.rows(second))
    _is_sound(writer, JANE["name"])
    assert "One more thing." in writer.texts([JANE["name"]])


def test_a_customer_who_is_forgotten_leaves_no_chat_open(writer: Customer, chats: Chats) -> None:
    writer.asks_for_a_person()
    chat = chats.wait_for(writer)
    key = {"authorization": "Bearer dev-admin"}
    assert writer.server.send("DELETE", f"{API}/{writer.conversation}", headers=key).status == 200
    writer.server.wait_until(lambda: any(row["kind"] == "finished" for row in chats.rows(chat)))


def test_an_answer_that_is_lost_makes_no_second_chat(customer: Customer, chats: Chats) -> None:
    chats.faults(created_lost=1, drop_after=0.3)
    customer.asks_for_a_person()
    customer.says("Are you there?")
    customer.server.wait_until(lambda: len(chats.of(customer)) == 1)
    chats.faults()
    chat = chats.wait_for(customer)
    chats.agent(chat, "joins", **JANE)
    customer.wait_for("HUMAN")
    customer.server.wait_until_quiet(customer.conversation)
    assert len(chats.of(customer)) == 1
    assert chats.heard(chat) == ["Are you there?"]
    _is_sound(customer, JANE["name"])


def test_an_agent_who_is_quicker_than_the_answer_is_not_lost(
    writer: Customer, chats: Chats
) -> None:
    """The chat is alive before Baton knows that it is its own; what happened in it comes with
    the link.
    """
    chats.faults(created_lost=1, created_silent=1)
    writer.asks_for_a_person()
    writer.server.wait_until(lambda: len(chats.of(writer)) == 1)
    (chat,) = chats.of(writer)
    chats.agent(chat, "joins", **JANE)
    chats.agent(chat, "says", text="I was quick.", **JANE)
    assert writer.phase() == "QUEUED"
    chats.faults()
    assert chats.agent(chat, "creates") == 200
    chats.wait_for(writer)
    writer.wait_for("HUMAN")
    chats.agent(chat, "says", text="And I am here.", **JANE)
    writer.server.wait_until(lambda: "And I am here." in writer.texts())
    assert [text for text in writer.texts() if "I" in text][-2:] == [
        "I was quick.",
        "And I am here.",
    ]
    _is_sound(writer, JANE["name"])


def test_two_agents_and_an_end_that_takes_both_along(writer: Customer, chats: Chats) -> None:
    writer.asks_for_a_person()
    chat = chats.wait_for(writer)
    for number, name in ((17, "Jane Doe"), (18, "John Doe")):
        chats.agent(chat, "joins", id=number, name=name)
        chats.agent(chat, "says", id=number, name=name, text=f"I am {name}.")
    chats.agent(chat, "ends")
    writer.wait_for("BOT")
    _is_sound(writer, "Jane Doe", "John Doe")
    assert [row["body"]["eventType"] for row in writer.rows() if row["kind"] == "event"] == [
        "REPRESENTATIVE_JOINED",
        "REPRESENTATIVE_JOINED",
        "REPRESENTATIVE_LEFT",
        "REPRESENTATIVE_LEFT",
    ]


def test_a_virtual_agent_of_the_desk_speaks_as_a_bot(writer: Customer, chats: Chats) -> None:
    writer.asks_for_a_person()
    chat = chats.wait_for(writer)
    chats.agent(
        chat, "says", id=4, name="Task VA", virtual=True, text="I collect your order number."
    )
    writer.server.wait_until(lambda: "I collect your order number." in writer.texts())
    row = next(
        row for row in writer.rows() if row["body"].get("text") == "I collect your order number."
    )
    assert row["body"]["representative"]["representativeType"] == "BOT"
    assert writer.phase() == "QUEUED"


def test_a_photo_of_an_agent_is_a_link_for_the_customer(writer: Customer, chats: Chats) -> None:
    writer.asks_for_a_person()
    chat = chats.wait_for(writer)
    data = base64.b64encode(b"GIF89a a picture").decode()
    assert chats.agent(chat, "attaches", **JANE, mime_type="image/gif", data=data) == 200
    writer.wait_for("HUMAN")
    (link,) = re.findall(r"/relay_media/[^\s\"]+", json.dumps(writer.rows()))
    assert writer.server.send("GET", link).body == "GIF89a a picture"
    assert chats.agent(chat, "ends", **JANE) == 200


def test_a_human_who_comes_another_way_ends_the_chat(writer: Customer, chats: Chats) -> None:
    writer.asks_for_a_person()
    chat = chats.wait_for(writer)
    assert writer.post(":claim", "dev-agent", representative={"displayName": "Ben"}).status == 200
    writer.server.wait_until(lambda: any(row["kind"] == "finished" for row in chats.rows(chat)))
    writer.says("Hello Ben")
    assert writer.phase() == "HUMAN"
    assert chats.heard(chat) == []


def _session(server: LocalServer, chat: int, login: str, **state: Any) -> int:
    headers = {"authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    body = json.dumps({"chat_id": chat, **state}).encode()
    return server.send("POST", "/receive_webhook/ccai", body, headers).status


def test_a_session_event_says_that_an_agent_was_assigned(writer: Customer, chats: Chats) -> None:
    writer.asks_for_a_person()
    chat = chats.wait_for(writer)
    login = f"{CCAI_EVENTS_USER}:{CCAI_EVENTS_PASSWORD}"
    person = {"type": "agent", "state": "accepted", "name": "Jane Doe"}
    assert (
        _session(writer.server, chat, "guess:guess", state="assigned", participants=[person]) == 401
    )
    for state in ("assigned", "active"):
        assert _session(writer.server, chat, login, state=state, participants=[person]) == 200
    chats.agent(chat, "says", text="Hello", **JANE)
    writer.wait_for("HUMAN")
    _is_sound(writer, "Jane Doe")
    assert sum(row["kind"] == "event" for row in writer.rows()) == 1


def test_an_unsigned_or_forged_webhook_is_refused(desk_server: LocalServer) -> None:
    body = b'{"event_type": "chat_ended", "chat_id": 1001}'
    assert desk_server.send("POST", "/receive_webhook/ccai", body).status == 401
    forged = {"x-signature": "primary=AAAA", "x-signature-timestamp": "2026-04-10T09:30:05Z"}
    assert desk_server.send("POST", "/receive_webhook/ccai", body, forged).status == 401


@pytest.fixture(scope="module")
def impatient(
    new_server: NewServer, told: Team, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalServer]:
    """A local run that waits for its desks for two seconds; customers of CSKU are flagged there."""
    desks = [
        {"name": "support", "kind": "ccai", "channels": list(CHANNELS)},
        {"name": "people", "kind": "csku"},
    ]
    environment = {
        "BATON_DESKS": json.dumps(desks),
        "UNCLAIMED_AFTER": "1",
        "UNCLAIMED_REMINDERS": "1",
        "CSKU_NEED_HUMAN": "true",
        "TEAM_WEBHOOK_URL": told.url,
        "TEAM_WEBHOOK_SECRET": CRM_COMMENT_SECRET,
    }
    with new_server(tmp_path_factory.mktemp("impatient"), environment) as running:
        yield running


@pytest.mark.parametrize(
    "faults", [{}, {"server_error": 1}, {"drop_after": 1}], ids=["nobody", "broken", "silent"]
)
def test_a_desk_that_never_answers_is_told_to_the_customer_each_time_and_to_the_team_once(
    impatient: LocalServer, told: Team, faults: dict[str, float]
) -> None:
    customer, chats = Customer.on(impatient, "business_messages"), Chats(impatient)
    chats.faults(**faults)
    for count in (1, 2):
        customer.asks_for_a_person()
        customer.wait_for("BOT")
        impatient.wait_until(
            lambda count=count: told.failures(customer.conversation) == count  # type: ignore[misc]
        )
        impatient.wait_until(lambda count=count: _apologies(customer) >= count)  # type: ignore[misc]
        assert _apologies(customer) == count
    chats.faults()
    _is_sound(customer)
    expected = ["handoff.requested", "handoff.unclaimed", "handoff.failed"] * 2
    impatient.wait_until(lambda: len(told.told(customer.conversation)) >= len(expected))
    assert told.told(customer.conversation) == expected
    assert all(
        any(row["kind"] == "finished" for row in chats.rows(chat)) for chat in chats.of(customer)
    )


def _apologies(customer: Customer) -> int:
    """Returns how often the customer was sent an apology so far, whatever else still waits for the
    desk.
    """
    rows = customer.server.get(f"/sim/{customer.platform}/customers/{customer.key}")["transcript"]
    return sum(
        row["body"].get("text", "").startswith(NOBODY) for row in rows if row["side"] == "business"
    )


def test_a_conversation_of_csku_is_flagged_when_a_human_is_requested(
    impatient: LocalServer,
) -> None:
    native = f"conv_{uuid.uuid4().hex[:8]}"
    message = {"id": "m-1", "content": {"type": "text", "text": "Halo"}}
    body = {
        "event": "channel.message_in",
        "timestamp": 1738056000,
        "conversation_id": native,
        "message": message,
    }
    secret = {"authorization": CSKU_SECRET}
    assert (
        impatient.send("POST", "/receive_webhook/csku", json.dumps(body).encode(), secret).status
        == 200
    )
    key = {"authorization": "Bearer dev-bot"}
    path = f"{API}/csku:{native}:requestHuman"
    assert impatient.send("POST", path, b'{"reason": "billing"}', key).status == 200
    impatient.wait_until(lambda: native in impatient.get("/sim/csku/flagged")["flagged"])
