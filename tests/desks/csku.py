"""CSKU AI for the contract suite: the simulator of the local run over HTTP, and the webhooks of its
people.

https://docs.csku.ai/webhooks/events/agent-message-out: there is no event for joining, leaving, or
the end of a conversation.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from infra.local.simulators.csku import PREFIX, CskuSimulator
from shared.schemas.http import Answer, Request
from tests.desks.simulator import Act, Refusal
from tests.served import Served

CONVERSATION, SECRET = "conv_1", "dev-csku-secret"
PAUSE = 0.02  # seconds; CSKU itself waits 30


class Csku:
    kind = "csku"
    acts = frozenset[Act]()

    async def start(self, webhooks: str) -> None:
        self._webhooks = f"{webhooks}/csku"
        self._simulator = CskuSimulator("dev", "dev-csku-api-secret")
        self._server = Served(self._simulator.application)
        await self._server.__aenter__()
        self._posting = set[asyncio.Task[None]]()

    async def stop(self) -> None:
        for one in self._posting:
            one.cancel()
        await self._server.__aexit__(None, None, None)

    def settings(self) -> Mapping[str, str]:
        return {
            "CSKU_WEBHOOK_SECRETS": SECRET,
            "CSKU_API_URL": f"{self._server.url}{PREFIX}",
            "CSKU_API_BUSINESS": "dev",
            "CSKU_API_SECRET": "dev-csku-api-secret",
            "CSKU_NEED_HUMAN": "on",
        }

    def row(self) -> Mapping[str, Any]:
        return {}

    def own_conversation(self) -> str | None:
        return CONVERSATION

    async def chats(self) -> Sequence[str]:
        return list(self._simulator.flagged)

    async def is_open(self, chat: str) -> bool:
        return chat in self._simulator.flagged

    async def words(self, chat: str) -> Sequence[str]:
        raise NotImplementedError("it has the customer's words from the channel itself")

    async def everything(self) -> str:
        return json.dumps(self._simulator.flagged)

    async def join(self, chat: str, who: str) -> None:
        raise NotImplementedError

    async def say(self, chat: str, who: str, text: str) -> None:
        message = {
            "id": uuid.uuid4().hex,
            "sender_name": who,
            "agent": {"name": who},
            "content": {"type": "text", "text": text},
        }
        body = _body("agent.message_out", chat, message=message, need_human=1)
        self._posting.add(asyncio.create_task(self._post(body)))

    async def leave(self, chat: str, who: str) -> None:
        raise NotImplementedError

    async def decline(self, chat: str) -> None:
        raise NotImplementedError

    async def end(self, chat: str) -> None:
        raise NotImplementedError

    async def reported(self) -> None:
        while any(not one.done() for one in self._posting):
            await asyncio.sleep(0.005)

    def refusal(self, kind: Refusal, seconds: int = 1) -> Answer:
        code = {Refusal.ERROR: 500, Refusal.TOO_MANY: 429, Refusal.CREDENTIALS: 401}[kind]
        headers = {"retry-after": str(seconds)} if kind is Refusal.TOO_MANY else {}
        body = {"status": 0, "rc": code, "error_msg": "told to fail"}
        return Answer(200, json.dumps(body).encode(), headers)

    def strange(self, *, genuine: bool = True) -> Request:
        body = _body("agent.sang", CONVERSATION, song=uuid.uuid4().hex)
        return Request("POST", "/csku", body, {"authorization": SECRET if genuine else "wrong"})

    async def _post(self, body: bytes) -> None:
        async with aiohttp.ClientSession(headers={"authorization": SECRET}) as session:
            while True:
                async with session.post(self._webhooks, data=body) as response:
                    if response.status < 500:
                        return
                await asyncio.sleep(PAUSE)


def _body(event: str, conversation: str, **more: Any) -> bytes:
    at = {"timestamp": int(time.time()), "conversation_id": conversation}
    return json.dumps({"event": event, **at, **more}).encode()
