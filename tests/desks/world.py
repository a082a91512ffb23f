"""One customer on Business Messages and one desk, with Baton between them as it is deployed: the
settings, the embedded store, calls and webhooks over HTTP.

Only the clock, the customer's channel and the publisher are the suite's. A fault strikes between
Baton and the desk, at a call that is chosen by its number.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import pydantic_core
from starlette.requests import Request as StarletteRequest
from starlette.types import Receive, Scope, Send

from shared.bootstrap.root import Baton
from shared.conversations.apply import apply
from shared.conversations.receive_webhook import body_limit, receive_webhook
from shared.customers.links import link
from shared.delivery.deliver import deliver
from shared.edge.http import answer
from shared.errors import Unavailable
from shared.ports import Ports
from shared.schemas.commands import CallDesk
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.events import BotMessage, Event, HumanRequested, UserMessage, VariablesCaptured
from shared.schemas.http import Answer, Call, Door, Request
from shared.schemas.journal import JournalEntry
from shared.schemas.notifications import HANDOFFS, OUTBOX
from shared.settings.model import read_settings
from shared.transports.http_sender import HttpSender
from tests.desks.simulator import DeskSimulator, Refusal
from tests.inline import InlineStore
from tests.served import Served

ID, CHANNEL = "business_messages:3333", "https://channel.test"
DESK = "people"
BOT = {"representativeType": "BOT", "displayName": "Bot"}


class Fault(StrEnum):
    """What becomes of one call to the desk. None of these say by themselves that it failed."""

    UNREACHABLE = "unreachable"  # no connection is made
    LOST = "lost"  # no answer, and the call did not arrive
    ANSWER_LOST = "answer-lost"  # no answer, and the call took effect
    ERROR = "error"
    ERROR_AFTER = "error-after"  # a gateway gives up on a call that took effect
    TOO_MANY = "too-many"
    NOT_OF_THE_DESK = "not-of-the-desk"  # a proxy answers with a page of its own


class Ended(BaseException):
    """The process that delivers ends here."""


@dataclass
class Clock:
    """The time of day, and what it was moved by: vendors' proofs have the time of day as well."""

    moved: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.moved

    def forward(self, seconds: float) -> None:
        self.moved += timedelta(seconds=seconds)


@dataclass
class Wire:
    """The sender: real HTTP to the desk, without waiting for its pace, and a record of what the
    customer was shown. `faults` are by the number of a call to the desk.
    """

    desk: DeskSimulator
    clock: Clock
    http: HttpSender
    faults: dict[int, Fault | Answer] = field(default_factory=dict)
    ends_at: int | None = None  # the process ends once this call took effect
    always: Refusal | None = None
    made: Callable[[], Awaitable[None]] | None = None  # happens once a chat was made, unanswered
    calls: list[Call] = field(default_factory=list)
    at: list[datetime] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, call: Call) -> Answer | None:
        if call.url.startswith(CHANNEL):
            self.shown.append(json.loads(call.body))
            return Answer(200, b"{}")
        number = len(self.calls)
        self.calls.append(call)
        self.at.append(self.clock.now())
        fault = self.faults.pop(number, None)
        if self.always is not None:
            return self.desk.refusal(self.always)
        if fault is not None and fault not in (Fault.ANSWER_LOST, Fault.ERROR_AFTER):
            return self._refused(fault)
        answered = await self.http.send(replace(call, paces=()))
        if self.made is not None and await self.desk.chats():
            happens, self.made = self.made, None
            await happens()
            await self.desk.reported()
        if number == self.ends_at:
            raise Ended
        if fault is Fault.ERROR_AFTER:
            return self.desk.refusal(Refusal.ERROR)
        return None if fault is Fault.ANSWER_LOST else answered

    def _refused(self, fault: Fault | Answer) -> Answer | None:
        if isinstance(fault, Answer):
            return fault
        if fault is Fault.UNREACHABLE:
            raise Unavailable("unreachable", "told to fail")
        if fault is Fault.NOT_OF_THE_DESK:
            return Answer(200, b"<html>Welcome to our proxy</html>", {"content-type": "text/html"})
        if fault is Fault.LOST:
            return None
        return self.desk.refusal(Refusal(fault.value))


@dataclass
class Published:
    """The topics: what the team is notified of, and which conversations wait for delivery."""

    told: list[dict[str, Any]] = field(default_factory=list)
    woken: dict[str, None] = field(default_factory=dict)

    async def publish(self, topic: str, body: bytes, ordering_key: str) -> None:
        said = pydantic_core.from_json(body)
        if topic == OUTBOX:
            self.woken[said["conversation"]] = None
        if topic == HANDOFFS:
            self.told.append(said)


class Webhooks:
    """The door of receive_webhook over HTTP. `times` is how often each webhook arrives. While it is
    `held`, a webhook waits.
    """

    def __init__(self) -> None:
        self.ports: Ports | None = None
        self.times = 1
        self.statuses: list[int] = []
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def _door(self, _: str) -> Door:
        ports = self.ports
        assert ports is not None
        return Door(
            lambda request: receive_webhook(ports, request),
            lambda request: body_limit(ports, request),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        incoming = StarletteRequest(scope, receive)
        body = await incoming.body()
        await self._open.wait()
        for _ in range(self.times):
            response = await answer(StarletteRequest(scope, _once(body)), "webhooks", self._door)
            self.statuses.append(response.status_code)
        await response(scope, receive, send)


def _once(body: bytes) -> Receive:
    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive  # type: ignore[return-value]  # starlette's messages are mutable


@dataclass
class World:
    """The customer's words and the desk's chats, and what everybody was told."""

    desk: DeskSimulator
    ports: Ports
    wire: Wire
    clock: Clock
    published: Published
    webhooks: Webhooks
    url: str
    count: int = 0

    # The customer, and the bot.

    async def happens(self, kind: type[Event], **more: Any) -> None:
        self.count += 1
        event = kind.model_validate(
            {"id": f"e{self.count}", "source": ID, "address": "3333", "actor": "test", **more}
        )
        await apply(self.ports, event)

    async def customer(self, *texts: str) -> None:
        for text in texts:
            form = {
                "conversationId": "3333",
                "message": {"messageId": f"m{self.count}", "text": text},
            }
            await self.happens(UserMessage, form=form, said=text)

    async def bot(self, text: str) -> None:
        await self.happens(BotMessage, representative=BOT, content={"text": text})

    async def captures(self, **awaited: Any) -> None:
        await self.happens(VariablesCaptured, awaited=awaited)

    async def asks_for_a_person(self) -> None:
        """Ends before anything is delivered."""
        await self.customer("I need a person")
        own = self.desk.own_conversation()
        if own is not None:
            await link(self.ports, f"{self.desk.kind}:{own}", ID, "system")
        await self.happens(HumanRequested, reason="billing")

    async def hands_over(self) -> str:
        """Returns the chat, once it is open."""
        await self.asks_for_a_person()
        await self.settle()
        (chat,) = await self.desk.chats()
        return chat

    # Time and delivery.

    async def deliver(self) -> None:
        """Delivers once what waits. What that gives rise to is delivered too."""
        self.published.woken[ID] = None
        while self.published.woken:
            woken = list(self.published.woken)
            self.published.woken.clear()
            for one in woken:
                with contextlib.suppress(Ended):
                    await deliver(self.ports, one, timers=True)

    async def settle(self, seconds: float = 90) -> None:
        """Delivers until no call to the desk waits, and all webhooks were taken."""
        passed = 0.0
        while True:
            await self.desk.reported()
            await self.deliver()
            await self.desk.reported()
            waiting = [one for one in await self.calls() if one.state == "pending"]
            if not waiting and not self.published.woken:
                return
            assert passed < seconds, f"{waiting[0].action} waits: {waiting[0].error}"
            self.clock.forward(1)
            passed += 1

    async def passes(self, seconds: float, step: float = 15) -> None:
        """Lets time pass, with a delivery at every step, as the sweep does."""
        for _ in range(int(seconds / step)):
            self.clock.forward(step)
            await self.deliver()

    async def until(self, holds: Callable[[], bool], seconds: float = 5) -> None:
        """Waits for what happens in real time."""
        end = asyncio.get_running_loop().time() + seconds
        while not holds():
            assert asyncio.get_running_loop().time() < end, "it did not happen"
            await asyncio.sleep(0.01)

    # What became of it.

    async def conversation(self) -> Conversation:
        found = await self.ports.store.load(ID)
        assert found is not None
        return found.value

    async def phase(self) -> Phase:
        return (await self.conversation()).phase

    async def entries(self, conversation: str = ID) -> list[JournalEntry]:
        page = await self.ports.store.journal(conversation, None, 500)
        return sorted((one.value for one in page.items), key=lambda entry: entry.seq)

    async def calls(self) -> list[CallDesk]:
        commands = [command for entry in await self.entries() for command in entry.commands]
        return [one for one in commands if isinstance(one, CallDesk)]

    @property
    def shown(self) -> list[str]:
        """Returns what the customer was shown, a line each."""
        return [
            one["eventType"].removeprefix("REPRESENTATIVE_") if "eventType" in one else one["text"]
            for one in self.wire.shown
        ]

    def framed(self, *words: str) -> list[str]:
        """Returns the frames and these words of what the customer was shown."""
        return [one for one in self.shown if one in ("JOINED", "LEFT", *words)]

    @property
    def told(self) -> list[str]:
        """Returns the team's notifications."""
        return [one["type"] for one in self.published.told]

    async def open_chats(self) -> list[str]:
        return [one for one in await self.desk.chats() if await self.desk.is_open(one)]

    async def posts(self, request: Request) -> int:
        """Posts a webhook by hand, and returns the status."""
        headers = dict(request.headers)
        url = f"{self.url}{request.path}"
        answered = await self.wire.http.send(Call(request.method, url, request.body, headers))
        assert answered is not None
        return answered.status


@asynccontextmanager
async def world_of(
    desk: DeskSimulator, store_file: str, row: Mapping[str, Any] | None = None
) -> AsyncIterator[World]:
    webhooks = Webhooks()
    async with Served(webhooks) as served:
        await desk.start(served.url)
        clock, http = Clock(), HttpSender()
        wire, published = Wire(desk, clock, http), Published()
        desks = [{"name": DESK, "kind": desk.kind, **desk.row(), **(row or {})}]
        settings = {
            "BATON_STORE": f"sqlite:///{store_file}",
            "BATON_DESKS": json.dumps(desks),
            "BUSINESS_MESSAGES_API_URL": CHANNEL,
            **desk.settings(),
        }
        store = InlineStore(store_file)
        baton = Baton(read_settings(settings))
        ports = replace(
            baton.ports,
            store=store,
            publisher=published,
            sender=wire,
            clock=clock,
        )
        webhooks.ports = ports
        try:
            yield World(desk, ports, wire, clock, published, webhooks, served.url)
        finally:
            webhooks.release()
            await desk.stop()
            await http.close()
            await baton.close()
            await store.close()
