"""The floor: bare gRPC calls on the emulators, with the bytes that one event of Baton's writes and
publishes.

`commit`, `publish`, `pair` (one, then the other) and `both` (at once) are targets of the load
generator; `contend`, a process of its own, has clients read and write documents under compare-and-
set, as Baton does, with nothing else to do.
"""

import asyncio
import json
import random
import subprocess
import sys
import time
import uuid
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Self

import grpc  # type: ignore[import-untyped]  # grpcio has no types
from google.cloud.firestore_v1.types import (
    CommitRequest,
    CommitResponse,
    Document,
    GetDocumentRequest,
)
from google.pubsub_v1.types import PublishRequest, PubsubMessage

from shared.ports import Commit
from shared.schemas.notifications import OUTBOX, WakeUp
from shared.stores.documents import from_conversation
from shared.stores.firestore import messages as forms
from tests.benchmarks import warm
from tests.benchmarks.emulators import Emulators

SERVICE = "/google.firestore.v1.Firestore/"
OWNER = [("authorization", "Bearer owner")]
_Commit: Any = type(CommitRequest.pb(CommitRequest()))


class Raw:
    """Two channels; documents are named so that none is created twice."""

    def __init__(
        self, what: str, firestore: str, pubsub: str, project: str, written: Commit
    ) -> None:
        self.what, self.project, self.written = what, project, written
        self.root = f"projects/{project}/databases/(default)/documents"
        self.firestore = grpc.aio.insecure_channel(firestore)
        self.pubsub = grpc.aio.insecure_channel(pubsub)
        self.message = _publish_bytes(f"projects/{project}/topics/{OUTBOX}")

    @classmethod
    async def prepared(cls, what: str, firestore: str, pubsub: str, project: str) -> Self:
        return cls(what, firestore, pubsub, project, await warm.next_commit("csku", None))

    async def send(self, conversation: str, message: str) -> str:
        """One call of its kind; the load generator takes it for a webhook."""
        if self.what == "both":
            await asyncio.gather(self.commit(self.commit_bytes(conversation)), self.publish())
            return "200"
        if self.what != "publish":
            await self.commit(self.commit_bytes(conversation))
        if self.what != "commit":
            await self.publish()
        return "200"

    def close(self) -> None:
        """Keeps the channels for the next slice."""

    def commit_bytes(self, conversation: str, token: object = None) -> bytes:
        entry, state = self.written.entries[0], self.written.conversations[0].value
        expiry = warm.now() + timedelta(days=30)
        name = f"{self.root}/conversations/{conversation}"
        created = forms.create(
            f"{name}/journal/{uuid.uuid4().hex}", forms.entry_fields(entry, expiry)
        )
        fields = forms.conversation_fields(state.id, from_conversation(state), expiry)
        kept = {"update": {"name": name, "fields": fields}}
        precondition = {} if token is None else {"current_document": {"update_time": token}}
        request = _Commit(
            database=self.root.removesuffix("/documents"),
            writes=[created, {**kept, **precondition}],
        )
        encoded: bytes = request.SerializeToString()
        return encoded

    async def commit(self, request: bytes) -> Any:
        """Returns the conversation's update time."""
        answer = await self.firestore.unary_unary(f"{SERVICE}Commit")(request, metadata=OWNER)
        return CommitResponse.pb(CommitResponse.deserialize(answer)).write_results[-1].update_time

    async def publish(self) -> None:
        await self.pubsub.unary_unary("/google.pubsub.v1.Publisher/Publish")(
            self.message, metadata=OWNER
        )

    async def read(self, conversation: str) -> Any:
        """Returns the conversation's update time."""
        request = GetDocumentRequest.serialize(
            GetDocumentRequest(name=f"{self.root}/conversations/{conversation}")
        )
        answer = await self.firestore.unary_unary(f"{SERVICE}GetDocument")(request, metadata=OWNER)
        return Document.pb(Document.deserialize(answer)).update_time


@dataclass(frozen=True, slots=True)
class Contest:
    firestore: str
    pubsub: str
    project: str
    clients: int
    conversations: int
    events: int


def contend(pair: Emulators, clients: int, conversations: int, events: int) -> float:
    """Returns how many events a second bare calls write under compare-and-set. Raises
    RuntimeError.
    """
    contest = Contest(pair.firestore, pair.pubsub, pair.project, clients, conversations, events)
    command = [sys.executable, "-m", "tests.benchmarks.raw"]
    done = subprocess.run(
        command, input=json.dumps(asdict(contest)), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the raw calls failed: {done.stderr[-2000:]}")
    return float(done.stdout)


class _Contest:
    def __init__(self, contest: Contest, raw: Raw) -> None:
        self.contest, self.raw = contest, raw
        self.names = [f"contest-{number}" for number in range(contest.conversations)]
        self.turn = 0

    async def per_second(self) -> float:
        self.tokens = {
            name: await self.raw.commit(self.raw.commit_bytes(name)) for name in self.names
        }
        started = time.perf_counter()
        await asyncio.gather(*(self._client() for _ in range(self.contest.clients)))
        return self.contest.events / (time.perf_counter() - started)

    async def _client(self) -> None:
        while self.turn < self.contest.events:
            name, self.turn = self.names[self.turn % len(self.names)], self.turn + 1
            while not await self._wrote(name):
                await asyncio.sleep(random.uniform(0, 0.01))
                self.tokens[name] = await self.raw.read(name)

    async def _wrote(self, name: str) -> bool:
        try:
            self.tokens[name] = await self.raw.commit(
                self.raw.commit_bytes(name, self.tokens[name])
            )
        except grpc.aio.AioRpcError:
            return False
        return True


def _publish_bytes(topic: str) -> bytes:
    body = WakeUp(conversation="csku:conv_abc123", timers=False).model_dump_json().encode()
    message = PubsubMessage(data=body, ordering_key="csku:conv_abc123")
    encoded: bytes = PublishRequest.serialize(PublishRequest(topic=topic, messages=[message]))
    return encoded


async def _main(contest: Contest) -> float:
    raw = await Raw.prepared("contend", contest.firestore, contest.pubsub, contest.project)
    return await _Contest(contest, raw).per_second()


if __name__ == "__main__":
    sys.stdout.write(str(asyncio.run(_main(Contest(**json.load(sys.stdin))))))
