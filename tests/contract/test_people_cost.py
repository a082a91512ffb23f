"""What people cost on Firestore, counted: a claim, and desk pages that are open. The reads of a
watch are the documents that Firestore sends: it charges for each.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from infra.cost.cost import PAGES
from shared.conversations.apply import apply
from shared.conversations.devices import begin_to_show
from shared.handoff.policy import Policy
from shared.people.live import live
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.base import JsonObject
from shared.schemas.conversation import Conversation, HandoffRequest, Participant, Phase
from shared.schemas.ephemeral import Receipt
from shared.schemas.events import Claim, HumanRequested, UserMessage
from shared.schemas.people import Person, Presence, Slot
from shared.stores.cache import CachedStore
from shared.stores.firestore.rpc import FirestoreRpc, Message
from shared.stores.firestore.store import FirestoreStore

DESKS, HELD, WAITING = 50, 3, 10
READ: JsonObject = {"receipts": {"receipts": [{"message": "m", "receiptType": "READ"}]}}


class Counting(FirestoreRpc):
    """Counts RPCs, documents that are read, and documents that are written."""

    def __init__(self, project: str, emulator: str) -> None:
        super().__init__(project, emulator)
        self.made: Counter[str] = Counter()

    async def get(self, name: str) -> Any | None:
        self.made.update(rpcs=1, reads=1)
        return await super().get(name)

    async def get_all(self, names: Sequence[str]) -> list[Any]:
        self.made.update(rpcs=1, reads=len(names))
        return await super().get_all(names)

    async def commit(self, writes: Sequence[Message]) -> list[Any]:
        self.made.update(rpcs=1, writes=len(writes))
        return await super().commit(writes)

    async def listen(self, target: Message) -> AsyncGenerator[Mapping[str, Any], None]:
        self.made.update(rpcs=1, listens=1)
        seen: dict[str, Any] = {}
        async for found in super().listen(target):
            news = {name: one.update_time for name, one in found.items()}
            self.made.update(reads=sum(seen.get(name) != time for name, time in news.items()))
            seen = news
            yield found

    async def settled(self, awaited: Mapping[str, int]) -> dict[str, int]:
        """Returns what was made since it was last asked, once nothing more comes. On a busy
        machine it waits a minute for what is `awaited`.
        """
        before, patience = None, asyncio.get_running_loop().time() + 60
        while before != self.made or self._misses(awaited, patience):
            before = self.made.copy()
            await asyncio.sleep(0.5)
        return self.counted()

    def _misses(self, awaited: Mapping[str, int], patience: float) -> bool:
        missing = any(self.made[name] < number for name, number in awaited.items())
        return missing and asyncio.get_running_loop().time() < patience

    def counted(self) -> dict[str, int]:
        made = {name: number for name, number in self.made.items() if number}
        self.made.clear()
        return made


@pytest.fixture
async def rpc(firestore_emulator: str, fresh_project: str) -> AsyncIterator[Counting]:
    one = Counting(fresh_project, firestore_emulator)
    yield one
    await one.close()


class _Silent:
    """A Publisher and a Sender that take everything."""

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None: ...

    async def send(self, call: Any) -> None: ...


PEOPLE = {one.id: one for one in (Person(id=f"p{n}@x.test", name=f"P{n}") for n in range(DESKS))}


@pytest.fixture
def ports(rpc: Counting, clock: Any) -> Ports:
    store = CachedStore(FirestoreStore(rpc, clock, timedelta(days=30)))
    silent = _Silent()
    return Ports(store, silent, silent, clock, Policy(), {}, people=PEOPLE)


async def test_a_claim_of_a_person_is_a_read_and_a_write_more_than_a_systems(
    ports: Ports, rpc: Counting
) -> None:
    counts = []
    person = PEOPLE["p0@x.test"]
    for n, person_id in enumerate([None, person.id, None, person.id]):
        source = f"business_messages:{n}"
        about: dict[str, Any] = {"id": str(n), "source": source, "actor": "test"}
        hello = {"address": str(n), "form": {"n": n}, "said": "hello"}
        await apply(ports, UserMessage.model_validate({**about, **hello}))
        await apply(ports, HumanRequested.model_validate({**about, "reason": "help"}))
        rpc.counted()
        who = {"representative": person.representative, "person_id": person_id, "fact": False}
        await apply(ports, Claim.model_validate({**about, **who}))
        counts.append(rpc.counted())
    system, of_person = {"rpcs": 1, "writes": 2}, {"rpcs": 2, "reads": 1, "writes": 3}
    assert counts == [system, of_person, system, of_person]


def _held(person: Person, n: int, now: Any) -> Conversation:
    slot, native = f"{person.id} {n}", f"{person.id.partition('@')[0]}-{n}"
    who = Participant(
        representative=person.representative, frame="f", source="s", joined_at=now, slot=slot,
        person=person.id,
    )  # fmt: skip
    return Conversation(
        id=f"business_messages:{native}", address=native, version=1, phase=Phase.HUMAN,
        humans=(who,),
    )  # fmt: skip


async def _changed(ports: Ports, one: Snapshot[Conversation]) -> Snapshot[Conversation]:
    after = one.value.model_copy(update={"version": one.value.version + 1})
    return (await ports.store.commit(Commit((), [Snapshot(after, one.token)]))).conversations[0]


async def test_fifty_open_desks(ports: Ports, rpc: Counting, clock: Any) -> None:
    """Each holds three customers, and ten wait. What does not change costs nothing, and a change
    is read once for all who see it.
    """
    now, every = clock.now(), list[Snapshot[Conversation]]()
    request = HandoffRequest(reason="help", source="s", accepted_at=now)
    waiting = [
        Conversation(
            id=f"business_messages:w{n}",
            address=f"w{n}",
            version=1,
            phase=Phase.QUEUED,
            request=request,
        )
        for n in range(WAITING)
    ]
    queue = await ports.store.commit(Commit((), [Snapshot(one, None) for one in waiting]))
    for person in PEOPLE.values():
        mine = [_held(person, n, now) for n in range(HELD)]
        slots = {next(iter(one.slots)): Slot(conversation=one.id, kind="held") for one in mine}
        presence = Presence(id=person.id, slots=slots, version=1)
        commit = Commit(
            (), [Snapshot(one, None) for one in mine], people=[Snapshot(presence, None)]
        )
        every += (await ports.store.commit(commit)).conversations
    rpc.counted()

    async def ask(since: Mapping[str, str]) -> dict[str, str]:
        asked = (
            live(ports, person, "page", ["QUEUED"], since.get(person.id, ""))
            for person in PEOPLE.values()
        )
        return dict(zip(PEOPLE, [one.name for one in await asyncio.gather(*asked)], strict=True))

    async def look(person: Person) -> None:
        """Asks again at once, as a page does, which keeps the watches open however slow this
        machine is. It is no open page, which would say so again.
        """
        name = ""
        while True:
            name = (await live(ports, person, None, ["QUEUED"], name)).name

    looking = [asyncio.create_task(look(person)) for person in PEOPLE.values()]
    since = await ask({})
    # a listen each, one for the queue; each page says that it is open, and is seen to
    opening = {
        "listens": DESKS + 1,
        "writes": DESKS,
        "reads": DESKS * (1 + (1 + HELD) + 1 + 1) + WAITING,
    }
    opened = await rpc.settled(opening)
    assert {name: opened[name] for name in opening} == opening

    again = await ask({})
    assert (again, rpc.counted()) == (since, {})  # nothing has changed

    asking = asyncio.create_task(ask(since))
    await asyncio.sleep(0.1)
    for one in (queue.conversations[0], *every[::HELD]):  # one who waits, and one of each person
        await _changed(ports, one)
    await asking
    changes = {"rpcs": DESKS + 1, "writes": DESKS + 1, "reads": DESKS + 1}
    assert await rpc.settled(changes) == changes

    clock.time += timedelta(seconds=30)  # a third of the time for which a page counts as open
    await ask({})
    renewals = {"rpcs": 2 * DESKS, "writes": DESKS, "reads": 2 * DESKS}
    assert await rpc.settled(renewals) == renewals

    # what the customers' devices tell: a receipt for each person's first customer
    receipt = Receipt(source="s", form=READ)
    asking = asyncio.create_task(ask(await ask({})))
    await asyncio.sleep(0.1)
    for one in every[::HELD]:
        begin_to_show(ports, one.value, [receipt])
    await asking
    devices = {"rpcs": 3 * DESKS, "writes": DESKS, "reads": (2 + 1) * DESKS}
    assert await rpc.settled(devices) == devices
    for task in looking:
        task.cancel()

    assert PAGES["device"] == {"reads": 1 + 1 + 1, "writes": 1}
    assert PAGES["opening"] == {"reads": 1 + (1 + HELD) + 1 + 1, "writes": 1}
    assert PAGES["renewal"] == {"reads": 2, "writes": 1}
    assert PAGES["change"] == {"reads": 1, "writes": 0}
