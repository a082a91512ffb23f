"""What is measured, on the handoff topic where somebody asked for it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pydantic_core
import pytest

from shared.conversations.apply import apply
from shared.customers.erase import erase
from shared.delivery.deliver import deliver
from shared.errors import Unavailable
from shared.platforms.bodies import parse_object
from shared.reports.recount import recount
from shared.schemas.commands import Record, State, Stream
from shared.schemas.events import Event, HumanRequested, UserMessage
from shared.schemas.measures import Name
from shared.schemas.notifications import HANDOFFS, MEASURED, Measured
from shared.teams.notify_handoff import is_measured

EVER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
C = "business_messages:3333"


def _events() -> list[Event]:
    user = UserMessage(id="m-1", source=C, address="3333", actor="test", form={}, said="my secret")
    return [user, HumanRequested(id="r-1", source=C, actor="test", reason="refund")]


BEGUN = {Name.CONVERSATION, Name.CUSTOMER_MESSAGE, Name.REQUESTED, Name.HANDED_OFF}


async def _measured(bench: Any) -> list[Measured]:
    return [
        Measured.model_validate_json(pydantic_core.to_json(one))
        for one in bench.publisher.on(HANDOFFS)
        if one["type"] == MEASURED
    ]


@pytest.mark.parametrize("streams", [True, False])
async def test_each_measure_is_told_once_and_nothing_of_the_customer(
    bench: Any, streams: bool
) -> None:
    ports = replace(bench.ports, streams=streams)
    for event in _events():
        await apply(ports, event)
    for _ in range(2):
        await deliver(ports, C)
    told = await _measured(bench)
    names = [measure.name for one in told for measure in one.measures]
    begun = [Name.CONVERSATION, Name.CUSTOMER_MESSAGE, Name.REQUESTED, Name.HANDED_OFF]
    assert names == (begun if streams else [])
    reasons = [one.of for entry in told for one in entry.measures if one.name is Name.REQUESTED]
    assert reasons == (["refund"] if streams else [])
    assert not any(secret in one.model_dump_json() for one in told for secret in ("3333", "secret"))


async def test_a_topic_that_is_down_is_told_later_under_the_same_id(bench: Any) -> None:
    ports = replace(bench.ports, streams=True)
    await apply(ports, _events()[0])
    bench.publisher.fails = 3
    await deliver(ports, C)
    (entry,) = (await bench.store.journal(C, None, 10)).items
    (record,) = (one for one in entry.value.commands if isinstance(one, Record))
    (told_later,) = (one for one in entry.value.commands if isinstance(one, Stream))
    assert (record.state, told_later.state) == (State.SENT, State.PENDING)
    assert len(await bench.store.counted(*EVER)) == 2, "counting does not wait for the topic"
    for _ in range(5):
        bench.clock.forward(60)
        await deliver(ports, C)
    (told,) = await _measured(bench)
    assert told.id == record.id
    assert len(await bench.store.counted(*EVER)) == 2


async def test_a_topic_that_is_down_for_good_loses_no_count_and_tells_the_team_nothing(
    bench: Any,
) -> None:
    ports = replace(bench.ports, streams=True)
    for event in _events():
        await apply(ports, event)
    bench.clock.forward(ports.policy.give_up_after.total_seconds() + 1)
    bench.publisher.fails = 1000
    await deliver(ports, C)
    assert await bench.store.pending_count(C) == 0
    names = {one.cell.name for one in await bench.store.counted(*EVER)}
    assert names == BEGUN
    assert (await recount(bench.store, *EVER, bench.clock.now())).changed == []


async def test_what_is_erased_before_it_was_told_is_told(bench: Any) -> None:
    ports = replace(bench.ports, streams=True)
    for event in _events():
        await apply(ports, event)
    bench.publisher.fails = 1
    with pytest.raises(Unavailable):
        await erase(ports, C, "admin")
    await erase(ports, C, "admin")
    names = {measure.name for one in await _measured(bench) for measure in one.measures}
    assert names == BEGUN | {Name.ERASED, Name.SILENT}


def test_a_team_is_not_told_what_was_measured() -> None:
    assert is_measured(parse_object(b'{"type": "handoff.measured", "id": "1"}'))
    assert not is_measured({"type": "handoff.requested"})
