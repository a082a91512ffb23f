"""A wake-up is acknowledged once nothing more can be done for now; what fails for longer stays
due for the sweep.
"""

import base64
import dataclasses
import json
from typing import Any

import pytest

from shared.conversations.apply import apply
from shared.delivery import wake_ups
from shared.delivery.deliver import deliver
from shared.errors import Unavailable
from shared.schemas.content import Content
from shared.schemas.events import BotMessage, HumanJoined, HumanLeft, HumanMessage, UserMessage
from shared.schemas.http import Request
from shared.schemas.representative import Representative, RepresentativeType
from shared.transports.clock import WallClock

C = "business_messages:3333"
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")
OURS: dict[str, Any] = {"source": C, "actor": "key:x", "key": "x", "fact": False, "keeps_id": True}


@pytest.fixture
async def ports(bench: Any) -> Any:
    """Ports by the wall clock, with a customer who has written."""
    real = dataclasses.replace(bench.ports, clock=WallClock())
    form: Any = {"message": {"text": "Hi"}}
    await apply(real, UserMessage(id="m-1", source=C, actor="p", address="3333", form=form))
    return real


def _pushed() -> Request:
    data = base64.b64encode(
        json.dumps({"schema_version": 1, "conversation": C, "timers": False}).encode()
    ).decode()
    return Request("POST", "/", json.dumps({"message": {"data": data, "messageId": "1"}}).encode())


async def test_what_fails_once_is_delivered_within_the_same_wake_up(bench: Any, ports: Any) -> None:
    await apply(
        ports, BotMessage(id="b-1", representative=BOT, content=Content(text="one"), **OURS)
    )
    bench.sender.script = [500]
    assert (await wake_ups.deliver_outbox(ports, _pushed())).status == 200
    assert len(bench.sender.sent) == 2
    assert await bench.store.pending_count(C) == 0


async def test_what_keeps_failing_is_acknowledged_and_stays_due(
    bench: Any, ports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake_ups, "PATIENCE_SECONDS", 0.1)
    await apply(
        ports, BotMessage(id="b-1", representative=BOT, content=Content(text="one"), **OURS)
    )
    bench.sender.refuses = lambda call: 500 if "platform.test" in call.url else None
    assert (await wake_ups.deliver_outbox(ports, _pushed())).status == 200
    (entry,) = await bench.store.pending(C, 0, 10)
    assert entry.value.due_at is not None


async def test_an_outage_while_a_broken_frame_closes_lets_nothing_of_it_through(
    bench: Any, ports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for event in (
        HumanJoined(id="e-1", representative=JANE, **OURS),
        HumanMessage(id="h-1", representative=JANE, content=Content(text="Hello"), **OURS),
        HumanLeft(id="e-2", representative=JANE, **OURS),
    ):
        await apply(ports, event)
    bench.sender.refuses = lambda call: (
        400 if b"JOINED" in call.body or b"joined" in call.body else None
    )
    update, writes = bench.store.update, iter(range(100))

    async def fails_after_the_opener(entry: Any, counts: Any = ()) -> Any:
        if next(writes) in (2, 3):  # the second time without the counts
            raise Unavailable("store-unavailable", "told to fail")
        return await update(entry, counts)

    monkeypatch.setattr(bench.store, "update", fails_after_the_opener)
    with pytest.raises(Unavailable):
        await deliver(ports, C)
    await deliver(ports, C)
    sent = [body.get("text", body.get("eventType")) for body in bench.sender.sent]
    assert "Hello" not in sent
    assert "REPRESENTATIVE_LEFT" not in sent
