"""Google Chat for the contract suite: the simulated Chat over HTTP, and what Google's own library
says of each call.
"""

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import jwt

from infra.local.simulators.faults import Faults
from infra.local.simulators.google_chat import Member
from infra.local.simulators.google_chat_app import PREFIX, GoogleChatSimulator
from infra.local.simulators.platform_store import PlatformStore
from shared.schemas.http import Answer, Request
from tests.desks.simulator import JANE, TOM, Act, Refusal
from tests.served import Served
from tests.unit.google_accounts import key
from tests.vendors.google_chat import judge_call

PEOPLE = {name: Member(name, f"{name.lower()}@example.com", ord(name[0])) for name in (JANE, TOM)}
AUDIENCE, PUSH = "123456789012", "push@acme.iam.gserviceaccount.com"
CUSTOMER, OVER = "*Customer:* ", "This conversation is over."
UNSEEN = "\u2060"


class GoogleChat:
    kind = "google_chat"
    acts = frozenset({Act.JOIN, Act.LEAVE, Act.DECLINE, Act.DELETE, Act.RENAME})

    async def start(self, webhooks: str) -> None:
        store, door = PlatformStore(":memory:"), f"{webhooks}/google_chat"
        self._simulator = GoogleChatSimulator(store, door, AUDIENCE, PUSH, judge=judge_call)
        self.chat = self._simulator.chat
        self._server = Served(self._simulator)
        await self._server.__aenter__()
        self._posting = asyncio.create_task(self._simulator.post_webhooks())
        self._people = dict(PEOPLE)

    async def stop(self) -> None:
        self._posting.cancel()
        await self._server.__aexit__(None, None, None)

    def settings(self) -> Mapping[str, str]:
        return {
            "GOOGLE_CHAT_API_URL": f"{self._server.url}{PREFIX}",
            "GOOGLE_CHAT_AUTH": "bearer:token",
            "GOOGLE_CHAT_AUDIENCE": AUDIENCE,
            "GOOGLE_CHAT_PUSH_ACCOUNT": PUSH,
        }

    def row(self) -> Mapping[str, Any]:
        return {"place": "spaces/AAAA"}

    def own_conversation(self) -> str | None:
        return None

    async def chats(self) -> Sequence[str]:
        return self._simulator.threads()

    async def is_open(self, chat: str) -> bool:
        return bool(self.chat.buttons(thread_of(chat)))

    async def words(self, chat: str) -> Sequence[str]:
        texts = (one["text"] for one in self.chat.shown(thread_of(chat))[1:])
        said = (one.removeprefix(CUSTOMER) for one in texts if one.startswith(CUSTOMER))
        return [one.replace(UNSEEN, "") for one in said]

    async def everything(self) -> str:
        return json.dumps(list(self.chat.messages.values()), ensure_ascii=False)

    async def join(self, chat: str, who: str) -> None:
        self.chat.clicks(self._people[who], thread_of(chat), "claim")

    async def say(self, chat: str, who: str, text: str) -> None:
        self.chat.writes(self._people[who], thread_of(chat), text)

    async def leave(self, chat: str, who: str) -> None:
        self.chat.clicks(self._people[who], thread_of(chat), "release")

    async def decline(self, chat: str) -> None:
        self.chat.clicks(self._people[JANE], thread_of(chat), "unavailable")

    async def delete(self, chat: str, text: str) -> None:
        """Only a subscription to the space tells it."""
        (said,) = (one for one in self.chat.shown(thread_of(chat)) if text in one["text"])
        self.chat.subscribed = True
        self.chat.deletes(said)
        self.chat.subscribed = False

    async def rename(self, who: str, name: str) -> None:
        self._people[who] = replace(self._people[who], name=name)

    async def end(self, chat: str) -> None:
        raise NotImplementedError("nothing tells an app that a thread was deleted")

    async def reported(self) -> None:
        while self._simulator.store.webhooks(1):
            await asyncio.sleep(0.005)

    def fails(self, always: bool) -> None:
        """Answers every call with an error, or no call."""
        self._simulator.faults = Faults(server_error=float(always))

    def refusal(self, kind: Refusal, seconds: int = 1) -> Answer:
        code, status = {
            Refusal.ERROR: (500, "INTERNAL"),
            Refusal.TOO_MANY: (429, "RESOURCE_EXHAUSTED"),
            Refusal.CREDENTIALS: (401, "UNAUTHENTICATED"),
        }[kind]
        headers = {"retry-after": str(seconds)} if kind is Refusal.TOO_MANY else {}
        return Answer(
            code, json.dumps({"error": {"code": code, "status": status}}).encode(), headers
        )

    def strange(self, *, genuine: bool = True) -> Request:
        event = {"type": "APP_SANG", "song": uuid.uuid4().hex, "space": {"name": "spaces/AAAA"}}
        headers = dict(self._simulator.signed(b""))
        if not genuine:
            headers["authorization"] = f"Bearer {_forged(headers['authorization'])}"
        return Request("POST", "/google_chat", json.dumps(event).encode(), headers)


def thread_of(chat: str) -> str:
    space, _, thread = chat.partition("~")
    return f"spaces/{space}/threads/{thread}"


def _forged(bearer: str) -> str:
    """Returns the same token, signed by somebody else."""
    token = bearer.removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, key("stranger"), "RS256", jwt.get_unverified_header(token))
