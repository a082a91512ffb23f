"""The CCAI Platform for the contract suite: the simulator of the local run, over HTTP."""

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from infra.local.simulators.ccai import PREFIX, CcaiSimulator
from infra.local.simulators.platform_store import PlatformStore
from shared.schemas.http import Answer, Request
from tests.desks.simulator import JANE, TOM, Act, Refusal
from tests.served import Served

NUMBERS = {JANE: 17, TOM: 18}
SECRET = "dev-ccai-secret"


class Ccai:
    kind = "ccai"
    acts = frozenset(Act) - {Act.DELETE}

    async def start(self, webhooks: str) -> None:
        store, self._names = PlatformStore(":memory:"), dict[str, str]()
        self._simulator = CcaiSimulator(store, f"{webhooks}/ccai", (SECRET,), "dev", "dev-token")
        self._simulator.unlimited = True  # the suite has more calls a second than a tenant may
        self._server = Served(self._simulator)
        await self._server.__aenter__()
        self._posting = asyncio.create_task(self._simulator.post_webhooks())

    async def stop(self) -> None:
        self._posting.cancel()
        await self._server.__aexit__(None, None, None)

    def settings(self) -> Mapping[str, str]:
        return {
            "CCAI_WEBHOOK_SECRETS": SECRET,
            "CCAI_API_URL": f"{self._server.url}{PREFIX}/apps/api/v1",
            "CCAI_API_USER": "dev",
            "CCAI_API_TOKEN": "dev-token",
            "CCAI_MENU_ID": "1",
        }

    def row(self) -> Mapping[str, Any]:
        return {}

    def own_conversation(self) -> str | None:
        return None

    async def chats(self) -> Sequence[str]:
        return sorted(one["id"] for one in self._simulator.store.conversations())

    async def is_open(self, chat: str) -> bool:
        return "finished" not in [row["kind"] for row in self._rows(chat)]

    async def words(self, chat: str) -> Sequence[str]:
        return [
            row["body"]["text"]
            for row in self._rows(chat)
            if (row["side"], row["kind"]) == ("business", "message")
        ]

    async def everything(self) -> str:
        return json.dumps([self._rows(chat) for chat in await self.chats()])

    async def join(self, chat: str, who: str) -> None:
        self._acts(chat, "joins", who)

    async def say(self, chat: str, who: str, text: str) -> None:
        self._acts(chat, "says", who, text=text)

    async def leave(self, chat: str, who: str) -> None:
        self._acts(chat, "leaves", who)

    async def rename(self, who: str, name: str) -> None:
        self._names[who] = name

    async def decline(self, chat: str) -> None:
        self._acts(chat, "deflects", JANE)

    async def end(self, chat: str) -> None:
        self._acts(chat, "ends", JANE)

    async def offer_to_wait(self, chat: str) -> None:
        self._simulator.act(chat, "deflects", {"reason": "over_capacity", "may_wait": True})

    async def keeps_waiting(self, chat: str) -> bool:
        return "waits" in [row["kind"] for row in self._rows(chat)]

    async def reported(self) -> None:
        while self._simulator.store.webhooks(1) or self._simulator.announcing:
            await asyncio.sleep(0.005)

    def refusal(self, kind: Refusal, seconds: int = 1) -> Answer:
        if kind is Refusal.TOO_MANY:
            return Answer(429, b"{}", {"retry-after": str(seconds)})
        return Answer(500 if kind is Refusal.ERROR else 401, b"{}")

    def strange(self, *, genuine: bool = True) -> Request:
        event = {"event_type": "agent_sang", "chat_id": 1, "body": {"song": uuid.uuid4().hex}}
        body = json.dumps(event).encode()
        headers = dict(self._simulator.signed(body if genuine else body + b" "))
        return Request("POST", "/ccai", body, headers)

    def _rows(self, chat: str) -> list[dict[str, Any]]:
        return self._simulator.store.transcript(chat)

    def _acts(self, chat: str, action: str, who: str, **more: str) -> None:
        self._simulator.act(
            chat, action, {"id": NUMBERS[who], "name": self._names.get(who, who), **more}
        )
