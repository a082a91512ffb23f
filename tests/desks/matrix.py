"""A homeserver of Matrix for the contract suite, with the documented semantics of what Baton uses,
over HTTP. It knows nothing of Baton but the registration.

https://spec.matrix.org/v1.17/client-server-api/ and /application-service-api/
"""

import asyncio
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import unquote

import aiohttp
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from shared.schemas.http import Answer, Request
from tests.desks.simulator import JANE, TOM, Act, Refusal
from tests.served import Served

SERVER, PREFIX = "example.test", "baton_"
AS_TOKEN, HS_TOKEN = "dev-matrix-as-token", "dev-matrix-hs-token"
ADDRESSES = {JANE: f"@jane:{SERVER}", TOM: f"@tom:{SERVER}"}
ADMIN = f"@admin:{SERVER}"
PAUSE = 0.02  # seconds; Synapse itself waits 2, 4, 8, ...
Json = dict[str, Any]


class MatrixError(Exception):
    def __init__(self, status: int, code: str, error: str = "") -> None:
        self.status, self.body = status, {"errcode": code, "error": error or code}


@dataclass
class Room:
    id: str
    creator: str
    events: list[Json] = field(default_factory=list)
    members: dict[str, str] = field(default_factory=dict)


class Homeserver:
    """Users, rooms and what was said, and the transactions that the application service gets."""

    def __init__(self, webhooks: str) -> None:
        self.webhooks = webhooks
        self.users = dict[str, Json]()
        self.rooms = dict[str, Room]()
        self.aliases = dict[str, str]()
        self.sent = dict[tuple[str, ...], str]()
        self.media = dict[str, tuple[bytes, str]]()
        self.queue = list[Json]()
        self.typing = list[Json]()
        self.receipts = list[tuple[str, str, str]]()
        self._numbers = count(1)
        for name, user in ADDRESSES.items():
            self.users[user] = {"displayname": name, "devices": {"PHONE"}}
        self.users[ADMIN] = {"displayname": "Admin", "devices": {"PHONE"}}

    # What happens in rooms.

    def adds(self, room: Room, sender: str, kind: str, content: Json, **more: Any) -> str:
        event = {
            "event_id": f"${uuid.uuid4().hex}",
            "room_id": room.id,
            "sender": sender,
            "type": kind,
            "content": content,
            "origin_server_ts": int(time.time() * 1000),
            **more,
        }
        room.events.append(event)
        if any(user.startswith(f"@{PREFIX}") for user, is_in in room.members.items() if is_in):
            self.queue.append(event)
        return str(event["event_id"])

    def puts(self, room: Room, sender: str, kind: str, content: Json, key: str = "") -> str:
        before = self.state(room, kind, key)
        if before is not None and before["content"] == content and before["sender"] == sender:
            return str(before["event_id"])
        unsigned = {"unsigned": {"prev_content": before["content"]}} if before else {}
        return self.adds(room, sender, kind, content, state_key=key, **unsigned)

    def moves(self, room: Room, sender: str, user: str, membership: str) -> None:
        content: Json = {"membership": membership}
        if membership in ("join", "invite"):
            content["displayname"] = self.users.get(user, {}).get("displayname")
        self.puts(room, sender, "m.room.member", content, user)
        room.members[user] = membership

    def state(self, room: Room, kind: str, key: str = "") -> Json | None:
        events = (
            e for e in reversed(room.events) if (e["type"], e.get("state_key")) == (kind, key)
        )
        return next(events, None)

    # The client-server API.

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = StarletteRequest(scope, receive)
        try:
            response: Response = await self._answer(request)
        except MatrixError as error:
            response = JSONResponse(error.body, error.status)
        await response(scope, receive, send)

    async def _answer(self, request: StarletteRequest) -> Response:
        if request.headers.get("authorization") != f"Bearer {AS_TOKEN}":
            raise MatrixError(401, "M_UNKNOWN_TOKEN")
        user = request.query_params.get("user_id", f"@{PREFIX}bot:{SERVER}")
        device = request.query_params.get("device_id")
        parts = [unquote(one) for one in request.scope["raw_path"].decode().split("/")[1:]]
        if parts[:4] == ["_matrix", "media", "v3", "upload"]:
            return await self._uploads(request)
        if parts[:5] == ["_matrix", "client", "v1", "media", "download"]:
            content, mime_type = self.media[f"mxc://{parts[5]}/{parts[6]}"]
            return Response(content, media_type=mime_type)
        if device is not None and device not in self.users.get(user, {}).get("devices", ()):
            raise MatrixError(400, "M_UNKNOWN_DEVICE")
        raw = await request.body()
        body = json.loads(raw) if raw else {}
        key = (request.method, parts[3])
        return JSONResponse(getattr(self, f"_{parts[3]}")(key[0], parts[4:], body, user, device))

    async def _uploads(self, request: StarletteRequest) -> Response:
        if "content-length" not in request.headers:
            raise MatrixError(400, "M_UNKNOWN", "Request must specify a Content-Length")
        uri = f"mxc://{SERVER}/{uuid.uuid4().hex}"
        self.media[uri] = (await request.body(), request.headers["content-type"])
        return JSONResponse({"content_uri": uri})

    def _register(self, method: str, rest: list[str], body: Json, user: str, _: Any) -> Json:
        made = f"@{body['username']}:{SERVER}"
        if body["type"] != "m.login.application_service" or not body["inhibit_login"]:
            raise MatrixError(400, "M_APPSERVICE_LOGIN_UNSUPPORTED")
        if not body["username"].startswith(PREFIX):
            raise MatrixError(400, "M_EXCLUSIVE")
        if made in self.users:
            raise MatrixError(400, "M_USER_IN_USE")
        self.users[made] = {"displayname": body["username"], "devices": set()}
        return {"user_id": made}

    def _devices(self, method: str, rest: list[str], body: Json, user: str, _: Any) -> Json:
        self.users[user]["devices"].add(rest[0])
        return {}

    def _profile(self, method: str, rest: list[str], body: Json, user: str, _: Any) -> Json:
        if rest[0] not in self.users:
            raise MatrixError(404, "M_NOT_FOUND")
        if method == "PUT":
            self.users[rest[0]]["displayname"] = body["displayname"]
            for room in self.rooms.values():
                if room.members.get(rest[0]) == "join":
                    self.moves(room, rest[0], rest[0], "join")
        return {"displayname": self.users[rest[0]]["displayname"]}

    def _createRoom(self, method: str, rest: list[str], body: Json, user: str, _: Any) -> Json:
        alias = f"#{body['room_alias_name']}:{SERVER}"
        if alias in self.aliases:
            raise MatrixError(400, "M_ROOM_IN_USE")
        room = Room(f"!{uuid.uuid4().hex[:18]}:{SERVER}", user)
        self.rooms[room.id], self.aliases[alias] = room, room.id
        room.members[user] = "join"
        self.puts(room, user, "m.room.create", {"room_version": "11"})
        self.moves(room, user, user, "join")
        self.puts(room, user, "m.room.name", {"name": body["name"]})
        self.puts(room, user, "m.room.topic", {"topic": body["topic"]})
        return {"room_id": room.id}

    def _directory(self, method: str, rest: list[str], body: Json, user: str, _: Any) -> Json:
        if rest[1] not in self.aliases:
            raise MatrixError(404, "M_NOT_FOUND")
        if method == "DELETE":
            del self.aliases[rest[1]]
            return {}
        return {"room_id": self.aliases[rest[1]], "servers": [SERVER]}

    def _join(self, method: str, rest: list[str], body: Json, user: str, _: Any) -> Json:
        room = self.rooms.get(rest[0])
        if room is None or room.members.get(user) not in ("invite", "join"):
            raise MatrixError(403, "M_FORBIDDEN", "You are not invited to this room.")
        if user not in self.users:
            raise MatrixError(404, "M_NOT_FOUND", "User was not found")
        self.moves(room, user, user, "join")
        return {"room_id": room.id}

    def _rooms(
        self, method: str, rest: list[str], body: Json, user: str, device: str | None
    ) -> Json:
        room = self.rooms.get(rest[0])
        if room is None or room.members.get(user) != "join":
            raise MatrixError(403, "M_FORBIDDEN", f"User {user} not in room {rest[0]}")
        what, more = rest[1], rest[2:]
        if what in ("members", "joined_members", "messages"):
            return self._reads(room, what)
        if what == "invite":
            if not body["user_id"].startswith("@"):
                raise MatrixError(400, "M_INVALID_PARAM")
            if room.members.get(body["user_id"]) == "join":
                raise MatrixError(403, "M_FORBIDDEN", "is already in the room.")
            self.moves(room, user, body["user_id"], "invite")
        if what == "leave":
            self.moves(room, user, user, "leave")
        if what == "typing":
            self.typing.append({"room": room.id, "user": more[0], **body})
        if what == "receipt":
            self.receipts.append((room.id, user, more[1]))
        if what == "state":
            found = self.state(room, more[0])
            if method == "GET" and found is None:
                raise MatrixError(404, "M_NOT_FOUND")
            if method == "GET" and found is not None:
                return dict(found["content"])
            if more[0] == "m.room.tombstone" and body["replacement_room"] == room.id:
                # https://github.com/matrix-org/synapse/pull/5801
                error = "Tombstone cannot reference the room it was sent in"
                raise MatrixError(400, "M_UNKNOWN", error)
            return {"event_id": self.puts(room, user, more[0], body)}
        if what in ("send", "redact"):
            return {"event_id": self._once(room, what, more, body, user, device)}
        return {}

    def _once(
        self, room: Room, what: str, more: list[str], body: Json, user: str, device: str | None
    ) -> str:
        """The same transaction id of a device gives the same event. Without a device nothing is
        recognised, as after a restart of Synapse.
        """
        key = (user, device or uuid.uuid4().hex, room.id, more[1])
        if key not in self.sent:
            if what == "redact":
                self._redacts(room, more[0])
                self.sent[key] = self.adds(
                    room, user, "m.room.redaction", {"redacts": more[0], **body}
                )
            else:
                self.sent[key] = self.adds(room, user, more[0], body)
        return self.sent[key]

    def _redacts(self, room: Room, event: str) -> None:
        for one in room.events:
            if one["event_id"] == event:
                kept = {"membership"} if one["type"] == "m.room.member" else set[str]()
                one["content"] = {k: v for k, v in one["content"].items() if k in kept}

    def _reads(self, room: Room, what: str) -> Json:
        if what == "messages":
            return {"chunk": list(reversed(room.events)), "start": "t0"}
        members = {e["state_key"]: e for e in room.events if e["type"] == "m.room.member"}
        if what == "members":
            return {"chunk": list(members.values())}
        return {
            "joined": {u: {} for u, e in members.items() if e["content"]["membership"] == "join"}
        }

    # The application service API.

    async def push(self) -> None:
        """Posts one transaction after the other, each until it was taken."""
        async with aiohttp.ClientSession() as session:
            while True:
                if not self.queue:
                    await asyncio.sleep(PAUSE / 4)
                    continue
                events = self.queue[:100]
                url = f"{self.webhooks}/_matrix/app/v1/transactions/{next(self._numbers)}"
                while not await self._taken(session, url, {"events": events, "ephemeral": []}):
                    await asyncio.sleep(PAUSE)
                del self.queue[: len(events)]

    async def _taken(self, session: aiohttp.ClientSession, url: str, body: Json) -> bool:
        headers = {"authorization": f"Bearer {HS_TOKEN}"}
        async with session.put(url, json=body, headers=headers) as response:
            return response.status == 200


class Matrix:
    kind = "matrix"
    acts = frozenset({Act.JOIN, Act.LEAVE, Act.END, Act.DELETE, Act.RENAME})

    async def start(self, webhooks: str) -> None:
        self.homeserver = Homeserver(f"{webhooks}/matrix")
        self._server = Served(self.homeserver)
        await self._server.__aenter__()
        self._pushing = asyncio.create_task(self.homeserver.push())

    async def stop(self) -> None:
        self._pushing.cancel()
        await self._server.__aexit__(None, None, None)

    def settings(self) -> Mapping[str, str]:
        return {
            "MATRIX_API_URL": self._server.url,
            "MATRIX_SERVER_NAME": SERVER,
            "MATRIX_AS_TOKEN": AS_TOKEN,
            "MATRIX_HS_TOKENS": HS_TOKEN,
        }

    def row(self) -> Mapping[str, Any]:
        return {"invite": list(ADDRESSES.values())}

    def own_conversation(self) -> str | None:
        return None

    async def chats(self) -> Sequence[str]:
        return list(self.homeserver.rooms)

    async def is_open(self, chat: str) -> bool:
        room = self.homeserver.rooms[chat]
        is_closed = self.homeserver.state(room, "m.room.tombstone") is not None
        return room.members[room.creator] == "join" and not is_closed

    async def words(self, chat: str) -> Sequence[str]:
        room = self.homeserver.rooms[chat]
        said = [e["content"] for e in room.events if e["type"] == "m.room.message"]
        return [one["body"] for one in said if one.get("msgtype") == "m.text"]

    async def everything(self) -> str:
        rooms = [room.events for room in self.homeserver.rooms.values()]
        return "\n".join(_texts([rooms, list(self.homeserver.users.items())]))

    async def join(self, chat: str, who: str) -> None:
        room, user = self.homeserver.rooms[chat], ADDRESSES[who]
        assert room.members.get(user) in ("invite", "join"), f"{who} is not invited"
        if room.members[user] == "invite":
            self.homeserver.moves(room, user, user, "join")

    async def say(self, chat: str, who: str, text: str) -> None:
        await self.join(chat, who)
        content = {"msgtype": "m.text", "body": text}
        self.homeserver.adds(self.homeserver.rooms[chat], ADDRESSES[who], "m.room.message", content)

    async def delete(self, chat: str, text: str) -> None:
        room = self.homeserver.rooms[chat]
        (said,) = (one for one in room.events if one["content"].get("body") == text)
        event, content = said["event_id"], {"redacts": said["event_id"]}
        self.homeserver._redacts(room, event)
        self.homeserver.adds(room, said["sender"], "m.room.redaction", content, redacts=event)

    async def rename(self, who: str, name: str) -> None:
        self.homeserver._profile("PUT", [ADDRESSES[who]], {"displayname": name}, "", None)

    async def leave(self, chat: str, who: str) -> None:
        user = ADDRESSES[who]
        self.homeserver.moves(self.homeserver.rooms[chat], user, user, "leave")

    async def decline(self, chat: str) -> None:
        raise NotImplementedError

    async def end(self, chat: str) -> None:
        """An administrator removes the customer."""
        room = self.homeserver.rooms[chat]
        self.homeserver.moves(room, ADMIN, room.creator, "leave")

    async def reported(self) -> None:
        while self.homeserver.queue:
            await asyncio.sleep(0.005)

    def refusal(self, kind: Refusal, seconds: int = 1) -> Answer:
        if kind is Refusal.TOO_MANY:
            body: Json = {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": seconds * 1000}
            return Answer(429, json.dumps(body).encode())
        if kind is Refusal.CREDENTIALS:
            return Answer(401, b'{"errcode": "M_UNKNOWN_TOKEN"}')
        return Answer(500, b'{"errcode": "M_UNKNOWN", "error": "Internal server error"}')

    def strange(self, *, genuine: bool = True) -> Request:
        event = {
            "event_id": f"${uuid.uuid4().hex}",
            "room_id": f"!strange:{SERVER}",
            "sender": ADDRESSES[JANE],
            "type": "org.example.song",
            "content": {"song": uuid.uuid4().hex},
            "origin_server_ts": int(time.time() * 1000),
        }
        body = json.dumps({"events": [event]}).encode()
        headers = {"authorization": f"Bearer {HS_TOKEN if genuine else 'wrong'}"}
        path = f"/matrix/_matrix/app/v1/transactions/{uuid.uuid4().hex}"
        return Request("PUT", path, body, headers)


def _texts(value: Any) -> list[str]:
    """Returns every text in a value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value
    is_many = isinstance(value, dict | list | tuple | set)
    return [text for one in inner for text in _texts(one)] if is_many else []
