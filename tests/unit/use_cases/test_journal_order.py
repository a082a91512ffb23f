"""The journal is in the order in which events were accepted, whatever the clocks of the
instances said.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.conversations.apply import apply
from shared.customers.erase import erase
from shared.customers.links import link, unlink
from shared.errors import BadRequest
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.conversation import Former
from shared.schemas.events import Event, HumanRequested, UserMessage
from tests.unit.use_cases.asking import ask
from tests.unit.use_cases.conftest import HandClock

CHANNEL, DESK = "business_messages:3333", "csku:conv_1"


@pytest.fixture
def slow(bench: Any) -> Ports:
    """Another instance, whose clock is behind."""
    here: Ports = bench.ports
    return replace(here, clock=HandClock(bench.clock.now() - timedelta(seconds=90)))


def _said(name: str, source: str = CHANNEL) -> Event:
    form: Any = {"message": {"messageId": name, "text": name}}
    return UserMessage(id=name, source=source, actor="p", address="a", form=form, said=name)


async def test_two_instances_whose_clocks_differ(bench: Any, slow: Ports) -> None:
    for n in range(6):
        await apply(slow if n % 2 else bench.ports, _said(f"m-{n}"))
    entries = (await ask(bench.ports, "GET", f"/{CHANNEL}/journal"))["entries"]
    assert [one["eventId"] for one in entries] == [f"m-{n}" for n in range(6)]
    latest = await bench.store.latest(CHANNEL, 3)
    assert [one.value.event_id for one in latest] == ["m-5", "m-4", "m-3"]


@pytest.mark.parametrize("limit", ["1", "4", "100"])
async def test_the_latest_first_is_the_sequence_backwards(bench: Any, limit: str) -> None:
    """Also where two conversations became one, whose journals follow each other."""
    former = _said("f-0", "business_messages:former")
    for event in (former, _said("f-1", "business_messages:former"), *map(_said, "abcdefg")):
        await apply(bench.ports, event)
    snapshot = await bench.store.load(CHANNEL)
    was = Former(id="business_messages:former", since=bench.clock.now())
    whole = snapshot.value.model_copy(update={"formerly": (was,), "version": 8})
    await bench.store.commit(Commit((), [Snapshot(whole, snapshot.token)]))
    seen, more = list[str](), dict[str, Any]()
    while True:
        page = await ask(
            bench.ports, "GET", f"/{CHANNEL}/journal", None, order="latest", limit=limit, **more
        )
        seen += [one["eventId"] for one in page["entries"]]
        if "nextCursor" not in page:
            break
        more = {"cursor": page["nextCursor"]}
    assert seen == [*"gfedcba", "f-1", "f-0"]


@pytest.mark.parametrize("query", [{"order": "newest"}, {"limit": "0"}, {"limit": "101"}])
async def test_an_order_or_limit_that_does_not_exist_is_refused(
    bench: Any, query: dict[str, Any]
) -> None:
    await apply(bench.ports, _said("m-1"))
    with pytest.raises(BadRequest) as refused:
        await ask(bench.ports, "GET", f"/{CHANNEL}/journal", None, **query)
    assert refused.value.reason == "schema"


async def test_the_journal_of_a_desk_before_while_and_after_it_is_linked_to_a_younger_channel(
    bench: Any, slow: Ports
) -> None:
    """An event through a link counts in the channel's sequence, also where the desk's own is
    far ahead or behind.
    """
    for n in range(9):
        await apply(bench.ports, _said(f"before-{n}", DESK))
    await apply(bench.ports, _said("m-1"))
    await link(bench.ports, DESK, CHANNEL, "admin")
    for n in range(3):
        await apply(slow, _said(f"while-{n}", DESK))
    for n in range(30):
        await apply(bench.ports, _said(f"busy-{n}"))
    await apply(slow, _said("while-3", DESK))
    await unlink(bench.ports, DESK, "admin")
    await apply(slow, _said("after", DESK))

    entries = [one.value for one in (await bench.store.journal(DESK, None, 100)).items]
    told = [one.event_id or one.kind for one in entries]
    before, during = [f"before-{n}" for n in range(9)], [f"while-{n}" for n in range(4)]
    assert told == [*before, "link", *during, "unlink", "after"]
    sequence = [one.value.seq for one in (await bench.store.journal(CHANNEL, None, 100)).items]
    assert sequence == sorted(set(sequence))


async def test_the_end_of_a_linked_desk_stands_last_in_its_journal(bench: Any) -> None:
    await apply(bench.ports, _said("d-1", DESK))
    for n in range(9):
        await apply(bench.ports, _said(f"m-{n}"))
    await link(bench.ports, DESK, CHANNEL, "admin")
    for n in range(3):
        await apply(
            bench.ports, HumanRequested(id=f"r-{n}", source=DESK, actor="p", reason="asked")
        )
    await erase(bench.ports, CHANNEL, "admin")
    for conversation in (DESK, CHANNEL):
        assert (await bench.store.latest(conversation, 1))[0].value.kind == "erase"


async def test_an_old_cursor_is_refused_with_what_to_do(bench: Any) -> None:
    await apply(bench.ports, _said("m-1"))
    for cursor in ("2026-01-01T00:00:00.000000Z 000000000001 abc", "abc", ""):
        with pytest.raises(BadRequest, match="start without one"):
            await bench.store.journal(CHANNEL, cursor, 10)
