"""Delivery by the instance that accepted an event: what it does itself, what it leaves to a
wake-up, and that others leave alone what it has in hand.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.bootstrap.in_place import DELIVERS
from shared.conversations import requests
from shared.conversations.apply import take
from shared.delivery import in_place
from shared.delivery.deliver import deliver
from shared.delivery.in_place import DeliverInPlace
from shared.errors import Unavailable
from shared.ports import Commit, InPlace, Ports, Snapshot, Webhooks
from shared.schemas.commands import State
from shared.schemas.content import Content
from shared.schemas.conversation import Conversation
from shared.schemas.events import BotMessage, UserMessage
from shared.schemas.http import Answer, Call
from shared.schemas.notifications import OUTBOX, USER_MESSAGES
from shared.schemas.representative import Representative, RepresentativeType
from tests.unit.use_cases.conftest import Bench, ScriptedSender

ID = "business_messages:3333"
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
WEBHOOK, API = DELIVERS["receive_webhook"], DELIVERS["send_representative"]
RECORDS = "reports"  # the first message of a conversation is counted, which is left to delivery


def says(n: int) -> UserMessage:
    form: Any = {"conversationId": "3333", "message": {"messageId": f"m-{n}", "text": f"word {n}"}}
    return UserMessage(
        id=f"m-{n}", source=ID, actor="platform", address="3333", form=form, said=f"word {n}"
    )


def answers(n: int) -> BotMessage:
    return BotMessage(
        id=f"a-{n}",
        source=ID,
        actor="key:bot",
        key="bot",
        fact=False,
        keeps_id=True,
        representative=BOT,
        content=Content(text=f"answer {n}"),
    )


def here(bench: Bench, lines: Collection[str], **update: Any) -> Ports:
    return replace(bench.ports, in_place=DeliverInPlace(lines), **update)


@pytest.fixture
async def begun(bench: Bench) -> Bench:
    """A conversation with nothing to deliver."""
    await take(bench.ports, [says(0)])
    await deliver(bench.ports, ID)
    bench.publisher.published.clear()
    bench.sender.calls.clear()
    return bench


def woken(bench: Bench) -> list[str]:
    return [body["conversation"] for body in bench.publisher.on(OUTBOX)]


async def states(bench: Bench) -> list[str]:
    page = await bench.store.journal(ID, None, 100)
    return [entry.value.outcome for entry in page.items]


async def test_what_a_customer_says_is_with_the_bot_before_the_answer_and_wakes_nothing(
    begun: Bench,
) -> None:
    await take(here(begun, WEBHOOK), [says(1)])
    (told,) = begun.publisher.on(USER_MESSAGES)
    assert told["message"]["text"] == "word 1"
    assert [call.url for call in begun.sender.calls] == ["https://bot.test/hook"]
    assert woken(begun) == []
    assert await states(begun) == ["done", "done"]


async def test_what_a_bot_says_is_with_the_platform_before_the_answer(begun: Bench) -> None:
    await requests.accept(here(begun, API), answers(1))
    assert [body["text"] for body in begun.sender.sent] == ["answer 1"]
    assert woken(begun) == []
    assert await states(begun) == ["done", "done"]


async def test_a_line_that_is_not_the_functions_is_left_to_a_wake_up(begun: Bench) -> None:
    await take(here(begun, [f"topic {USER_MESSAGES}"]), [says(1)])
    assert len(begun.publisher.on(USER_MESSAGES)) == 1
    assert begun.sender.calls == []
    assert woken(begun) == [ID]
    await deliver(begun.ports, ID)
    assert len(begun.publisher.on(USER_MESSAGES)) == 1
    assert len(begun.sender.calls) == 1


async def test_without_the_key_of_the_webhook_it_is_left_to_delivery(begun: Bench) -> None:
    keyless = Webhooks(begun.ports.webhooks.urls, None)
    await take(here(begun, WEBHOOK, webhooks=keyless), [says(1)])
    assert begun.sender.calls == []
    assert woken(begun) == [ID]
    await deliver(begun.ports, ID)
    assert len(begun.sender.calls) == 1


async def test_what_fails_is_recorded_and_left_to_a_wake_up(begun: Bench) -> None:
    begun.sender.script = [500]
    await requests.accept(here(begun, API), answers(1))
    (entry,) = await begun.store.pending(ID, 0, 9)
    (command,) = entry.value.pending
    assert (command.attempts, command.in_hand_until) == (1, None)
    assert woken(begun) == [ID]
    begun.clock.forward(60)
    await deliver(begun.ports, ID)
    assert [body["text"] for body in begun.sender.sent] == ["answer 1"] * 2
    assert await states(begun) == ["done", "done"]


@pytest.mark.parametrize("older", ["queued", "failing", "in the hand of another instance"])
async def test_a_line_with_older_work_is_left_to_its_delivery_and_the_order_stays(
    begun: Bench, older: str
) -> None:
    """Whichever instance accepted the older work, and whether or not this one knows of it."""
    ports = here(begun, API)
    if older == "queued":
        await requests.accept(begun.ports, answers(1))
    elif older == "failing":
        begun.sender.script = [500]
        await requests.accept(ports, answers(1))
    else:
        async with dying(begun) as dead:
            await requests.accept(dead, answers(1))
    tried = len(begun.sender.sent)
    await requests.accept(ports, answers(2))
    assert len(begun.sender.sent) == tried
    assert woken(begun)[-1] == ID
    begun.clock.forward(60)
    await deliver(begun.ports, ID)
    shown = list(dict.fromkeys(body["text"] for body in begun.sender.sent))
    assert shown == ["answer 1", "answer 2"]
    assert await states(begun) == ["done"] * 3


async def test_older_work_of_one_line_does_not_hold_up_another(begun: Bench) -> None:
    await requests.accept(begun.ports, answers(1))
    begun.publisher.published.clear()
    await take(here(begun, WEBHOOK), [says(1)])
    assert len(begun.publisher.on(USER_MESSAGES)) == 1
    assert woken(begun) == []


async def test_messages_of_one_webhook_are_delivered_in_order(begun: Bench) -> None:
    await take(here(begun, WEBHOOK), [says(n) for n in range(1, 4)])
    told = [body["message"]["messageId"] for body in begun.publisher.on(USER_MESSAGES)]
    assert told == ["m-1", "m-2", "m-3"]
    assert woken(begun) == []


async def test_a_large_batch_is_left_to_delivery_from_some_entry_on(begun: Bench) -> None:
    number = in_place.MOST_ENTRIES + 2
    await take(here(begun, WEBHOOK), [says(n) for n in range(1, number + 1)])
    assert len(begun.publisher.on(USER_MESSAGES)) == in_place.MOST_ENTRIES
    assert woken(begun) == [ID]
    await deliver(begun.ports, ID)
    told = [body["message"]["messageId"] for body in begun.publisher.on(USER_MESSAGES)]
    assert told == [f"m-{n}" for n in range(1, number + 1)]


# Slow targets.


@dataclass
class SlowSender(ScriptedSender):
    """Answers once it is let go."""

    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, call: Call) -> Answer | None:
        answer = await super().send(call)
        await self.go.wait()
        return answer


async def test_the_answer_waits_for_a_slow_target_for_its_patience_and_no_longer(
    begun: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call goes on, other deliveries leave it alone meanwhile, and it is made once."""
    monkeypatch.setattr(in_place, "PATIENCE_SECONDS", 0.05)
    slow = SlowSender()
    ports = here(begun, WEBHOOK, sender=slow)
    async with asyncio.timeout(1):
        await take(ports, [says(1)])
    delivered = await deliver(replace(begun.ports, sender=slow), ID)
    assert delivered.retry_at is not None
    assert delivered.retry_at - begun.clock.now() < timedelta(seconds=1)
    assert len(slow.calls) == 1
    slow.go.set()
    await until_still(ports)
    assert await states(begun) == ["done", "done"]
    assert len(slow.calls) == len(begun.publisher.on(USER_MESSAGES)) == 1


async def test_a_slow_target_is_left_to_delivery_from_then_on(
    begun: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_place, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr("shared.circuits.VERY_SLOW_SECONDS", 0.04)
    slow = SlowSender()
    ports = here(begun, WEBHOOK, sender=slow)
    await take(ports, [says(1)])
    slow.go.set()
    await until_still(ports)
    await take(ports, [says(2)])
    assert len(slow.calls) == 1
    assert woken(begun)[-1] == ID
    await deliver(replace(begun.ports, sender=slow), ID)
    assert len(slow.calls) == 2


async def test_what_fails_after_the_answer_is_left_to_a_wake_up(
    begun: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_place, "PATIENCE_SECONDS", 0.05)
    slow = SlowSender(refuses=lambda _: 503)
    ports = here(begun, WEBHOOK, sender=slow)
    await take(ports, [says(1)])
    assert woken(begun) == []
    slow.go.set()
    await until_still(ports)
    assert woken(begun) == [ID]


async def test_requests_that_are_served_side_by_side_leave_no_task_behind(begun: Bench) -> None:
    """Each would be memory that the instance does not get back."""
    ports = here(begun, WEBHOOK)
    customers = [{"source": f"business_messages:c-{n}", "address": f"c-{n}"} for n in range(8)]
    before = tasks()
    for n in range(1, 4):
        words = [says(n).model_copy(update=customer) for customer in customers]
        await asyncio.gather(*(take(ports, [one]) for one in words))
    assert len(begun.publisher.on(USER_MESSAGES)) == 24
    await asyncio.sleep(0)  # until then the loop holds what has just ended
    assert tasks() - before == set()


def tasks() -> set[asyncio.Task[Any]]:
    gc.collect()
    return {one for one in gc.get_objects() if isinstance(one, asyncio.Task)}


async def until_still(ports: Ports) -> None:
    where: Any = ports.in_place
    while where.running:
        await asyncio.gather(*where.running)


# Crashes.


class _Dead:
    """The hand of an instance that dies once the commit is made."""

    def __init__(self, inner: InPlace, ports: Ports) -> None:
        self._inner = inner.hand(ports)

    async def take(self, before: Conversation, entry: Any) -> Any:
        return await self._inner.take(before, entry)

    def keep(self, entry: Any, token: object) -> bool:
        return True

    async def deliver(self) -> Collection[str]:
        raise Unavailable("dead", "The process ends here.")


@asynccontextmanager
async def dying(bench: Bench) -> AsyncIterator[Ports]:
    """Yields ports of such an instance."""

    class Dying:
        def hand(self, ports: Ports) -> Any:
            return _Dead(DeliverInPlace(API | WEBHOOK), ports)

    with pytest.raises(Unavailable):
        yield replace(bench.ports, in_place=Dying())


async def test_what_a_dead_instance_had_in_hand_is_delivered_once_its_time_is_over(
    begun: Bench,
) -> None:
    async with dying(begun) as ports:
        await requests.accept(ports, answers(1))
    delivered = await deliver(begun.ports, ID)
    assert begun.sender.sent == []
    assert not delivered.failed
    begun.clock.forward(in_place.IN_HAND.total_seconds())
    await deliver(begun.ports, ID)
    assert [body["text"] for body in begun.sender.sent] == ["answer 1"]
    assert await states(begun) == ["done", "done"]


async def test_it_is_due_for_the_sweep_until_then(begun: Bench) -> None:
    async with dying(begun) as ports:
        await requests.accept(ports, answers(1))
    begun.clock.forward(31)
    assert (await begun.store.due_entries(begun.clock.now(), None, 9)).items == [ID]


async def test_a_message_of_unknown_outcome_is_tried_again_after_a_hand(begun: Bench) -> None:
    """The mark of a hand is none of a message in flight, which may be sent only once."""
    begun.sender.no_answer = True
    await requests.accept(here(begun, API), answers(1))
    begun.sender.no_answer = False
    begun.clock.forward(60)
    await deliver(begun.ports, ID)
    assert await states(begun) == ["done", "done"]
    assert len(begun.sender.sent) == 2


# What it costs.


class Counting:
    """A store that counts its calls."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name == "copy_called":
            return method

        async def counted(*given: Any, **named: Any) -> Any:
            self.asked[name] += 1
            return await method(*given, **named)

        return counted


async def test_the_outbox_is_read_only_where_neither_memory_nor_conversation_tell(
    begun: Bench,
) -> None:
    store: Any = Counting(begun.store)
    ports = here(begun, WEBHOOK, store=store)
    asked = []
    for n in range(1, 4):
        await take(ports, [says(n)])
        asked.append(store.asked["pending"])
        store.asked.clear()
    assert asked == [1, 0, 0]


class SilentOutbox(Counting):
    """A store whose outbox does not answer."""

    async def pending(self, *_: Any) -> Any:
        self.asked["pending"] += 1
        await asyncio.Event().wait()


async def test_a_look_that_takes_too_long_leaves_the_entry_to_delivery(begun: Bench) -> None:
    """The commit is waited for as well, and a sender for no more than one silence."""
    store: Any = SilentOutbox(begun.store)
    async with asyncio.timeout(60):
        await take(here(begun, WEBHOOK, store=store), [says(1)])
    assert store.asked["pending"] == 1
    assert len(begun.publisher.on(OUTBOX)) == 1
    (entry,) = await begun.store.pending(ID, 0, 9)
    assert all(one.state is State.PENDING for one in entry.value.pending)


async def test_an_older_releases_commit_makes_it_look(begun: Bench) -> None:
    """It knows nothing of lines, and keeps what it does not know."""
    store: Any = Counting(begun.store)
    ports = here(begun, API, store=store)
    await requests.accept(ports, answers(1))
    store.asked.clear()
    known = await begun.store.load(ID)
    assert known is not None
    older = known.value.model_copy(update={"version": known.value.version + 1})
    await begun.store.commit(Commit((), [Snapshot(older, known.token)]))
    await requests.accept(ports, answers(2))
    assert store.asked["pending"] == 1
    assert [body["text"] for body in begun.sender.sent] == ["answer 1", "answer 2"]


async def test_a_conversation_that_begins_is_not_looked_at(bench: Bench, tmp_path: Path) -> None:
    store: Any = Counting(bench.store)
    await take(here(bench, WEBHOOK, store=store), [says(0)])
    assert len(bench.publisher.on(USER_MESSAGES)) == 1
    assert store.asked["pending"] == 0
    (entry,) = await bench.store.pending(ID, 0, 9)
    assert {one.line for one in entry.value.pending} == {RECORDS}
    assert all(one.state is State.PENDING for one in entry.value.pending)


async def test_two_requests_of_one_instance_leave_the_second_to_delivery(begun: Bench) -> None:
    slow = SlowSender()
    ports = here(begun, API, sender=slow)
    first = asyncio.create_task(requests.accept(ports, answers(1)))
    while not slow.calls:
        await asyncio.sleep(0.001)
    await requests.accept(ports, answers(2))
    assert len(slow.sent) == 1
    assert woken(begun) == [ID]
    slow.go.set()
    await first
    await deliver(replace(begun.ports, sender=slow), ID)
    assert [body["text"] for body in slow.sent] == ["answer 1", "answer 2"]
