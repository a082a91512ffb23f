"""A simulated Slack workspace: the Web API that an app calls, the events and button presses that it
gets, and the people who write in a channel.

https://docs.slack.dev/reference/methods
https://docs.slack.dev/apis/events-api
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload

What it has answered with `ok` is in its file, and there again after it was killed. A customer's key
is a thread, `<channel>-<ts>`.
"""

import base64
import contextlib
import hmac
import json
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from infra.local.settings import SLACK_CHANNEL
from infra.local.simulators.bodies import at, object_of
from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.simulator import json_of
from infra.local.simulators.threads import ThreadSimulator
from shared.schemas.notation import conversation_id

PREFIX = "/sim/slack"
CHANNEL, TEAM, APP = SLACK_CHANNEL, "T0LOCAL", "A0BATON"
BOT, BOT_USER = "B0BATON", "U0BATON"
MOST_A_SECOND = 10  # messages of one channel, with what Slack allows in bursts
LONGEST_TEXT, LONGEST_CHANGED = 40_000, 4000
MOST_BLOCKS, PAGE, MOST_IN_A_PAGE = 50, 100, 999
# https://docs.slack.dev/apis/events-api#retries
EVENT_PAUSES = (0.0, 60.0, 300.0)
SCOPES = (
    *("channels:history", "groups:history", "chat:write", "chat:write.customize", "users:read"),
    *("users:read.email", "files:read", "files:write", "reactions:read"),
)
Message = dict[str, Any]


class Refused(Exception):
    """A call that is answered with `ok: false`."""

    def __init__(self, error: str, **more: str) -> None:
        super().__init__(error)
        self.answer = {"ok": False, "error": error, **more}


@dataclass(slots=True)
class Person:
    """A member of the workspace."""

    id: str
    name: str
    email: str | None = None

    @property
    def shown(self) -> dict[str, Any]:
        profile = {
            "display_name": self.name,
            "real_name": f"{self.name} (full name)",
            "image_192": f"https://avatars.slack-edge.com/{self.id}.png",
            **({"email": self.email} if self.email else {}),
        }
        return {"id": self.id, "name": self.name.lower(), "is_bot": False, "profile": profile}


@dataclass(slots=True)
class Upload:
    """A file. Nobody sees it before its upload is completed."""

    id: str
    name: str
    length: int
    content: bytes = b""
    mimetype: str = "application/octet-stream"
    is_deleted: bool = False

    @property
    def kept(self) -> dict[str, Any]:
        """What Slack stores of it, as JSON."""
        return {**asdict(self), "content": base64.b64encode(self.content).decode()}

    @classmethod
    def from_kept(cls, kept: dict[str, Any]) -> "Upload":
        return cls(**{**kept, "content": base64.b64decode(kept["content"])})

    def shown(self, base: str) -> dict[str, Any]:
        url = f"{base}/files-pri/{self.id}"
        return {
            "id": self.id,
            "name": self.name,
            "title": self.name,
            "mimetype": self.mimetype,
            "size": len(self.content),
            "mode": "hosted",
            "url_private": url,
            "url_private_download": f"{url}/download",
        }


@dataclass(slots=True)
class Channel:
    id: str
    messages: list[Message] = field(default_factory=list)
    is_archived: bool = False
    posted: deque[float] = field(default_factory=deque)

    def find(self, ts: object) -> Message | None:
        return next((one for one in self.messages if one["ts"] == ts), None)

    def thread(self, root: object) -> list[Message]:
        return [one for one in self.messages if root in (one["ts"], one.get("thread_ts"))]


class SlackSimulator(ThreadSimulator):
    prefix, api = PREFIX, "/api/"

    def __init__(
        self,
        store: PlatformStore,
        webhook_url: str,
        secret: str,
        token: str,
        here: str = "",
        scopes: Sequence[str] = SCOPES,
        channels: Sequence[str] = (CHANNEL,),
    ) -> None:
        """`here` is the address of this server, which stands in the addresses of files."""
        self._secret, self._token, self._last = secret, token, 0
        self.here, self.scopes, self.unlimited = here, tuple(scopes), False
        self.channels = {channel: Channel(channel) for channel in channels}
        self.people = {one: Person(**kept) for one, kept in store.kept("person").items()}
        self.files = {one: Upload.from_kept(kept) for one, kept in store.kept("file").items()}
        for native, message in sorted(store.kept("message").items()):
            self.channels[native.partition("-")[0]].messages.append(message)
        super().__init__(store, webhook_url)

    def api_routes(self) -> list[Route]:
        methods: Mapping[str, tuple[str, bool, Callable[[dict[str, Any]], dict[str, Any]]]] = {
            "auth.test": ("", True, self._auth_test),
            "chat.postMessage": ("chat:write", True, self._post_message),
            "chat.update": ("chat:write", True, self._update),
            "chat.delete": ("chat:write", True, self._delete),
            "conversations.history": ("channels:history", False, self._history),
            "conversations.replies": ("channels:history", False, self._replies),
            "users.info": ("users:read", False, self._user),
            "files.getUploadURLExternal": ("files:write", False, self._upload_url),
            "files.completeUploadExternal": ("files:write", True, self._complete),
            "files.info": ("files:read", False, self._file),
            "files.delete": ("files:write", True, self._delete_file),
        }
        routes = [
            Route(f"/api/{name}", self._method(*how), methods=["GET", "POST"])
            for name, how in methods.items()
        ]
        return [
            *routes,
            Route("/api/upload/v1/{file}", self._take_bytes, methods=["POST"]),
            Route("/api/files-pri/{file}", self._give_bytes, methods=["GET"]),
            Route("/api/files-pri/{file}/download", self._give_bytes, methods=["GET"]),
        ]

    def signed(self, body: bytes) -> Mapping[str, str]:
        """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
        stamp = str(int(time.time()))
        signature = hmac.new(self._secret.encode(), f"v0:{stamp}:".encode() + body, "sha256")
        return {
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": f"v0={signature.hexdigest()}",
        }

    def refusal(self, status: int, words: str, headers: dict[str, str] | None = None) -> Response:
        error = "ratelimited" if status == 429 else "internal_error"
        return JSONResponse({"ok": False, "error": error}, status, headers)

    def overhear(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Does nothing: a webhook that is posted by hand adds no message to the workspace."""

    def conversation_of(self, key: str) -> str:
        return conversation_id("slack", key)

    def pauses(self, body: str) -> Iterable[float]:
        """A button press is sent once."""
        return EVENT_PAUSES if at(object_of(body.encode()), "type") == "event_callback" else ()

    async def _post(self, session: aiohttp.ClientSession, body: str) -> bool:
        """Posts an event as JSON, and a button press as a form."""
        is_form = at(object_of(body.encode()), "type") == "block_actions"
        raw = urlencode({"payload": body}).encode() if is_form else body.encode()
        kind = "application/x-www-form-urlencoded" if is_form else "application/json"
        headers = {**self.signed(raw), "content-type": kind}
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.post(self._webhook_url, data=raw, headers=headers) as response:
                return response.status == 200
        return False

    # The Web API.

    def _method(
        self, scope: str, takes_json: bool, act: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def method(request: Request) -> Response:
            headers = {"x-oauth-scopes": ",".join(self.scopes), "x-accepted-oauth-scopes": scope}
            try:
                given = await self._arguments(request, takes_json)
                self._authorize(request, scope)
                with self.store.whole():
                    answer = {"ok": True, **act(given)}
            except Refused as refused:
                answer = refused.answer
                if answer["error"] == "ratelimited":
                    return JSONResponse(answer, 429, {"retry-after": "1"})
            return JSONResponse(answer, headers=headers)

        return method

    async def _arguments(self, request: Request, takes_json: bool) -> dict[str, Any]:
        """Returns the arguments of a call. Methods that only read take no JSON."""
        kind = request.headers.get("content-type", "").partition(";")[0]
        if request.method == "POST" and kind == "application/json":
            return await json_of(request) if takes_json else {}
        form = dict(parse_qsl((await request.body()).decode()))
        given: dict[str, Any] = {**request.query_params, **form}
        for name in ("blocks", "metadata", "files"):  # JSON within a form
            if isinstance(given.get(name), str):
                given[name] = json.loads(given[name])
        return given

    def _authorize(self, request: Request, scope: str) -> None:
        if request.headers.get("authorization") != f"Bearer {self._token}":
            raise Refused("invalid_auth")
        if scope and scope not in self.scopes:
            raise Refused("missing_scope", needed=scope, provided=",".join(self.scopes))

    def _auth_test(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"team_id": TEAM, "user": "baton", "user_id": BOT_USER, "bot_id": BOT}

    def _post_message(self, given: dict[str, Any]) -> dict[str, Any]:
        channel, root = self._channel(given), given.get("thread_ts")
        if root is not None and not _is_root(channel.find(root)):
            raise Refused("thread_not_found")
        self._check_words(given, LONGEST_TEXT, cut=True)
        self._pace(channel)
        message = self._ours(given, {"text": str(given.get("text", ""))[:LONGEST_TEXT]})
        for name in ("blocks", "metadata"):
            if given.get(name):
                message[name] = given[name]
        if root is not None:
            message["thread_ts"] = root
        self._show(channel, message)
        return {"channel": channel.id, "ts": message["ts"], "message": _without_metadata(message)}

    def _ours(self, given: Mapping[str, Any], what: Message) -> Message:
        """Returns a message of the app. Under a name of its own it is a `bot_message`."""
        message = {"type": "message", "ts": self._ts(), "bot_id": BOT, "app_id": APP, **what}
        if given.get("username") and "chat:write.customize" in self.scopes:
            return {**message, "subtype": "bot_message", "username": given["username"]}
        return {**message, "user": BOT_USER}

    def _update(self, given: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(given)
        message = self._own(channel, given.get("ts"), "cant_update_message")
        self._check_words(given, LONGEST_CHANGED)
        before = dict(message)
        if "text" in given:  # new words replace blocks that are not given again
            message["text"] = given["text"]
            message.pop("blocks", None)
        message.update({name: given[name] for name in ("blocks", "metadata") if given.get(name)})
        message["edited"] = {"user": BOT_USER, "ts": self._ts()}
        self._keep(channel, message)
        self._report_change(channel, message, before)
        return {"channel": channel.id, "ts": message["ts"], "text": message["text"]}

    def _delete(self, given: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(given)
        message = self._own(channel, given.get("ts"), "cant_delete_message")
        self.remove(channel.id, message["ts"])
        return {"channel": channel.id, "ts": message["ts"]}

    def _own(self, channel: Channel, ts: object, otherwise: str) -> Message:
        message = channel.find(ts)
        if message is None:
            raise Refused("message_not_found")
        if message.get("bot_id") != BOT:
            raise Refused(otherwise)
        return message

    def _check_words(self, given: Mapping[str, Any], longest: int, cut: bool = False) -> None:
        text, blocks = given.get("text"), given.get("blocks")
        if not text and not blocks:
            raise Refused("no_text")
        if len(str(text or "")) > longest and not cut:
            raise Refused("msg_too_long")
        if isinstance(blocks, list) and len(blocks) > MOST_BLOCKS:
            raise Refused("invalid_blocks")
        metadata = given.get("metadata")
        if metadata is not None and not isinstance(at(metadata, "event_payload"), dict):
            raise Refused("invalid_metadata_format")

    def _pace(self, channel: Channel) -> None:
        now = time.monotonic()
        while channel.posted and channel.posted[0] <= now - 1:
            channel.posted.popleft()
        if len(channel.posted) >= MOST_A_SECOND and not self.unlimited:
            raise Refused("ratelimited")
        channel.posted.append(now)

    def _history(self, given: dict[str, Any]) -> dict[str, Any]:
        """Returns the messages of a channel, the newest first, without replies."""
        channel = self._channel(given)
        roots = [one for one in channel.messages if one.get("thread_ts") in (None, one["ts"])]
        return self._page(given, list(reversed([one for one in roots if _is_within(one, given)])))

    def _replies(self, given: dict[str, Any]) -> dict[str, Any]:
        """Returns a thread, the oldest first. The message that began it is always there."""
        channel, root = self._channel(given), given.get("ts")
        if channel.find(root) is None:
            raise Refused("thread_not_found")
        thread = channel.thread(root)
        shown = [one for one in thread if one["ts"] == root or _is_within(one, given)]
        return self._page(given, shown)

    def _page(self, given: Mapping[str, Any], messages: Sequence[Message]) -> dict[str, Any]:
        first = int(given.get("cursor") or 0)
        end = first + min(int(given.get("limit") or PAGE), MOST_IN_A_PAGE)
        has_all = str(given.get("include_all_metadata")).lower() in ("1", "true")
        page = [one if has_all else _without_metadata(one) for one in messages[first:end]]
        more = str(end) if end < len(messages) else ""
        return {
            "messages": page,
            "has_more": bool(more),
            "response_metadata": {"next_cursor": more},
        }

    def _user(self, given: dict[str, Any]) -> dict[str, Any]:
        person = self.people.get(str(given.get("user")))
        if person is None:
            raise Refused("user_not_found")
        shown = person.shown
        if "users:read.email" not in self.scopes:
            shown["profile"].pop("email", None)
        return {"user": shown}

    # Files: an address, the bytes, and only then the message.

    def _upload_url(self, given: dict[str, Any]) -> dict[str, Any]:
        length = str(given.get("length", ""))
        if not given.get("filename") or not length.isdecimal() or length == "0":
            raise Refused("invalid_arguments")
        file = Upload(f"F{uuid.uuid4().hex[:10].upper()}", str(given["filename"]), int(length))
        self._keep_file(file)
        return {"upload_url": f"{self.here}{PREFIX}/api/upload/v1/{file.id}", "file_id": file.id}

    async def _take_bytes(self, request: Request) -> Response:
        file, content = self.files.get(request.path_params["file"]), await request.body()
        if file is None or len(content) != file.length:
            return PlainTextResponse("bad upload", 400)
        file.content = content
        file.mimetype = request.headers.get("content-type", file.mimetype)
        self._keep_file(file)
        return PlainTextResponse(f"OK - {len(content)}")

    def _complete(self, given: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel({"channel": given.get("channel_id")})
        files = [self.files.get(str(at(one, "id"))) for one in given.get("files") or ()]
        known = [one for one in files if one is not None and one.content]
        if not known or len(known) != len(files):
            raise Refused("file_not_found")
        self._pace(channel)
        said = {"text": given.get("initial_comment", ""), "thread_ts": given.get("thread_ts")}
        shown = [one.shown(f"{self.here}{PREFIX}/api") for one in known]
        message = self._ours({}, {**said, "files": shown, "subtype": "file_share"})
        if given.get("username"):
            message["username"] = given["username"]
        self._show(channel, message)
        return {"files": [{"id": one.id, "title": one.name} for one in known]}

    def _file(self, given: dict[str, Any]) -> dict[str, Any]:
        file = self.files.get(str(given.get("file")))
        if file is None or file.is_deleted:
            raise Refused("file_not_found" if file is None else "file_deleted")
        return {"file": file.shown(f"{self.here}{PREFIX}/api")}

    def _delete_file(self, given: dict[str, Any]) -> dict[str, Any]:
        file = self.files.get(str(given.get("file")))
        if file is None or file.is_deleted:
            raise Refused("file_not_found" if file is None else "file_deleted")
        file.is_deleted, file.content = True, b""
        self._keep_file(file)
        return {}

    async def _give_bytes(self, request: Request) -> Response:
        file = self.files.get(request.path_params["file"])
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return PlainTextResponse("<html>Sign in to Slack</html>", 302, {"location": "/"})
        if file is None or file.is_deleted or self.faults.strikes("media_gone"):
            return PlainTextResponse("gone", 404)
        return Response(file.content, media_type=file.mimetype)

    def _channel(self, given: Mapping[str, Any]) -> Channel:
        channel = self.channels.get(str(given.get("channel")))
        if channel is None:
            raise Refused("channel_not_found")
        if channel.is_archived:
            raise Refused("is_archived")
        return channel

    # What people do. Each action is reported as an event.

    def add(self, name: str, email: str | None = None) -> str:
        """Adds a member, and returns their id. A member is known by their name."""
        known = next((one.id for one in self.people.values() if one.name == name), None)
        letters = "".join(filter(str.isalnum, name.upper()))
        id = known or f"U{len(self.people):03d}{letters[:8]}"
        self.people[id] = Person(id, name, email)
        self.store.keep("person", id, asdict(self.people[id]))
        return id

    def write(
        self,
        thread: str,
        user: str,
        text: str,
        files: Sequence[Upload] = (),
        **more: Any,
    ) -> str:
        """Lets a person write in a thread, and returns the message's id."""
        channel, _, root = thread.partition("-")
        message: Message = {
            "type": "message",
            "user": user,
            "ts": self._ts(),
            "client_msg_id": str(uuid.uuid4()),
            "text": _escaped(text),
            "thread_ts": root,
            "parent_user_id": at(self.channels[channel].find(root), "user") or BOT_USER,
            **({"blocks": [_rich_text(text)]} if text else {}),
            **more,
        }
        for file in files:
            self._keep_file(file)
        if files:
            shown = [file.shown(f"{self.here}{PREFIX}/api") for file in files]
            message |= {"files": shown, "subtype": "file_share"}
        self._show(self.channels[channel], message)
        return str(message["ts"])

    def edit(self, channel: str, ts: str, text: str) -> None:
        message = self.channels[channel].find(ts)
        if message is None:
            raise KeyError(ts)
        before = dict(message)
        message |= {"text": _escaped(text), "blocks": [_rich_text(text)]}
        message["edited"] = {"user": message.get("user"), "ts": self._ts()}
        self._keep(self.channels[channel], message)
        self._report_change(self.channels[channel], message, before)

    def remove(self, channel: str, ts: str) -> None:
        message = self.channels[channel].find(ts)
        if message is None:
            raise KeyError(ts)
        self.channels[channel].messages.remove(message)
        self.store.keep("message", f"{channel}-{ts}", None)
        self._event(
            self.channels[channel],
            {
                "type": "message",
                "subtype": "message_deleted",
                "hidden": True,
                "deleted_ts": ts,
                "previous_message": _without_metadata(message),
            },
        )

    def react(self, channel: str, ts: str, user: str, name: str, *, added: bool = True) -> None:
        """https://docs.slack.dev/reference/events/reaction_added"""
        item = {"type": "message", "channel": channel, "ts": ts}
        kind = "reaction_added" if added else "reaction_removed"
        reaction = {"type": kind, "user": user, "reaction": name, "item": item}
        self._event(self.channels[channel], reaction)

    def press(self, thread: str, user: str, action: str) -> bool:
        """Lets a person press a button of the message from which a thread starts. Returns whether
        it has that button.
        """
        channel, _, root = thread.partition("-")
        message = self.channels[channel].find(root)
        buttons = [
            (block, one)
            for block in at(message, "blocks") or ()
            for one in block.get("elements", ())
            if one.get("action_id") == action
        ]
        for block, button in buttons:
            action_ts = self._ts()
            self.report(
                {
                    "type": "block_actions",
                    "user": {"id": user, "username": user.lower(), "team_id": TEAM},
                    "api_app_id": APP,
                    "container": {
                        "type": "message",
                        "message_ts": root,
                        "channel_id": channel,
                        "is_ephemeral": False,
                    },
                    "trigger_id": f"{uuid.uuid4().int % 10**13}.{uuid.uuid4().hex}",
                    "team": {"id": TEAM, "domain": "local"},
                    "channel": {"id": channel, "name": "support"},
                    "message": _without_metadata(message or {}),
                    "response_url": f"{self.here}{PREFIX}/actions/{uuid.uuid4().hex}",
                    "actions": [
                        {
                            "type": "button",
                            "action_id": action,
                            "block_id": block.get("block_id"),
                            "text": button["text"],
                            "action_ts": action_ts,
                        }
                    ],
                }
            )
        return bool(buttons)

    def threads(self) -> list[str]:
        return [
            f"{channel.id}-{one['ts']}"
            for channel in self.channels.values()
            for one in channel.messages
            if one.get("bot_id") == BOT and one.get("thread_ts") is None
        ]

    def messages(self, key: str) -> list[Message]:
        channel, _, root = key.partition("-")
        return self.channels[channel].thread(root) if channel in self.channels else []

    def acts(self, key: str, body: dict[str, Any]) -> bool:
        """Somebody may also `react`, with the name of an emoji, `to` the id of a message."""
        user = self.add(str(body["name"]), body.get("email"))
        if body.get("press"):
            return self.press(key, user, str(body["press"]))
        if body.get("react"):
            channel, added = key.partition("-")[0], body.get("added") is not False
            self.react(channel, str(body.get("to")), user, str(body["react"]), added=added)
            return True
        files = [_upload(body["file"])] if "file" in body else []
        self.write(key, user, str(body.get("text", "")), files)
        return True

    # Messages and events.

    def _ts(self) -> str:
        """Returns the id of a new message: seconds and six digits, none of them twice."""
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def _show(self, channel: Channel, message: Message) -> None:
        channel.messages.append(message)
        self._keep(channel, message)
        self._event(channel, _without_metadata(message))

    def _keep(self, channel: Channel, message: Message) -> None:
        self.store.keep("message", f"{channel.id}-{message['ts']}", message)

    def _keep_file(self, file: Upload) -> None:
        self.files[file.id] = file
        self.store.keep("file", file.id, file.kept)

    def _report_change(self, channel: Channel, message: Message, before: Message) -> None:
        changed = {
            "type": "message",
            "subtype": "message_changed",
            "hidden": True,
            "message": _without_metadata(message),
            "previous_message": _without_metadata(before),
        }
        self._event(channel, changed)

    def _event(self, channel: Channel, event: Message) -> None:
        at_ts = self._ts()
        inner = {"ts": at_ts, **event, "channel": channel.id, "channel_type": "channel"}
        self.report(
            {
                "token": "deprecated",
                "team_id": TEAM,
                "api_app_id": APP,
                "event": {**inner, "event_ts": at_ts if event.get("hidden") else inner["ts"]},
                "type": "event_callback",
                "event_id": f"Ev{uuid.uuid4().hex[:12].upper()}",
                "event_time": int(time.time()),
                "authorizations": [
                    {"enterprise_id": None, "team_id": TEAM, "user_id": BOT_USER, "is_bot": True}
                ],
            }
        )


def _upload(given: Mapping[str, str]) -> Upload:
    """Returns the file that a person adds: its `name`, `mimetype`, and `content` in base64."""
    content, id = base64.b64decode(given["content"]), f"F{uuid.uuid4().hex[:10].upper()}"
    return Upload(id, given["name"], len(content), content, given["mimetype"])


def _is_root(message: Message | None) -> bool:
    return message is not None and message.get("thread_ts") in (None, message["ts"])


def _is_within(message: Message, given: Mapping[str, Any]) -> bool:
    ts, oldest, latest = (float(one or 0) for one in (message["ts"], *_span(given)))
    inclusive = str(given.get("inclusive")).lower() in ("1", "true")
    if inclusive:
        return oldest <= ts and (not latest or ts <= latest)
    return oldest < ts and (not latest or ts < latest)


def _span(given: Mapping[str, Any]) -> tuple[Any, Any]:
    return given.get("oldest"), given.get("latest")


def _without_metadata(message: Message) -> Message:
    """Metadata is only given to those who ask for it."""
    return {name: value for name, value in message.items() if name != "metadata"}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _rich_text(text: str) -> dict[str, Any]:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "block_id": uuid.uuid4().hex[:5], "elements": [section]}
