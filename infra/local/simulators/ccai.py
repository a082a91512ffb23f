"""A simulated CCAI Platform: end users, chats and messages of its Apps API, the chat webhook, and
the agents behind it.

https://docs.cloud.google.com/contact-center/ccai-platform/docs/chat-platform-api-guide names the
routes, the webhook, the event chat_created and the echo of messages. The bodies of POST /chats, of
text messages and of what agents do follow third-party code that was written against a tenant,
because no page that could be read shows them. A customer's key is the number of a chat. Its
transcript is what agents see.
"""

import asyncio
import base64
import hmac
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.simulators.bodies import now
from infra.local.simulators.faults import Faults, Share
from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.simulator import Simulator, json_of
from shared.schemas.notation import conversation_id

PREFIX = "/sim/ccai"
PER_SECOND = 10
AFTER_THE_ANSWER = 0.05  # seconds
FIRST_CHAT = 1001
ESCALATION = 1  # the number of a chat's only escalation
END_USERS = "end users"
_Endpoint = Callable[[Request], Awaitable[Response]]


class CcaiFaults(Faults):
    """`created_first`: chat_created arrives before the answer to POST /chats. `created_silent`: it
    is never sent. `created_lost`: the chat is created, and the answer is lost. `created_seconds`:
    the least time between the answer and chat_created. `closing_flat`: the body that finishes a
    chat must have its parameters at the top, as the guide names them.
    """

    created_first: Share = 0
    created_silent: Share = 0
    created_lost: Share = 0
    created_seconds: Annotated[float, Field(ge=0, le=600)] = 0
    closing_flat: Share = 0


class CcaiSimulator(Simulator):
    prefix, api = PREFIX, "/apps/api/v1/"
    kind_of_faults = CcaiFaults

    def __init__(
        self,
        store: PlatformStore,
        webhook_url: str,
        secrets: tuple[str, ...],
        user: str,
        token: str,
    ) -> None:
        self._secrets = secrets
        self._login = "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()
        self._calls: deque[float] = deque()
        self._media: list[tuple[str, bytes, str]] = []  # the chat, the file, and its type
        self.unlimited = False  # tests call more often than a tenant may
        self.announcing = 0  # how many chats were made that chat_created has not named yet
        super().__init__(store, webhook_url)

    def api_routes(self) -> list[Route]:
        base = self.api.rstrip("/")
        return [
            Route(f"{base}/end_users", self._guarded(self._end_user), methods=["POST"]),
            Route(f"{base}/chats", self._guarded(self._create), methods=["POST"]),
            Route(f"{base}/chats/{{chat}}/message", self._guarded(self._message), methods=["POST"]),
            Route(f"{base}/chats/{{chat}}", self._guarded(self._patch), methods=["PATCH"]),
            Route(
                f"{base}/chats/{{chat}}/escalations/{{escalation}}",
                self._guarded(self._wait),
                methods=["PATCH"],
            ),
            Route(f"{base}/chats/{{chat}}/media/{{media}}", self._guarded(self._file)),
        ]

    def customer_routes(self) -> list[Route]:
        return [Route("/customers/{key}/agent", self._agent, methods=["POST"])]

    def signed(self, body: bytes) -> Mapping[str, str]:
        """The signed text is the timestamp, followed by the body.

        https://docs.cloud.google.com/contact-center/ccai-platform/docs/webhooks
        """
        stamp = now()
        signatures = [
            base64.b64encode(hmac.digest(secret.encode(), stamp.encode() + body, "sha256")).decode()
            for secret in self._secrets
        ]
        named = zip(("primary", "secondary"), signatures, strict=False)
        return {
            "x-signature": " ".join(f"{name}={one}" for name, one in named),
            "x-signature-timestamp": stamp,
        }

    def refusal(self, status: int, words: str, headers: dict[str, str] | None = None) -> Response:
        return JSONResponse({"message": words}, status, headers)

    def overhear(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Does nothing: this platform knows its chats, a webhook that is posted by hand
        adds none.
        """

    def conversation_of(self, key: str) -> str:
        return conversation_id("ccai", f"chat-{key}")

    # The Apps API that Baton calls.

    def _guarded(self, endpoint: _Endpoint) -> _Endpoint:
        async def guarded(request: Request) -> Response:
            if request.headers.get("authorization") != self._login:
                return self.refusal(401, "Wrong credentials.")
            if not self.unlimited and not self._in_pace():
                return self.refusal(
                    429, f"More than {PER_SECOND} requests a second.", {"retry-after": "1"}
                )
            return await endpoint(request)

        return guarded

    def _in_pace(self) -> bool:
        now = time.monotonic()
        while self._calls and self._calls[0] <= now - 1:
            self._calls.popleft()
        self._calls.append(now)
        return len(self._calls) <= PER_SECOND

    async def _end_user(self, request: Request) -> Response:
        """Creates an end user, or returns the one with the same `identifier`."""
        identifier = (await json_of(request)).get("identifier")
        if not isinstance(identifier, str) or not identifier:
            return self.refusal(422, "identifier is required.")
        with self.store.whole():
            known = self.store.transcript(END_USERS)
            self.store.show(END_USERS, "platform", "end_user", identifier, {"id": len(known) + 1})
        return JSONResponse({"id": self._number_of(identifier), "identifier": identifier})

    def _number_of(self, identifier: str) -> int:
        return next(
            int(row["body"]["id"])
            for row in self.store.transcript(END_USERS)
            if row["id"] == identifier
        )

    async def _create(self, request: Request) -> Response:
        """Creates a chat with every call. chat_created follows later."""
        asked = (await json_of(request)).get("chat")
        users = {row["body"]["id"]: row["id"] for row in self.store.transcript(END_USERS)}
        if not isinstance(asked, dict) or not isinstance(asked.get("menu_id"), int):
            return self.refusal(422, "menu_id is required.")
        if asked.get("end_user_id") not in users:
            return self.refusal(404, "Unknown end user.")
        with self.store.whole():
            native = str(FIRST_CHAT + len(self.store.conversations()))
            self.store.learn(native, users[asked["end_user_id"]])
            self.store.show(native, "business", "created", native, asked)
        await self._announce(
            native, {"id": asked["end_user_id"], "identifier": users[asked["end_user_id"]]}
        )
        if self.faults.strikes("created_lost"):
            return self.refusal(504, "No answer in time.")
        return JSONResponse(
            {"id": int(native), "status": "queued", "end_user": {"id": asked["end_user_id"]}}
        )

    async def _announce(self, native: str, end_user: dict[str, Any]) -> None:
        if self.faults.strikes("created_silent"):
            return
        body = self._created(native, end_user)
        if self.faults.strikes("created_first"):
            self.report(body)
            await self.let_baton_hear()
            return
        late = self.faults.created_seconds if isinstance(self.faults, CcaiFaults) else 0
        self.announcing += 1
        asyncio.get_running_loop().call_later(max(AFTER_THE_ANSWER, late), self._announced, body)

    def _announced(self, body: dict[str, Any]) -> None:
        self.announcing -= 1
        self.report(body)

    async def _message(self, request: Request) -> Response:
        """Shows the message to the agents, and reports it by the webhook again: an echo."""
        body, native = await json_of(request), request.path_params["chat"]
        message = body.get("message")
        refused = self._refused(native, body.get("from_user_id"))
        if refused is not None:
            return refused
        if (
            not isinstance(message, dict)
            or message.get("type") != "text"
            or not message.get("content")
        ):
            return self.refusal(422, "message must be a text.")
        with self.store.whole():
            self.store.show(
                native, "business", "message", uuid.uuid4().hex, {"text": message["content"]}
            )
            sender = {"id": body.get("from_user_id"), "type": "end_user"}
            self.report(self._event(native, "message_received", sender=sender, message=message))
        return JSONResponse({"status": "ok"})

    async def _patch(self, request: Request) -> Response:
        body, native = await json_of(request), request.path_params["chat"]
        refused = self._refused(native, body.get("finished_by_user_id"))
        if refused is not None:
            return refused
        asked = body if self.faults.strikes("closing_flat") else body.get("chat")
        if not isinstance(asked, dict) or asked.get("status") != "finished":
            return self.refusal(422, "status must be finished: nothing else is simulated.")
        self._end(native, {})
        return JSONResponse({"id": int(native), "status": "finished"})

    async def _wait(self, request: Request) -> Response:
        """Puts the end user back in the queue, which is full."""
        body, native = await json_of(request), request.path_params["chat"]
        if not self.store.knows(native) or request.path_params["escalation"] != str(ESCALATION):
            return self.refusal(404, "Unknown escalation.")
        if self._is_finished(native):
            return self.refusal(409, "The chat is finished.")
        if body.get("deflection_channel") != "human_agent":
            return self.refusal(422, "deflection_channel must be human_agent.")
        self.store.show(native, "business", "waits", uuid.uuid4().hex, {})
        return JSONResponse({"id": ESCALATION, "status": "requested"})

    async def _file(self, request: Request) -> Response:
        """https://docs.cloud.google.com/contact-center/ccai-platform/docs/agent-attachments-chat-api"""
        number, native = request.path_params["media"], request.path_params["chat"]
        known = {str(number): one for number, one in enumerate(self._media, 1)}
        if number not in known or known[number][0] != native:
            return self.refusal(404, "Unknown file.")
        return Response(known[number][1], media_type=known[number][2])

    def _refused(self, native: str, end_user: object) -> Response | None:
        if not self.store.knows(native):
            return self.refusal(404, "Unknown chat.")
        if self.store.transcript(native)[0]["body"]["end_user_id"] != end_user:
            return self.refusal(403, "This end user is not in this chat.")
        return self.refusal(409, "The chat is finished.") if self._is_finished(native) else None

    def _is_finished(self, native: str) -> bool:
        return any(row["kind"] == "finished" for row in self.store.transcript(native))

    # The agents behind it.

    async def _agent(self, request: Request) -> Response:
        """Lets an agent act: `{"action": "joins" or another of `_ACTIONS`, "id", "name", "text",
        "reason", "virtual", "may_wait", "mime_type", "data"}`. `data` is a file in base64.
        """
        native, body = request.path_params["key"], await json_of(request)
        if not self.store.knows(native) or self._is_finished(native):
            return self.refusal(409, "There is no such chat, or it is finished.")
        if body.get("action") not in _ACTIONS:
            return self.refusal(422, f"action is one of {', '.join(_ACTIONS)}.")
        self.act(native, body["action"], body)
        await self.let_baton_hear()
        return JSONResponse({"chat": int(native), "action": body["action"]})

    def act(self, native: str, action: str, body: Mapping[str, Any]) -> None:
        """Lets an agent act in an open chat. `action` is one of `_ACTIONS`."""
        with self.store.whole():
            getattr(self, f"_{action}")(native, body)

    def _joins(self, native: str, body: Mapping[str, Any]) -> None:
        self._note(native, "joined", body)
        self.report(self._event(native, "participant_joined", sender=_person(body)))

    def _leaves(self, native: str, body: Mapping[str, Any]) -> None:
        self._note(native, "left", body)
        self.report(self._event(native, "participant_left", sender=_person(body)))

    def _says(self, native: str, body: Mapping[str, Any]) -> None:
        message = {"type": "text", "content": str(body.get("text", ""))}
        self._note(native, "message", body, text=message["content"])
        self.report(self._event(native, "message_received", sender=_person(body), message=message))

    def _attaches(self, native: str, body: Mapping[str, Any]) -> None:
        mime_type = str(body.get("mime_type", "image/png"))
        self._media.append((native, base64.b64decode(str(body.get("data", ""))), mime_type))
        kind = {"image": "photo", "video": "video"}.get(mime_type.partition("/")[0], "file")
        message = {"type": kind, "content": {"media_id": len(self._media)}}
        self._note(native, "message", body, text=f"[{kind}]")
        self.report(self._event(native, "message_received", sender=_person(body), message=message))

    def _deflects(self, native: str, body: Mapping[str, Any]) -> None:
        """Reports that no agent is available: the reason (`after_hours` or `over_capacity`) and
        what the end user may choose instead. An agent may still join until the chat is finished.
        """
        offered = ["email", "human_agent"] if body.get("may_wait") else ["email"]
        escalation = {
            "id": ESCALATION,
            "reason": body.get("reason", "after_hours"),
            "deflection_channels": offered,
        }
        self._note(native, "deflected", body, reason=escalation["reason"])
        self.report(self._event(native, "escalation_deflected", escalation=escalation))

    def _creates(self, native: str, body: Mapping[str, Any]) -> None:
        """Reports now that the chat was created."""
        identifier = self.store.name_of(native) or ""
        self.report(
            self._created(native, {"id": self._number_of(identifier), "identifier": identifier})
        )

    def _created(self, native: str, end_user: dict[str, Any]) -> dict[str, Any]:
        return self._event(native, "chat_created", chat={"id": int(native), "end_user": end_user})

    def _ends(self, native: str, body: Mapping[str, Any]) -> None:
        self._end(native, _who(body))

    def _end(self, native: str, by: Mapping[str, Any]) -> None:
        """Finishes the chat. `by` is the agent who ended it; it is empty where Baton ended it for
        the end user.
        """
        if self.store.show(native, "platform", "finished", native, dict(by)):
            self.report(self._event(native, "chat_ended"))

    def _note(self, native: str, kind: str, body: Mapping[str, Any], **what: Any) -> None:
        """Stores what an agent did, for the agents' view."""
        self.store.show(native, "agent", kind, uuid.uuid4().hex, {**_who(body), **what})

    def _event(self, native: str, name: str, **body: Any) -> dict[str, Any]:
        return {"event_type": name, "timestamp": now(), "chat_id": int(native), "body": body}


_ACTIONS = ("creates", "joins", "says", "attaches", "leaves", "ends", "deflects")


def _who(body: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the name and type of a participant."""
    person = _person(body)
    return {"name": person.get("name") or f"Agent {person['id']}", "type": person["type"]}


def _person(body: Mapping[str, Any]) -> dict[str, Any]:
    named = {"name": body["name"]} if body.get("name") else {}
    return {
        "id": body.get("id", 17),
        "type": "virtual_agent" if body.get("virtual") else "agent",
        **named,
    }
