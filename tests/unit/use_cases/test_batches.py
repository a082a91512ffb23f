"""A batch of events wakes each conversation that it touched once, however many events it has and
whichever door they came through.
"""

from collections import Counter
from typing import Any

import pydantic_core
import pytest

from shared.conversations import requests as control
from shared.conversations.apply import Batch, take
from shared.conversations.receive_webhook import receive_webhook
from shared.errors import AlreadyExists, Refused
from shared.ports import Commit, Snapshot
from shared.schemas.conversation import Conversation
from shared.schemas.events import HumanJoined, HumanMessage
from shared.schemas.notifications import OUTBOX
from shared.schemas.representative import Representative, RepresentativeType
from tests.unit.use_cases.conftest import Bench
from tests.unit.use_cases.phones_play import ANA, RCS_ANA, bot, ports_of, says, signed
from tests.unit.use_cases.test_forward import event, post

JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane")
OURS: dict[str, Any] = {
    "source": ANA, "actor": "key:x", "key": "x", "fact": False, "representative": JANE
}  # fmt: skip


def woken(bench: Bench) -> Counter[str]:
    return Counter(str(body["conversation"]) for body in bench.publisher.on(OUTBOX))


@pytest.mark.parametrize("type_", ["Task_VA_Variables_Received", "Task_VA_Left"])
async def test_fifty_browser_reports_of_one_chat_wake_it_once(bench: Bench, type_: str) -> None:
    reports = [{**event(f"e-{n}", timestamp=str(n)), "type": type_} for n in range(50)]
    assert len((await bench_post(bench, reports))["accepted"]) == 50
    assert woken(bench) == {"ccai:chat-1": 1}


async def test_fifty_browser_reports_of_two_chats_wake_each_once(bench: Bench) -> None:
    reports = [event(f"e-{n}", chat_id=1 + n % 2, timestamp=str(n)) for n in range(50)]
    await bench_post(bench, reports)
    assert woken(bench) == {"ccai:chat-1": 1, "ccai:chat-2": 1}


async def test_a_refused_report_costs_no_other_its_wake_up(bench: Bench) -> None:
    answer = await bench_post(bench, [event("e-1"), event("bad id"), event("e-3", timestamp="3")])
    assert (len(answer["accepted"]), len(answer["refused"])) == (2, 1)
    assert woken(bench) == {"ccai:chat-1": 1}


async def test_fifty_messages_of_one_webhook_wake_their_conversation_once(bench: Bench) -> None:
    messages = [says(0, f"M{n}") for n in range(50)]
    assert (await receive_webhook(ports_of(bench), signed(messages=messages))).status == 200
    assert woken(bench) == {ANA: 1}


async def test_what_is_said_on_two_joined_channels_wakes_the_one_it_acts_on_once(
    bench: Bench,
) -> None:
    ports = ports_of(bench)
    joined: dict[str, dict[str, Any]] = {ANA: {"linked_to": RCS_ANA}, RCS_ANA: {"links": (ANA,)}}
    both = [
        Snapshot(Conversation(id=one, address="+12025550100", version=1, **update), None)
        for one, update in joined.items()
    ]
    await bench.store.commit(Commit([], both))
    await take(ports, [bot(one, f"c-{n}") for n, one in enumerate((ANA, RCS_ANA, ANA))])
    assert woken(bench) == {RCS_ANA: 1}


async def test_an_error_ends_the_batch_and_wakes_what_it_touched_before(bench: Bench) -> None:
    ports = ports_of(bench)
    await receive_webhook(ports, signed(messages=[says(0, "M0")]))
    bench.publisher.published.clear()
    with pytest.raises(ZeroDivisionError):
        async with Batch(ports) as batch:
            await batch.apply(bot(ANA, "b-1"))
            raise ZeroDivisionError
    assert woken(bench) == {ANA: 1}


async def test_a_refused_request_wakes_nothing_a_repeated_one_wakes_again(bench: Bench) -> None:
    ports = ports_of(bench)
    await receive_webhook(ports, signed(messages=[says(0, "M0")]))
    await take(ports, [HumanJoined(id="j", source=ANA, actor="desk", representative=JANE)])
    bench.publisher.published.clear()
    with pytest.raises(Refused):
        await control.accept(ports, bot(ANA, "b-1"))
    assert woken(bench) == {}
    said = HumanMessage.model_validate({**OURS, "id": "h-1", "content": {"text": "hello"}})
    await control.accept(ports, said)
    with pytest.raises(AlreadyExists):
        await control.accept(ports, said)
    assert woken(bench) == {ANA: 2}


async def bench_post(bench: Bench, reports: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = pydantic_core.from_json((await post(bench, *reports)).body)
    return found
