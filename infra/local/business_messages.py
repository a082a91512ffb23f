"""A simulated Business Messages: the real API's semantics towards Baton, and the customer's phone behind it.

ALREADY_EXISTS for a repeated messageId or eventId, 400 for what is missing, PERMISSION_DENIED for a conversation that
it does not know. https://developers.google.com/business-communications/business-messages/reference/rest
"""

import asyncio
import contextlib
import json
import uuid
from typing import Any

import aiohttp
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from infra.local.faults import Faults
from infra.local.platform_store import PlatformStore
from shared.platforms.signatures import hmac_sha512_base64
from shared.schemas.times import format_time
from shared.transports.clock import WallClock

PREFIX = "/sim/business_messages"
CONTENT = ("text", "richCard", "image")
EVENTS = ("TYPING_STARTED", "TYPING_STOPPED", "REPRESENTATIVE_JOINED", "REPRESENTATIVE_LEFT")


class BusinessMessagesSimulator:
    """An ASGI application below PREFIX, and a task that posts what customers do to Baton until Baton takes it."""

    def __init__(self, store: PlatformStore, webhook_url: str, signing_key: str) -> None:
        self.store = store
        self.faults = Faults()
        self.typing: dict[str, str | None] = {}
        self._webhook_url = webhook_url
        self._signing_key = signing_key
        self._news = asyncio.Event()
        self._rest = Starlette(routes=[*self._rest_routes(), *self._customer_routes()])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = {**scope, "root_path": PREFIX}
        if not scope["path"].startswith(f"{PREFIX}/v1/"):
            await self._rest(scope, receive, send)
            return
        if self.faults.strikes("slow"):
            await asyncio.sleep(self.faults.slow_seconds)
        if self.faults.strikes("drop_before"):
            await _drop(send)
            return
        fault = self._refusal()
        if fault is not None:
            await fault(scope, receive, send)
            return
        if self.faults.strikes("drop_after"):
            await self._rest(scope, receive, _into_nothing)
            await _drop(send)
            return
        await self._rest(scope, receive, send)

    def _refusal(self) -> Response | None:
        if self.faults.strikes("too_many"):
            return _error(429, "RESOURCE_EXHAUSTED", "Slow down.", {"retry-after": str(self.faults.retry_after)})
        if self.faults.strikes("server_error"):
            return _error(500, "INTERNAL", "The simulated platform was told to fail.")
        return None

    def _rest_routes(self) -> list[Route]:
        base = "/v1/conversations/{conversation:path}"
        return [
            Route(f"{base}/messages/{{message}}/receipt", self._receipt, methods=["PATCH"]),
            Route(f"{base}/messages", self._message, methods=["POST"]),
            Route(f"{base}/events", self._event, methods=["POST"]),
        ]

    def _customer_routes(self) -> list[Route]:
        return [
            Route("/faults", self._get_faults, methods=["GET"]),
            Route("/faults", self._set_faults, methods=["PUT"]),
            Route("/customers", self._customers, methods=["GET"]),
            Route("/customers/{conversation}", self._transcript, methods=["GET"]),
            Route("/customers/{conversation}/messages", self._say, methods=["POST"]),
            Route("/customers/{conversation}/status", self._status, methods=["POST"]),
        ]

    # The REST API that Baton calls.

    async def _message(self, request: Request) -> Response:
        body = await _json(request)
        if not body.get("messageId") or sum(name in body for name in CONTENT) != 1:
            return _error(400, "INVALID_ARGUMENT", "messageId and exactly one of text, richCard, image are required.")
        return self._shown(request, body, "message", str(body["messageId"]))

    async def _event(self, request: Request) -> Response:
        body, event_id = await _json(request), request.query_params.get("eventId")
        if not event_id or body.get("eventType") not in EVENTS:
            return _error(400, "INVALID_ARGUMENT", "eventId and a known eventType are required.")
        if body["eventType"].startswith("TYPING"):
            return self._typed(request, body)
        return self._shown(request, body, "event", event_id)

    def _shown(self, request: Request, body: dict[str, Any], kind: str, native: str) -> Response:
        conversation = request.path_params["conversation"]
        if not self.store.knows(conversation):
            return _error(403, "PERMISSION_DENIED", "Unknown conversation.")
        if (body.get("representative") or {}).get("representativeType") not in ("BOT", "HUMAN"):
            return _error(400, "INVALID_ARGUMENT", "representative.representativeType is required.")
        if not self.store.show(conversation, "business", kind, native, body):
            return _error(409, "ALREADY_EXISTS", f"The {kind} {native} exists already.")
        self.typing.pop(conversation, None)
        return JSONResponse({"name": f"conversations/{conversation}/{kind}s/{native}", **body})

    def _typed(self, request: Request, body: dict[str, Any]) -> Response:
        conversation, who = request.path_params["conversation"], body.get("representative") or {}
        if not self.store.knows(conversation):
            return _error(403, "PERMISSION_DENIED", "Unknown conversation.")
        self.typing[conversation] = who.get("displayName") if body["eventType"] == "TYPING_STARTED" else None
        return JSONResponse(body)

    async def _receipt(self, request: Request) -> Response:
        conversation, message = request.path_params["conversation"], request.path_params["message"]
        if not self.store.knows(conversation):
            return _error(403, "PERMISSION_DENIED", "Unknown conversation.")
        self.store.show(conversation, "business", "receipt", message, await _json(request))
        return JSONResponse({"receiptType": "READ"})

    # The customer's phone.

    async def _customers(self, request: Request) -> Response:
        return JSONResponse({"customers": self.store.conversations()})

    async def _transcript(self, request: Request) -> Response:
        conversation, after = request.path_params["conversation"], request.query_params.get("after", "0")
        if not after.isdecimal():
            return _error(400, "INVALID_ARGUMENT", "after must be a number.")
        shown = self.store.transcript(conversation, int(after))
        return JSONResponse({"transcript": shown, "typing": self.typing.get(conversation)})

    async def _say(self, request: Request) -> Response:
        conversation, body = request.path_params["conversation"], await _json(request)
        if not isinstance(body.get("text"), str) or not body["text"]:
            return _error(400, "INVALID_ARGUMENT", "Say something: text is required.")
        native = str(body.get("messageId") or uuid.uuid4())
        now = format_time(WallClock().now())
        name = f"conversations/{conversation}/messages/{native}"
        message = {"messageId": native, "name": name, "text": body["text"], "createTime": now}
        with self.store.whole():
            self.store.learn(conversation, body.get("displayName"))
            if self.store.show(conversation, "customer", "message", native, message):
                self._report(conversation, {"message": message, "context": _context(self.store.name_of(conversation))})
        await self._let_baton_hear()
        return JSONResponse(message)

    async def _status(self, request: Request) -> Response:
        conversation, body = request.path_params["conversation"], await _json(request)
        status = {name: value for name, value in body.items() if name in ("isTyping", "requestedLiveAgent")}
        with self.store.whole():
            self.store.learn(conversation)
            if status.get("requestedLiveAgent"):
                self.store.show(conversation, "customer", "status", str(uuid.uuid4()), status)
            self._report(conversation, {"userStatus": {**status, "createTime": format_time(WallClock().now())}})
        await self._let_baton_hear()
        return JSONResponse(status)

    async def _get_faults(self, request: Request) -> Response:
        return JSONResponse(self.faults.model_dump())

    async def _set_faults(self, request: Request) -> Response:
        try:
            self.faults = Faults.model_validate(await _json(request))
        except ValidationError as error:
            return _error(400, "INVALID_ARGUMENT", error.errors()[0]["msg"])
        return JSONResponse(self.faults.model_dump())

    def overhear(self, body: bytes, signature: str) -> None:
        """Notes a webhook that was posted by hand: a platform knows whom it reports, and their phone shows it."""
        with contextlib.suppress(ValueError, TypeError, KeyError):
            report = json.loads(body)
            if hmac_sha512_base64(self._signing_key, body) == signature:
                self.store.learn(str(report["conversationId"]))
                message = report["message"]
                self.store.show(report["conversationId"], "customer", "message", message["messageId"], message)

    # The webhooks it posts, in the order of events, each until it is taken.

    def _report(self, conversation: str, payload: dict[str, Any]) -> None:
        common = {
            "agent": "brands/1111/agents/2222",
            "conversationId": conversation,
            "customAgentId": "live-agent-handoff",
            "requestId": str(uuid.uuid4()),
            "sendTime": format_time(WallClock().now()),
        }
        self.store.enqueue({**common, **payload})
        self._news.set()

    async def _let_baton_hear(self) -> None:
        """Waits a little for the webhooks to be taken, so that whoever asks Baton next finds what was just said."""
        for _ in range(50):
            if not self.store.webhooks(1):
                return
            await asyncio.sleep(0.01)

    async def post_webhooks(self) -> None:
        """Runs until it is cancelled."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            while True:
                await self._news.wait() if not self.store.webhooks(1) else None
                self._news.clear()
                waiting = self.store.webhooks(2)
                if len(waiting) == 2 and self.faults.strikes("reorder"):
                    waiting.reverse()
                for seq, body in waiting:
                    await self._post_until_taken(session, body)
                    self.store.delivered(seq)

    async def _post_until_taken(self, session: aiohttp.ClientSession, body: str) -> None:
        pause = 0.2
        while not await self._post(session, body):
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5)
        if self.faults.strikes("duplicate"):
            await self._post(session, body)

    async def _post(self, session: aiohttp.ClientSession, body: str) -> bool:
        headers = {"x-goog-signature": hmac_sha512_base64(self._signing_key, body.encode())}
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.post(self._webhook_url, data=body.encode(), headers=headers) as response:
                return response.status < 500 and response.status != 429
        return False


def _context(name: str | None) -> dict[str, Any]:
    user = {"displayName": name or "Michael", "userDeviceLocale": "en"}
    return {"entryPoint": "PLACESHEET", "userInfo": user, "resolvedLocale": "en"}


async def _json(request: Request) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        value = json.loads(await request.body())
        if isinstance(value, dict):
            return value
    return {}


def _error(code: int, status: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"code": code, "status": status, "message": message}}, code, headers)


async def _drop(send: Send) -> None:
    """Begins an answer and never ends it: the server then closes the connection."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})


async def _into_nothing(message: Any) -> None:
    return None
