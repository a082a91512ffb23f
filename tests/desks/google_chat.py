"""Google Chat for the contract suite: the simulated Chat over HTTP. Its events come through
Pub/Sub, which repeats what is not taken.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import aiohttp
import jwt
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.applications import application
from infra.local.simulators.google_chat import APP, Json, Member, SimulatedChat
from shared.schemas.http import Answer, Request
from tests.desks.simulator import JANE, TOM, Act, Refusal
from tests.served import Served
from tests.unit.google_accounts import certificate, key
from tests.vendors.google_chat import judge_call

PEOPLE = {name: Member(name, f"{name.lower()}@example.com", ord(name[0])) for name in (JANE, TOM)}
AUDIENCE, PUSH = "123456789012", "push@acme.iam.gserviceaccount.com"
CUSTOMER, OVER = "*Customer:* ", "This conversation is over."
UNSEEN = "\u2060"
METHODS = ["GET", "POST", "PATCH", "DELETE"]
PAUSE = 0.02  # seconds; Pub/Sub itself waits ten


class GoogleChat:
    kind = "google_chat"
    acts = frozenset({Act.JOIN, Act.LEAVE, Act.DECLINE, Act.DELETE, Act.RENAME})

    async def start(self, webhooks: str) -> None:
        self._webhooks = f"{webhooks}/google_chat"
        self.chat = SimulatedChat(wrapped=True, tell=self._post_all)
        self._server = Served(application([Route("/{path:path}", self._answer, methods=METHODS)]))
        await self._server.__aenter__()
        self._posting = set[asyncio.Task[None]]()
        self._people = dict(PEOPLE)

    async def stop(self) -> None:
        for one in self._posting:
            one.cancel()
        await self._server.__aexit__(None, None, None)

    def settings(self) -> Mapping[str, str]:
        return {
            "GOOGLE_CHAT_API_URL": self._server.url,
            "GOOGLE_CHAT_AUTH": "bearer:token",
            "GOOGLE_CHAT_AUDIENCE": AUDIENCE,
            "GOOGLE_CHAT_PUSH_ACCOUNT": PUSH,
        }

    def row(self) -> Mapping[str, Any]:
        return {"place": "spaces/AAAA"}

    def own_conversation(self) -> str | None:
        return None

    async def chats(self) -> Sequence[str]:
        return [
            one.removeprefix("spaces/").replace("/threads/", "~")
            for one in self.chat.threads()
            if self.chat.shown(one)[0]["sender"] == APP
        ]

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
        while any(not one.done() for one in self._posting):
            await asyncio.sleep(0.005)

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
        headers = {"authorization": f"Bearer {_token('google' if genuine else 'stranger')}"}
        return Request("POST", "/google_chat", json.dumps(event).encode(), headers)

    async def _answer(self, request: StarletteRequest) -> Response:
        query, body = dict(request.query_params), await request.body()
        if "certs" in request.url.path:
            return JSONResponse({"google": certificate("google")})
        status, answer = self.chat.answer(request.method, request.url.path, query, body)
        if isinstance(answer, bytes):
            return Response(answer, status)
        judge_call(request.method, request.url.path, query, body, answer)
        return JSONResponse(answer, status)

    def _post_all(self) -> None:
        while self.chat.events:
            event = self.chat.events.pop(0)
            before = list(self._posting)
            self._posting.add(asyncio.create_task(self._post(event, before)))

    async def _post(self, event: Json, before: Sequence[asyncio.Task[None]]) -> None:
        if before:
            await asyncio.wait(before)
        headers = {"authorization": f"Bearer {_token('google')}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                async with session.post(self._webhooks, json=event) as response:
                    if response.status < 300:
                        return
                await asyncio.sleep(PAUSE)


def thread_of(chat: str) -> str:
    space, _, thread = chat.partition("~")
    return f"spaces/{space}/threads/{thread}"


def _token(signed_by: str) -> str:
    now = int(time.time())
    claims = {"iss": "https://accounts.google.com", "aud": AUDIENCE, "email": PUSH}
    times = {"iat": now, "exp": now + 3600, "email_verified": True}
    return jwt.encode({**claims, **times}, key(signed_by), "RS256", {"kid": "google"})
