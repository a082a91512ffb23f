"""A desk on Slack over HTTP: from the customer's phone to a thread and back, on every channel."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.server import LocalServer
from infra.local.simulators.slack import CHANNEL
from tests.functions.conftest import NewServer
from tests.functions.desk import CHANNELS, Customer

DESKS = [{"name": "support", "kind": "slack", "place": CHANNEL}]
PEOPLE = {"jane@example.com": {"name": "Jane Doe"}}


@pytest.fixture(scope="module")
def server(
    new_server: NewServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalServer]:
    environment = {"BATON_DESKS": json.dumps(DESKS), "BATON_AGENTS": json.dumps(PEOPLE)}
    with new_server(tmp_path_factory.mktemp("slack"), environment) as running:
        yield running


def threads(server: LocalServer) -> list[str]:
    found: list[str] = server.get("/sim/slack/threads")["threads"]
    return found


def messages(server: LocalServer, thread: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get(f"/sim/slack/threads/{thread}")["messages"]
    return found


def acts(server: LocalServer, thread: str, **what: str | bool) -> int:
    raw = json.dumps(what).encode()
    return server.send("POST", f"/sim/slack/threads/{thread}/people", raw).status


def thread_of(customer: Customer) -> str:
    """Returns the thread that is linked to a customer, an empty text if none is."""
    links = [one for one in customer.state().get("links", []) if one.startswith("slack:")]
    return links[-1].removeprefix("slack:") if links else ""


def test_people_answer_three_customers_in_threads(server: LocalServer) -> None:
    customers, before = [Customer.on(server, one) for one in CHANNELS], set(threads(server))
    for one in customers:
        one.asks_for_a_person()
    server.wait_until(lambda: all(map(thread_of, customers)))
    opened = {one: thread_of(one) for one in customers}
    assert sorted(opened.values()) == sorted(set(threads(server)) - before)
    for customer, thread in opened.items():
        shown = [one["text"] for one in messages(server, thread)]
        assert any("Hi, I have a problem" in text for text in shown)
        # Tom claims and speaks; Jane has the address of a person of ours, and their name.
        assert acts(server, thread, name="Tom", press="baton_claim") == 200
        customer.wait_for("HUMAN")
        assert acts(server, thread, name="Tom", text="One moment") == 200
        jane = {"name": "J.", "email": "Jane@example.com"}
        assert acts(server, thread, **jane, text="Hi <there> & welcome") == 200
        customer.says("Thank you")
        server.wait_until(
            lambda: messages(server, thread)[-1]["text"] == "Thank you"  # noqa: B023
        )
        for who in ({"name": "Tom"}, jane):
            server.wait_until(
                lambda: acts(server, thread, **who, press="baton_release") == 200  # noqa: B023
            )
        customer.wait_for("BOT")
        assert [one for one in customer.texts(("Tom", "Jane Doe")) if "welcome" in one]
        said = [entry for entry in customer.journal() if entry["kind"] == "human_message"]
        assert [(one["representative"]["displayName"], one["text"]) for one in said] == [
            ("Tom", "One moment"),
            ("Jane Doe", "Hi <there> & welcome"),
        ]


def test_a_reaction_of_a_person_is_shown_where_the_channel_shows_reactions(
    server: LocalServer,
) -> None:
    customer = Customer.on(server, "whatsapp")
    customer.asks_for_a_person()
    server.wait_until(lambda: bool(thread_of(customer)))
    thread = thread_of(customer)
    assert acts(server, thread, name="Tom", press="baton_claim") == 200
    customer.wait_for("HUMAN")
    customer.says("It works now")
    server.wait_until(lambda: messages(server, thread)[-1]["text"] == "It works now")
    ts = messages(server, thread)[-1]["ts"]
    assert acts(server, thread, name="Sue", react="heart", to=ts) == 200  # she is not here
    assert acts(server, thread, name="Tom", react="tada", to=ts) == 200
    assert acts(server, thread, name="Tom", react="party_parrot", to=ts) == 200
    server.wait_until(lambda: "\N{PARTY POPPER}" in str(reactions(customer)))
    assert acts(server, thread, name="Tom", react="tada", to=ts, added=False) == 200
    server.wait_until(lambda: len(reactions(customer)) == 2)
    assert "\N{HEAVY BLACK HEART}" not in str(reactions(customer))


def reactions(customer: Customer) -> list[dict[str, Any]]:
    return [row for row in customer.rows() if "reaction" in json.dumps(row)]
