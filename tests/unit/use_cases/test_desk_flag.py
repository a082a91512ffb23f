"""CSKU's people see its conversations already: one is flagged for them, once, if the operator
wants that.
"""

from dataclasses import replace
from typing import Any

import pytest

from shared.conversations.apply import apply
from shared.customers.links import link
from shared.delivery.deliver import deliver
from shared.handoff.routing.desk import Desk
from shared.platforms.csku.desk import CskuDesk
from shared.ports import Desks, Ports
from shared.schemas.commands import CallDesk
from shared.schemas.conversation import Phase
from shared.schemas.events import HumanRequested, UserMessage
from shared.schemas.http import Answer
from tests.unit.use_cases.conftest import Bench

CSKU, CHANNEL = "csku:conv_1", "business_messages:3333"
DONE, REFUSED = Answer(200, b'{"status": 1}'), Answer(200, b'{"status": 0, "rc": 400}')
BUSY = Answer(200, b'{"status": 0, "rc": 429}')


def flagging(bench: Bench, *, need_human: bool = True) -> Ports:
    policy = replace(
        bench.ports.policy, desks=(Desk(name="people", kind="csku"),), webhooks=frozenset()
    )
    desk = CskuDesk("https://platform.test/csku", "b", "s", need_human=need_human)
    return replace(bench.ports, policy=policy, desks=Desks(flags={"csku": desk}))


async def asked_on(ports: Ports, conversation: str, *, linked: bool = False) -> None:
    said: dict[str, Any] = {
        "source": conversation,
        "address": conversation.partition(":")[2],
        "actor": "test",
    }
    await apply(ports, UserMessage(id="m-1", form={}, said="hi", **said))
    if linked:
        await apply(
            ports,
            UserMessage(id="m-2", form={}, said="hi", source=CSKU, address="conv_1", actor="test"),
        )
        await link(ports, CSKU, conversation, "system")
    await apply(ports, HumanRequested(id="r-1", reason="billing", **said | {"fact": False}))
    await deliver(ports, conversation)


async def call_of(bench: Bench, conversation: str) -> CallDesk:
    entries = [one.value for one in (await bench.store.journal(conversation, None, 50)).items]
    (found,) = (
        one
        for entry in entries
        for one in entry.commands
        if isinstance(one, CallDesk) and one.action == "open"
    )
    return found


def flagged(bench: Bench) -> int:
    return sum("need-human" in call.url for call in bench.sender.calls)


@pytest.mark.parametrize(
    ("conversation", "linked"), [(CSKU, False), (CHANNEL, True)], ids=["its-own", "linked"]
)
async def test_a_handoff_flags_the_desks_conversation(
    bench: Bench, conversation: str, linked: bool
) -> None:
    bench.sender.script[:] = [BUSY, DONE]
    ports = flagging(bench)
    await asked_on(ports, conversation, linked=linked)
    assert (await call_of(bench, conversation)).state == "pending"
    bench.clock.forward(5)
    await deliver(ports, conversation)
    assert (await call_of(bench, conversation)).state == "sent"
    assert [call.body for call in bench.sender.calls if "need-human" in call.url] == [
        b'{"conversation_id":"conv_1"}'
    ] * 2


async def test_it_is_off_unless_asked_for(bench: Bench) -> None:
    ports = flagging(bench, need_human=False)
    await asked_on(ports, CSKU)
    assert (await call_of(bench, CSKU)).state == "dropped"
    assert flagged(bench) == 0


async def test_a_refusal_in_the_body_fails_the_handoff(bench: Bench) -> None:
    bench.sender.script[:] = [REFUSED]
    ports = flagging(bench)
    await asked_on(ports, CHANNEL, linked=True)
    await deliver(ports, CHANNEL)
    found = await bench.store.load(CHANNEL)
    assert found is not None
    assert found.value.phase is Phase.BOT
    told = [
        one["type"]
        for one in bench.publisher.on("baton-handoffs")
        if one["conversation"] == CHANNEL
    ]
    assert told == ["handoff.requested", "handoff.failed"]


async def test_a_desk_that_asked_for_a_human_itself_is_not_told_of_it(bench: Bench) -> None:
    ports = flagging(bench)
    said: dict[str, Any] = {"source": CSKU, "address": "conv_1", "actor": "platform:csku"}
    await apply(ports, HumanRequested(id="r-1", reason="CSKU AI says so", **said))
    await deliver(ports, CSKU)
    assert flagged(bench) == 0
