"""The Task_VA events and the Dialogflow payload `ujet`, as their pages write them and as they
really may come.
"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.errors import BadRequest
from shared.platforms.bodies import validate
from shared.schemas.conversation import Conversation
from shared.schemas.variables import (
    DEEPEST,
    Action,
    Audience,
    Provenance,
    SessionVariable,
    TaskVirtualAgent,
    Ujet,
    Variable,
)
from shared.stores.documents import from_conversation, to_conversation

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REFERENCE: dict[str, Any] = {
    "chat_id": 103646,
    "campaign_id": 1432,
    "campaign_name": "Survey Movie",
    "virtual_agent_id": 1,
    "virtual_agent_name": "name",
    "participant_id": 1,
    "queue_id": 8469,
    "queue_path": "Developers / James",
    "queue_language_id": "en",
    "session_type": "Messaging Inbound (SMS)",
    "conversation_id": "12345",
    "session_id": "78534G4RT4284",
    "timestamp": "1727853575",
    "finish_reason": "Task VA failed",
    "data_parameters": {"param1": "one", "param2": "two"},
    "captured_variables": [
        {
            "intent_name": None,
            "variables": {"testkey": "testvalue"},
            "captured_at": "2024-11-15 16:46:31 UTC",
            "timestamp": "1727853575",
        }
    ],
}


def test_every_field_of_the_reference_is_kept() -> None:
    task = TaskVirtualAgent.model_validate(REFERENCE)
    assert set(REFERENCE) | {"call_id", "unread"} == set(TaskVirtualAgent.model_fields)
    assert all(getattr(task, name) is not None for name in REFERENCE)
    assert task.timestamp == datetime(2024, 10, 2, 7, 19, 35, tzinfo=UTC)
    assert task.captured_variables[0].captured_at == datetime(2024, 11, 15, 16, 46, 31, tzinfo=UTC)
    assert task.native == "chat-103646"


@pytest.mark.parametrize("name", sorted(set(REFERENCE) - {"chat_id", "captured_variables"}))
def test_what_is_optional_may_be_left_out_or_null(name: str) -> None:
    left_out = {key: value for key, value in REFERENCE.items() if key != name}
    assert TaskVirtualAgent.model_validate(left_out) == TaskVirtualAgent.model_validate(
        {**REFERENCE, name: None}
    )


def test_a_call_has_a_call_id_and_nothing_more_is_needed() -> None:
    assert TaskVirtualAgent.model_validate({"call_id": 7}).native == "call-7"
    assert TaskVirtualAgent.model_validate({"call_id": 7, "chat_id": None}).native == "call-7"


def test_an_unknown_field_passes() -> None:
    assert (
        TaskVirtualAgent.model_validate({**REFERENCE, "new": {"of": "tomorrow"}}).chat_id == 103646
    )


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"chat_id": None}, id="neither chat nor call"),
        pytest.param({"call_id": 7}, id="both chat and call"),
        pytest.param({"chat_id": "../x"}, id="text for an id"),
        pytest.param({"chat_id": True}, id="a truth for an id"),
        pytest.param({"chat_id": -1}, id="a negative id"),
        pytest.param({"chat_id": 1.5}, id="half an id"),
        pytest.param({"chat_id": "9" * 5000}, id="an id without end"),
        pytest.param({"chat_id": 2**63}, id="an id that no database takes"),
        pytest.param({"chat_id": ["s3cret"]}, id="a list for an id"),
    ],
)
def test_what_is_wrong_is_refused_without_a_word_of_its_content(change: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as refused:
        validate(TaskVirtualAgent, {**REFERENCE, **change})
    told = refused.value.message + json.dumps(dict(refused.value.metadata))
    assert not [word for word in ("s3cret", "testvalue", "../x") if word in told]
    assert "chat_id" in told


def str_of(value: Any) -> str:
    return "a number without end" if isinstance(value, int) and value > 2**80 else repr(value)


@pytest.mark.parametrize("name", sorted(set(REFERENCE) - {"chat_id"}))
@pytest.mark.parametrize(
    "odd",
    [
        None,
        "",
        "12",
        12,
        12.0,
        1.5,
        -1,
        2**70,
        10**5000,
        float("inf"),
        True,
        [],
        ["s3cret"],
        {"a": 1},
    ],
    ids=str_of,
)
def test_nothing_but_the_session_is_needed(name: str, odd: Any) -> None:
    assert validate(TaskVirtualAgent, {**REFERENCE, name: odd}).native == "chat-103646"


@pytest.mark.parametrize("given", [7, "7", " 7 ", "007", 7.0], ids=repr)
def test_the_number_of_a_session_may_come_as_a_text(given: Any) -> None:
    assert validate(TaskVirtualAgent, {"chat_id": given}).native == "chat-7"
    assert validate(TaskVirtualAgent, {"call_id": given, "chat_id": ""}).native == "call-7"
    assert validate(TaskVirtualAgent, {"call_id": given, "chat_id": "none"}).native == "call-7"


def test_numbers_and_texts_stand_for_each_other() -> None:
    texts = {
        "campaign_id": "1432",
        "virtual_agent_id": "1",
        "participant_id": "1",
        "queue_id": "8469",
    }
    numbers = {"conversation_id": 12345.0, "timestamp": 1727853575}
    swapped = validate(TaskVirtualAgent, {**REFERENCE, **texts, **numbers})
    assert swapped == validate(TaskVirtualAgent, REFERENCE)


def test_what_can_be_read_of_the_captures_counts_and_the_rest_is_named_by_its_place() -> None:
    captures = [
        {"variables": {"one": 1}, "intent_name": 7, "captured_at": "soon"},
        {"variables": ["s3cret"]},
        "s3cret",
        {"variables": None},
        {"intent_name": "nothing captured"},
        {"variables": {"two": 2, "s3cret": float("inf")}},
    ]
    task = validate(TaskVirtualAgent, {"chat_id": 1, "captured_variables": captures})
    assert [one.variables for one in task.captured_variables] == [{"one": 1}, {"two": 2}]
    places = [
        "captured_variables.1.variables",
        "captured_variables.2",
        "captured_variables.5.variables",
    ]
    assert [one.field for one in task.unread] == places
    assert "s3cret" not in repr(task.unread)


@pytest.mark.parametrize("nothing", [None, []], ids=repr)
def test_that_nothing_was_captured_is_no_fault(nothing: Any) -> None:
    task = validate(TaskVirtualAgent, {"chat_id": 1, "captured_variables": nothing})
    assert (task.captured_variables, task.unread) == ((), ())


def test_unread_entries_cannot_be_counted() -> None:
    assert (
        validate(
            TaskVirtualAgent, {"chat_id": 1, "unread": [{"field": "x", "expected": "y"}]}
        ).unread
        == ()
    )


def nested(levels: int) -> Any:
    value: Any = "s3cret"
    for _ in range(levels):
        value = {"s3cret": [value]}
    return value


def test_a_value_may_be_nested_and_one_that_no_parser_would_read_again_is_refused() -> None:
    SessionVariable(payload={"k": nested(DEEPEST // 2)}, capture_type=("event",))
    with pytest.raises(BadRequest) as refused:
        validate(
            SessionVariable, {"payload": {"s3cret": nested(DEEPEST)}, "capture_type": ["event"]}
        )
    assert "s3cret" not in refused.value.message


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=8,
)


@given(st.text(st.characters(codec="utf-8")), json_values)
def test_every_value_that_is_taken_is_read_back_from_the_store(key: str, value: Any) -> None:
    taken = SessionVariable(payload={key: value}, capture_type=("event",)).payload or {}
    variable = Variable(
        key=key,
        value=taken[key],
        captured_at=NOW,
        audiences=(Audience.EVENT,),
        provenance=Provenance(signed=False),
    )
    conversation = Conversation(id="ccai:chat-1", address="1", variables=(variable,))
    assert to_conversation(from_conversation(conversation).body) == conversation


@pytest.mark.parametrize(
    "wrong",
    [
        {"capture_type": ["event", "everybody"]},
        {"capture_type": []},
        {"capture_type": "event"},
        {"capture_target": "something"},
        {"payload": None},
        {"capture_target": "end_user_response"},
        {"invisible_to_agent": "key_one"},
    ],
    ids=json.dumps,
)
def test_a_session_variable_that_could_show_too_much_is_refused(wrong: dict[str, Any]) -> None:
    right = {"payload": {"key_one": 1}, "capture_type": ["event"], "capture_target": "payload"}
    SessionVariable.model_validate(right)
    with pytest.raises(ValidationError):
        SessionVariable.model_validate({**right, **wrong})


def test_the_next_reply_of_the_user_is_captured_under_a_name() -> None:
    asked = SessionVariable.model_validate(
        {
            "capture_target": "end_user_response",
            "capture_key": "size",
            "capture_type": ["agent", "data_parameters"],
        }
    )
    assert (asked.capture_key, asked.payload) == ("size", None)


@pytest.mark.parametrize(
    "action",
    [
        {"type": "action", "action": "escalation", "escalation_reason": "by_consumer"},
        {"type": "action", "action": "end"},
        {
            "type": "action",
            "action": "escalation",
            "allow_virtual_agent": True,
            "menu_id": 12,
            "language": "ko",
        },
        {
            "type": "action",
            "action": "direct",
            "agent_extension": 204,
            "fallback_menu": 7,
            "language": "en",
        },
    ],
    ids=lambda action: str(action["action"]),
)
def test_the_action_payloads_are_read(action: dict[str, Any]) -> None:
    assert Action.model_validate(action).model_dump(exclude_none=True) == action


def test_payloads_that_are_none_of_ours_pass() -> None:
    assert (
        Ujet.model_validate({"type": "inline_button", "title": "x", "buttons": []}).session_variable
        is None
    )
