"""firestore.json declares exactly the indexes that the Firestore store's own queries need, and none
for anything else.

The emulator answers every query, index or not: so the queries are caught as they leave and what
each needs is worked out by Firestore's rules
(https://cloud.google.com/firestore/docs/query-data/index-overview).
"""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.measures.counts import Cell, Count, Tally, in_tally
from shared.ports import Commit, ConversationStore, Snapshot
from shared.schemas.commands import Publish, SendMessage
from shared.schemas.content import Content
from shared.schemas.conversation import Conversation, HandoffRequest, Phase, Timer
from shared.schemas.devices import Device
from shared.schemas.journal import JournalEntry, Verdict
from shared.schemas.measures import Name
from shared.schemas.people import Presence, Slot
from shared.schemas.representative import Representative, RepresentativeType
from shared.stores.firestore.rpc import FirestoreRpc, Message
from shared.stores.firestore.store import FirestoreStore
from shared.transports.clock import WallClock

DECLARED = json.loads(
    (Path(__file__).parents[2] / "infra" / "terraform" / "firestore.json").read_text()
)
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
NOW = WallClock().now()
SENT = SendMessage(
    id="sent", to="1", representative=BOT, content=Content(text="hi"), native_id="theirs"
)
READS = {
    "pending": ("csku:1", 0, 10),
    "sent_as": ("h-1",),
    "pending_count": ("csku:1",),
    "latest": ("csku:1", 10),
    "journal_back": ("csku:1", None, 10),
    "queue": ("QUEUED", None, 10),
    "journal": ("csku:1", None, 10),
    "due_conversations": (NOW, None, 10),
    "due_entries": (NOW, None, 10),
    "conversations": (None, 10),
    "due_people": (NOW, None, 10),
    "counted": (NOW, NOW + timedelta(days=1)),
    "journal_ends": (NOW, NOW + timedelta(days=1)),
    "correct": (NOW, NOW + timedelta(days=1), (), NOW),
}
WITHOUT_QUERY = {
    "load",
    "copy_called",
    "entry",
    "people",
    "watch_person",
    "device",
    "keep_device",
    "forget_device",
    "commit",
    "update",
    "update_together",
    "scrub",
    "frozen",
    "close",
}


class Catching(FirestoreRpc):
    """Keeps what it is asked to send, and finds nothing."""

    def __init__(self) -> None:
        super().__init__("project")
        self.queries: list[Message] = []
        self.written: list[Message] = []

    async def query(self, parent: str, query: Message) -> list[Any]:
        self.queries.append(query)
        return []

    async def count(self, parent: str, query: Message) -> int:
        self.queries.append(query)
        return 0

    async def listen(self, target: Message) -> AsyncGenerator[Mapping[str, Any], None]:
        self.queries.append(target["query"]["structured_query"])
        yield {}

    async def commit(self, writes: Sequence[Message]) -> list[Any]:
        self.written += writes
        return [None for _ in writes]


@pytest.fixture
def rpc() -> Catching:
    return Catching()


@pytest.fixture
def store(rpc: Catching) -> FirestoreStore:
    return FirestoreStore(rpc, WallClock(), timedelta(days=30))


async def _needed(store: FirestoreStore, rpc: Catching) -> tuple[set[str], set[str]]:
    """Returns the composite and the single-field indexes of all queries."""
    for name, arguments in READS.items():
        await getattr(store, name)(*arguments)
    await anext(store.watch_phase("QUEUED", 10))
    needed = {_index(query) for query in rpc.queries}
    needed -= {one for one in needed if one.count(" ") == 1}  # by name alone: no index is asked for
    return {one for one in needed if one.count(" ") > 3}, {
        one for one in needed if one.count(" ") <= 3
    }


def _index(query: Message) -> str:
    """Returns what a query needs as `collection SCOPE field ORDER ...`: its equalities, then
    its order.
    """
    (origin,) = query["from_"]
    scope = "COLLECTION_GROUP" if origin.get("all_descendants") else "COLLECTION"
    filters = [one["field_filter"] for one in _filters(query.get("where"))]
    equal = [(one["field"]["field_path"], "ASCENDING") for one in filters if one["op"] == "EQUAL"]
    order = [(one["field"]["field_path"], one["direction"]) for one in query.get("order_by", ())]
    contains = ("ARRAY_CONTAINS", "ARRAY_CONTAINS_ANY")
    within = [(one["field"]["field_path"], "CONTAINS") for one in filters if one["op"] in contains]
    ranged = [
        (one["field"]["field_path"], "ASCENDING")
        for one in filters
        if one["op"] not in ("EQUAL", *contains)
    ]
    ranged = [one for one in ranged if one[0] != "__name__"]
    named = [one for one in order if one[0] != "__name__"]
    assert len({direction for _, direction in order}) <= 1, (
        "the name at the end goes the way of the last field"
    )
    fields = list(
        dict.fromkeys(
            [*equal, *within, *named, *(one for one in ranged if one[0] not in dict(named))]
        )
    )
    return " ".join(
        [origin["collection_id"], scope, *(f"{path} {direction}" for path, direction in fields)]
    )


def _filters(where: Any) -> list[Any]:
    if not where:
        return []
    return list(where["composite_filter"]["filters"]) if "composite_filter" in where else [where]


def test_every_read_is_made() -> None:
    """A new method of the port belongs into READS."""
    methods = {name for name in vars(ConversationStore) if not name.startswith("_")} | {"close"}
    assert methods == {*READS, *WITHOUT_QUERY, "watch_phase"}


async def test_the_composite_indexes_are_those_of_the_queries(
    store: FirestoreStore, rpc: Catching
) -> None:
    composite, _ = await _needed(store, rpc)
    assert composite == {
        " ".join([one["collection"], one["scope"], *one["fields"]]) for one in DECLARED["indexes"]
    }


async def test_single_fields_are_indexed_where_a_query_needs_it(
    store: FirestoreStore, rpc: Catching
) -> None:
    _, single = await _needed(store, rpc)
    declared = {
        f"{collection} {scope} {field} {order}"
        for collection, fields in DECLARED["fields"].items()
        for field, indexes in fields.items()
        for scope, order in (one.split() for one in indexes)
    }
    assert declared == single


async def test_every_stored_field_is_declared(store: FirestoreStore, rpc: Catching) -> None:
    """What is not declared gets Firestore's automatic indexes, four for each field."""
    request = HandoffRequest(reason="asked", source="test", accepted_at=NOW)
    timer = Timer(kind="idle", armed=1, n=1, due_at=NOW)
    conversation = Conversation(
        id="csku:1", address="1", version=1, phase=Phase.QUEUED, request=request, timer=timer
    )
    entry = JournalEntry(
        id="entry", conversation="csku:1", seq=1, time=NOW, kind="test", source="csku:1",
        verdict=Verdict.ACCEPTED,
        nonce="nonce", due_at=NOW, commands=(Publish(id="command", topic="topic", body={}), SENT),
    )  # fmt: skip
    slots = {"claim": Slot(conversation="csku:1", kind="held")}
    holds = Presence(id="a@example.com", pages={"page": NOW}, slots=slots)
    people = [Snapshot(one, None) for one in (holds, Presence(id="b@example.com"))]
    await store.commit(Commit([entry], [Snapshot(conversation, None)], people=people))
    await store.keep_device(Snapshot(Device(id="csku:1"), None), NOW)
    counts = [Count(Cell(NOW, "csku", "", "", Name.REQUESTED), 1)]
    await store.update(Snapshot(entry, None), [*counts, *in_tally(counts, Tally.ERASED)])
    await store.correct(NOW, NOW + timedelta(days=1), counts, NOW)
    stored: dict[str, set[str]] = {}
    for write in rpc.written:
        added = {one["field_path"].partition(".")[0] for one in write.get("update_transforms", ())}
        fields = stored.setdefault(write["update"]["name"].split("/")[-2], set())
        fields.update(write["update"]["fields"], added)
    assert stored == {collection: set(fields) for collection, fields in DECLARED["fields"].items()}


def test_every_collection_expires() -> None:
    assert all(DECLARED["ttl"] in fields for fields in DECLARED["fields"].values())
