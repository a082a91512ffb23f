"""The embedded queue: wakes at once, folds wake-ups together, tries again, and hands what
subscribers refuse back.
"""

import asyncio

import pytest

from shared.errors import Unavailable
from shared.schemas.notifications import OUTBOX, WakeUp
from shared.transports.inline import InlineQueue


def _wake_up(conversation: str = "c", *, timers: bool = False) -> bytes:
    return WakeUp(conversation=conversation, timers=timers).model_dump_json().encode()


async def _settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def _nothing(conversation: str, timers: bool) -> None:
    return None


async def test_a_wake_up_delivers_at_once_and_the_publisher_does_not_wait() -> None:
    seen: list[tuple[str, bool]] = []

    async def deliver(conversation: str, timers: bool) -> None:
        seen.append((conversation, timers))

    queue = InlineQueue(deliver)
    await queue.publish(OUTBOX, _wake_up("a"), "a")
    await queue.publish(OUTBOX, _wake_up("b", timers=True), "b")
    assert seen == []
    await _settle()
    assert seen == [("a", False), ("b", True)]


async def test_wake_ups_during_a_delivery_make_it_look_once_more() -> None:
    seen: list[bool] = []
    gate = asyncio.Event()

    async def deliver(_: str, timers: bool) -> None:
        seen.append(timers)
        await gate.wait()

    queue = InlineQueue(deliver)
    await queue.publish(OUTBOX, _wake_up(), "c")
    await _settle()
    for timers in (False, True, False):
        await queue.publish(OUTBOX, _wake_up(timers=timers), "c")
    gate.set()
    await _settle()
    assert seen == [False, True]


async def test_a_delivery_that_names_a_next_try_is_woken_then_and_not_before() -> None:
    seen: list[float] = []
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    async def deliver(_: str, __: bool) -> float | None:
        seen.append(loop.time())
        if len(seen) == 2:
            done.set()
        return 0.05 if len(seen) == 1 else None

    await InlineQueue(deliver).publish(OUTBOX, _wake_up(), "c")
    await asyncio.wait_for(done.wait(), 60)
    assert seen[1] - seen[0] >= 0.05


@pytest.mark.parametrize(
    "fault", [Unavailable("store-unavailable", "down"), RuntimeError("a defect")]
)
async def test_a_delivery_that_fails_is_tried_again_with_its_timers(fault: Exception) -> None:
    seen: list[bool] = []
    done = asyncio.Event()

    async def deliver(_: str, timers: bool) -> None:
        seen.append(timers)
        if len(seen) == 1:
            raise fault
        done.set()

    await InlineQueue(deliver).publish(OUTBOX, _wake_up(timers=True), "c")
    await asyncio.wait_for(done.wait(), 60)
    assert seen == [True, True]


async def test_what_a_subscriber_refuses_is_not_published() -> None:
    async def refuse(_: bytes) -> None:
        raise Unavailable("down", "told to fail")

    async def deliver(_: str, __: bool) -> None:
        return None

    queue = InlineQueue(deliver)
    queue.subscribe("topic", refuse)
    with pytest.raises(Unavailable):
        await queue.publish("topic", b"{}", "c")
    await queue.publish("nobody-listens", b"{}", "c")


async def test_a_slow_subscriber_is_left_to_go_on_and_asked_again_later() -> None:
    queue, begun, may_end = InlineQueue(_nothing), list[bytes](), asyncio.Event()

    async def slow(body: bytes) -> None:
        begun.append(body)
        await may_end.wait()

    queue.subscribe("other", slow, patience=0.01)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await queue.publish("other", b"hi", "key")
    assert begun == [b"hi"]
    may_end.set()
    await queue.publish("other", b"hi", "key")
    assert begun == [b"hi"]


async def test_what_a_slow_subscriber_refuses_in_the_end_is_refused_and_not_kept() -> None:
    queue, tries, may_end = InlineQueue(_nothing), list[int](), asyncio.Event()

    async def fails(body: bytes) -> None:
        tries.append(1)
        await may_end.wait()
        raise Unavailable("broken", "told to fail")

    queue.subscribe("other", fails, patience=0.001)
    for _ in range(2):
        with pytest.raises(Unavailable, match="still"):
            await queue.publish("other", b"hi", "key")
    may_end.set()
    await _settle()
    may_end.clear()
    with pytest.raises(Unavailable, match="still"):
        await queue.publish("other", b"hi", "key")
    assert len(tries) == 2
    may_end.set()
    await _settle()
