"""A tenant of the CCAI Platform as a Sender, and a customer's channel before it: what each of them
receives.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from shared.conversations.apply import apply, take
from shared.conversations.receive_webhook import receive_webhook
from shared.delivery.deliver import deliver
from shared.errors import Unavailable
from shared.handoff.routing.desk import Desk
from shared.platforms.ccai.desk import CcaiDesk
from shared.platforms.ccai.platform import Ccai
from shared.ports import Desks, Ports
from shared.schemas.commands import CallDesk
from shared.schemas.conversation import Conversation
from shared.schemas.events import BotMessage, Event, HumanRequested, UserMessage
from shared.schemas.http import Answer, Call, Request
from shared.schemas.journal import JournalEntry
from tests.unit.use_cases.conftest import Bench

ID = "business_messages:3333"
API = "https://tenant.test/apps/api/v1"
BOT = {"representativeType": "BOT", "displayName": "Bot"}
Rule = Callable[[Call], int | None]


@dataclass
class Tenant:
    """Creates chats 1001, 1002, ... for end users 5, 6, ... and stores everything. An end user may
    not speak in, or end, the chat of another.

    `answers` says how a path is answered once: a status, None for no answer although the call took
    effect, `lost` for no answer because the call never arrived, or an error. Otherwise the answer
    is 200.
    """

    ports: Ports | None = None
    answers: dict[str, list[int | str | Unavailable | None]] = field(default_factory=dict)
    created: str = "after"
    # happens before the answer that names a chat
    meanwhile: Callable[[], Awaitable[None]] | None = None
    users: dict[str, int] = field(default_factory=dict)
    chats: list[dict[str, Any]] = field(default_factory=list)
    said: list[tuple[int, str]] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    async def send(self, call: Call) -> Answer | None:
        self.calls.append(call)
        if not call.url.startswith(API):
            self.shown.append(json.loads(call.body))
            return Answer(200, b"{}")
        path = call.url.removeprefix(API)
        kind = (
            "chats"
            if path == "/chats"
            else path.rpartition("/")[2]
            if path.endswith("message")
            else path[:6]
        )
        script = self.answers.get(kind) or [200]
        answer = script.pop(0) if len(script) > 1 or kind in self.answers else 200
        if isinstance(answer, Unavailable):
            raise answer
        if answer == "lost":
            return None
        if isinstance(answer, int) and answer >= 300:
            return Answer(answer, b"{}", {"retry-after": "1"} if answer == 429 else {})
        asked = json.loads(call.body)
        if self._is_anothers(path, asked):
            return Answer(403, b"{}")
        body = await self._does(kind, path, asked)
        return None if answer is None else Answer(200, json.dumps(body).encode())

    def _is_anothers(self, path: str, asked: dict[str, Any]) -> bool:
        by = asked.get("from_user_id", asked.get("finished_by_user_id"))
        return by is not None and by != self._whose(int(path.split("/")[2]))

    def _whose(self, number: int) -> int:
        made = 1000 < number <= 1000 + len(self.chats)
        return int(self.chats[number - 1001]["end_user_id"]) if made else 5

    async def _does(self, kind: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "chats":
            self.chats.append(body["chat"])
            number = 1000 + len(self.chats)
            if self.meanwhile is not None:
                await self.meanwhile()
            if self.created == "before":
                await self.tells_of(number)
            return {"id": number}
        if kind == "message":
            self.said.append((int(path.split("/")[2]), body["message"]["content"]))
        if kind == "/chats":
            self.closed.append(int(path.split("/")[2]))
        return (
            {"id": self.users.setdefault(body["identifier"], 5 + len(self.users))}
            if kind == "/end_u"
            else {}
        )

    async def tells_of(self, number: int, **end_user: Any) -> None:
        await self.posts(
            "chat_created",
            number,
            chat={"id": number, "end_user": end_user or {"id": self._whose(number)}},
        )

    async def posts(self, name: str, number: int, **body: Any) -> None:
        """Posts an unsigned webhook: the signature is another test's."""
        assert self.ports is not None
        at = self.ports.clock.now().isoformat()
        whole = {"event_type": name, "timestamp": at, "chat_id": number, "body": body}
        found = Ccai().events(Request("POST", "/ccai", json.dumps(whole).encode()))
        await take(self.ports, [event for event in found if isinstance(event, Event)])

    def agent(self, number: int = 17, name: str = "Jane") -> dict[str, Any]:
        return {"id": number, "type": "agent", "name": name}


@dataclass
class World:
    """One customer on Business Messages, and a desk `support` at the tenant."""

    bench: Bench
    tenant: Tenant
    ports: Ports
    count: int = 0

    @classmethod
    def on(cls, bench: Bench, **policy: Any) -> "World":
        tenant = Tenant()
        known = bench.ports.policy
        capabilities = {**known.capabilities, "ccai": Ccai().capabilities}
        desks = (Desk(name="support", kind="ccai"),)
        ports = replace(
            bench.ports,
            sender=tenant,
            policy=replace(
                known, desks=desks, webhooks=frozenset(), capabilities=capabilities, **policy
            ),
            desks=Desks(chats={"ccai": CcaiDesk(API, "acme", "token", 7)}),
        )
        tenant.ports = ports
        return cls(bench, tenant, ports)

    async def happens(self, kind: type[Event], **more: Any) -> None:
        self.count += 1
        event = kind.model_validate(
            {"id": f"e{self.count}", "source": ID, "address": "3333", "actor": "test", **more}
        )
        await apply(self.ports, event)

    async def customer(self, text: str, channel: str = ID) -> None:
        native = channel.partition(":")[2]
        form = {"conversationId": native, "message": {"messageId": f"m{self.count}", "text": text}}
        await self.happens(UserMessage, source=channel, address=native, form=form, said=text)

    async def bot(self, text: str) -> None:
        await self.happens(BotMessage, representative=BOT, content={"text": text})

    async def asks_for_human(self) -> None:
        await self.customer("I need a person")
        await self.happens(HumanRequested, reason="billing")

    async def deliver(self, ports: Ports | None = None) -> None:
        await deliver(ports or self.ports, ID, timers=True)

    async def until_settled(self, seconds: float = 120, step: float = 1) -> None:
        """Delivers again and again, as time passes."""
        for _ in range(int(seconds / step)):
            await self.deliver()
            if not await self.waiting():
                return await self.deliver()  # what the last try itself gave rise to
            self.bench.clock.forward(step)
        raise AssertionError("something waits for ever")

    async def waiting(self) -> list[CallDesk]:
        return [one for one in await self.calls() if one.state == "pending"]

    async def calls(self) -> list[CallDesk]:
        commands = [command for entry in await self.entries() for command in entry.commands]
        return [one for one in commands if isinstance(one, CallDesk)]

    async def states(self) -> list[tuple[str, str]]:
        return [(one.action, one.state.value) for one in await self.calls()]

    async def entries(self, conversation: str = ID) -> list[JournalEntry]:
        page = await self.bench.store.journal(conversation, None, 200)
        return sorted((one.value for one in page.items), key=lambda entry: entry.seq)

    async def conversation(self, conversation: str = ID) -> Conversation:
        found = await self.bench.store.load(conversation)
        assert found is not None
        return found.value

    async def chats(self) -> tuple[str, ...]:
        """Returns the chats that are the customer's."""
        return tuple(
            one for one in (await self.conversation()).links if one.startswith("ccai:chat-")
        )

    async def webhook(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> int:
        request = Request("POST", path, json.dumps(body).encode(), headers)
        return (await receive_webhook(self.ports, request)).status

    @property
    def shown(self) -> list[str]:
        """Returns what the customer was shown, a line each."""
        return [
            one["eventType"].removeprefix("REPRESENTATIVE_") if "eventType" in one else one["text"]
            for one in self.tenant.shown
        ]

    def told(self, conversation: str = ID) -> list[str]:
        """Returns the team's notifications."""
        found = [
            one
            for one in self.bench.publisher.on("baton-handoffs")
            if one["conversation"] == conversation
        ]
        return [one["type"] for one in found]
