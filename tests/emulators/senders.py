"""Those who send to Baton, with the manners of real ones: each asks again under the same id
until it is answered.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp

from infra.local.reference import COMMON
from infra.local.server import Reply
from infra.local.settings import ADMIN_KEY, AGENT_KEY, BOT_KEY, SIGNING_KEY
from shared.platforms.bodies import hmac_sha512_base64
from tests.emulators.deployment import Deployment

PAUSE, PATIENCE = 0.1, 180.0
SURFACE = "/v1/conversations"
JANE = {"representativeType": "HUMAN", "displayName": "Jane Doe"}


@dataclass
class Answered:
    """What a request was answered, try after try: status and seconds, status 0 where no answer
    came.
    """

    tries: list[tuple[int, float]] = field(default_factory=list)
    reply: Reply = field(default_factory=lambda: Reply(0, None))


@dataclass(frozen=True, eq=False)
class Caller:
    """One sender, through one instance of each function."""

    deployment: Deployment
    native: str
    receive: str = "receive_webhook"
    send: str = "send_representative"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"business_messages:{self.native}"

    async def webhook(self, payload: Mapping[str, Any], request_id: str) -> Answered:
        """Posts as a platform does: until 200."""
        whole = {**COMMON, "conversationId": self.native, "requestId": request_id, **payload}
        body = json.dumps(whole).encode()
        signed = {"x-goog-signature": hmac_sha512_base64(SIGNING_KEY, body)}
        self.deployment.platform.simulator.overhear(body, signed)
        return await self._until_taken(self.receive, "POST", "/business_messages", body, signed)

    async def says(self, text: str, message_id: str) -> Answered:
        message = {"messageId": message_id, "text": text, "createTime": "2026-01-01T00:00:00Z"}
        return await self.webhook({"message": message}, f"request-{message_id}")

    async def wants_human(self, request_id: str) -> Answered:
        return await self.webhook({"userStatus": {"requestedLiveAgent": True}}, request_id)

    async def api(
        self, method: str, path: str, body: Mapping[str, Any] | None, key: str
    ) -> Answered:
        """Asks as a bot or desk does: 409 ALREADY_EXISTS is success."""
        written = json.dumps(body).encode() if body is not None else b""
        whole = f"{SURFACE}/{quote(self.native)}{path}"
        return await self._until_taken(
            self.send, method, whole, written, {"authorization": f"Bearer {key}"}
        )

    async def joins(self, event_id: str) -> Answered:
        body = {"eventType": "REPRESENTATIVE_JOINED", "representative": JANE}
        return await self.api("POST", f"/events?eventId={event_id}", body, AGENT_KEY)

    async def leaves(self, event_id: str) -> Answered:
        body = {"eventType": "REPRESENTATIVE_LEFT", "representative": JANE}
        return await self.api("POST", f"/events?eventId={event_id}", body, AGENT_KEY)

    async def human_says(self, text: str, message_id: str) -> Answered:
        body = {"messageId": message_id, "text": text, "representative": JANE}
        return await self.api("POST", "/messages", body, AGENT_KEY)

    async def bot_says(self, text: str, message_id: str) -> Answered:
        return await self.api("POST", "/messages", {"messageId": message_id, "text": text}, BOT_KEY)

    async def erases(self) -> Answered:
        return await self.api("DELETE", "", None, ADMIN_KEY)

    async def _until_taken(
        self, instance: str, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Answered:
        answered, loop = Answered(), asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PATIENCE):
                while answered.reply.status in (0, 429) or answered.reply.status >= 500:
                    await asyncio.sleep(PAUSE if answered.tries else 0)
                    began = loop.time()
                    answered.reply = await self._try(instance, method, path, body, headers)
                    answered.tries.append((answered.reply.status, loop.time() - began))
        except TimeoutError:
            raise AssertionError(self.native, method, path, answered) from None
        assert answered.reply.status == 200 or _exists(answered.reply), answered.reply
        return answered

    async def _try(
        self, instance: str, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Reply:
        try:
            return await self.deployment.call(
                instance, method, path, body, {**self.headers, **headers}
            )
        except aiohttp.ClientError:
            return Reply(0, None)


def _exists(reply: Reply) -> bool:
    return reply.status == 409 and reply.body["error"]["status"] == "ALREADY_EXISTS"
