"""An erase at a real homeserver: what it has stored of the rooms afterwards."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functions.desk import API, Customer
from tests.homeserver.stage import Stage, staged

SECRETS = ("my secret", "your secret", "Hi, I have a problem", "Ana")


@pytest.fixture(scope="module")
def stage(synapse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(synapse, tmp_path_factory.mktemp("erase")) as one:
        yield one


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
