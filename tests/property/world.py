"""Everything around Baton, made of real parts that can be made to fail: two instances, a platform,
topics, a clock.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from infra.local.simulators.business_messages import PREFIX, BusinessMessagesSimulator
from infra.local.simulators.platform_store import PlatformStore
from shared.bootstrap.in_place import DELIVERS
from shared.delivery.in_place import DeliverInPlace
from shared.errors import Unavailable
from shared.handoff.policy import Policy
from shared.measures.counts import Count
from shared.platforms.base import Platform
from shared.platforms.business_messages.platform import BusinessMessages
from shared.platforms.csku.platform import Csku
from shared.ports import Commit, Ports, PreconditionFailed, Snapshot, Webhooks, Written
from shared.schemas.conversation import Conversation
from shared.schemas.http import Answer, Call
from shared.schemas.journal import JournalEntry
from shared.schemas.notifications import OUTBOX
from shared.stores.cache import CachedStore
from tests.inline import InlineStore
from tests.property.bare import Bare
from tests.property.internet import BOT_WEBHOOK, Internet, Plan
from tests.schemas import judge

T = TypeVar("T")
SIGNING_KEY, CSKU_SECRET = "property-signing-key", "property-csku-secret"
UNACCEPTABLE = "unacceptable"
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Crash(Exception):
    """The process died here."""


@dataclass(slots=True)
class Life:
    """One process: `steps` operations from now it dies, and does nothing ever after."""

    steps: int | None = None

    def beat(self) -> None:
        if self.steps is not None:
            if self.steps <= 0:
                raise Crash
            self.steps -= 1

    async def through(self, work: Awaitable[T]) -> T:
        """Does `work`, unless it dies before; it may be done and the process die before it
        learns so.
        """
        try:
            self.beat()
        except Crash:
            getattr(work, "close", lambda: None)()
            raise
        result = await work
        self.beat()
        return result


class FakeClock:
    def __init__(self) -> None:
        self.time = BEGIN

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class MortalStore(InlineStore):
    """The embedded store of a process that may die, whose commits may go wrong or lose their
    answer.
    """

    def __init__(self, path: str, life: Life, plan: Plan) -> None:
        super().__init__(path)
        self._life = life
        self._plan = plan

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        return await self._life.through(super()._run(work, *arguments))

    async def commit(self, commit: Commit) -> Written:
        return await self._or_fail(super().commit(commit))

    async def update(
        self, entry: Snapshot[JournalEntry], counts: Sequence[Count] = ()
    ) -> Snapshot[JournalEntry]:
        return await self._or_fail(super().update(entry, counts))

    async def update_together(
        self, entries: Sequence[Snapshot[JournalEntry]]
    ) -> list[Snapshot[JournalEntry]]:
        return await self._or_fail(super().update_together(entries))

    async def _or_fail(self, write: Coroutine[None, None, T]) -> T:
        fault = self._plan.next()
        if fault == "before":
            write.close()
            raise Unavailable("planned", "The store was told to fail.")
        written = await write
        if fault == "after":
            raise Unavailable("planned", "The store was told to lose its answer.")
        if fault == "lost":
            # the client library asked again after its first answer was lost
            raise PreconditionFailed
        return written


@dataclass
class Topics:
    """Every topic; it survives the processes that publish. Wake-ups are kept only by the
    process that got them.
    """

    plan: Plan = field(default_factory=Plan)
    published: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    wake_ups: dict[str, bool] = field(default_factory=dict)

    def take(self, topic: str, body: bytes) -> None:
        judge(topic, body)
        fault, value = self.plan.next(), json.loads(body)
        if fault == "before":
            raise Unavailable("planned", "The topic was told to fail.")
        if topic == OUTBOX:
            conversation = value["conversation"]
            self.wake_ups[conversation] = self.wake_ups.get(conversation, False) or value["timers"]
        else:
            self.published.setdefault(topic, []).append(value)
        if fault == "after":
            raise Unavailable("planned", "The topic was told to lose its answer.")


@dataclass
class MortalPublisher:
    topics: Topics
    life: Life

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        self.life.beat()
        self.topics.take(topic, body)
        self.life.beat()


@dataclass
class MortalSender:
    internet: Internet
    life: Life

    async def send(self, call: Call) -> Answer | None:
        return await self.life.through(self.internet.carry(call))


class World:
    """The outside, and the instances that come and go in it. `in_place`: they deliver what they
    accept, as far as a deployed function may.
    """

    def __init__(self, folder: Path, *, in_place: bool = False) -> None:
        self._in_place = in_place
        self.path = str(folder / "baton.sqlite")
        self.clock = FakeClock()
        self._observer = InlineStore(self.path)
        self.topics = Topics()
        self.store_plan = Plan()
        self.platform = PlatformStore(":memory:")
        self.internet = Internet(BusinessMessagesSimulator(self.platform, "", SIGNING_KEY))
        self.lives: list[Life] = []
        self.instances: list[Ports] = []
        self.restart()

    def restart(self) -> None:
        """Ends whatever runs and loses its wake-ups; two new instances begin on the same file."""
        for life in self.lives:
            life.steps = 0
        self.topics.wake_ups.clear()
        self.lives = [Life(), Life()]
        self.instances = [self._instance(life) for life in self.lives]

    def heal(self) -> None:
        for plan in (self.topics.plan, self.store_plan, self.internet.plan):
            plan.faults.clear()
        self.internet.bot_is_down = False
        self.restart()

    async def peek(self, conversation: str) -> Conversation | None:
        """Returns what is stored, past every fault."""
        snapshot = await self._observer.load(conversation)
        return snapshot.value if snapshot else None

    def _instance(self, life: Life) -> Ports:
        known: list[Platform] = [
            BusinessMessages((SIGNING_KEY,), api_url=f"http://platform{PREFIX}"),
            Csku((CSKU_SECRET,)),
            Bare(),
        ]
        policy = Policy(
            give_up_after=timedelta(days=30),
            line_patience=timedelta(days=30),
            webhooks=frozenset(["BOT"]),
            capabilities={platform.name: platform.capabilities for platform in known},
        )
        return Ports(
            store=CachedStore(MortalStore(self.path, life, self.store_plan)),
            publisher=MortalPublisher(self.topics, life),
            sender=MortalSender(self.internet, life),
            clock=self.clock,
            policy=policy,
            platforms={platform.name: platform for platform in known},
            webhooks=Webhooks({"BOT": BOT_WEBHOOK}, base64.b64encode(b"key").decode()),
            in_place=DeliverInPlace(frozenset().union(*DELIVERS.values()))
            if self._in_place
            else None,
        )
