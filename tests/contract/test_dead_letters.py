"""Dead letters on the Pub/Sub emulator: they are listed, shown without being lost, and replayed."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest

from infra.dead_letters import main
from infra.deployables import dead_letters_of

PubsubRest = Callable[[str, str, dict[str, Any]], dict[str, Any]]
TOPIC = "baton-outbox"


@pytest.fixture
def dead(
    pubsub: PubsubRest, pubsub_emulator: str, fresh_project: str, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """A project with one dead letter of TOPIC; returns its message id."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", fresh_project)
    project = f"projects/{fresh_project}"
    for name in (TOPIC, dead_letters_of(TOPIC)):
        pubsub("PUT", f"{project}/topics/{name}", {})
        pubsub("PUT", f"{project}/subscriptions/{name}", {"topic": f"{project}/topics/{name}"})
    message = {
        "data": base64.b64encode(b'{"conversation": "business_messages:3333"}').decode(),
        "attributes": {
            "CloudPubSubDeadLetterSourceDeliveryCount": "100",
            "traceparent": "00-1-2-01",
        },
        "orderingKey": "business_messages:3333",
    }
    published = pubsub(
        "POST", f"{project}/topics/{dead_letters_of(TOPIC)}:publish", {"messages": [message]}
    )
    return list(published["messageIds"])


def _run(*arguments: str) -> int:
    return main([*arguments, "--topic", TOPIC])


def test_a_dead_letter_is_listed_without_its_content(
    dead: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("list") == 0
    shown = capsys.readouterr().out
    assert dead[0] in shown
    assert "100 deliveries" in shown
    assert '"conversation"' not in shown


def test_a_dead_letter_is_shown_and_stays(
    dead: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("show", dead[0]) == 0
    assert '{"conversation": "business_messages:3333"}' in capsys.readouterr().out
    assert _run("list") == 0
    assert "1 found" in capsys.readouterr().out


async def test_a_replayed_letter_arrives_where_it_was_meant_to_and_is_gone(
    dead: list[str], pubsub: PubsubRest, fresh_project: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(_run, "replay", dead[0]) == 0
    path = f"projects/{fresh_project}/subscriptions/{TOPIC}"
    answer = await asyncio.to_thread(pubsub, "POST", f"{path}:pull", {"maxMessages": 10})
    (received,) = answer["receivedMessages"]
    assert received["message"]["orderingKey"] == "business_messages:3333"
    assert received["message"]["attributes"] == {"traceparent": "00-1-2-01"}
    capsys.readouterr()
    assert await asyncio.to_thread(_run, "list") == 0
    assert "0 found" in capsys.readouterr().out


def test_a_letter_that_is_not_there_is_said_so(
    dead: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("replay", "no-such-id") == 1
    assert "no dead letter no-such-id" in capsys.readouterr().err


def test_a_project_without_baton_is_said_so(
    pubsub_emulator: str,
    fresh_project: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", fresh_project)
    assert _run("list") == 1
    assert "deployed in this project" in capsys.readouterr().err
