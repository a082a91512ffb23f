"""Every store and what fills them: one parameter per adapter, one maker of conversations and
journal entries.
"""

import json
import urllib.request
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.measures.counts import Count
from shared.ports import Commit, ConversationStore, Snapshot
from shared.schemas.commands import Command, Publish, State
from shared.schemas.conversation import Conversation, HandoffRequest, Phase, Timer
from shared.schemas.journal import JournalEntry, Verdict
from shared.schemas.notation import entry_id
from shared.stores.cache import CachedStore
from shared.stores.sqlite.store import SqliteStore
from tests.soak import SOAKS, sample

START = datetime.now(UTC).replace(microsecond=123456)
Instance = Callable[[], ConversationStore]


class SettableClock:
    """A Clock that stands where it is put."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time


class Maker:
    """Makes what is stored; times are seconds after `start`."""

    start = START
    _counting = 0

    def at(self, seconds: float) -> datetime:
        return START + timedelta(seconds=seconds)

    def conversation(
        self,
        native: str,
        *,
        version: int = 1,
        waits: float | None = None,
        due: float | None = None,
        **fields: Any,
    ) -> Conversation:
        if waits is not None:
            fields["request"] = HandoffRequest(
                reason="asked", source="test", accepted_at=self.at(waits)
            )
            fields["phase"] = Phase.QUEUED
        if due is not None:
            fields["timer"] = Timer(kind="idle", armed=version, n=1, due_at=self.at(due))
        return Conversation(
            id=f"business_messages:{native}", address=native, version=version, **fields
        )

    def entry(
        self,
        conversation: Conversation,
        name: str = "",
        *,
        state: State | None = None,
        due: float | None = None,
        **fields: Any,
    ) -> JournalEntry:
        given: dict[str, Any] = {
            "id": entry_id(conversation.id, "test", name or str(conversation.version)),
            "conversation": conversation.id,
            "seq": conversation.version,
            "time": self.at(conversation.version),
            "kind": "test",
            "source": conversation.id,
            "verdict": Verdict.ACCEPTED,
            "nonce": "nonce",
            "due_at": None if due is None else self.at(due),
            "commands": () if state is None else (self.command(state),),
        }
        return JournalEntry(**{**given, **fields})

    def command(self, state: State = State.PENDING, **body: Any) -> Command:
        return Publish(id="command", state=state, topic="topic", body=body)

    async def commit(
        self,
        store: ConversationStore,
        *conversations: Conversation,
        state: State | None = None,
        due: float | None = None,
    ) -> list[Snapshot[Conversation]]:
        """Creates conversations with one entry each, a commit each, and returns them with their
        tokens.
        """
        written: list[Snapshot[Conversation]] = []
        for one in conversations:
            commit = Commit([self.entry(one, state=state, due=due)], [Snapshot(one, None)])
            written += (await store.commit(commit)).conversations
        return written

    async def count(self, store: ConversationStore, *counts: Count) -> None:
        """Counts as delivery does: with the write of an entry."""
        self._counting += 1
        conversation = self.conversation(f"counts-{self._counting}")
        await self.commit(store, conversation, state=State.PENDING)
        (entry,) = await store.pending(conversation.id, 0, 1)
        await store.update(entry, counts)


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


# The cache knows nothing of the store behind it: the gate tries it on one of them.
STORES = ["sqlite", "firestore", "cached sqlite"]
ALSO_SOAKED = [pytest.param("cached firestore", marks=pytest.mark.soak)] if SOAKS else []


# What these try differs little from store to store.
SAMPLED = [Path(__file__).with_name(f"test_{name}.py") for name in ("outages", "team_targets")]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.hook.pytest_deselected(items=sample(items, "instance", *SAMPLED))


@pytest.fixture(params=[*STORES, *ALSO_SOAKED])
async def instance(
    request: pytest.FixtureRequest, tmp_path: Path, fresh_project: str, clock: SettableClock
) -> AsyncIterator[Instance]:
    """Returns what opens one more instance of the store under test, all of them on the same
    data.
    """
    opened: list[Any] = []
    emulator = (
        request.getfixturevalue("firestore_emulator") if "firestore" in request.param else None
    )

    def bare() -> Any:
        if emulator is None:
            return SqliteStore(str(tmp_path / "state.sqlite"))
        from shared.stores.firestore.rpc import FirestoreRpc
        from shared.stores.firestore.store import FirestoreStore

        return FirestoreStore(FirestoreRpc(fresh_project, emulator), clock, timedelta(days=30))

    def another() -> ConversationStore:
        opened.append(bare())
        return CachedStore(opened[-1]) if "cached" in request.param else opened[-1]

    yield another
    for one in opened:
        await one.close()


@pytest.fixture
def store(instance: Instance) -> ConversationStore:
    return instance()


@pytest.fixture
def pubsub(pubsub_emulator: str) -> Callable[[str, str, dict[str, Any]], dict[str, Any]]:
    """Returns Pub/Sub's REST API, (method, path, body) -> answer, which owes nothing to the
    client under test.
    """

    def call(method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        address, headers = (
            f"http://{pubsub_emulator}/v1/{path}",
            {"content-type": "application/json"},
        )
        request = urllib.request.Request(address, json.dumps(body).encode(), headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # the emulator on loopback
            return dict(json.loads(answer.read()))

    return call
