"""Ports for the services: a real store in a file, a clock that is set by hand, a platform that
answers by script.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pydantic_core
import pytest

from shared.errors import Unavailable
from shared.handoff.policy import Policy
from shared.platforms.base import Platform
from shared.platforms.business_messages.platform import BusinessMessages
from shared.platforms.csku.platform import Csku
from shared.ports import Ports, Webhooks
from shared.schemas.http import Answer, Call
from shared.schemas.notifications import USER_MESSAGES
from shared.stores.sqlite.store import SqliteStore
from tests.inline import InlineStore
from tests.schemas import judge


@dataclass
class HandClock:
    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class ScriptedSender:
    """Answers each call of the platform by the next line of the script (a status, None for no
    answer, an error), and by `refuses` or 200 when it is through.
    """

    script: list[int | Answer | Unavailable | None] = field(default_factory=list)
    refuses: Callable[[Call], int | Unavailable | None] = lambda _: None
    calls: list[Call] = field(default_factory=list)
    no_answer: bool = False
    unreachable: bool = False
    crash: bool = False

    async def send(self, call: Call) -> Answer | None:
        self.calls.append(call)
        if "bot.test" in call.url and b"conversationId" in (call.body or b""):
            judge("bot-and-desk-webhook", call.body)
        if self.crash:
            raise RuntimeError("the process ends here")
        if self.unreachable:
            raise Unavailable("unreachable", "told to fail")
        if self.no_answer:
            return None
        scripted = self.script and "platform.test" in call.url
        line = self.script.pop(0) if scripted else self.refuses(call) or 200
        if isinstance(line, Unavailable):
            raise line
        return Answer(line) if isinstance(line, int) else line

    @property
    def sent(self) -> list[dict[str, Any]]:
        """Returns the bodies of what the platform was asked to show."""
        return [
            pydantic_core.from_json(call.body) for call in self.calls if "platform.test" in call.url
        ]


@dataclass
class RecordingPublisher:
    published: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    fails: int = 0

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        if self.fails:
            self.fails -= 1
            raise Unavailable("queue-unavailable", "told to fail")
        if topic != USER_MESSAGES or b"conversationId" in body:
            judge(topic, body)  # tests that make events by hand leave the form empty
        self.published.append((topic, pydantic_core.from_json(body)))

    def on(self, topic: str) -> list[dict[str, Any]]:
        return [body for name, body in self.published if name == topic]


@dataclass
class Bench:
    """Everything a test needs to play with."""

    ports: Ports
    store: SqliteStore
    clock: HandClock
    sender: ScriptedSender
    publisher: RecordingPublisher


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_in(tmp_path) as bench:
        yield bench


@asynccontextmanager
async def bench_in(folder: Path) -> AsyncIterator[Bench]:
    store = InlineStore(str(folder / "baton.sqlite"))
    clock, sender, publisher = HandClock(), ScriptedSender(), RecordingPublisher()
    platforms: dict[str, Platform] = {
        "business_messages": BusinessMessages(api_url="https://platform.test"),
        "csku": Csku(),
    }
    policy = Policy(
        webhooks=frozenset({"BOT"}),
        capabilities={name: one.capabilities for name, one in platforms.items()},
    )
    webhooks = Webhooks({"BOT": "https://bot.test/hook"}, "outbound-key")
    yield Bench(
        Ports(store, publisher, sender, clock, policy, platforms, webhooks),
        store,
        clock,
        sender,
        publisher,
    )
    await store.close()
