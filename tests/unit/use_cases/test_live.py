"""What a person does now, and the request that answers when something of theirs has changed."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import Unavailable
from shared.people import live as live_module
from shared.people.live import Live, live
from shared.people.presence import renew
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.conversation import Conversation, HandoffRequest, Offer, Participant, Phase
from shared.schemas.notifications import OUTBOX
from shared.schemas.people import MOST_PAGES, Person, Presence, Slot
from shared.stores.sqlite.store import SqliteStore

JANE, OMAR = (
    Person(id="jane@x.test", name="Jane", capacity=3),
    Person(id="omar@x.test", name="Omar"),
)
C = "business_messages:3333"


class Counting(SqliteStore):
    """Counts the watches and the writes of people."""

    watches = people_written = 0

    def watch_person(self, *given: Any) -> Any:
        self.watches += 1
        return super().watch_person(*given)

    async def commit(self, commit: Commit) -> Any:
        self.people_written += len(commit.people)
        return await super().commit(commit)


class Silent(SqliteStore):
    """Its watches of people show nothing."""

    async def watch_person(self, *given: Any) -> AsyncGenerator[Any, None]:
        await asyncio.Event().wait()
        yield


@pytest.fixture
async def ports(bench: Any, tmp_path: Any) -> AsyncIterator[Ports]:
    store = Counting(str(tmp_path / "live.sqlite"))
    yield replace(bench.ports, store=store, people={one.id: one for one in (JANE, OMAR)})
    await store.close()


async def presence(ports: Ports, person: Person = JANE) -> Presence:
    return (await ports.store.people([person.id]))[person.id].value


async def holds(ports: Ports, slot: str, conversation: Conversation) -> None:
    """Jane holds the conversation from now on, by a commit as a claim makes it."""
    found = (await ports.store.people([JANE.id])).get(JANE.id) or Snapshot(
        Presence(id=JANE.id), None
    )
    taken = Slot(conversation=conversation.id, kind="held")
    after = found.value.with_slot(slot, taken, ports.clock.now(), assigned=False)
    known, now = await ports.store.load(conversation.id), ports.clock.now()
    who = Participant(
        representative=JANE.representative, frame="f", source=C, joined_at=now, person=JANE.id,
        slot=slot,
    )  # fmt: skip
    held = (
        conversation if conversation.offer else conversation.model_copy(update={"humans": (who,)})
    )
    written = Snapshot(held, known.token if known else None)
    await ports.store.commit(Commit((), [written], people=[Snapshot(after, found.token)]))


async def changed(ports: Ports, conversation: Conversation) -> Conversation:
    found = await ports.store.load(conversation.id)
    assert found is not None
    after = found.value.model_copy(update={"version": found.value.version + 1})
    await ports.store.commit(Commit((), [Snapshot(after, found.token)]))
    return after


def conversation(native: str = "3333", **fields: Any) -> Conversation:
    return Conversation(id=f"business_messages:{native}", address=native, version=1, **fields)


async def answered(asking: "asyncio.Task[Live]") -> Live:
    """Returns the answer, which must come within a second."""
    async with asyncio.timeout(1):
        return await asking


async def asking(ports: Ports, since: str, page: str | None = None, *phases: str) -> Any:
    """Returns a request that waits."""
    task = asyncio.create_task(live(ports, JANE, page, phases or ("QUEUED",), since))
    await asyncio.sleep(0.05)
    assert not task.done()
    return task


async def test_a_person_is_there_while_a_page_of_theirs_is_open(bench: Any, ports: Ports) -> None:
    now = bench.clock.now
    first = await renew(ports, JANE, "a", "available")
    assert first.is_available(now())
    bench.clock.forward(60)
    await renew(ports, JANE, "b", None)
    bench.clock.forward(60)
    second = await renew(ports, JANE, None, "away")
    assert not second.is_available(now())
    assert not second.is_gone(now())
    bench.clock.forward(31)
    assert (await presence(ports)).is_gone(now())
    third = await renew(ports, JANE, "c", "available")
    assert set(third.pages) == {"c"}  # what is gone is forgotten
    assert third.is_available(now())


async def test_a_person_without_a_page_is_offered_nothing_and_never_gone(
    bench: Any, ports: Ports
) -> None:
    by_api = await renew(ports, JANE, None, "available")
    bench.clock.forward(10_000)
    assert not by_api.is_available(bench.clock.now())
    assert not by_api.is_gone(bench.clock.now())


async def test_who_claims_after_their_pages_are_gone_works_by_the_api(
    bench: Any, ports: Ports
) -> None:
    await renew(ports, JANE, "a", "available")
    bench.clock.forward(91)
    await holds(ports, "claim", conversation())
    assert (await presence(ports)).due_at is None
    await renew(ports, JANE, "b", None)
    assert (await presence(ports)).due_at == bench.clock.now() + timedelta(seconds=90)


async def test_a_person_has_few_pages(bench: Any, ports: Ports) -> None:
    for n in range(MOST_PAGES + 5):
        bench.clock.forward(1)
        known = await renew(ports, JANE, f"p{n}", None)
    assert list(known.pages)[-1] == f"p{MOST_PAGES + 4}"
    assert len(known.pages) == MOST_PAGES + 1


async def test_the_first_request_is_answered_at_once_and_the_next_by_a_change(
    ports: Ports,
) -> None:
    await holds(ports, "claim", conversation())
    first = await live(ports, JANE, None, ["QUEUED"], "")
    assert [one.version for one in first.mine] == [1]
    waiting = await asking(ports, first.name)
    began = time.monotonic()
    await changed(ports, conversation())
    second = await answered(waiting)
    assert ([one.version for one in second.mine], second.name != first.name) == ([2], True)
    assert time.monotonic() - began < 0.5


async def test_it_answers_for_the_persons_own_slots_and_state_and_for_the_queue(
    ports: Ports,
) -> None:
    nothing = await live(ports, JANE, None, ["QUEUED"], "")
    waiting = await asking(ports, nothing.name)
    await holds(ports, "claim", conversation())
    mine = await answered(waiting)
    assert [one.id for one in mine.mine] == [C]

    waiting = await asking(ports, mine.name)
    await renew(ports, JANE, None, "available")
    available = await answered(waiting)
    assert available.presence.state == "available"

    waiting = await asking(ports, available.name)
    request = HandoffRequest(reason="help", source=C, accepted_at=ports.clock.now())
    queued = conversation("4444", phase=Phase.QUEUED, request=request)
    await ports.store.commit(Commit((), [Snapshot(queued, None)]))
    assert [one.id for one in (await answered(waiting)).listed["QUEUED"]] == [queued.id]


async def test_what_is_not_theirs_does_not_answer(
    ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "LONGEST_SECONDS", 0.3)
    first = await live(ports, JANE, None, ["QUEUED"], "")
    waiting = await asking(ports, first.name)
    await ports.store.commit(Commit((), [Snapshot(conversation("other"), None)]))
    await renew(ports, OMAR, "b", "available")
    await renew(ports, JANE, "a", None)  # that a page is open is no news for the others
    last = await answered(waiting)
    assert last.name == first.name
    assert set(last.presence.pages) == {"a"}


async def test_where_the_store_is_silent_the_request_ends_all_the_same(
    bench: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page asks again after a while, so requests that wait on would become more and more."""
    monkeypatch.setattr(live_module, "LONGEST_SECONDS", 0.3)
    store = Silent(str(tmp_path / "silent.sqlite"))
    waiting = await asking(replace(bench.ports, store=store), "", "a")
    with pytest.raises(Unavailable, match="store"):
        await answered(waiting)
    await store.close()


async def test_all_pages_of_a_person_share_one_watch_which_outlasts_a_request(
    ports: Ports,
) -> None:
    await holds(ports, "claim", conversation())
    first = await live(ports, JANE, None, ["QUEUED"], "")
    waiting = [await asking(ports, first.name) for _ in range(3)]
    await changed(ports, conversation())
    answers = [await answered(one) for one in waiting]
    assert len({one.name for one in answers}) == 1
    await asking(ports, answers[0].name)
    assert isinstance(ports.store, Counting)
    assert ports.store.watches == 1


async def test_it_keeps_the_page_open_and_writes_only_after_a_third_of_the_time(
    bench: Any, ports: Ports
) -> None:
    assert isinstance(ports.store, Counting)
    first = await live(ports, JANE, "a", ["QUEUED"], "")
    assert ports.store.people_written == 1
    await asyncio.sleep(0.02)  # until the watch has seen it
    bench.clock.forward(29)
    await live(ports, JANE, "a", ["QUEUED"], "")
    assert ports.store.people_written == 1
    bench.clock.forward(1)
    again = await live(ports, JANE, "a", ["QUEUED"], "")
    assert ports.store.people_written == 2
    assert again.name == first.name
    assert (await presence(ports)).pages["a"] == bench.clock.now() + timedelta(seconds=90)


async def test_while_it_waits_it_keeps_the_page_open(bench: Any, ports: Ports) -> None:
    ports = replace(ports, page_open_for=timedelta(seconds=0.3))
    began = time.monotonic()
    bench.clock.now = lambda: bench.clock.time + timedelta(seconds=time.monotonic() - began)
    first = await live(ports, JANE, "a", ["QUEUED"], "")
    waiting = await asking(ports, first.name, "a")
    for _ in range(4):
        await asyncio.sleep(0.15)
        assert not (await presence(ports)).is_gone(bench.clock.now())
    waiting.cancel()


async def test_what_changes_while_the_page_says_that_it_is_open_is_no_less_seen(
    bench: Any, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    await holds(ports, "claim", conversation())
    first = await live(ports, JANE, "a", ["QUEUED"], "")
    commit = ports.store.commit

    async def and_the_customer_writes(given: Commit) -> Any:
        done = await commit(given)
        if given.people:
            await changed(ports, conversation())
            await asyncio.sleep(0.05)  # until the watch has seen it
        return done

    monkeypatch.setattr(ports.store, "commit", and_the_customer_writes)
    bench.clock.forward(31)
    async with asyncio.timeout(1):
        second = await live(ports, JANE, "a", ["QUEUED"], first.name)
    assert [one.version for one in second.mine] == [2]


async def test_an_offer_that_was_not_answered_in_time_is_woken_once(
    bench: Any, ports: Ports
) -> None:
    now = bench.clock.now()
    until = now + timedelta(seconds=0.2)
    offer = Offer(id="o", to=JANE.id, name="Jane", made_at=now, until=until)
    await holds(ports, "o", conversation(offer=offer))
    first = await live(ports, JANE, None, ["QUEUED"], "")
    waiting = await asking(ports, first.name)
    bench.clock.forward(1)
    await asyncio.sleep(0.3)
    await renew(ports, JANE, "a", None)  # something that makes it look again
    await asyncio.sleep(0.05)
    waiting.cancel()
    assert bench.publisher.on(OUTBOX) == [{"schema_version": 1, "conversation": C, "timers": True}]
