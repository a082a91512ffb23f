"""A target that is down is not called: it delays no other, and one log line reports each change."""

import asyncio
import base64
import dataclasses
import json
import time
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from shared.circuits import ANSWERED_FAILURES, CONVERSATIONS, FAILURES, MOST_HANGING, Circuits
from shared.conversations.apply import apply
from shared.delivery.deliver import deliver
from shared.delivery.wake_ups import deliver_outbox
from shared.errors import Unavailable
from shared.schemas.content import Content
from shared.schemas.events import BotMessage, UserMessage
from shared.schemas.http import Answer, Call, Request
from shared.schemas.notifications import USER_MESSAGES
from shared.schemas.representative import Representative, RepresentativeType
from shared.transports.clock import WallClock
from tests.unit.use_cases.test_lines import says

BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")


def lines(capsys: pytest.CaptureFixture[str], message: str) -> list[str]:
    known = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [
        line["severity"]
        for line in known
        if line["message"] == message and line["target"] == "webhook BOT"
    ]


async def customers(bench: Any, count: int, text: str = "Hi") -> list[str]:
    names = [f"business_messages:c{n}" for n in range(count)]
    for name in names:
        await apply(bench.ports, says(f"{text} {name}", name))
    return names


def posts(bench: Any) -> int:
    return sum("bot.test" in call.url for call in bench.sender.calls)


DOWN = "a target is down; what failed is tried again by one call at a time"
NO_ANSWER = Unavailable("unreachable", "The connection was refused.")


@pytest.mark.parametrize(
    ("fault", "first_tries"), [(NO_ANSWER, FAILURES), (503, 40)], ids=["no answer", "503"]
)
async def test_a_target_that_fails_for_several_conversations_is_left_alone_and_tried_by_one_call(
    bench: Any, capsys: pytest.CaptureFixture[str], fault: int | Unavailable, first_tries: int
) -> None:
    """Where it answers, each message is tried once, as it may take one and refuse another."""
    bench.sender.refuses = lambda call: fault if "bot.test" in call.url else None
    names = await customers(bench, 40)
    delivered = [await deliver(bench.ports, name) for name in names]
    assert posts(bench) == first_tries
    assert [one.retry_at is None for one in delivered[-30:]] == [True] * 30
    assert all(one.next_try > bench.clock.time for one in delivered)
    assert len(bench.publisher.on(USER_MESSAGES)) == 40
    assert lines(capsys, DOWN) == ["ERROR"]

    bench.clock.forward(700)
    await asyncio.gather(*(deliver(bench.ports, name) for name in names))
    assert posts(bench) == first_tries + 1

    bench.sender.refuses = lambda _: None
    for _ in range(4):
        bench.clock.forward(700)
        for name in names:
            await deliver(bench.ports, name)
    assert lines(capsys, "a target is well again") == ["INFO"]
    assert sum([await bench.store.pending_count(name) for name in names]) == 0


async def test_who_is_served_does_not_wait_for_those_who_are_refused(bench: Any) -> None:
    bench.sender.refuses = lambda call: (
        503 if b"Hi" in call.body and "bot.test" in call.url else None
    )
    for name in await customers(bench, 40):
        await deliver(bench.ports, name)
    assert bench.ports.circuits.of("webhook BOT").is_open
    await apply(bench.ports, says("Hello", "business_messages:well"))
    assert (await deliver(bench.ports, "business_messages:well")).next_try is None
    assert await bench.store.pending_count("business_messages:well") == 0


@pytest.mark.parametrize(("answered", "most"), [(True, 10), (False, 5)])
async def test_errors_open_a_circuit_later_than_silence(
    bench: Any, answered: bool, most: int
) -> None:
    circuit, now, opened = Circuits().of("crm"), bench.clock.time, list[bool]()
    for n in range(most):
        assert await circuit.takes(now, first_try=False)
        with circuit.trial(f"c{n % CONVERSATIONS}", now) as trial:
            trial.failed, trial.answered = True, answered
        opened.append(circuit.is_open)
    assert opened == [False] * (most - 1) + [True]


async def test_a_first_try_that_fails_leaves_the_pause_as_it_is(bench: Any) -> None:
    circuit, now = Circuits().of("crm"), bench.clock.time
    for n in range(ANSWERED_FAILURES * 4):
        if await circuit.takes(now, first_try=True):
            with circuit.trial(f"c{n}", now) as trial:
                trial.failed = True
    assert circuit.times_opened == 1
    assert await circuit.takes(now + timedelta(seconds=5), first_try=False)


async def test_one_conversation_that_fails_says_nothing_of_its_target(bench: Any) -> None:
    bench.sender.refuses = lambda call: 500 if b"poison" in call.body else None
    await apply(bench.ports, says("poison", "business_messages:c0"))
    for _ in range(FAILURES * 2):
        await deliver(bench.ports, "business_messages:c0")
        bench.clock.forward(60)
    assert not bench.ports.circuits.of("webhook BOT").is_open


async def test_messages_in_an_outage_are_not_reported_one_by_one(bench: Any) -> None:
    bench.sender.refuses = lambda call: 503 if "bot.test" in call.url else None
    names = await customers(bench, FAILURES)
    for _ in range(30):
        for name in names:
            await deliver(bench.ports, name)
        bench.clock.forward(60)
    assert bench.publisher.on("baton-handoffs") == []


async def test_calls_that_hang_do_not_take_the_place_of_all_others(bench: Any) -> None:
    circuit, now = Circuits().of("webhook BOT"), bench.clock.time
    with ExitStack() as all_but_one:
        for n in range(MOST_HANGING - 1):
            assert await circuit.takes(now, first_try=False)
            all_but_one.enter_context(circuit.trial(f"c{n}", now)).began -= 5
        assert await circuit.takes(now, first_try=False)
        with circuit.trial("one more", now) as trial:
            trial.began -= 5
            assert not circuit.admits(now, first_try=False)
        assert circuit.admits(now, first_try=False)


async def test_what_fails_again_when_it_is_tried_is_left_alone_for_longer(bench: Any) -> None:
    circuit, now, pauses = Circuits().of("crm"), bench.clock.time, list[timedelta]()
    for n in range(ANSWERED_FAILURES + 6):
        assert await circuit.takes(now, first_try=False)
        with circuit.trial(f"c{n % CONVERSATIONS}", now) as trial:
            trial.failed = True
        if circuit.open_until is not None:
            assert not circuit.admits(now, first_try=False)
            pauses.append(circuit.open_until - now)
            now = circuit.open_until
    assert pauses[0] <= timedelta(seconds=5)
    assert timedelta(seconds=45) <= pauses[-1] <= timedelta(seconds=60)


@dataclasses.dataclass
class Slots:
    """The places of an instance: as many deliveries run at once as Cloud Run gives it."""

    bench: Any
    free: asyncio.Semaphore

    async def wake(self, conversation: str) -> float:
        began = time.monotonic()
        wake_up = json.dumps({"schema_version": 1, "conversation": conversation, "timers": False})
        pushed = {
            "message": {"data": base64.b64encode(wake_up.encode()).decode(), "messageId": "1"}
        }
        async with self.free:
            await deliver_outbox(
                self.bench.ports, Request("POST", "/", json.dumps(pushed).encode())
            )
        return time.monotonic() - began


@pytest.mark.parametrize("how", ["answers 503", "hangs"])
async def test_healthy_conversations_keep_their_pace_while_a_hundred_a_second_fail_elsewhere(
    bench: Any, how: str
) -> None:
    """Forty places, as deployed. Those that fail come first, and faster than they could wait."""

    class BotIsDown:
        async def send(self, call: Call) -> Answer | None:
            if "bot.test" in call.url:
                await asyncio.sleep(10 if how == "hangs" else 0)
                return Answer(503)
            return Answer(200)

    bench.ports = dataclasses.replace(bench.ports, clock=WallClock(), sender=BotIsDown())
    failing = await customers(bench, 300)
    quiet = dataclasses.replace(
        bench.ports, policy=dataclasses.replace(bench.ports.policy, webhooks=frozenset())
    )
    well = [f"business_messages:w{n}" for n in range(20)]
    said = Content(text="one")
    for name in well:
        native = name.partition(":")[2]
        await apply(
            quiet,
            UserMessage(
                id="m", source=name, actor="p", address=native, form={"message": {"text": "x"}}
            ),
        )
        own: dict[str, Any] = {
            "source": name,
            "actor": "key:x",
            "key": "x",
            "fact": False,
            "keeps_id": True,
        }
        await apply(quiet, BotMessage(id="b", representative=BOT, content=said, **own))
    slots = Slots(bench, asyncio.Semaphore(40))
    flood = [asyncio.create_task(slots.wake(name)) for name in failing]
    await asyncio.sleep(3 if how == "hangs" else 0)
    took = [await slots.wake(name) for name in well]
    for task in flood:
        task.cancel()
    await asyncio.gather(*flood, return_exceptions=True)
    assert max(took) < 5
    assert [await bench.store.pending_count(name) for name in well] == [0] * len(well)
