"""The Pub/Sub publisher against the emulator: what arrives at a subscription is what was
published.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from shared.errors import Unavailable
from shared.transports.pubsub import PubsubPublisher

PubsubRest = Callable[[str, str, dict[str, Any]], dict[str, Any]]
TOPIC, KEY = "baton-outbox", "business_messages:3333"


@pytest.fixture
def subscription(pubsub: PubsubRest, fresh_project: str) -> str:
    """Returns the path of an ordered pull subscription to TOPIC."""
    topic, path = (
        f"projects/{fresh_project}/topics/{TOPIC}",
        f"projects/{fresh_project}/subscriptions/test",
    )
    pubsub("PUT", topic, {})
    pubsub("PUT", path, {"topic": topic, "enableMessageOrdering": True})
    return path


@pytest.fixture
async def publisher(pubsub_emulator: str, fresh_project: str) -> AsyncIterator[PubsubPublisher]:
    one = PubsubPublisher(fresh_project, pubsub_emulator)
    yield one
    await one.close()


async def _pull(pubsub: PubsubRest, subscription: str, count: int) -> list[dict[str, Any]]:
    """Returns `count` messages, acknowledged as they come."""
    messages: list[dict[str, Any]] = []
    while len(messages) < count:
        answer = await asyncio.to_thread(
            pubsub, "POST", f"{subscription}:pull", {"maxMessages": count}
        )
        received = answer.get("receivedMessages", [])
        messages += [one["message"] for one in received]
        if received:
            acknowledged = {"ackIds": [one["ackId"] for one in received]}
            await asyncio.to_thread(pubsub, "POST", f"{subscription}:acknowledge", acknowledged)
    return messages


async def test_a_message_arrives_with_body_and_ordering_key(
    publisher: PubsubPublisher, pubsub: PubsubRest, subscription: str
) -> None:
    await publisher.publish(TOPIC, '{"said":"héllo"}'.encode(), KEY)
    (message,) = await _pull(pubsub, subscription, 1)
    assert message["data"] == "eyJzYWlkIjoiaMOpbGxvIn0="
    assert message["orderingKey"] == KEY


async def test_messages_of_one_key_arrive_in_order(
    publisher: PubsubPublisher, pubsub: PubsubRest, subscription: str
) -> None:
    for n in range(20):
        await publisher.publish(TOPIC, str(n).encode(), KEY)
    ids = [int(message["messageId"]) for message in await _pull(pubsub, subscription, 20)]
    assert ids == sorted(ids)


async def test_a_second_baton_has_topics_of_its_own(
    pubsub_emulator: str, fresh_project: str, pubsub: PubsubRest, subscription: str
) -> None:
    topic = f"projects/{fresh_project}/topics/dev-outbox"
    of_dev = f"projects/{fresh_project}/subscriptions/dev"
    pubsub("PUT", topic, {})
    pubsub("PUT", of_dev, {"topic": topic})
    publisher = PubsubPublisher(fresh_project, pubsub_emulator, "dev")
    await publisher.publish(TOPIC, b"{}", KEY)
    await publisher.close()
    assert len(await _pull(pubsub, of_dev, 1)) == 1
    waits = {"maxMessages": 1, "returnImmediately": True}
    assert pubsub("POST", f"{subscription}:pull", waits) == {}


async def test_a_failure_is_of_one_message_only(
    publisher: PubsubPublisher, pubsub: PubsubRest, subscription: str
) -> None:
    """The batching client would pause the key."""
    with pytest.raises(Unavailable):
        await publisher.publish("no-such-topic", b"{}", KEY)
    await publisher.publish(TOPIC, b"{}", KEY)
    assert len(await _pull(pubsub, subscription, 1)) == 1


@pytest.mark.parametrize("emulator", ["127.0.0.1:1", "nowhere.invalid:443"])
async def test_a_queue_that_is_down_says_so_at_once(emulator: str, fresh_project: str) -> None:
    publisher = PubsubPublisher(fresh_project, emulator)
    started = time.monotonic()
    with pytest.raises(Unavailable) as raised:
        await publisher.publish(TOPIC, b"{}", KEY)
    assert raised.value.reason == "queue-unavailable"
    assert time.monotonic() - started < 6
    await publisher.close()
