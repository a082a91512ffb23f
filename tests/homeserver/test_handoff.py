"""The scripted handoff on every channel, at a real homeserver, answered by people in a real
client, and what an erase leaves of it.
"""

from __future__ import annotations

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from shared.desks.work import HINTS
from tests.functions.desk import API, CHANNELS, Customer
from tests.homeserver.stored import stored
from tests.kill.judge import faults
from tests.kill.people import PEOPLE
from tests.kill.story import PIXEL

if TYPE_CHECKING:
    from tests.homeserver.person import Person
    from tests.homeserver.stage import Stage


def sends_picture(customer: Customer) -> None:
    path = f"/sim/{customer.platform}/customers/{quote(customer.key)}/media?kind=image"
    answer = customer.server.send("POST", path, PIXEL, {"content-type": "image/png"})
    assert answer.status == 200, answer.body


def pictures(customer: Customer) -> list[dict[str, Any]]:
    """Returns the files that the phone has shown of the business."""
    rows = [row for row in customer.rows() if row["side"] == "business"]
    return [file for row in rows for file in row["body"].get("files", [])]


def waits_for(customer: Customer, text: str) -> None:
    customer.server.wait_until(lambda: any(text in one for one in customer.texts(NAMES)))


NAMES = list(PEOPLE.values())


def served(stage: Stage, customer: Customer, person: Person) -> None:
    """The whole handoff, from the customer's first words to the bot again."""
    customer.asks_for_a_person()
    room = stage.room_of(customer)
    person.accepts(room)
    customer.wait_for("HUMAN")
    person.waits_to_hear(room, "Hi, I have a problem")
    displayed = PEOPLE[person.name]
    hello = person.says(room, f"Hello, I am {displayed}.")
    waits_for(customer, f"Hello, I am {displayed}.")
    about = f"It is about my order {customer.key}"
    customer.says(about)
    heard = person.waits_to_hear(room, about)
    assert customer.post("/messages", "dev-bot", messageId="b-1", text="I talk.").status == 409
    person.reads(room, heard.event)
    person.types(room)
    person.sends_file(room, "pixel.png", "image/png", PIXEL)
    customer.server.wait_until(lambda: [one["size"] for one in pictures(customer)] == [len(PIXEL)])
    sends_picture(customer)
    if customer.platform == "business_messages":  # its pictures are links
        person.waits_to_hear(room, "/sim/business_messages/v1/media/")
    else:
        assert person.downloads(person.waits_to_see(room, "m.image").media) == PIXEL
    person.reacts(room, heard.event, "👍")
    person.replies(room, heard.event, "I look it up.")
    waits_for(customer, "I look it up.")
    person.edits(room, hello, f"Hello, this is {displayed}.")
    waits_for(customer, f"Hello, this is {displayed}.")
    person.leaves(room)
    customer.wait_for("BOT")
    customer.server.wait_until_quiet(customer.conversation)
    assert faults(customer, stored(stage.homeserver, stage.chats_of(customer))) == []


def test_three_customers_on_three_channels_are_served_at_once(stage: Stage) -> None:
    customers = [Customer.on(stage.baton, channel) for channel in CHANNELS]
    people = [stage.person(name) for name in PEOPLE]
    with ThreadPoolExecutor() as threads:
        for done in [
            threads.submit(served, stage, customer, person)
            for customer, person in zip(customers, people, strict=True)
        ]:
            done.result()


def test_what_a_customer_changes_deletes_and_reacts_to_is_so_in_the_room(stage: Stage) -> None:
    customer, jane = Customer.on(stage.baton, "whatsapp"), stage.person("jane")
    customer.asks_for_a_person()
    room = stage.room_of(customer)
    jane.accepts(room)
    customer.wait_for("HUMAN")
    jane.says(room, "What is it about?")
    waits_for(customer, "What is it about?")
    customer.do("messages", text="My ordr", messageId="wamid.first")
    customer.do("messages", text="A secret", messageId="wamid.second")
    jane.waits_to_hear(room, "A secret")
    base = f"/sim/whatsapp/customers/{quote(customer.key)}"
    send = customer.server.send
    asked = next(row for row in customer.rows() if "What is it" in json.dumps(row["body"]))
    reaction = json.dumps({"message": asked["id"], "emoji": "👍"}).encode()
    assert send("PATCH", f"{base}/messages/wamid.first", b'{"text": "My order"}').status == 200
    assert send("DELETE", f"{base}/messages/wamid.second").status == 200
    assert send("POST", f"{base}/reactions", reaction).status == 200
    jane.waits_to_hear(room, "My order")

    def is_so() -> bool:
        events = jane.timeline(room)
        liked = [one for one in events if one["type"] == "m.reaction"]
        return len(liked) == 1 and not {"My ordr", "A secret"} & set(jane.heard(room))

    stage.baton.wait_until(is_so)
    jane.leaves(room)
    customer.wait_for("BOT")
    assert faults(customer, stored(stage.homeserver, [room])) == []


def test_who_deletes_a_message_hears_that_the_customer_has_it_and_a_reaction_is_taken_back(
    stage: Stage,
) -> None:
    customer, jane = Customer.on(stage.baton, "whatsapp"), stage.person("jane")
    customer.asks_for_a_person()
    room = stage.room_of(customer)
    jane.accepts(room)
    customer.wait_for("HUMAN")
    said = jane.says(room, "Your card is 4711")
    waits_for(customer, "Your card is 4711")
    customer.says("Thank you")
    reaction = jane.reacts(room, jane.waits_to_hear(room, "Thank you").event, "👍")
    stage.baton.wait_until(lambda: "👍" in json.dumps(customer.rows(), ensure_ascii=False))
    before = len(customer.rows())
    jane.redacts(room, reaction)
    stage.baton.wait_until(lambda: len(customer.rows()) == before + 1)
    jane.redacts(room, said)
    jane.waits_to_hear(room, HINTS["deleted"])
    assert len(customer.rows()) == before + 1
    jane.leaves(room)
    customer.wait_for("BOT")
    assert jane.heard(room).count(HINTS["deleted"]) == 1


def test_typing_and_receipts_travel_both_ways(stage: Stage) -> None:
    customer, jane = Customer.on(stage.baton, "rcs"), stage.person("jane")
    customer.asks_for_a_person()
    room = stage.room_of(customer)
    jane.accepts(room)
    customer.wait_for("HUMAN")
    said = jane.says(room, "How can I help?")
    waits_for(customer, "How can I help?")
    native = next(row["id"] for row in customer.rows() if "How can I" in json.dumps(row["body"]))
    customer.do("status", isTyping=True)
    jane.until(lambda: jane.typing.get(room))
    customer.do("status", read=native)
    jane.until(lambda: said in jane.read.get(room, {}).values())
    customer.do("messages", text="Read this", messageId="read-this")
    heard = jane.waits_to_hear(room, "Read this")
    phone = f"/sim/rcs/customers/{quote(customer.key)}"
    jane.types(room)
    stage.baton.wait_until(lambda: stage.baton.get(phone)["typing"] is not None)
    jane.reads(room, heard.event)
    stage.baton.wait_until(
        lambda: ("receipt", "read-this") in [(row["kind"], row["id"]) for row in customer.rows()]
    )
    jane.leaves(room)
    customer.wait_for("BOT")


def test_a_room_is_closed_where_its_handoff_is_not_needed_any_more(stage: Stage) -> None:
    """Somebody answers elsewhere before anybody has come."""
    customer = Customer.on(stage.baton, "rcs")
    customer.asks_for_a_person()
    room = stage.room_of(customer)
    ben = {"displayName": "Ben"}
    assert customer.post(":claim", "dev-agent", representative=ben).status == 200
    customer.server.wait_until_quiet(customer.conversation)
    events = stage.homeserver.events(room)
    assert [one["type"] for one in events].count("m.room.tombstone") == 1
    assert [one for one in customer.journal() if one["outcome"] == "failed"] == []


def test_what_the_homeserver_repeats_reaches_the_customer_once(stage: Stage) -> None:
    """The functions are down while Jane writes, so the homeserver sends its transactions again."""
    customer, jane = Customer.on(stage.baton, "rcs"), stage.person("jane")
    customer.asks_for_a_person()
    room = stage.room_of(customer)
    jane.accepts(room)
    customer.wait_for("HUMAN")
    stage.baton.stop()
    for number in range(3):
        jane.says(room, f"Sentence {number}")
    stage.baton.start()
    stage.retries()
    for number in range(3):
        waits_for(customer, f"Sentence {number}")
    jane.leaves(room)
    customer.wait_for("BOT")
    assert faults(customer, stored(stage.homeserver, [room])) == []


def test_a_homeserver_that_is_down_gets_all_words_in_order_afterwards(stage: Stage) -> None:
    customer, jane = Customer.on(stage.baton, "whatsapp"), stage.person("jane")
    customer.asks_for_a_person()
    room = stage.room_of(customer)
    jane.accepts(room)
    customer.wait_for("HUMAN")
    stage.homeserver.stop(signal.SIGTERM)
    words = [f"Words {number} of {customer.key}" for number in range(3)]
    for text in words:
        customer.says(text)
    time.sleep(1)  # some tries fail
    stage.homeserver.start()
    jane.waits_to_hear(room, words[-1])
    assert [text for text in jane.heard(room) if text in words] == words
    jane.leaves(room)
    customer.wait_for("BOT")
    assert faults(customer, stored(stage.homeserver, [room])) == []


SECRETS = ("my secret", "your secret", "Hi, I have a problem", "Ana")


@pytest.mark.parametrize("is_over", [False, True], ids=["open", "over"])
def test_an_erase_leaves_no_word_in_the_room(stage: Stage, is_over: bool) -> None:
    customer, jane = Customer.on(stage.baton, "whatsapp"), stage.person("jane")
    customer.asks_for_a_person()
    room = stage.room_of(customer)
    jane.accepts(room)
    customer.wait_for("HUMAN")
    customer.says("my secret")
    heard = jane.waits_to_hear(room, "my secret")
    jane.reacts(room, heard.event, "👍")
    jane.says(room, "your secret")
    customer.server.wait_until(lambda: "your secret" in json.dumps(customer.journal()))
    if is_over:
        jane.leaves(room)
        customer.wait_for("BOT")
    customer.server.wait_until_quiet(customer.conversation)
    stored = json.dumps([one["content"] for one in stage.homeserver.events(room)])
    assert all(one in stored for one in SECRETS)
    path = f"{API}/{customer.conversation}"
    answer = customer.server.send("DELETE", path, b"", {"authorization": "Bearer dev-admin"})
    assert answer.status == 200, answer.body
    left = json.dumps([one["content"] for one in stage.homeserver.events(room)])
    assert [one for one in SECRETS if one in left] == []
