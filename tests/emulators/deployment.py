"""The staged functions as they are deployed, each a process of its own under the framework's
console script.

Between each and the emulators stands a gate; the platform that they call stands in this process.
"""

import asyncio
import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from infra.local.server import PATIENCE_SECONDS, Reply, free_port
from infra.local.settings import API_KEYS, CLIENT_TOKEN, CSKU_SECRET, SIGNING_KEY
from shared.ports import ConversationStore
from shared.schemas.journal import JournalEntry
from shared.schemas.notifications import HANDOFFS, OUTBOX, USER_MESSAGES
from shared.stores.firestore.rpc import FirestoreRpc
from shared.stores.firestore.store import FirestoreStore
from shared.transports.clock import WallClock
from shared.transports.pubsub import PubsubPublisher
from tests.emulators.boundaries import Boundaries
from tests.emulators.platform_server import PlatformServer
from tests.emulators.pusher import Pusher
from tests.emulators.rpc_gate import RpcGate
from tests.forked import Forked

BIN = Path(sys.executable).parent
START_SECONDS = 120.0
SUBSCRIBERS = {"deliver_outbox": OUTBOX, "notify_handoff": HANDOFFS, "run_bot": USER_MESSAGES}
USUAL = ("receive_webhook", "send_representative", "deliver_outbox")


@dataclass(frozen=True, slots=True)
class Emulators:
    """Where Firestore and Pub/Sub are, and the project in which this test works alone."""

    firestore: str
    pubsub: str
    project: str


@dataclass
class FunctionProcess:
    """One instance of a staged function; its whole group is killed, the server's workers with
    their master.
    """

    folder: Path
    log: Path
    gate: RpcGate
    settings: Mapping[str, str]
    port: int = field(default_factory=free_port)
    process: Forked | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {
            "PATH": f"{BIN}:/usr/bin:/bin",
            "PORT": str(self.port),
            "FUNCTION_TARGET": self.folder.name,
            "K_SERVICE": self.folder.name,
            "FIRESTORE_EMULATOR_HOST": self.gate.address,
            "PUBSUB_EMULATOR_HOST": self.gate.address,
            **self.settings,
        }
        self.process = Forked(
            str(BIN / "functions-framework"),
            *("--host", "127.0.0.1"),
            environment=environment,
            folder=self.folder,
            out=self.log,
            err=self.log,
            leads=True,
            keeps_shared=True,
        )

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, how)
            self.process.wait(timeout=PATIENCE_SECONDS)
            self.process = None


class Deployment:
    """Runs `functions` (`name#2` is a second instance of one) from entering to leaving; `wide`:
    see `pusher`.
    """

    def __init__(
        self,
        staged: Path,
        folder: Path,
        emulators: Emulators,
        functions: Sequence[str] = USUAL,
        wide: bool = False,
        **settings: str,
    ) -> None:
        self.boundaries = Boundaries()
        self.platform = PlatformServer(folder / "platform.sqlite", self.boundaries)
        self.instances: dict[str, FunctionProcess] = {}
        self._staged, self._folder, self._emulators = staged, folder, emulators
        self._names, self._wide, self._settings = functions, wide, settings
        self._rpc = FirestoreRpc(emulators.project, emulators.firestore)
        self.store: ConversationStore = FirestoreStore(self._rpc, WallClock(), timedelta(days=30))
        self.publisher = PubsubPublisher(emulators.project, emulators.pubsub)
        self._stack = contextlib.AsyncExitStack()
        self.http: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        unhurried = aiohttp.ClientTimeout(total=None)  # a pull waits for messages
        self.http = await self._stack.enter_async_context(aiohttp.ClientSession(timeout=unhurried))
        self._stack.push_async_callback(self._rpc.close)
        self._stack.push_async_callback(self.publisher.close)
        await self._stack.enter_async_context(self.platform)
        for name in self._names:
            self.instances[name] = await self._instance(name)
        self._stack.callback(self.kill)
        self.start()
        await self._subscribe()
        await self.ready()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def _instance(self, name: str) -> FunctionProcess:
        function = name.partition("#")[0]
        gate = RpcGate(name, self._emulators.firestore, self._emulators.pubsub, self.boundaries)
        await self._stack.enter_async_context(gate)
        settings = {
            "GOOGLE_CLOUD_PROJECT": self._emulators.project,
            "BATON_API_KEYS": json.dumps(API_KEYS),
            "BUSINESS_MESSAGES_API_URL": self.platform.url,
            "BUSINESS_MESSAGES_SIGNING_KEYS": SIGNING_KEY,
            "BUSINESS_MESSAGES_CLIENT_TOKEN": CLIENT_TOKEN,
            "CSKU_WEBHOOK_SECRETS": CSKU_SECRET,
            **self._settings,
        }
        return FunctionProcess(
            self._staged / function, self._folder / f"{name}.log", gate, settings
        )

    async def _subscribe(self) -> None:
        """Makes the topics, what pushes them to the functions, and a subscription
        `seen-<topic>` for the test.
        """
        for topic in (OUTBOX, HANDOFFS, USER_MESSAGES):
            await self._pubsub("PUT", f"topics/{topic}", {})
        for topic in (HANDOFFS, USER_MESSAGES):
            await self._pubsub("PUT", f"subscriptions/seen-{topic}", self._subscription(topic))
        for name, instance in self.instances.items():
            if name in SUBSCRIBERS:
                push = (
                    {} if self._wide else {"pushConfig": {"pushEndpoint": f"{instance.url}/{name}"}}
                )
                await self._pubsub(
                    "PUT",
                    f"subscriptions/{name}",
                    {**self._subscription(SUBSCRIBERS[name]), **push},
                )
                if self._wide:
                    self._push(name)
                else:
                    # it would call the port of a process that is no more
                    path = f"subscriptions/{name}"
                    self._stack.push_async_callback(self._pubsub, "DELETE", path, {})

    def _push(self, name: str) -> None:
        async def post(envelope: Mapping[str, Any]) -> int:
            return (await self.call(name, "POST", "/", json.dumps(envelope).encode())).status

        task = asyncio.create_task(Pusher(partial(self._pull, name, at_once=False), post).run())
        self._stack.callback(task.cancel)

    def _subscription(self, topic: str) -> dict[str, Any]:
        name = f"projects/{self._emulators.project}/topics/{topic}"
        return {"topic": name, "enableMessageOrdering": True, "ackDeadlineSeconds": 60}

    async def _pubsub(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        url = f"http://{self._emulators.pubsub}/v1/projects/{self._emulators.project}/{path}"
        async with self.http.request(method, url, json=body) as answer:
            assert answer.status == 200, await answer.text()
            return dict(await answer.json())

    async def published(self, topic: str) -> list[dict[str, Any]]:
        """Returns the raw messages of a topic that no call has returned before, in order."""
        found: list[dict[str, Any]] = []
        while got := await self._pull(f"seen-{topic}"):
            found += got
        return found

    async def _pull(self, subscription: str, at_once: bool = True) -> list[dict[str, Any]]:
        """Returns what is there, or waits for something, `at_once` or not."""
        path, wanted = (
            f"subscriptions/{subscription}",
            {"maxMessages": 1000, "returnImmediately": at_once},
        )
        got = (await self._pubsub("POST", f"{path}:pull", wanted)).get("receivedMessages", [])
        if got:
            await self._pubsub(
                "POST", f"{path}:acknowledge", {"ackIds": [one["ackId"] for one in got]}
            )
        return [one["message"] for one in got]

    def start(self) -> None:
        for instance in self.instances.values():
            if instance.process is None:
                instance.start()

    def kill(self) -> None:
        for instance in self.instances.values():
            instance.kill()
        self.boundaries.bury()

    async def ready(self) -> None:
        """Returns once every instance answers. Raises TimeoutError."""
        async with asyncio.timeout(START_SECONDS):
            await asyncio.gather(*(self._ready(instance) for instance in self.instances.values()))

    async def _ready(self, instance: FunctionProcess) -> None:
        while True:
            try:
                async with self.http.get(f"{instance.url}/ready"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)

    async def call(
        self,
        instance: str,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Returns the answer of one instance. Raises aiohttp.ClientError where none came."""
        url = f"{self.instances[instance].url}{path}"
        async with self.http.request(method, url, data=io.BytesIO(body), headers=headers) as answer:
            return Reply(answer.status, json.loads(await answer.read() or b"null"))

    async def until_quiet(self, *conversations: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Returns once nothing waits in these conversations' outboxes. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            for conversation in conversations:
                while await self.store.pending(conversation, 0, 1):
                    await asyncio.sleep(0.1)

    async def journal(self, conversation: str) -> list[JournalEntry]:
        """Returns the whole journal in sequence."""
        page = await self.store.journal(conversation, None, 300)
        entries = [entry.value for entry in page.items]
        while page.cursor is not None:
            page = await self.store.journal(conversation, page.cursor, 300)
            entries += [entry.value for entry in page.items]
        return sorted(entries, key=lambda entry: entry.seq)

    def log_lines(self) -> list[str]:
        """Returns what the functions printed."""
        logs = (self._folder / f"{name}.log" for name in self._names)
        return [line for log in logs for line in log.read_text().splitlines()]
