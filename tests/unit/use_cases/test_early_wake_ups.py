"""A wake-up that is published beside its commit: what delivery does where it comes first."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.bootstrap.in_place import DELIVERS
from shared.conversations import apply as applying
from shared.conversations.apply import take
from shared.delivery import wake_ups
from shared.delivery.deliver import deliver
from shared.delivery.in_place import DeliverInPlace
from shared.errors import Unavailable
from shared.ports import Commit, Ports, PreconditionFailed
from shared.schemas.http import Request
from shared.schemas.notifications import OUTBOX, USER_MESSAGES
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.test_in_place import ID, begun, says

__all__ = ["begun"]


class Late:
    """A store whose commits do `first` before they are made."""

    def __init__(self, bench: Bench, first: Callable[[], Awaitable[None]]) -> None:
        self._store, self._first = bench.store, first

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, commit: Commit) -> Any:
        await self._first()
        return await self._store.commit(commit)


def early(bench: Bench, first: Callable[[], Awaitable[None]] | None = None, **more: Any) -> Ports:
    store: Any = Late(bench, first) if first else bench.store
    return replace(bench.ports, store=store, early_wake_ups=True, **more)


def woken(bench: Bench) -> list[int | None]:
    return [body.get("version") for body in bench.publisher.on(OUTBOX)]


async def push(bench: Bench, number: int = 0) -> None:
    """Pushes the wake-up that was published."""
    body = json.dumps(bench.publisher.on(OUTBOX)[number]).encode()
    message = {"data": base64.b64encode(body).decode(), "messageId": "1"}
    pushed = Request("POST", "/", json.dumps({"message": message}).encode())
    assert (await wake_ups.deliver_outbox(bench.ports, pushed)).status == 200


async def until(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not happened():
            await asyncio.sleep(0.001)


def said(bench: Bench) -> list[str]:
    return [body["message"]["text"] for body in bench.publisher.on(USER_MESSAGES)]


async def test_the_wake_up_is_published_while_the_commit_is_on_its_way(begun: Bench) -> None:
    ports = early(begun, lambda: until(lambda: woken(begun)))
    await take(ports, [says(1)])
    snapshot = await begun.store.load(ID)
    assert snapshot is not None
    assert woken(begun) == [snapshot.value.version]


async def test_a_delivery_that_comes_before_the_commit_waits_for_it(begun: Bench) -> None:
    deliveries: list[asyncio.Task[None]] = []

    async def first() -> None:
        await until(lambda: woken(begun))
        deliveries.append(asyncio.create_task(push(begun)))
        await asyncio.sleep(0.1)
        assert said(begun) == []

    await take(early(begun, first), [says(1)])
    await deliveries[0]
    assert said(begun) == ["word 1"]
    assert woken(begun) != [None]


async def test_a_delivery_that_comes_long_before_the_commit_is_woken_again(
    begun: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "EARLY_SECONDS", 0.02)
    monkeypatch.setattr(wake_ups, "COMMIT_NAPS", (0.001,))

    async def first() -> None:
        await until(lambda: woken(begun))
        await push(begun)
        await asyncio.sleep(0.03)

    await take(early(begun, first), [says(1)])
    assert said(begun) == []
    assert len(woken(begun)) == 2
    await push(begun, 1)
    assert said(begun) == ["word 1"]


def test_a_delivery_waits_longer_than_an_acceptor_counts_on_it() -> None:
    assert sum(wake_ups.COMMIT_NAPS) > 1.5 * applying.EARLY_SECONDS


async def test_a_commit_that_was_refused_wakes_again_after_the_one_that_stands(
    begun: Bench,
) -> None:
    refusals = [PreconditionFailed()]

    async def first() -> None:
        if refusals:
            raise refusals.pop()

    await take(early(begun, first), [says(1)])
    refused, after = woken(begun)
    assert (refused is not None, after) == (True, None)
    await push(begun, 1)
    assert said(begun) == ["word 1"]


async def test_a_duplicate_wakes_its_conversation(begun: Bench) -> None:
    ports = early(begun)
    await take(ports, [says(1)])
    begun.publisher.published.clear()
    await take(ports, [says(1)])
    assert woken(begun)[-1] is None


async def test_a_wake_up_that_is_lost_fails_nothing(begun: Bench) -> None:
    begun.publisher.fails = 1
    await take(early(begun), [says(1)])
    assert woken(begun) == []
    await deliver(begun.ports, ID)
    assert said(begun) == ["word 1"]


async def test_what_cannot_be_stored_is_not_acknowledged(begun: Bench) -> None:
    async def first() -> None:
        raise Unavailable("store-unavailable", "planned")

    with pytest.raises(Unavailable):
        await take(early(begun, first), [says(1)])


async def test_a_batch_wakes_each_conversation_once(begun: Bench) -> None:
    await take(early(begun), [says(1), says(2)])
    assert woken(begun) == [None]


async def test_what_is_delivered_in_place_wakes_nothing(begun: Bench) -> None:
    in_place = DeliverInPlace(DELIVERS["receive_webhook"])
    await take(early(begun, in_place=in_place), [says(1)])
    assert said(begun) == ["word 1"]
    assert woken(begun) == []


async def test_a_queue_that_does_not_allow_it_is_woken_after_the_commit(begun: Bench) -> None:
    await take(replace(early(begun), early_wake_ups=False), [says(1)])
    assert woken(begun) == [None]
