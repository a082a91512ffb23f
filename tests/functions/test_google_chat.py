"""A desk at Google Chat over HTTP: from the customer's phone to a thread and back, on every
channel. The desk's row names no space: a local run has one.
"""

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from infra.local.server import LocalServer
from tests.functions.conftest import NewServer
from tests.functions.desk import CHANNELS, Customer
from tests.functions.threads import Threads
from tests.vendors.google_chat import judge_message

DESKS = [{"name": "chat", "kind": "google_chat"}]
PEOPLE = {"jane@example.com": {"name": "Jane Doe"}}


@pytest.fixture(scope="module")
def server(
    new_server: NewServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalServer]:
    environment = {"BATON_DESKS": json.dumps(DESKS), "BATON_AGENTS": json.dumps(PEOPLE)}
    with new_server(tmp_path_factory.mktemp("google_chat"), environment) as running:
        yield running


@pytest.fixture
def threads(server: LocalServer) -> Threads:
    return Threads(server, "google_chat")


def test_people_answer_three_customers_in_threads(server: LocalServer, threads: Threads) -> None:
    customers = [Customer.on(server, channel) for channel in CHANNELS]
    before = set(threads.all())
    for one in customers:
        one.asks_for_a_person()
    server.wait_until(lambda: all(map(threads.of, customers)))
    opened = {one: threads.of(one) for one in customers}
    assert sorted(opened.values()) == sorted(set(threads.all()) - before)
    for customer, thread in opened.items():
        request = threads.messages(thread)[0]
        assert judge_message(request).cards_v2[0].card.header.title
        assert "Hi, I have a problem" in json.dumps(request["cardsV2"])
        # Tom claims and speaks; Jane has the address of a person of ours, and their name.
        assert threads.acts(thread, name="Tom", press="Claim") == 200
        customer.wait_for("HUMAN")
        assert threads.acts(thread, name="Tom", text="One moment") == 200
        assert threads.acts(thread, name="Tom", text="Who has this?", mention=False) == 200
        jane = {"name": "J.", "email": "Jane@example.com"}
        assert threads.acts(thread, **jane, text="Hi <there> & welcome") == 200
        customer.says("Thank you")
        server.wait_until(
            lambda: "Thank you" in threads.messages(thread)[-1]["text"]  # noqa: B023
        )
        for who in ({"name": "Tom"}, jane):
            server.wait_until(
                lambda: threads.acts(thread, **who, press="Release") == 200  # noqa: B023
            )
        customer.wait_for("BOT")
        assert [one for one in customer.texts(("Tom", "Jane Doe")) if "welcome" in one]
        said = [entry for entry in customer.journal() if entry["kind"] == "human_message"]
        assert [(one["representative"]["displayName"], one["text"]) for one in said] == [
            ("Tom", "One moment"),
            ("Jane Doe", "Hi <there> & welcome"),
        ]


def test_what_nobody_can_do_there_is_refused(server: LocalServer, threads: Threads) -> None:
    assert threads.acts("AAAA~T99999", name="Tom", text="Hi") == 404
    customer = Customer.on(server, "business_messages")
    customer.asks_for_a_person()
    server.wait_until(lambda: bool(threads.of(customer)))
    thread = threads.of(customer)
    assert threads.acts(thread, text="Hi") == 404
    assert threads.acts(thread, name="Tom", press="Nobody available at all") == 409


def test_a_customers_file_is_a_link_that_opens_and_cannot_be_changed(
    server: LocalServer, threads: Threads
) -> None:
    customer = Customer.on(server, "whatsapp")
    customer.asks_for_a_person()
    server.wait_until(lambda: bool(threads.of(customer)))
    path = f"/sim/whatsapp/customers/{quote(customer.key)}/media?kind=document&filename=a.pdf"
    sent = server.send("POST", path, b"%PDF-1.7 the bill", {"content-type": "application/pdf"})
    assert sent.status == 200, sent.body
    server.wait_until(lambda: bool(links_in(threads, threads.of(customer))))
    (link,) = links_in(threads, threads.of(customer))
    assert server.send("GET", link).body == "%PDF-1.7 the bill"
    assert (
        server.send("GET", f"{link[:-2]}{'B' if link[-2] == 'A' else 'A'}{link[-1]}").status == 404
    )


def links_in(threads: Threads, thread: str) -> list[str]:
    texts = " ".join(one.get("text", "") for one in threads.messages(thread))
    return re.findall(r"/relay_media/[\w-]+", texts)
