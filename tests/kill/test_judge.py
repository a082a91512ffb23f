"""The judge of handoffs finds what is wrong."""

from typing import Any

import pytest

from tests.homeserver.server import spoken, user_id
from tests.homeserver.stored import said_by_people
from tests.kill.judge import one_way, wrote_on

JANE, GHOST = user_id("jane"), "@baton_1:localhost"


def event(name: str, text: str, sender: str = JANE, **more: Any) -> dict[str, Any]:
    content = {"msgtype": "m.text", "body": text, **more}
    return {"event_id": name, "type": "m.room.message", "sender": sender, "content": content}


def edit(of: str, text: str, sender: str = JANE) -> dict[str, Any]:
    relation = {"rel_type": "m.replace", "event_id": of}
    new = {"msgtype": "m.text", "body": text}
    return event("$edit", f"* {text}", sender, **{"m.relates_to": relation, "m.new_content": new})


@pytest.mark.parametrize(
    ("shown", "faults"),
    [
        (["a", "bot", "b"], 0),
        (["a"], 1),
        (["b", "a"], 1),
        (["a", "b", "b"], 1),
    ],
)
def test_words_that_are_lost_doubled_or_out_of_order_are_found(
    shown: list[str], faults: int
) -> None:
    assert len(one_way(["a", "b"], shown, lost=False)) == faults


def test_after_a_kill_of_the_homeserver_words_may_be_lost_and_not_doubled() -> None:
    assert one_way(["a", "b"], ["b"], lost=True) == []
    assert len(one_way(["a", "b"], ["b", "b"], lost=True)) == 1


def test_words_that_were_sent_again_later_are_all_there_in_any_order() -> None:
    assert one_way(["a", "b"], ["b", "a"], late=True) == []
    assert len(one_way(["a", "b"], ["b"], late=True)) == 1
    assert len(one_way(["a", "b"], ["b", "a", "b"], late=True)) == 1


def test_words_may_be_missing_that_may_have_arrived_and_no_others() -> None:
    for shown in (["a", "b", "c"], ["a", "c"]):
        assert one_way(["a", "b", "c"], shown, unsure=["b"]) == []
    for wrong in (["a", "b"], ["b", "a", "c"], ["a", "b", "b", "c"]):
        assert len(one_way(["a", "b", "c"], wrong, unsure=["b"])) == 1


def test_words_under_another_name_are_found() -> None:
    assert len(one_way([("Jane Doe", "a")], [("Sue Park", "a")])) == 1


def test_an_edit_counts_where_it_comes_from_who_wrote_the_message() -> None:
    events = [event("$1", "Helo"), edit("$1", "Hello"), edit("$1", "Bye", GHOST)]
    assert [one.text for one in spoken(events)] == ["Hello"]
    assert said_by_people(events) == [("Jane Doe", "Helo"), ("Jane Doe", "[edited] Hello")]


def test_a_message_that_was_redacted_stays_redacted() -> None:
    gone = {**event("$1", ""), "unsigned": {"redacted_because": {}}}
    assert [one.redacted for one in spoken([gone, edit("$1", "Hello")])] == [True]


def test_what_a_customer_wrote_is_what_their_phone_shows_now() -> None:
    rows: list[dict[str, Any]] = [
        {"seq": 1, "side": "customer", "kind": "message", "id": "0", "body": {"text": "before"}},
        {"seq": 2, "side": "customer", "kind": "status", "id": "s", "body": {}},
        {"seq": 3, "side": "customer", "kind": "message", "id": "1", "body": {"text": "a"}},
        {"seq": 4, "side": "customer", "kind": "message", "id": "2", "body": {"text": "b"}},
        {"seq": 5, "side": "customer", "kind": "edit", "id": "3", "body": {"of": "1", "text": "A"}},
        {"seq": 6, "side": "customer", "kind": "revoke", "id": "4", "body": {"of": "2"}},
    ]
    assert wrote_on(rows) == ["A"]
