"""What only the Firestore store does: expiry, links kept alive, faults in its own words, RPCs
counted.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core import exceptions
from google.api_core.exceptions import GoogleAPICallError
from grpc.aio import AioRpcError, Metadata  # type: ignore[import-untyped]  # grpcio has no types

from shared.conversations.apply import apply
from shared.customers.erase import erase
from shared.delivery.deliver import deliver
from shared.errors import Unavailable
from shared.handoff.policy import Policy
from shared.ports import Commit, Ports, PreconditionFailed, Snapshot
from shared.schemas.commands import SendMessage, State
from shared.schemas.content import Content
from shared.schemas.events import HumanRequested, UserMessage
from shared.schemas.journal import Sealed
from shared.schemas.notation import sent_key
from shared.schemas.representative import Representative, RepresentativeType
from shared.stores.cache import CachedStore
from shared.stores.firestore import messages as forms
from shared.stores.firestore.rpc import FirestoreRpc, Message
from shared.stores.firestore.store import FirestoreStore

TTL = timedelta(days=30)
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")


class CountingRpc(FirestoreRpc):
    """Counts RPCs; each method makes exactly one, because nothing is retried."""

    def __init__(self, project: str, emulator: str) -> None:
        super().__init__(project, emulator)
        self.made: Counter[str] = Counter()

    async def get(self, name: str) -> Any | None:
        self.made["get"] += 1
        return await super().get(name)

    async def commit(self, writes: Sequence[Message]) -> list[Any]:
        self.made["commit"] += 1
        return await super().commit(writes)

    async def query(self, parent: str, query: Message) -> list[Any]:
        self.made["query"] += 1
        return await super().query(parent, query)

    async def count(self, parent: str, query: Message) -> int:
        self.made["count"] += 1
        return await super().count(parent, query)

    async def fields(self, path: str) -> dict[str, Any]:
        """Returns the fields of a document as they are stored."""
        document = await super().get(f"{self.root}/{path}")
        assert document is not None
        return dict(document.fields)


@pytest.fixture
async def rpc(firestore_emulator: str, fresh_project: str) -> AsyncIterator[CountingRpc]:
    one = CountingRpc(fresh_project, firestore_emulator)
    yield one
    await one.close()


@pytest.fixture
def store(rpc: CountingRpc, clock: Any) -> FirestoreStore:
    return FirestoreStore(rpc, clock, TTL)


async def test_only_what_is_queried_is_a_field(
    store: FirestoreStore, rpc: CountingRpc, make: Any
) -> None:
    busy, idle = make.conversation("1", waits=0, due=1), make.conversation("2")
    await make.commit(store, busy, state=State.PENDING, due=0)
    await make.commit(store, idle)
    always = {"phase", "waiting_since", "expire_at", "body"}
    assert set(await rpc.fields(forms.conversation_path(busy.id))) == always | {"due_at", "shard"}
    assert set(await rpc.fields(forms.conversation_path(idle.id))) == always
    always = {"time", "seq", "expire_at", "body"}
    entries = [forms.entry_path(one.id, make.entry(one).id) for one in (busy, idle)]
    assert set(await rpc.fields(entries[0])) == always | {"due_at", "shard", "pending_seq"}
    assert set(await rpc.fields(entries[1])) == always


async def _expiry(rpc: CountingRpc, path: str) -> datetime:
    return forms.moment((await rpc.fields(path))["expire_at"])


async def test_everything_expires_after_its_last_write(
    store: FirestoreStore, rpc: CountingRpc, make: Any, clock: Any
) -> None:
    conversation = make.conversation("3333")
    entry = make.entry(conversation)
    await make.commit(store, conversation)
    assert await _expiry(rpc, forms.conversation_path(conversation.id)) == clock.time + TTL
    assert await _expiry(rpc, forms.entry_path(conversation.id, entry.id)) == clock.time + TTL

    clock.time += timedelta(days=29)
    known = await store.entry(conversation.id, entry.id)
    assert known is not None
    await store.update(Snapshot(entry.model_copy(update={"text": Sealed("changed")}), known.token))
    assert await _expiry(rpc, forms.entry_path(conversation.id, entry.id)) == clock.time + TTL


async def test_nothing_expires_before_it_is_due(
    store: FirestoreStore, rpc: CountingRpc, make: Any
) -> None:
    far = timedelta(days=90).total_seconds()
    conversation = make.conversation("3333", due=far)
    await make.commit(store, conversation, state=State.PENDING, due=far)
    for path in (
        forms.conversation_path(conversation.id),
        forms.entry_path(conversation.id, make.entry(conversation).id),
    ):
        assert await _expiry(rpc, path) > make.at(far)


async def test_what_expired_is_not_shown_and_still_knows_a_duplicate(
    store: FirestoreStore, make: Any, clock: Any
) -> None:
    conversation = make.conversation("3333", waits=0)
    await make.commit(store, conversation)
    clock.time += TTL
    assert (await store.queue("QUEUED", None, 10)).items == []
    assert (await store.journal(conversation.id, None, 10)).items == []
    assert await store.entry(conversation.id, make.entry(conversation).id) is not None
    known = await store.load(conversation.id)
    assert known is not None
    await store.commit(Commit((), [Snapshot(make.conversation("3333", version=2), known.token)]))


async def test_a_linked_desk_outlives_its_channel(
    store: FirestoreStore, rpc: CountingRpc, make: Any, clock: Any
) -> None:
    clock.time = datetime.now(UTC)  # the day of the emulator's own clock, and so of its tokens
    desk = make.conversation("desk", linked_to="business_messages:channel")
    channel = make.conversation("channel", links=(desk.id,))
    await store.commit(Commit([make.entry(desk)], [Snapshot(desk, None), Snapshot(channel, None)]))
    for day in range(1, 100):
        clock.time += timedelta(days=1)
        read = await store.load(channel.id)
        assert read is not None
        channel = channel.model_copy(update={"version": day + 1})
        await store.commit(Commit((), [Snapshot(channel, read.token)]))
        assert await _expiry(rpc, forms.conversation_path(desk.id)) > await _expiry(
            rpc, forms.conversation_path(channel.id)
        )
    kept = await store.load(desk.id)
    assert kept is not None
    assert kept.value == desk


async def test_a_link_is_kept_once_a_day_and_a_lost_desk_stops_nothing(
    store: FirestoreStore, rpc: CountingRpc, make: Any, clock: Any
) -> None:
    channel = make.conversation("channel", links=("csku:never-written",))
    (written,) = (await store.commit(Commit((), [Snapshot(channel, None)]))).conversations
    token: Any = written.token
    today = datetime.fromtimestamp(token.seconds, UTC)  # by the emulator's own clock
    clock.time = today + timedelta(days=2)
    rpc.made.clear()
    for version, commits in ((2, 2), (3, 4)):
        channel = channel.model_copy(update={"version": version})
        commit = Commit((), [Snapshot(channel, written.token)])
        (written,) = (await store.commit(commit)).conversations
        assert rpc.made["commit"] == commits
    clock.time = today
    channel = channel.model_copy(update={"version": 4})
    await store.commit(Commit((), [Snapshot(channel, written.token)]))
    assert rpc.made["commit"] == 5


class Failing(FirestoreRpc):
    """Answers every RPC with one error of Google's."""

    def __init__(self, error: GoogleAPICallError) -> None:
        super().__init__("project")
        code: Any = error.grpc_status_code
        self._error = AioRpcError(code, Metadata(), Metadata(), error.message)

    def _connected(self) -> Any:
        async def fail(*_: Any, **__: Any) -> Any:
            raise self._error

        async def fail_to_stream(*_: Any, **__: Any) -> Any:
            raise self._error
            yield

        return SimpleNamespace(
            commit=fail,
            get_document=fail,
            run_query=fail_to_stream,
            run_aggregation_query=fail_to_stream,
        )


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (exceptions.DeadlineExceeded, "slow"),
        (exceptions.ServiceUnavailable, "away"),
        (exceptions.ResourceExhausted, "quota"),
        (exceptions.InternalServerError, "oops"),
        (exceptions.Unknown, "?"),
        (exceptions.PermissionDenied, "no"),
        (exceptions.InvalidArgument, "what"),
        (exceptions.NotFound, "The database (default) does not exist for project x"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_what_firestore_cannot_do_is_unavailable(
    kind: Any, message: str, make: Any, clock: Any
) -> None:
    store = FirestoreStore(Failing(kind(message)), clock, TTL)
    conversation = make.conversation("3333")
    with pytest.raises(Unavailable) as raised:
        await store.commit(Commit([make.entry(conversation)], [Snapshot(conversation, None)]))
    assert raised.value.reason == "store-unavailable"
    for read in (store.load, store.pending_count):
        with pytest.raises(Unavailable):
            await read(conversation.id)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (
            exceptions.AlreadyExists,
            "Document already exists: projects/x/databases/(default)/documents/conversations/a",
        ),
        (
            exceptions.FailedPrecondition,
            "the stored version does not match the required base version",
        ),
        (
            exceptions.NotFound,
            "No document to update: "
            "projects/x/databases/(default)/documents/conversations/database",
        ),
        (exceptions.Aborted, "Too much contention on these documents."),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_what_another_changed_is_a_failed_precondition(
    kind: Any, message: str, make: Any, clock: Any
) -> None:
    store = FirestoreStore(Failing(kind(message)), clock, TTL)
    with pytest.raises(PreconditionFailed):
        await store.commit(Commit([make.entry(make.conversation("3333"))]))


class _Silent:
    """A Publisher and a Sender that take everything."""

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None: ...

    async def send(self, call: Any) -> None: ...


async def test_the_rpcs_of_a_webhook_and_of_a_drain(
    store: FirestoreStore, rpc: CountingRpc, clock: Any
) -> None:
    def ports() -> Ports:
        return Ports(CachedStore(store), _Silent(), _Silent(), clock, Policy(), {})

    source = "business_messages:3333"

    def event(n: int) -> UserMessage:
        return UserMessage(
            id=str(n), source=source, address="3333", actor="customer", form={"n": n}, said="hello"
        )

    instance, another = ports(), ports()
    counts = []
    for where, n in (
        (instance, 0),
        (instance, 1),
        (another, 2),
        (another, 3),
        (another, 3),
        (instance, 4),
    ):
        rpc.made.clear()
        await apply(where, event(n))
        counts.append(dict(rpc.made))

    cold, warm = {"get": 1, "commit": 1}, {"commit": 1}
    duplicate, overtaken = {"commit": 1, "get": 1}, {"commit": 2, "get": 2}
    assert counts == [cold, warm, cold, warm, duplicate, overtaken]

    await apply(
        instance,
        HumanRequested(id="5", source=source, address="3333", actor="customer", reason="asked"),
    )
    rpc.made.clear()
    delivered = await deliver(instance, source)
    assert delivered.failed is False
    assert rpc.made == {"query": 1, "commit": 6}


async def test_an_erase_finds_what_has_expired_and_is_not_deleted_yet(
    store: FirestoreStore, rpc: CountingRpc, make: Any, clock: Any
) -> None:
    """Read as Firestore itself holds it: no word of these entries is in any field of any
    document.
    """
    conversation = make.conversation("3333")
    entries = [
        make.entry(conversation, f"{n}", text="an unforgettable word", seq=n) for n in range(3)
    ]
    await store.commit(Commit(entries, [Snapshot(conversation, None)]))
    clock.time += TTL
    assert await store.latest(conversation.id, 10) == []
    ports = Ports(CachedStore(store), _Silent(), _Silent(), clock, Policy(), {})

    await erase(ports, conversation.id, "admin")

    kept = [await rpc.fields(forms.entry_path(conversation.id, one.id)) for one in entries]
    assert "unforgettable" not in str(kept)


async def test_an_erase_finds_the_journal_that_outlived_its_conversation(
    store: FirestoreStore, rpc: CountingRpc, make: Any, clock: Any
) -> None:
    entry = make.entry(make.conversation("3333", version=50), text="an unforgettable word")
    await store.commit(Commit([entry]))
    clock.time += TTL
    ports = Ports(CachedStore(store), _Silent(), _Silent(), clock, Policy(), {})

    await erase(ports, entry.conversation, "admin")

    assert "unforgettable" not in str(
        await rpc.fields(forms.entry_path(entry.conversation, entry.id))
    )


async def test_messages_that_are_looked_up_at_once_are_found_by_few_queries(
    store: FirestoreStore, rpc: CountingRpc, make: Any
) -> None:
    """Each lookup has its own answer: the latest entry with that id, or none."""
    keys = [sent_key("business_messages", f"theirs-{n}") for n in range(70)]
    for n in (3, 4):
        conversation = make.conversation(f"{n}", version=n)
        sent = SendMessage(
            id=f"m-{n}", to="1", representative=BOT, content=Content(text="hi"),
            native_id="theirs-33",
        )  # fmt: skip
        others = sent.model_copy(update={"id": f"o-{n}", "native_id": f"theirs-{n}"})
        entry = make.entry(conversation, commands=(sent, others))
        await store.commit(Commit([entry], [Snapshot(conversation, None)]))
    rpc.made.clear()
    found = dict(zip(keys, await asyncio.gather(*map(store.sent_as, keys)), strict=True))
    assert rpc.made == {"query": 3}
    by = {n: one.value.conversation for n, one in enumerate(found.values()) if one is not None}
    assert by == {
        3: "business_messages:3", 4: "business_messages:4", 33: "business_messages:4",
    }  # fmt: skip


async def test_each_who_looks_up_a_message_hears_of_a_failure(clock: Any) -> None:
    away: Any = exceptions.ServiceUnavailable
    store = FirestoreStore(Failing(away("away")), clock, TTL)
    asked = [asyncio.create_task(store.sent_as(f"key-{n % 2}")) for n in range(4)]
    await asyncio.sleep(0)
    asked[0].cancel()
    heard = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in heard] == [asyncio.CancelledError, *[Unavailable] * 3]
