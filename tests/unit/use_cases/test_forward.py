"""Whatever an agent's browser posts is taken or refused, and leaves a conversation that can be
read.
"""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pydantic_core
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.api.views import conversation_view
from shared.browser.forward_variables import Bridge, forward_variables
from shared.delivery.deliver import deliver
from shared.delivery.sweep import sweep
from shared.errors import Unavailable
from shared.handoff.visibility import session_for
from shared.schemas.commands import Comment, Publish
from shared.schemas.http import Request, Response
from shared.schemas.notifications import HANDOFFS, OUTBOX, VARIABLES
from shared.schemas.variables import Audience

KEY, ORIGIN = "k" * 32, "https://crm.test"
BRIDGE = Bridge((KEY,), frozenset({ORIGIN}), script=b"script")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)
CAPTURES = st.lists(
    st.fixed_dictionaries(
        {"variables": st.dictionaries(st.text(), JSON, max_size=3) | JSON},
        optional={"captured_at": JSON | st.just("2024-11-15 16:46:31 UTC"), "intent_name": JSON},
    ),
    max_size=3,
)
DATA = st.fixed_dictionaries(
    {"chat_id": st.integers(0, 3) | JSON},
    optional={
        "timestamp": JSON | st.just("1727853575"),
        "captured_variables": CAPTURES | JSON,
        "conversation_id": JSON,
    },
)
EVENTS = st.fixed_dictionaries(
    {
        "id": st.uuids().map(str) | JSON,
        "type": st.sampled_from(["Task_VA_Joined", "Task_VA_Left", "Task_VA_Variables_Received"])
        | JSON,
        "data": DATA | JSON,
    },
    optional={"seen_at": JSON, "origin": JSON},
)


def request(bench: Any, body: bytes) -> Request:
    claims = {"sub": "jane", "aud": "baton", "exp": bench.clock.now() + timedelta(minutes=5)}
    token = jwt.encode(claims, KEY, algorithm="HS256")
    return Request("POST", "/", body, {"origin": ORIGIN, "authorization": f"Bearer {token}"})


async def post(bench: Any, *events: Any) -> Response:
    return await forward_variables(
        bench.ports, BRIDGE, request(bench, json.dumps({"events": events}).encode())
    )


def event(event_id: str = "e-1", **data: Any) -> dict[str, Any]:
    captured = [{"variables": {"key": "s3cret"}, "captured_at": "2024-11-15 16:46:31 UTC"}]
    own = {"chat_id": 1, "captured_variables": captured, **data}
    return {"id": event_id, "type": "Task_VA_Variables_Received", "data": own}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(events=st.lists(EVENTS, max_size=3))
async def test_any_events_are_taken_or_refused_one_by_one(bench: Any, events: list[Any]) -> None:
    response = await post(bench, *events)
    if response.status == 400:  # JSON knows no NaN
        return
    answer = pydantic_core.from_json(response.body)
    assert (response.status, len(answer["accepted"]) + len(answer["refused"])) == (200, len(events))
    for chat in range(4):
        await bench.store.load(f"ccai:chat-{chat}")
        await deliver(bench.ports, f"ccai:chat-{chat}")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
async def test_any_body_is_answered(bench: Any, body: bytes) -> None:
    response = await forward_variables(bench.ports, BRIDGE, request(bench, body))
    assert response.status in (200, 400, 413)
    assert response.headers["access-control-allow-origin"] == ORIGIN


async def test_a_value_is_in_the_journal_until_it_is_published_and_never_after(bench: Any) -> None:
    await post(bench, event())
    assert "s3cret" in await journal(bench)
    await deliver(bench.ports, "ccai:chat-1")
    assert [body["variables"] for body in bench.publisher.on(VARIABLES)] == [{"key": "s3cret"}]
    assert "s3cret" not in await journal(bench)


async def test_a_value_whose_publication_is_given_up_is_not_kept_in_the_journal_either(
    bench: Any,
) -> None:
    await post(bench, event())
    bench.publisher.fails = 10**6
    bench.clock.forward(timedelta(days=2).total_seconds())
    await deliver(bench.ports, "ccai:chat-1")
    assert bench.publisher.on(VARIABLES) == []
    assert "s3cret" not in await journal(bench)


async def journal(bench: Any) -> str:
    page = await bench.store.journal("ccai:chat-1", None, 100)
    return "".join(entry.value.model_dump_json() for entry in page.items)


async def test_a_log_line_holds_neither_key_nor_value_nor_token(
    bench: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = {"captured_variables": [{"variables": {"s3cret-key": float("1e400")}}]}
    response = await post(
        bench, event(), event("e-2", **hidden), event("e-3", call_id=2), event("s3cret id")
    )
    bench.publisher.fails = 3
    await deliver(bench.ports, "ccai:chat-1")
    await sweep(bench.ports, bench.clock.now() + timedelta(hours=1))
    printed = capsys.readouterr()
    assert "s3cret" not in printed.out + printed.err + str(response.notes)
    assert response.notes == {"accepted": 1, "refused": 3, "incomplete": 0}


async def test_a_wake_up_that_is_lost_is_made_up_for_by_the_sweep(bench: Any) -> None:
    bench.publisher.fails = 1
    assert (await post(bench, event())).status == 200
    bench.clock.forward(60)
    await sweep(bench.ports, None)
    assert {
        "schema_version": 1,
        "conversation": "ccai:chat-1",
        "timers": False,
    } in bench.publisher.on(OUTBOX)


async def test_a_store_that_is_away_is_told_readably_and_the_same_events_count_once_later(
    bench: Any,
) -> None:
    class Away:
        async def load(self, conversation: str, *, fresh: bool = False) -> None:
            raise Unavailable("store-unavailable", "told to fail")

    away = await forward_variables(
        replace(bench.ports, store=Away()),
        BRIDGE,
        request(bench, json.dumps({"events": [event()]}).encode()),
    )
    assert (away.status, away.headers["access-control-allow-origin"]) == (503, ORIGIN)
    for _ in range(2):
        assert pydantic_core.from_json((await post(bench, event())).body) == {
            "accepted": ["e-1"],
            "refused": [],
        }
    await deliver(bench.ports, "ccai:chat-1")
    assert len(bench.publisher.on(VARIABLES)) == 1


async def test_a_browser_that_floods_a_conversation_leaves_room_for_its_messages(
    bench: Any,
) -> None:
    for number in range(30):
        captured = [{"variables": {f"{number}-{one}": "x" * 1000 for one in range(50)}}]
        assert (await post(bench, event(f"e-{number}", captured_variables=captured))).status == 200
    snapshot = await bench.store.load("ccai:chat-1")
    assert len(snapshot.value.model_dump_json()) < 250_000


async def test_each_refusal_says_which_field_it_was_and_what_was_expected(bench: Any) -> None:
    answer = pydantic_core.from_json(
        (
            await post(
                bench,
                event("e-1", chat_id="s3cret"),
                event("e-2"),
                event("e-3", captured_variables=7),
            )
        ).body
    )
    assert answer["accepted"] == ["e-2"]
    assert [(one["id"], one["reason"], one["field"]) for one in answer["refused"]] == [
        ("e-1", "schema", "chat_id"),
        ("e-3", "schema", "captured_variables"),
    ]
    assert "whole number" in answer["refused"][0]["message"]
    assert "list" in answer["refused"][1]["message"]
    assert "s3cret" not in json.dumps(answer)


async def test_of_an_event_that_can_be_read_in_part_that_part_counts(bench: Any) -> None:
    captured = [{"variables": {"key": "s3cret"}}, {"variables": "odd"}]
    answer = pydantic_core.from_json((await post(bench, event(captured_variables=captured))).body)
    assert (answer["accepted"], answer["refused"]) == (["e-1"], [])
    assert [(one["id"], one["field"]) for one in answer["incomplete"]] == [
        ("e-1", "captured_variables.1.variables")
    ]
    await deliver(bench.ports, "ccai:chat-1")
    assert [body["variables"] for body in bench.publisher.on(VARIABLES)] == [{"key": "s3cret"}]


async def test_a_virtual_agent_that_left_counts_with_any_captured_value(bench: Any) -> None:
    left = {**event(captured_variables={"odd": 1}, finish_reason=7), "type": "Task_VA_Left"}
    answer = pydantic_core.from_json((await post(bench, left)).body)
    assert (answer["accepted"], len(answer["incomplete"])) == (["e-1"], 1)
    assert '"virtual_agent_left"' in await journal(bench)


# What is no news.


def captures(*values: Any, key: str = "key", second: int = 31) -> list[dict[str, Any]]:
    """Returns captures of one key, a second apart."""
    times = (f"2024-11-15 16:46:{second + number:02} UTC" for number in range(len(values)))
    return [
        {"variables": {key: value}, "captured_at": time}
        for value, time in zip(values, times, strict=True)
    ]


async def published(bench: Any, *events: tuple[str, list[dict[str, Any]]]) -> list[Any]:
    """Returns what was published and what was written into the CRM record, which must be the
    same.
    """
    ports = replace(bench.ports, policy=replace(bench.ports.policy, comments=True))
    bridge = replace(BRIDGE, audiences=(Audience.EVENT, Audience.COMMENT))
    for number, (kind, captured) in enumerate(events):
        one = {**event(f"e-{number}", captured_variables=captured), "type": kind}
        await forward_variables(
            ports, bridge, request(bench, json.dumps({"events": [one]}).encode())
        )
    page = await bench.store.journal("ccai:chat-1", None, 100)
    bodies = [command for entry in page.items for command in entry.value.commands]
    published = [one.body for one in bodies if isinstance(one, Publish)]
    told = [one["variables"] for one in published if one["type"] == "variables"]
    assert [one.body["variables"] for one in bodies if isinstance(one, Comment)] == told
    return told


LEFT, RECEIVED = "Task_VA_Left", "Task_VA_Variables_Received"
A, B = {"key": "A"}, {"key": "B"}
STORY = captures("A", "B", "A")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([(RECEIVED, captures("A")), (LEFT, captures("A"))], [A]),
        ([(LEFT, captures("A")), (RECEIVED, captures("A"))], [A]),
        ([(RECEIVED, captures("A")), (RECEIVED, captures("A", second=40)), (LEFT, captures("A",
            second=50))], [A]),
        ([(RECEIVED, STORY[:1]), (RECEIVED, STORY[1:2]), (RECEIVED, STORY[2:]), (LEFT, STORY)], [A,
            B, A]),
        ([(RECEIVED, STORY[2:]), (RECEIVED, STORY[1:2]), (RECEIVED, STORY[:1]), (LEFT, STORY)],
            [A]),
        ([(RECEIVED, captures("A")), (LEFT, STORY)], [A]),
        ([(RECEIVED, captures("A")), (LEFT, captures("A", "B"))], [A, B]),
        (
            [(RECEIVED, captures("A")), (LEFT, captures("A") + captures("new", key="other"))],
            [A, {"other": "new"}],
        ),
    ],
    ids=["repeated", "reordered", "captured again", "changed and changed back", "backwards",
        "back where it was",
         "changed at last", "something new beside it"],
)  # fmt: skip
async def test_a_value_is_told_when_it_changes_and_only_then(
    bench: Any, events: Any, expected: Any
) -> None:
    assert await published(bench, *events) == expected


@pytest.mark.parametrize(
    ("before", "after", "is_news"),
    [
        (1, 1.0, False),
        (1, "1", True),
        (1, True, True),
        (0, False, True),
        (None, 0, True),
        (None, None, False),
        ({"a": [1, {"b": None}]}, {"a": [1.0, {"b": None}]}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ({"a": [1, 2]}, {"a": [2, 1]}, True),
        ({"a": 1}, {"a": True}, True),
        ([], {}, True),
        ("A", "a", True),
    ],
)
async def test_values_are_the_same_where_json_says_so(
    bench: Any, before: Any, after: Any, is_news: bool
) -> None:
    told = await published(bench, (RECEIVED, captures(before)), (LEFT, captures(after, second=40)))
    assert len(told) == 1 + is_news


ABOUT = {
    "chat_id": 1,
    "campaign_id": "1432",
    "virtual_agent_name": "Vera",
    "queue_path": "Developers / James",
    "data_parameters": {"tier": "gold", "card": "4111"},
}


def told(kind: str, event_id: str, timestamp: str = "1727853575", **data: Any) -> dict[str, Any]:
    return {"id": event_id, "type": kind, "data": {**ABOUT, "timestamp": timestamp, **data}}


async def sessions_of(bench: Any) -> list[dict[str, Any]]:
    known = (await bench.store.load("ccai:chat-1")).value
    return [session_for(None, one, known.variables) for one in known.virtual_agent_sessions]


async def test_a_session_has_what_all_its_events_named_in_whichever_order_they_come(
    bench: Any,
) -> None:
    left = told("Task_VA_Left", "e-1", "1727853600", finish_reason="done", campaign_id=None)
    joined = told("Task_VA_Joined", "e-2", session_type="Messaging Inbound (SMS)")
    await post(bench, left, joined, told("Task_VA_Variables_Received", "e-3", queue_path="Other"))
    assert await sessions_of(bench) == [
        {
            "chat_id": 1,
            "campaign_id": 1432,
            "virtual_agent_name": "Vera",
            "queue_path": "Developers / James",  # the latest event says so
            "session_type": "Messaging Inbound (SMS)",
            "data_parameters": {"tier": "gold", "card": "4111"},
            "finish_reason": "done",
            "joined_at": "2024-10-02T07:19:35.000000Z",
            "left_at": "2024-10-02T07:20:00.000000Z",
        }
    ]


async def test_the_topic_says_that_a_virtual_agent_joined_and_left(bench: Any) -> None:
    await post(
        bench,
        told("Task_VA_Joined", "e-1"),
        told("Task_VA_Left", "e-2", "1727853600", finish_reason="done"),
    )
    await deliver(bench.ports, "ccai:chat-1")
    bodies = bench.publisher.on(VARIABLES)
    assert [(one["type"], one["variables"]) for one in bodies] == [("joined", {}), ("left", {})]
    for body in bodies:
        assert body["session"]["data_parameters"] == {"tier": "gold", "card": "4111"}
        assert body["provenance"] == {**body["provenance"], "signed": False, "agent": "jane"}
    assert bodies[1]["session"]["finish_reason"] == "done"
    assert "4111" not in await journal(bench)


async def test_parameters_of_a_virtual_agent_reach_only_the_audiences_of_browser_reports(
    bench: Any,
) -> None:
    await post(bench, told("Task_VA_Joined", "e-1"))
    known = (await bench.store.load("ccai:chat-1")).value
    (desk,) = conversation_view(known, 0, agent=True)["virtualAgentSessions"]
    (admin,) = conversation_view(known, 0, agent=True, admin=True)["virtualAgentSessions"]
    assert "dataParameters" not in desk
    assert admin["dataParameters"] == {"tier": "gold", "card": "4111"}
    assert conversation_view(known, 0, agent=False)["virtualAgentSessions"] == []


async def test_parameters_that_cannot_be_stored_are_named_and_the_rest_is_taken(bench: Any) -> None:
    deep: Any = "s3cret"
    for _ in range(30):
        deep = [deep]
    answer = await post(bench, told("Task_VA_Joined", "e-1", data_parameters={"a": 1, "b": deep}))
    body = pydantic_core.from_json(answer.body)
    assert (body["accepted"], body["incomplete"][0]["field"]) == (["e-1"], "data_parameters")
    assert (await sessions_of(bench))[0]["data_parameters"] == {"a": 1}
    assert b"s3cret" not in answer.body


@pytest.mark.parametrize("tells", [False, True])
@pytest.mark.parametrize("reason", ["Task VA failed", "ERROR: timeout", "completed", None])
async def test_a_browsers_report_of_a_failure_notifies_the_team_if_so_set_and_asks_for_nobody(
    bench: Any, tells: bool, reason: str | None
) -> None:
    bridge = replace(BRIDGE, tells_failures=tells)
    body = json.dumps({"events": [told("Task_VA_Left", "e-1", finish_reason=reason)]}).encode()
    await forward_variables(bench.ports, bridge, request(bench, body))
    await deliver(bench.ports, "ccai:chat-1")
    is_failure = reason in ("Task VA failed", "ERROR: timeout")
    assert [one["type"] for one in bench.publisher.on(HANDOFFS)] == (
        ["virtual_agent.failed"] if tells and is_failure else []
    )
    assert (await bench.store.load("ccai:chat-1")).value.phase == "BOT"
