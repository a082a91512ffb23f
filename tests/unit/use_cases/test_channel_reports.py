"""Two channels become one customer's: the reports count each handoff once, and a text that is
lost counts there.
"""

from dataclasses import replace
from typing import Any

import pytest

from shared.conversations.apply import apply
from shared.customers.links import link
from shared.delivery.deliver import deliver
from shared.handoff.policy import Policy
from shared.outbox.attempt import end
from shared.ports import Snapshot
from shared.schemas.commands import Record, SendEvent, State
from shared.schemas.content import Content
from shared.schemas.conversation import Capabilities
from shared.schemas.events import (
    Event,
    HumanJoined,
    HumanLeft,
    HumanMessage,
    HumanRequested,
    UserMessage,
)
from shared.schemas.journal import JournalEntry, Verdict
from tests.unit.use_cases.bot_play import JANE
from tests.unit.use_cases.conftest import Bench

PRIMARY, OTHER = "plain:p0", "second:s0"
WORDS = Capabilities(frames=False, labels=False)


@pytest.fixture(autouse=True)
def channels(bench: Bench) -> None:
    bench.ports = replace(
        bench.ports, policy=Policy(capabilities={"plain": Capabilities(), "second": WORDS})
    )


async def happens(bench: Bench, kind: type[Event], source: str, event_id: str, **more: Any) -> None:
    given = {"id": event_id, "source": source, "address": "1", "actor": "test", **more}
    await apply(bench.ports, kind.model_validate(given))


async def settle(bench: Bench) -> None:
    """Nothing can be sent to platforms that do not exist; it is given up."""
    for one in (PRIMARY, OTHER):
        await deliver(bench.ports, one)
        await deliver(bench.ports, one)


async def counted(bench: Bench) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for conversation in (PRIMARY, OTHER):
        for entry in (await bench.store.journal(conversation, None, 50)).items:
            records = [one for one in entry.value.commands if isinstance(one, Record)]
            found += [
                (conversation, one.name.value, one.channel)
                for record in records
                for one in record.measures
            ]
    return found


async def test_a_handoff_that_goes_on_in_the_other_conversation_is_counted_once(
    bench: Bench,
) -> None:
    for source in (PRIMARY, OTHER):
        await happens(bench, UserMessage, source, "m1", form={}, said="hi")
    await happens(bench, HumanRequested, PRIMARY, "r1", reason="asked")
    await happens(bench, HumanRequested, OTHER, "r1", reason="asked")
    await happens(bench, HumanJoined, OTHER, "j1", representative=JANE)
    await settle(bench)
    await link(bench.ports, OTHER, PRIMARY, "admin")
    await happens(
        bench, HumanMessage, OTHER, "h1", representative=JANE, content=Content(text="hello")
    )
    await happens(bench, HumanLeft, OTHER, "l1", representative=JANE)
    outcomes = [
        one
        for one in await counted(bench)
        if one[1] in ("requested", "joined", "linked", "left", "handling")
    ]
    assert sorted(outcomes) == [
        (PRIMARY, "handling", "second"),
        (PRIMARY, "left", "second"),
        (PRIMARY, "linked", "plain"),
        (PRIMARY, "requested", "plain"),
        (OTHER, "joined", "second"),
        (OTHER, "requested", "second"),
    ]


async def test_a_request_that_does_not_go_on_ends_as_linked(bench: Bench) -> None:
    for source in (PRIMARY, OTHER):
        await happens(bench, UserMessage, source, "m1", form={}, said="hi")
        await happens(bench, HumanRequested, source, "r1", reason="asked")
    await settle(bench)
    await link(bench.ports, OTHER, PRIMARY, "admin")
    assert [one for one in await counted(bench) if one[1] == "linked"] == [
        (OTHER, "linked", "second")
    ]
    known = await bench.store.load(OTHER)
    assert isinstance(known, Snapshot)
    assert known.value.progress is None


@pytest.mark.parametrize("primary", [PRIMARY, OTHER])
async def test_what_goes_on_is_the_conversation_of_the_channel_on_which_they_wrote_last(
    bench: Bench, primary: str
) -> None:
    """Whichever is joined to which: ten days ago they wrote on one, now on the other, and now
    they ask for a human.
    """
    await happens(bench, UserMessage, PRIMARY, "m1", form={}, said="hi")
    bench.clock.forward(10 * 86400)
    await happens(bench, UserMessage, OTHER, "m1", form={}, said="hi")
    await settle(bench)
    await link(bench.ports, OTHER if primary == PRIMARY else PRIMARY, primary, "admin")
    bench.clock.forward(60)
    await happens(bench, UserMessage, primary, "m2", form={}, said="are you there?")
    await happens(bench, HumanRequested, primary, "r1", reason="asked")
    begun = [one[1:] for one in await counted(bench) if one[1] in ("conversation", "handed_off")]
    assert sorted(begun) == [
        ("conversation", "plain"),
        ("conversation", "second"),
        ("handed_off", "second"),
    ]


@pytest.mark.parametrize(("channel", "state"), [(None, State.BROKEN), (OTHER, State.FAILED)])
def test_a_joined_is_broken_only_where_its_own_channel_has_frames(
    bench: Bench, channel: str | None, state: State
) -> None:
    joined = SendEvent(
        id="j1",
        to="1",
        channel=channel,
        representative=JANE,
        event_type="REPRESENTATIVE_JOINED",
        notice=True,
    )
    entry = JournalEntry(
        id="e1",
        conversation=PRIMARY,
        seq=1,
        time=bench.clock.now(),
        kind="human_joined",
        source=PRIMARY,
        verdict=Verdict.ACCEPTED,
        nonce="n",
    )
    assert end(bench.ports, entry, joined).command.state is state
