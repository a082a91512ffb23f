"""What the platform accepted of ours, also before two conversations became one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.conversations.entries import new_entry
from shared.conversations.own_acts import with_own_act
from shared.ports import Commit, Snapshot
from shared.schemas.commands import GiveFloor, SendMessage, State
from shared.schemas.content import Content
from shared.schemas.conversation import Conversation, Former
from shared.schemas.events import UserMessage
from tests.unit.talk import BOT

HERE, FORMER, OTHERS = "whatsapp:here", "whatsapp:former", "rcs:former"


@pytest.mark.parametrize(
    ("former", "hours", "counts"), [(FORMER, 1, True), (FORMER, 25, False), (OTHERS, 1, False)]
)
@pytest.mark.parametrize("gave", [False, True])
async def test_an_act_in_a_conversation_that_became_part_of_this_one_counts(
    bench: Any, former: str, hours: int, counts: bool, gave: bool
) -> None:
    now = bench.clock.now()
    said = SendMessage(
        id="m1",
        to="x",
        representative=BOT,
        content=Content(text="hi"),
        state=State.SENT,
        accepted_at=now,
    )
    back = GiveFloor(id="g1", to="x", state=State.SENT, accepted_at=now + timedelta(seconds=1))
    commands = (said, back) if gave else (said,)
    entry = new_entry(
        bench.ports, "e1", former, "bot_message", seq=1, actor="x", nonce="n", commands=commands
    )
    since = now - timedelta(hours=hours)
    known = Conversation(id=HERE, address="x", formerly=(Former(id=former, since=since),))
    gone = Conversation(id=former, address="x", same_as=HERE)
    await bench.store.commit(Commit([entry], [Snapshot(known, None), Snapshot(gone, None)]))
    event = UserMessage(id="u1", source=HERE, actor="customer", form={}, said="hi")
    found = (await with_own_act(replace(bench.ports), known, event)).own_act
    assert (found is not None) == counts
    assert found is None or found.gave == gave
