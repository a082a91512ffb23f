"""What was counted is what the journal measured, whatever went wrong; and where it is not, a
recount makes it so.
"""

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.conversations.apply import apply
from shared.customers.erase import erase
from shared.customers.links import link
from shared.delivery.deliver import deliver
from shared.errors import TooLarge, Unavailable
from shared.measures.counts import DAY, Cell, Count, Tally, added, day_of, in_tally
from shared.ports import PreconditionFailed, Snapshot
from shared.reports.figures import figures
from shared.reports.recount import recount
from shared.schemas.commands import Record, State, ToCustomer
from shared.schemas.content import Content
from shared.schemas.conversation import Capabilities
from shared.schemas.events import Claim, Event, HumanLeft, HumanMessage, HumanRequested, UserMessage
from shared.schemas.journal import JournalEntry
from shared.schemas.measures import Name
from shared.schemas.representative import Representative, RepresentativeType

C, DESK = "business_messages:3333", "csku:conv_1"
EVER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")


def _event(kind: type[Event], native: str, source: str = C, **fields: Any) -> Event:
    return kind(id=native, source=source, address=source, actor="test", **fields)


def _user(native: str, source: str = C) -> Event:
    return _event(UserMessage, native, source, form={}, said="Hi")


def _handoff() -> list[Event]:
    common: dict[str, Any] = {"representative": JANE, "fact": False, "key": "desk"}
    return [
        _user("m-1"),
        _event(HumanRequested, "r-1", reason="refund"),
        _event(Claim, "c-1", **common),
        _event(HumanMessage, "h-1", content=Content(text="Hello"), **common),
        _user("m-2"),
        _event(HumanMessage, "h-2", content=Content(text="Done"), **common),
        _event(HumanLeft, "l-1", **common),
    ]


async def _play(bench: Any, events: list[Event], *, deliveries: bool = True) -> None:
    for event in events:
        await apply(bench.ports, event)
        bench.clock.forward(10)
        if deliveries:
            await deliver(bench.ports, event.source)


async def _counted(bench: Any) -> list[Count]:
    return added(in_tally(await bench.store.counted(*EVER), Tally.COUNTED))


async def _recounted(bench: Any) -> list[Count]:
    return (await recount(bench.store, *EVER, bench.clock.now())).changed


async def _spoil(bench: Any, counts: list[Count]) -> None:
    """Counts what no journal knows of."""
    (entry, *_) = (await bench.store.journal(C, None, 1)).items
    await bench.store.update(entry, counts)


def _full(bench: Any, tallies: set[Tally]) -> Any:
    """Returns the store's `update` as it is on a day that takes no more in these tallies."""
    update = bench.store.update

    async def full(entry: Snapshot[JournalEntry], counts: Any = ()) -> Any:
        if tallies & {one.cell.tally for one in counts}:
            raise TooLarge("too-large-to-store", "told to be full")
        return await update(entry, counts)

    return full


def _by_name(counts: list[Count]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in counts:
        found[one.cell.name.value] = found.get(one.cell.name.value, 0) + one.number
    return found


WHOLE = dict.fromkeys(
    "conversation handed_off requested joined taken waiting frame responded first_response turn "
    "answered response left"
    " handling exchanged".split(),
    1,
) | {"customer_message": 2, "human_message": 2}


async def test_a_handoff_is_counted_once_however_often_it_is_delivered(bench: Any) -> None:
    await _play(bench, [*_handoff(), *_handoff()])
    for _ in range(3):
        await deliver(bench.ports, C)
    counts = await _counted(bench)
    assert _by_name(counts) == WHOLE
    said = figures(counts)
    assert (
        said.timings["waiting"].median,
        said.timings["firstResponse"].median,
        said.timings["response"].median,
    ) == (10, 20, 10)
    assert await _recounted(bench) == []


async def test_what_is_not_delivered_yet_is_not_counted_and_nothing_is_lost(bench: Any) -> None:
    await _play(bench, _handoff(), deliveries=False)
    assert await _counted(bench) == []
    assert await _recounted(bench) == []
    await deliver(bench.ports, C)
    assert _by_name(await _counted(bench)) == WHOLE


@pytest.mark.parametrize(
    "applied", [True, False], ids=["the write was made", "the write was not made"]
)
async def test_a_write_whose_answer_is_lost_counts_once(
    bench: Any, monkeypatch: pytest.MonkeyPatch, applied: bool
) -> None:
    update = bench.store.update

    async def lost(entry: Any, counts: Any = ()) -> Any:
        if applied:
            await update(entry, counts)
        raise Unavailable("store-unavailable", "told to lose its answer")

    await _play(bench, _handoff(), deliveries=False)
    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "update", lost)
        with contextlib.nullcontext() if applied else pytest.raises(Unavailable):
            await deliver(bench.ports, C)
    await deliver(bench.ports, C)
    assert _by_name(await _counted(bench)) == WHOLE


@pytest.mark.parametrize(
    "fault", [PreconditionFailed(), Unavailable("store-unavailable", "too slow")]
)
async def test_counts_that_others_hold_delay_and_double_nothing_but_the_counts(
    bench: Any, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """A platform that recognises no id, and counts on which many write at once, for as long as
    give-up takes.
    """
    capabilities = Capabilities(idempotent_sends=False)
    policy = replace(bench.ports.policy, capabilities={"business_messages": capabilities})
    ports, update, unrecorded = replace(bench.ports, policy=policy), bench.store.update, list[str]()

    async def contended(entry: Any, counts: Any = ()) -> Any:
        if counts:
            stored = (await bench.store.entry(C, entry.value.id)).value.commands
            unrecorded.extend(
                one.id
                for one in stored
                if isinstance(one, ToCustomer) and one.state is State.PENDING
            )
            raise fault
        return await update(entry, counts)

    for event in _handoff():
        await apply(ports, event)
    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "update", contended)
        for _ in range(3):
            outcome = await deliver(ports, C)
            bench.clock.forward(60)
    assert [one["text"] for one in bench.sender.sent if "text" in one] == ["Hello", "Done"]
    assert unrecorded == [], "what was sent is on record before anything is counted"
    assert outcome.failed
    assert outcome.next_try is not None
    entries = [one.value for one in (await bench.store.journal(C, None, 100)).items]
    commands = [command for entry in entries for command in entry.commands]
    assert {command.state for command in commands if not isinstance(command, Record)} == {
        State.SENT
    }
    assert {command.state for command in commands if isinstance(command, Record)} == {State.PENDING}
    bench.clock.forward(600)
    await deliver(ports, C)
    assert _by_name(await _counted(bench)) == WHOLE
    assert await bench.store.pending_count(C) == 0


async def test_what_cannot_be_counted_for_a_day_is_left_to_a_recount(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = bench.store.update

    async def contended(entry: Any, counts: Any = ()) -> Any:
        if counts:
            raise PreconditionFailed
        return await update(entry, counts)

    await _play(bench, _handoff(), deliveries=False)
    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "update", contended)
        bench.clock.forward(bench.ports.policy.give_up_after.total_seconds())
        await deliver(bench.ports, C)
    assert await bench.store.pending_count(C) == 0
    await _recounted(bench)
    assert _by_name(await _counted(bench)) == WHOLE


async def test_a_recount_mends_what_was_lost_doubled_or_made_up(bench: Any) -> None:
    await _play(bench, _handoff())
    right = await _counted(bench)
    await _spoil(bench, [Count(one.cell, n) for n, one in enumerate(right, -1)])
    await _spoil(bench, [Count(Cell(EVER[0], "sms", "", "", Name.REQUESTED), 5)])
    assert await _recounted(bench) != []
    assert set(await _counted(bench)) == set(right)
    assert await _recounted(bench) == []


async def test_two_recounts_of_one_moment_correct_once(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Firestore is read as it stood at the last full minute, in which the first one's
    correction is not.
    """
    await _play(bench, _handoff())
    right = await _counted(bench)
    await _spoil(bench, [Count(Cell(EVER[0], "sms", "", "", Name.REQUESTED), 5)])
    async with bench.store.frozen() as still:
        await still.counted(*EVER)
        monkeypatch.setattr(bench.store, "frozen", lambda: contextlib.nullcontext(still))
        assert await _recounted(bench) != []
        assert await _recounted(bench) == []
    assert set(await _counted(bench)) == set(right)


async def test_a_recount_that_began_earlier_takes_back_nothing_that_was_found_since(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One reads before anything is delivered and ends last; another one begins when a day could
    take no more.
    """
    await _play(bench, _handoff(), deliveries=False)
    began = bench.clock.now()
    async with bench.store.frozen() as still:
        await still.counted(*EVER)
        bench.clock.forward(60)
        with monkeypatch.context() as patched:
            patched.setattr(bench.store, "update", _full(bench, set(Tally)))
            await deliver(bench.ports, C)
        await _recounted(bench)
        assert _by_name(await _counted(bench)) == WHOLE
        monkeypatch.setattr(bench.store, "frozen", lambda: contextlib.nullcontext(still))
        assert (await recount(bench.store, *EVER, began)).changed == []
    assert _by_name(await _counted(bench)) == WHOLE


async def test_recounts_at_once_correct_once(bench: Any) -> None:
    await _play(bench, _handoff())
    right = await _counted(bench)
    await _spoil(bench, [Count(Cell(EVER[0], "sms", "", "", Name.REQUESTED), 5)])
    await asyncio.gather(*(_recounted(bench) for _ in range(5)))
    assert set(await _counted(bench)) == set(right)


async def test_a_recount_tries_again_where_others_write(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _play(bench, _handoff())
    right, correct, tries = await _counted(bench), bench.store.correct, iter(range(10))
    await _spoil(bench, [Count(Cell(EVER[0], "sms", "", "", Name.REQUESTED), 5)])

    async def contended(*arguments: Any) -> None:
        if next(tries) < 3:
            raise PreconditionFailed
        await correct(*arguments)

    monkeypatch.setattr(bench.store, "correct", contended)
    await _recounted(bench)
    assert set(await _counted(bench)) == set(right)


async def test_days_whose_journal_expires_stay_as_they_are(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts without a journal are kept, however long a journal would be kept today."""
    await _play(bench, _handoff())
    other = day_of(bench.clock.now()) - 3 * DAY
    await _spoil(bench, [Count(Cell(other, "sms", "", "", Name.REQUESTED), 5)])
    now, ends = bench.clock.now(), {other: bench.clock.now() + DAY}

    async def journal_ends(*_: Any) -> Any:
        return ends

    monkeypatch.setattr(bench.store, "journal_ends", journal_ends)
    monkeypatch.setattr(bench.store, "frozen", lambda: contextlib.nullcontext(bench.store))
    before = await _counted(bench)
    done = await recount(bench.store, *EVER, now)
    assert (done.changed, done.spared) == ([], [other])
    assert await _counted(bench) == before
    ends[other] += DAY
    done = await recount(bench.store, *EVER, now)
    assert (sum(one.number for one in done.changed), done.spared) == (-5, [])
    ends[other] -= DAY
    assert (await recount(bench.store, *EVER, now)).changed == [], "nor is a correction, later"
    assert _by_name(await _counted(bench)) == WHOLE


async def test_a_recount_beside_running_deliveries_corrects_what_is_wrong_and_nothing_else(
    bench: Any,
) -> None:
    await _play(bench, _handoff())
    await _spoil(bench, [Count(Cell(EVER[0], "sms", "", "", Name.REQUESTED), 5)])

    async def another(n: int) -> None:
        source = f"business_messages:{n}"
        for event in _handoff():
            await apply(bench.ports, event.model_copy(update={"source": source}))
            await deliver(bench.ports, source)

    await asyncio.gather(*(another(n) for n in range(20)), _recounted(bench))
    many = {name: 21 * number for name, number in WHOLE.items()}
    assert _by_name(await _counted(bench)) == many
    assert await _recounted(bench) == []


async def test_erasing_takes_the_conversation_and_leaves_the_counts(bench: Any) -> None:
    """An agent's name stays where agents are counted, and nowhere in what is left of the
    conversation.
    """
    await _play(bench, _handoff()[:5], deliveries=False)
    await erase(bench.ports, C, "admin")
    entries = [one.value for one in (await bench.store.journal(C, None, 100)).items]
    assert not any(one.commands for one in entries)
    assert "Jane" not in "".join(map(JournalEntry.model_dump_json, entries))
    said = figures(await _counted(bench))
    assert (
        said.numbers["joined"],
        said.numbers["withHuman"],
        said.timings["handling"].open,
        said.timings["response"].open,
    ) == (1, 0, 0, 0)
    assert (said.timings["response"].without, said.timings["handling"].count) == (1, 1)
    assert await _recounted(bench) == []


@pytest.mark.parametrize("deliveries", [True, False], ids=["counted", "waits to be counted"])
async def test_a_recount_of_a_day_that_is_full_knows_what_was_erased(
    bench: Any, monkeypatch: pytest.MonkeyPatch, deliveries: bool
) -> None:
    """What a full day takes are copies, which have documents of their own."""
    await _play(bench, _handoff(), deliveries=deliveries)
    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "update", _full(bench, {Tally.COUNTED}))
        await erase(bench.ports, C, "admin")
    assert not any(one.value.commands for one in (await bench.store.journal(C, None, 100)).items)
    await _recounted(bench)
    assert _by_name(await _counted(bench)) == WHOLE


async def test_a_request_that_is_erased_or_linked_is_not_open_for_ever(bench: Any) -> None:
    requests = [_user("m-1", DESK), _event(HumanRequested, "r-1", DESK, reason="needed")]
    await _play(bench, [_user("m-1"), _event(HumanRequested, "r-1", reason="refund"), *requests])
    assert figures(await _counted(bench)).timings["waiting"].open == 2
    await link(bench.ports, DESK, C, "admin")
    await deliver(bench.ports, DESK)
    await erase(bench.ports, C, "admin")
    said = figures(await _counted(bench))
    assert (
        said.numbers["linked"],
        said.numbers["erased"],
        said.timings["waiting"].open,
        said.timings["firstResponse"].open,
    ) == (1, 1, 0, 0)


async def test_reports_that_can_take_no_more_hold_up_nothing(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "update", _full(bench, set(Tally)))
        await _play(bench, _handoff())
    assert await bench.store.pending_count(C) == 0
    assert await _counted(bench) == []
    entries = [one.value for one in (await bench.store.journal(C, None, 100)).items]
    records = [c for entry in entries for c in entry.commands if isinstance(c, Record)]
    assert {record.state for record in records} == {State.FAILED}
    await _recounted(bench)
    assert _by_name(await _counted(bench)) == WHOLE
