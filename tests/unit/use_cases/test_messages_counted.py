"""Messages are counted once each, without a write of their own, whatever becomes of their
conversation.
"""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.conversations.apply import apply
from shared.customers.erase import erase
from shared.customers.links import link
from shared.delivery.deliver import deliver
from shared.delivery.sweep import sweep
from shared.handoff.policy import Policy
from shared.measures.bins import bin_of
from shared.measures.counts import Tally, in_tally
from shared.measures.messages import LENGTHS, MOST_ROWS, together
from shared.reports.recount import recount
from shared.schemas.commands import Record
from shared.schemas.content import Content
from shared.schemas.conversation import Capabilities, Conversation
from shared.schemas.details import Attachment, Details
from shared.schemas.events import (
    BotMessage,
    Event,
    HumanMessage,
    HumanRequested,
    Reaction,
    SuggestionResponse,
    UserMessage,
)
from shared.schemas.measures import MESSAGES, Measure, Name
from shared.schemas.representative import Representative, RepresentativeType
from tests.unit.use_cases.bot_play import JANE
from tests.unit.use_cases.conftest import Bench

C, OTHER, DESK = "business_messages:3333", "business_messages:4444", "csku:conv_1"
EVER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
HOUR = 3600


async def happens(bench: Bench, kind: type[Event], name: str, source: str = C, **more: Any) -> None:
    given = {"id": name, "source": source, "address": source, "actor": "test", **more}
    await apply(bench.ports, kind.model_validate(given))
    await deliver(bench.ports, source)


async def says(bench: Bench, name: str, text: str = "hi", source: str = C) -> None:
    await happens(bench, UserMessage, name, source, form={}, said=text)


async def bot_says(bench: Bench, name: str, text: str = "beep", source: str = C) -> None:
    await happens(bench, BotMessage, name, source, representative=BOT, content=Content(text=text))


async def later(bench: Bench, seconds: float = HOUR) -> None:
    """The sweep finds what is due then."""
    bench.clock.forward(seconds)
    for one in (await bench.store.due_conversations(bench.clock.now(), None, 100)).items:
        await deliver(bench.ports, one, timers=True)


async def records(bench: Bench, source: str = C) -> list[Record]:
    entries = (await bench.store.journal(source, None, 100)).items
    commands = [command for entry in entries for command in entry.value.commands]
    return [one for one in commands if isinstance(one, Record)]


async def state(bench: Bench) -> Conversation:
    known = await bench.store.load(C)
    assert known is not None
    return known.value


async def counted(bench: Bench) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in in_tally(await bench.store.counted(*EVER), Tally.COUNTED):
        if one.cell.name in MESSAGES:
            found[one.cell.name.value] += one.number
    assert (await recount(bench.store, *EVER, bench.clock.now())).changed == []
    return dict(found)


async def test_a_bots_dialogue_writes_nothing_for_the_reports_until_it_is_an_hour_old(
    bench: Bench,
) -> None:
    await says(bench, "m-1")
    first = await records(bench)
    for n in range(5):
        await bot_says(bench, f"b-{n}")
        await says(bench, f"n-{n}")
    assert await records(bench) == first, "only the beginning of the conversation is counted"
    assert await counted(bench) == {"customer_message": 1}
    await later(bench, 600)
    assert await counted(bench) == {"customer_message": 1}
    await later(bench)
    assert await counted(bench) == {"customer_message": 6, "bot_message": 5}
    await later(bench)
    assert len(await records(bench)) == 2, "it is not due again"


def test_messages_are_due_within_an_hour_and_not_all_at_once() -> None:
    """A message of the first second of a quarter is due as late as one of the last."""
    quarter = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) // 900
    due = [
        Conversation(id=f"rcs:{n}", address="", uncounted={f"{quarter}\nbot_message": 1}).count_at
        for n in range(200)
    ]
    waits = [(one - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds() for one in due if one]
    assert min(waits) >= 2700
    assert max(waits) < HOUR
    assert len(set(waits)) > 150


async def test_two_sweeps_at_once_count_once(bench: Bench) -> None:
    await says(bench, "m-1")
    await bot_says(bench, "b-1")
    bench.clock.forward(HOUR)
    await sweep(bench.ports)
    await deliver(bench.ports, C, timers=True)
    await deliver(bench.ports, C, timers=True)
    assert await counted(bench) == {"customer_message": 1, "bot_message": 1}


async def test_a_repetition_and_a_refused_message_are_not_counted(bench: Bench) -> None:
    for _ in range(2):
        await says(bench, "m-1")
        await bot_says(bench, "b-1")
    common: dict[str, Any] = {"representative": JANE, "content": Content(text="hi")}
    await happens(bench, HumanMessage, "h-1", fact=True, **common)
    await happens(
        bench, BotMessage, "b-2", fact=False, representative=BOT, content=common["content"]
    )
    await happens(bench, BotMessage, "b-3", representative=BOT, content=common["content"])
    await later(bench)
    assert await counted(bench) == {"customer_message": 1, "bot_message": 1, "human_message": 1}


async def test_kinds_and_lengths(bench: Bench) -> None:
    picture = Details(attachments=(Attachment(kind="image"),))
    await says(bench, "m-1", "w" * 20)
    await says(bench, "m-2", "w" * 21)
    await happens(bench, UserMessage, "m-3", form={}, said="[image]", details=picture)
    await happens(bench, SuggestionResponse, "s-1", form={}, said="Yes")
    await happens(bench, Reaction, "r-1", form={}, said="+1")
    await later(bench)
    found = {
        (one.of, one.size): one.number for record in await records(bench) for one in record.messages
    }
    assert found == {
        ("text", 1): 1,
        ("text", 21): 1,
        ("image", None): 1,
        ("suggestion", None): 1,
        ("reaction", None): 1,
    }


async def test_an_erase_counts_what_was_not_counted(bench: Bench) -> None:
    await says(bench, "m-1")
    await bot_says(bench, "b-1")
    await erase(bench.ports, C, "admin")
    assert await counted(bench) == {"customer_message": 1, "bot_message": 1}
    await later(bench)
    assert await counted(bench) == {"customer_message": 1, "bot_message": 1}


async def test_a_link_counts_the_desks_own(bench: Bench) -> None:
    await says(bench, "m-1")
    await says(bench, "d-1", source=DESK)
    await says(bench, "d-2", source=DESK)
    await link(bench.ports, DESK, C, "admin")
    await deliver(bench.ports, DESK)
    await later(bench)
    assert await counted(bench) == {"customer_message": 3}


async def test_two_channels_of_one_customer_count_together(bench: Bench) -> None:
    policy = Policy(capabilities={"business_messages": Capabilities(), "rcs": Capabilities()})
    bench.ports = replace(bench.ports, policy=policy)
    for source in (C, "rcs:0:1"):
        await says(bench, "m-1", source=source)
        await says(bench, "m-2", source=source)
    await link(bench.ports, "rcs:0:1", C, "admin")
    for source in (C, "rcs:0:1"):
        await deliver(bench.ports, source)
    await later(bench)
    assert await counted(bench) == {"customer_message": 4}


def test_two_conversations_that_become_one_have_the_sum() -> None:
    one, two = {"7\nbot_message": 1, "9\nbot_message": 1}, {"7\nbot_message": 2, "8\nx": 4}
    assert list(together(one, two).items()) == [
        ("7\nbot_message", 3),
        ("8\nx", 4),
        ("9\nbot_message", 1),
    ]


async def test_many_classes_are_counted_early(bench: Bench) -> None:
    """A conversation's document stays small."""
    await says(bench, "m-0")
    for n in range(MOST_ROWS):
        details = Details(attachments=(Attachment(kind=f"kind {n}"),))
        await happens(bench, UserMessage, f"f-{n}", form={}, said="", details=details)
    assert len((await state(bench)).uncounted) == MOST_ROWS
    await bot_says(bench, "b-1")
    assert (await state(bench)).uncounted == {}
    assert await counted(bench) == {"customer_message": MOST_ROWS + 1, "bot_message": 1}


async def test_a_request_counts_all_messages_before_it(bench: Bench) -> None:
    await says(bench, "m-1")
    await bot_says(bench, "b-1")
    await happens(bench, HumanRequested, "r-1", reason="refund")
    assert await counted(bench) == {"customer_message": 1, "bot_message": 1}
    assert (await state(bench)).due_at == bench.clock.now() + timedelta(seconds=120)


def test_the_release_before_reads_a_record_and_keeps_its_messages() -> None:
    """It knows no such names, so they are in a field that it passes over."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    every = [Measure(name=name, at=at, channel="rcs") for name in Name]
    record = Record.of("r", every)
    assert {one.name for one in record.messages} == {*MESSAGES, Name.EXCHANGED}
    assert {*record.measures, *record.messages} == set(every)
    assert set(record.counted) == set(every)


@pytest.mark.parametrize("least", LENGTHS)
def test_a_class_of_length_begins_with_a_bin(least: int) -> None:
    assert bin_of(least) == least
