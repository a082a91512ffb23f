"""People's documents in every ConversationStore: written with conversations or not at all, and
never more than a person's capacity.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import pytest

from infra.local.server import PATIENCE_SECONDS
from shared.conversations.apply import apply
from shared.handoff.policy import Policy
from shared.ports import Commit, ConversationStore, Ports, PreconditionFailed, Snapshot
from shared.schemas.conversation import Phase
from shared.schemas.devices import Device
from shared.schemas.events import Claim, UserMessage
from shared.schemas.people import Person, Presence, Slot

T = TypeVar("T")
Instance = Callable[[], ConversationStore]
JANE, OMAR = "jane@example.com", "omar@example.com"


async def _seen(store: ConversationStore, person: str = JANE) -> Snapshot[Presence]:
    return (await store.people([person]))[person]


def _with_slot(presence: Presence, slot: str, conversation: str) -> Presence:
    slots = {**presence.slots, slot: Slot(conversation=conversation, kind="held")}
    return presence.model_copy(update={"slots": slots, "version": presence.version + 1})


async def test_people_are_read_back_by_their_ids(store: ConversationStore, make: Any) -> None:
    jane = Presence(id=JANE, state="available", pages={"p": make.at(90)}, version=1)
    omar = _with_slot(Presence(id=OMAR, assigned_at=make.at(0)), "claim", "whatsapp:1")
    await store.commit(Commit((), people=[Snapshot(jane, None), Snapshot(omar, None)]))
    found = await store.people([JANE, "unseen@example.com", OMAR])
    assert {name: one.value for name, one in found.items()} == {JANE: jane, OMAR: omar}
    assert await store.people([]) == {}


async def test_a_person_is_written_with_the_conversation_and_the_entry(
    store: ConversationStore, make: Any
) -> None:
    """What holds one of the preconditions back holds back all."""
    await store.commit(Commit((), people=[Snapshot(Presence(id=JANE, version=1), None)]))
    old = await _seen(store)
    conversation = make.conversation("3333")
    taken = _with_slot(old.value, "claim", conversation.id)
    commit = Commit(
        [make.entry(conversation)], [Snapshot(conversation, None)], (), [Snapshot(taken, old.token)]
    )
    (written,) = (await store.commit(commit)).conversations
    assert (await _seen(store)).value == taken
    assert written.value == conversation

    other = make.conversation("4444")
    for person in (Snapshot(taken, old.token), Snapshot(taken, None)):  # both are outdated
        with pytest.raises(PreconditionFailed):
            await store.commit(
                Commit([make.entry(other)], [Snapshot(other, None)], people=[person])
            )
    assert await store.load(other.id) is None
    now = await _seen(store)
    again = make.conversation("3333", version=2)
    late = Commit([], [Snapshot(again, None)], people=[Snapshot(Presence(id=JANE), now.token)])
    with pytest.raises(PreconditionFailed):
        await store.commit(late)  # the conversation exists
    assert (await _seen(store)).value == taken


async def test_of_two_instances_that_race_for_one_place_one_gets_it(
    instance: Instance, make: Any
) -> None:
    """Sixteen claims of sixteen conversations on four instances, three places: never one more."""
    capacity, stores = 3, [instance() for _ in range(4)]
    await stores[0].commit(Commit((), people=[Snapshot(Presence(id=JANE, version=1), None)]))

    async def claim(n: int) -> bool:
        store, conversation = stores[n % 4], make.conversation(f"c{n}")
        for _ in range(1000):
            jane = await _seen(store)
            if len(jane.value.slots) >= capacity:
                return False
            taken = Snapshot(_with_slot(jane.value, f"s{n}", conversation.id), jane.token)
            commit = Commit(
                [make.entry(conversation)], [Snapshot(conversation, None)], people=[taken]
            )
            try:
                await store.commit(commit)
                return True
            except PreconditionFailed:
                await asyncio.sleep(random.uniform(0, 0.02))
        pytest.fail("never got through")

    won = await asyncio.gather(*map(claim, range(16)))
    assert sum(won) == capacity
    assert len((await _seen(stores[0])).value.slots) == capacity
    held = [await stores[0].load(f"business_messages:c{n}") for n in range(16)]
    assert [one is not None for one in held] == won


async def test_people_are_due_when_their_last_page_is_gone_and_they_hold_something(
    store: ConversationStore, make: Any
) -> None:
    pages = {"b": (5, 20), "a": (10,), "c": (30, 31), "idle": (1,), "by-api": ()}
    people = [
        Presence(id=name, pages={f"p{until}": make.at(until) for until in untils}, version=1)
        for name, untils in pages.items()
    ]
    busy = [one if one.id == "idle" else _with_slot(one, "s", "csku:1") for one in people]
    await store.commit(Commit((), people=[Snapshot(one, None) for one in busy]))
    assert (await store.due_people(make.at(9), None, 10)).items == []
    first = await store.due_people(make.at(30), None, 1)
    assert [one.value.id for one in first.items] == ["a"]
    rest = await store.due_people(make.at(30), first.cursor, 5)
    assert ([one.value.id for one in rest.items], rest.cursor) == (["b"], None)
    gone = rest.items[0]
    freed = gone.value.model_copy(update={"slots": {}, "version": gone.value.version + 1})
    await store.commit(Commit((), people=[Snapshot(freed, gone.token)]))
    assert [one.value.id for one in (await store.due_people(make.at(30), None, 5)).items] == ["a"]


async def _next(watch: AsyncGenerator[T, None]) -> T:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await anext(watch)


async def test_a_watch_sees_a_person_and_conversations_and_what_others_change(
    instance: Instance, make: Any
) -> None:
    mine, theirs = instance(), instance()
    watch = mine.watch_person(JANE, ["business_messages:held", "business_messages:unseen"])

    async def seen() -> tuple[list[str], list[int]]:
        now = await _next(watch)
        versions = [one.version for one in now.conversations.values()]
        return list(now.person.slots) if now.person else [], versions

    async with aclosing(watch):
        (held,) = await make.commit(theirs, make.conversation("held"))
        assert await seen() == ([], [1])

        again = make.conversation("held", version=2)
        await theirs.commit(Commit((), [Snapshot(again, held.token)]))
        assert await seen() == ([], [2])

        await make.commit(theirs, make.conversation("elsewhere"))  # which is not watched
        holds = _with_slot(Presence(id=JANE), "claim", "business_messages:held")
        await theirs.commit(Commit((), people=[Snapshot(holds, None)]))
        assert await seen() == (["claim"], [2])


async def test_a_device_is_kept_under_its_token_seen_by_a_watch_and_forgotten(
    instance: Instance, make: Any
) -> None:
    mine, theirs = instance(), instance()
    types = Device(id="business_messages:held", typing_since=make.at(1), version=1)
    assert await mine.device(types.id) is None
    async with aclosing(mine.watch_person(JANE, [types.id, "business_messages:unseen"])) as watch:

        async def seen() -> list[Device]:
            return list((await _next(watch)).devices.values())

        await make.commit(theirs, make.conversation("held"))
        assert await seen() == []
        await theirs.keep_device(Snapshot(types, None), make.at(1))
        assert await seen() == [types]
        found = await mine.device(types.id)
        assert found is not None
        assert found.value == types
        reads = types.model_copy(update={"receipts": {"m": "READ"}, "version": 2})
        await theirs.keep_device(Snapshot(reads, found.token), make.at(2))
        assert await seen() == [reads]
        for token in (found.token, None):  # both are outdated
            with pytest.raises(PreconditionFailed):
                await mine.keep_device(Snapshot(types, token), make.at(3))
        await theirs.forget_device(types.id)
        await theirs.forget_device(types.id)  # it is not there any more
        assert await seen() == []
    assert await mine.device(types.id) is None


async def test_a_watch_lists_the_longest_waits_and_forgets_who_no_longer_waits(
    instance: Instance, make: Any
) -> None:
    mine, theirs = instance(), instance()
    async with aclosing(mine.watch_phase("QUEUED", 3)) as watch:
        assert await _next(watch) == []
        waiting = [make.conversation(native, waits=n) for n, native in enumerate("dbac")]
        written = [(await make.commit(theirs, one))[0] for one in waiting]
        while (found := [one.address for one in await _next(watch)]) != ["d", "b", "a"]:
            assert found == ["d", "b", "a"][: len(found)]  # each commit may be seen by itself
        gone = make.conversation("b", version=2, phase=Phase.HUMAN)
        await theirs.commit(Commit((), [Snapshot(gone, written[1].token)]))
        while (found := [one.address for one in await _next(watch)]) == ["d", "b", "a"]:
            pass  # the same may be seen again
        assert found == ["d", "a", "c"]


class _Silent:
    """A Publisher and a Sender that take everything."""

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None: ...

    async def send(self, call: Any) -> None: ...


async def test_claims_that_race_on_two_instances_never_exceed_the_capacity(
    instance: Instance, clock: Any
) -> None:
    """Eight claims of eight conversations, room for two: the whole way of a claim."""
    jane, silent = Person(id=JANE, name="Jane", capacity=2), _Silent()
    both = [
        Ports(instance(), silent, silent, clock, Policy(), {}, people={JANE: jane})
        for _ in range(2)
    ]

    async def claim(n: int) -> bool:
        ports, source = both[n % 2], f"business_messages:c{n}"
        about: dict[str, Any] = {"id": "1", "source": source, "actor": "test"}
        hello = {"address": f"c{n}", "form": {}, "said": "hello"}
        await apply(ports, UserMessage.model_validate({**about, **hello}))
        who = {"representative": jane.representative, "person_id": JANE, "fact": False}
        applied = await apply(ports, Claim.model_validate({**about, **who}))
        assert applied.refusal is None or applied.refusal.reason == "at-capacity"
        return applied.refusal is None

    for ports in both:  # a new file is made by one instance at a time
        await ports.store.load("business_messages:c0")
    won = await asyncio.gather(*map(claim, range(8)))
    slots = (await _seen(both[0].store)).value.slots.values()
    assert sum(won) == 2
    winners = {f"business_messages:c{n}" for n, has_won in enumerate(won) if has_won}
    assert {slot.conversation for slot in slots} == winners
