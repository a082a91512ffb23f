"""While any one target is down for an hour all others get what is theirs, and afterwards it gets
its own.

Real stores, a real HTTP server that answers 503, hangs or breaks off; the clock is set by hand.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from shared.conversations.apply import apply, wake
from shared.delivery.deliver import deliver
from shared.delivery.sweep import sweep
from shared.errors import Unavailable
from shared.handoff.policy import Policy
from shared.platforms.base import Platform
from shared.platforms.business_messages.platform import BusinessMessages
from shared.ports import ConversationStore, CrmRecord, Ports, Webhooks
from shared.schemas.content import Content
from shared.schemas.events import (
    BotMessage,
    Event,
    HumanJoined,
    HumanLeft,
    HumanMessage,
    HumanRequested,
    UserMessage,
    VariablesCaptured,
)
from shared.schemas.notifications import HANDOFFS, OUTBOX, USER_MESSAGES, VARIABLES
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.variables import Audience, Provenance, Variable
from shared.transports import http_sender
from shared.transports.http_sender import HttpSender

JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")
CHANNEL, BOT_HOOK, DESK_HOOK, CRM = "/v1", "/bot", "/desk", "/crm"
TOPICS = (HANDOFFS, USER_MESSAGES, VARIABLES)
TARGETS = (CHANNEL, BOT_HOOK, DESK_HOOK, CRM, *TOPICS)
ORDER = Variable(
    key="order",
    value="42",
    captured_at=datetime.fromisoformat("2026-01-05T12:00:00+00:00"),
    audiences=tuple(Audience),
    provenance=Provenance(signed=True),
)
START = datetime.fromisoformat("2026-01-05T12:00:00+00:00")


@dataclass
class Outside:
    """Every target. `took` are what each of them took; `is_down` names the one that does not,
    and `how`.
    """

    took: dict[str, list[str]] = field(default_factory=dict)
    wake_ups: dict[str, bool] = field(default_factory=dict)
    is_down: str = ""
    how: str = "503"

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        said = json.loads(body)
        if topic == OUTBOX:
            self.wake_ups[said["conversation"]] = (
                self.wake_ups.get(said["conversation"], False) or said["timers"]
            )
        elif topic == self.is_down:
            raise Unavailable("queue-unavailable", "told to fail")
        else:
            self.keep(topic, said)

    async def answer(self, request: web.Request) -> web.Response:
        target = next(one for one in TARGETS if request.path.startswith(one))
        if target == self.is_down and self.how == "hangs":
            await asyncio.sleep(60)
        if target == self.is_down and self.how == "breaks off" and request.transport is not None:
            request.transport.close()
        if target == self.is_down:
            return web.Response(status=503)
        self.keep(target, await request.json())
        return web.json_response({})

    def keep(self, target: str, said: dict[str, Any]) -> None:
        message = said.get("message") or said
        words = (
            message.get("text") or said.get("eventType") or said.get("type") or said.get("comment")
        )
        kept = self.took.setdefault(target, [])
        # at least once, where the answer was lost
        if words != "delivery.failed" and words not in kept[-1:]:
            kept.append(str(words))


@dataclass
class Baton:
    ports: Ports
    outside: Outside
    clock: Any
    customer: str = "business_messages:well"
    began: datetime = START

    async def take(self, event: Event) -> None:
        applied = await apply(self.ports, event.model_copy(update={"source": self.customer}))
        assert applied.refusal is None
        await wake(self.ports, applied.conversation.id)
        await self.deliver_woken()

    async def deliver_woken(self) -> None:
        woken, self.outside.wake_ups = self.outside.wake_ups, {}
        await asyncio.gather(
            *(deliver(self.ports, one, timers=timers) for one, timers in woken.items())
        )

    async def time_passes(self, *minutes: int) -> None:
        for until in minutes:
            self.clock.time = self.began + timedelta(minutes=until)
            await sweep(self.ports)
            await self.deliver_woken()


@pytest.fixture
async def outside() -> AsyncIterator[tuple[Outside, str]]:
    targets, app = Outside(), web.Application()
    app.router.add_route("*", "/{path:.*}", targets.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield targets, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def baton(
    instance: Callable[[], ConversationStore], clock: Any, outside: tuple[Outside, str]
) -> AsyncIterator[Baton]:
    targets, url = outside
    clock.time = START
    urls = {"BOT": f"{url}{BOT_HOOK}", "HUMAN": f"{url}{DESK_HOOK}"}
    known: dict[str, Platform] = {"business_messages": BusinessMessages(api_url=url, auth="none")}
    capabilities = {name: one.capabilities for name, one in known.items()}
    policy = Policy(webhooks=frozenset(urls), comments=True, capabilities=capabilities)
    sender = HttpSender()
    crm = CrmRecord(f"{url}{CRM}", "POST", ("d2hzZWNyZXQtd2hzZWNyZXQ=",))
    yield Baton(
        Ports(instance(), targets, sender, clock, policy, known, Webhooks(urls, "key"), crm),
        targets,
        clock,
    )
    await sender.close()


def says(text: str) -> Event:
    form: Any = {"message": {"messageId": text, "text": text}}
    return UserMessage(
        id=text, source="somebody", actor="platform", address="c0", form=form, said=text
    )


def asks(kind: type[Event], native: str, **fields: Any) -> Event:
    return kind(
        id=native,
        source="somebody",
        actor="key:desk",
        key="desk",
        fact=False,
        keeps_id=True,
        **fields,
    )


async def a_handoff(baton: Baton) -> None:
    """The customer talks with the bot, asks for a person, waits, is answered by Jane, and is
    with the bot again.
    """
    await baton.take(says("Hi"))
    await baton.take(
        asks(BotMessage, "b-1", representative=BOT, content=Content(text="Hello, I am a bot"))
    )
    await baton.take(
        VariablesCaptured(id="v-1", source="somebody", actor="bridge", variables=(ORDER,))
    )
    await baton.take(asks(HumanRequested, "r-1", reason="asked"))
    await baton.time_passes(1, 3, 5)
    await baton.take(says("Anybody?"))
    await baton.take(asks(HumanJoined, "j-1", representative=JANE))
    for n in range(3):
        await baton.time_passes(10 + n * 10)
        await baton.take(
            asks(HumanMessage, f"h-{n}", representative=JANE, content=Content(text=f"Jane {n}"))
        )
        await baton.take(says(f"customer {n}"))
    await baton.take(asks(HumanLeft, "l-1", representative=JANE))
    await baton.take(says("Bye"))
    await baton.time_passes(45, 60)


@pytest.fixture(scope="module")
def theirs() -> dict[str, list[str]]:
    """What each target gets of a handoff while all are well: the same on every store. The first
    test that needs it fills it.
    """
    return {}


@pytest.mark.parametrize("instance", ["sqlite", "firestore"], indirect=True)
@pytest.mark.parametrize(
    ("down", "how"),
    [
        *((one, "503") for one in TARGETS),
        (CHANNEL, "hangs"),
        (BOT_HOOK, "hangs"),
        (DESK_HOOK, "breaks off"),
    ],
)
async def test_while_one_target_is_down_for_an_hour_the_others_get_all_that_is_theirs(
    baton: Baton,
    theirs: dict[str, list[str]],
    down: str,
    how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_sender, "TOTAL_SECONDS", 0.5)
    if not theirs:
        await a_handoff(baton)
        theirs.update(baton.outside.took)
        baton.outside.took = {}
    assert set(theirs) == set(TARGETS)

    baton.outside.is_down, baton.outside.how = down, how
    baton.customer, baton.began = "business_messages:c0", START + timedelta(days=1)
    baton.clock.time = baton.began
    await a_handoff(baton)
    assert baton.outside.took == {one: words for one, words in theirs.items() if one != down}

    baton.outside.is_down = ""
    await baton.time_passes(71, 82, 93)
    assert baton.outside.took == theirs
    assert await baton.ports.store.pending_count(baton.customer) == 0


@pytest.mark.parametrize("instance", ["sqlite", "firestore"], indirect=True)
async def test_the_sweep_reads_what_can_be_done_however_long_the_outage_was(baton: Baton) -> None:
    """Ten customers who wrote six times each to a bot that is down, and one whose wake-up was
    lost.
    """
    baton.outside.is_down = BOT_HOOK
    for n in range(6):
        for name in range(10):
            baton.customer = f"business_messages:c{name}"
            await baton.take(says(f"{name}: text {n}"))
        await baton.time_passes(n + 1)
    await baton.time_passes(20, 40, 60)
    store, now = baton.ports.store, baton.clock.time
    assert (await store.due_entries(now, None, 100)).items == []
    heads = await store.due_entries(now + timedelta(minutes=10), None, 100)
    assert sorted(heads.items) == sorted(f"business_messages:c{name}" for name in range(10))

    baton.customer = "business_messages:well"
    await apply(baton.ports, says("lost").model_copy(update={"source": baton.customer}))
    due = await store.due_entries(now + timedelta(seconds=31), None, 100)
    assert due.items.count(baton.customer) == 1
    assert len(due.items) <= 11
    baton.outside.is_down = ""
    await baton.time_passes(61, 72, 83)
    assert {len(words) for words in baton.outside.took.values()} == {61}
    assert [await store.pending_count(f"business_messages:c{name}") for name in range(10)] == [
        0
    ] * 10
    assert (await store.due_entries(now + timedelta(days=30), None, 100)).items == []
