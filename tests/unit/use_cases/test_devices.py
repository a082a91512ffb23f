"""What a customer's device tells is shown to the person who answers, while a desk page of theirs is
open, and to nobody else. No webhook waits for it.
"""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import JsonValue

from shared.conversations.apply import apply
from shared.conversations.receive_webhook import receive_webhook
from shared.customers.erase import erase
from shared.errors import Unavailable
from shared.people.live import Live, live
from shared.people.presence import renew
from shared.platforms.business_messages.platform import BusinessMessages
from shared.ports import Ports, Snapshot
from shared.schemas.base import JsonObject
from shared.schemas.devices import MOST_RECEIPTS, TYPING_LASTS, TYPING_REPEATS, Device
from shared.schemas.ephemeral import Receipt, Typing
from shared.schemas.events import Claim, HumanLeft, UserMessage
from shared.schemas.http import Request
from shared.schemas.people import Person
from shared.stores.sqlite.store import SqliteStore
from tests.unit.use_cases.bot_play import ID
from tests.unit.use_cases.conftest import Bench

JANE = Person(id="jane@x.test", name="Jane")


class Unsigned(BusinessMessages):
    """The customer's own device, as it reports when its signature has been proved."""

    def authenticate(self, request: Request) -> None:
        return None


class Counting(SqliteStore):
    """Counts what is read and written for devices. `hangs` and `fails` are for writes."""

    asked: list[str]
    hangs = fails = False

    async def device(self, conversation: str) -> Snapshot[Device] | None:
        self.asked.append("read")
        return await super().device(conversation)

    async def keep_device(self, *given: Any) -> None:
        self.asked.append("write")
        if self.hangs:
            await asyncio.sleep(60)
        if self.fails:
            raise Unavailable("store", "not now")
        await super().keep_device(*given)


@pytest.fixture
async def ports(bench: Bench, tmp_path: Any) -> Any:
    store = Counting(str(tmp_path / "devices.sqlite"))
    store.asked = []
    platforms = {**bench.ports.platforms, "business_messages": Unsigned(api_url="https://p.test")}
    yield replace(bench.ports, store=store, platforms=platforms, people={JANE.id: JANE})
    await store.close()


async def happens(ports: Ports, kind: Any, event_id: str, **more: Any) -> None:
    about = {"id": event_id, "source": ID, "address": "3333", "actor": "test", **more}
    await apply(ports, kind.model_validate(about))


async def claimed(ports: Ports, *, page: bool = True) -> None:
    """Jane, whose desk page is open, has the customer."""
    if page:
        await renew(ports, JANE, "page", None)
    await happens(ports, UserMessage, "m1", form={}, said="hi")
    who = {"representative": JANE.representative, "person_id": JANE.id, "fact": False}
    await happens(ports, Claim, "c1", **who)


async def tells(ports: Ports, **what: Any) -> None:
    sent = {"agent": "brands/b/agents/a", "sendTime": "2026-01-01T00:00:00Z"}
    body = json.dumps({"conversationId": "3333", **sent, **what}).encode()
    async with asyncio.timeout(1):  # whatever the store does
        reply = await receive_webhook(ports, Request("POST", "/business_messages", body, {}))
    assert reply.status == 200
    for _ in range(20):  # what the webhook did not wait for
        await asyncio.sleep(0.005)


def types(is_typing: bool | str) -> JsonObject:
    return {"userStatus": {"isTyping": is_typing, "createTime": "2026-01-01T00:00:00Z"}}


def receipts(*named: tuple[str, str]) -> JsonObject:
    every: list[JsonValue] = [
        {"message": f"conversations/3333/messages/{message}", "receiptType": how}
        for message, how in named
    ]
    return {"receipts": {"receipts": every}}


async def seen(ports: Ports, since: str = "") -> Live:
    async with asyncio.timeout(1):
        return await live(ports, JANE, None, ["QUEUED"], since)


async def test_the_live_request_of_the_person_is_answered_by_typing_and_receipts(
    bench: Bench, ports: Ports
) -> None:
    await claimed(ports)
    before = await seen(ports)
    await tells(ports, **types("true"))
    typing = await seen(ports, before.name)
    device = typing.devices[ID]
    assert device.typing_left(bench.clock.now(), None) == TYPING_LASTS
    await tells(ports, **receipts(("a", "DELIVERED"), ("b", "READ")))
    after = await seen(ports, typing.name)
    assert after.devices[ID].receipts == {"a": "DELIVERED", "b": "READ"}
    await tells(ports, **types("false"))
    assert (await seen(ports, after.name)).devices[ID].typing_since is None


async def test_nothing_is_read_or_written_where_no_page_of_who_answers_is_open(
    bench: Bench, ports: Ports
) -> None:
    assert isinstance(ports.store, Counting)
    await tells(ports, **types(True))  # who was never seen
    await claimed(ports, page=False)
    await tells(ports, **types(True))  # Jane works by the API
    await renew(ports, JANE, "page", None)
    bench.clock.forward(91)
    await tells(ports, **types(True))  # her page is gone
    await happens(ports, HumanLeft, "l1", representative=JANE.representative)
    await renew(ports, JANE, "page", None)
    await tells(ports, **types(True))  # the bot answers
    assert ports.store.asked == []


async def test_a_repetition_is_read_once_and_not_written(bench: Bench, ports: Ports) -> None:
    assert isinstance(ports.store, Counting)
    await claimed(ports)
    for _ in range(3):
        await tells(ports, **types(True))
        await tells(ports, **receipts(("a", "READ")))
        await tells(ports, **receipts(("a", "DELIVERED")))
    assert ports.store.asked.count("write") == 2


@pytest.mark.parametrize("fault", ["hangs", "fails"])
async def test_a_webhook_is_acknowledged_whatever_becomes_of_it(ports: Ports, fault: str) -> None:
    await claimed(ports)
    setattr(ports.store, fault, True)
    await tells(ports, **types(True))  # asserts 200 within a second
    assert isinstance(ports.store, Counting)
    assert "write" in ports.store.asked


async def test_two_webhooks_at_once_lose_nothing(ports: Ports) -> None:
    await claimed(ports)
    await asyncio.gather(*(tells(ports, **receipts((name, "READ"))) for name in ("a", "b")))
    found = await ports.store.device(ID)
    assert found is not None
    assert set(found.value.receipts) == {"a", "b"}


async def test_an_erase_forgets_it(ports: Ports) -> None:
    await claimed(ports)
    await tells(ports, **receipts(("a", "READ")))
    assert await ports.store.device(ID) is not None
    await erase(ports, ID, "admin")
    assert await ports.store.device(ID) is None


def typing(is_typing: bool) -> Typing:
    return Typing(source=ID, form={}, is_typing=is_typing)


def test_typing_lasts_until_it_is_said_to_end_or_words_come_or_the_time_is_over(
    bench: Bench,
) -> None:
    now = bench.clock.now()
    still = Device(id=ID)
    begun = still.told([typing(True)], now)
    assert still.told([typing(False)], now) is still
    assert begun.told([typing(True)], now + TYPING_REPEATS / 2) is begun
    assert begun.told([typing(True)], now + TYPING_REPEATS).typing_since == now + TYPING_REPEATS
    assert begun.told([typing(False)], now).typing_since is None
    assert begun.told([typing(False)], now + 2 * TYPING_REPEATS).typing_since is None
    second = timedelta(seconds=1)
    assert begun.typing_left(now + second, now - second) == TYPING_LASTS - second
    assert begun.typing_left(now + second, now + second) is None
    assert begun.typing_left(now + TYPING_LASTS, None) is None


def test_the_latest_receipts_are_kept_and_what_was_read_stays_read(bench: Bench) -> None:
    device = Device(id=ID)
    for n in range(MOST_RECEIPTS + 1):
        form = receipts((f"m{n}", "READ"), ("odd", "SEEN"))
        device = device.told([Receipt(source=ID, form=form)], bench.clock.now())
    late = Receipt(source=ID, form=receipts(("m9", "DELIVERED")))
    assert device.told([late], bench.clock.now()) is device
    assert next(iter(device.receipts)) == "m1"
    assert set(device.receipts.values()) == {"READ"}
    odd: list[JsonObject] = [{}, {"receipts": 1}, {"receipts": {"receipts": [7, {}]}}]
    for form in odd:
        assert device.told([Receipt(source=ID, form=form)], bench.clock.now()) is device
