"""A desk on Slack over HTTP: from the customer's phone to a thread and back, on every channel."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.server import LocalServer
from infra.local.simulators.slack import CHANNEL
from tests.functions.conftest import NewServer
from tests.functions.desk import CHANNELS, Customer
from tests.functions.threads import Threads

DESKS = [{"name": "support", "kind": "slack", "place": CHANNEL}]
PEOPLE = {"jane@example.com": {"name": "Jane Doe"}}


@pytest.fixture(scope="module")
def server(
    new_server: NewServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalServer]:
    environment = {"BATON_DESKS": json.dumps(DESKS), "BATON_AGENTS": json.dumps(PEOPLE)}
    with new_server(tmp_path_factory.mktemp("slack"), environment) as running:
        yield running


@pytest.fixture
def threads(server: LocalServer) -> Threads:
    return Threads(server, "slack")


def test_people_answer_three_customers_in_threads(server: LocalServer, threads: Threads) -> None:
    customers, before = [Customer.on(server, one) for one in CHANNELS], set(threads.all())
    for one in customers:
        one.asks_for_a_person()
    server.wait_until(lambda: all(map(threads.of, customers)))
    opened = {one: threads.of(one) for one in customers}
    assert sorted(opened.values()) == sorted(set(threads.all()) - before)
    for customer, thread in opened.items():
        shown = [one["text"] for one in threads.messages(thread)]
        assert any("Hi, I have a problem" in text for text in shown)
        # Tom claims and speaks; Jane has the address of a person of ours, and their name.
        assert threads.acts(thread, name="Tom", press="baton_claim") == 200
        customer.wait_for("HUMAN")
        assert threads.acts(thread, name="Tom", text="One moment") == 200
        jane = {"name": "J.", "email": "Jane@example.com"}
        assert threads.acts(thread, **jane, text="Hi <there> & welcome") == 200
        customer.says("Thank you")
        server.wait_until(
            lambda: threads.messages(thread)[-1]["text"] == "Thank you"  # noqa: B023
        )
        for who in ({"name": "Tom"}, jane):
            server.wait_until(
                lambda: threads.acts(thread, **who, press="baton_release") == 200  # noqa: B023
            )
        customer.wait_for("BOT")
        assert [one for one in customer.texts(("Tom", "Jane Doe")) if "welcome" in one]
        said = [entry for entry in customer.journal() if entry["kind"] == "human_message"]
        assert [(one["representative"]["displayName"], one["text"]) for one in said] == [
            ("Tom", "One moment"),
            ("Jane Doe", "Hi <there> & welcome"),
        ]


def test_a_reaction_of_a_person_is_shown_where_the_channel_shows_reactions(
    server: LocalServer, threads: Threads
) -> None:
    customer = Customer.on(server, "whatsapp")
    customer.asks_for_a_person()
    server.wait_until(lambda: bool(threads.of(customer)))
    thread = threads.of(customer)
    assert threads.acts(thread, name="Tom", press="baton_claim") == 200
    customer.wait_for("HUMAN")
    customer.says("It works now")
    server.wait_until(lambda: threads.messages(thread)[-1]["text"] == "It works now")
    ts = threads.messages(thread)[-1]["ts"]
    assert threads.acts(thread, name="Sue", react="heart", to=ts) == 200  # she is not here
    assert threads.acts(thread, name="Tom", react="tada", to=ts) == 200
    assert threads.acts(thread, name="Tom", react="party_parrot", to=ts) == 200
    server.wait_until(lambda: "\N{PARTY POPPER}" in str(reactions(customer)))
    assert threads.acts(thread, name="Tom", react="tada", to=ts, added=False) == 200
    server.wait_until(lambda: len(reactions(customer)) == 2)
    assert "\N{HEAVY BLACK HEART}" not in str(reactions(customer))


def reactions(customer: Customer) -> list[dict[str, Any]]:
    return [row for row in customer.rows() if "reaction" in json.dumps(row)]
