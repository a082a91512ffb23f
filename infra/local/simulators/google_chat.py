"""A simulated Google Chat: the part of its API that an app calls, the people in its spaces, and the
events that the app gets.

https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages
https://developers.google.com/workspace/chat/api/reference/rest/v1/Event
https://developers.google.com/workspace/events/guides/events-chat

It knows no HTTP: `answer` takes a request apart that somebody else received, and `events` holds
what is to be sent to the app. `keep` stores what it knows, and `restore` takes it up again. A
subscription to the space brings every message, an interaction only what mentions the app or presses
one of its buttons.
"""

import base64
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.simulators.bodies import now, object_of

LARGEST = 32_000  # bytes of a message
APP = {"name": "users/9000", "displayName": "Baton", "type": "BOT"}
CUSTOM_ID = re.compile(r"client-[a-z0-9-]{1,56}")
RESOURCE = re.compile(r"/v1/(spaces/[^/]+)/(messages|members)(?:/([^/]+))?")
MASKS = {"text": "text", "cards_v2": "cardsV2", "accessory_widgets": "accessoryWidgets"}
GIVEN = ("text", "cardsV2", "accessoryWidgets", "fallbackText")
Json = dict[str, Any]
Answered = tuple[int, Json | bytes]
_Act = Callable[[str, str, Mapping[str, str], Json], Answered]


@dataclass(frozen=True)
class Member:
    """A person at Google Chat."""

    name: str
    email: str
    number: int = 1

    @property
    def user(self) -> Json:
        return {
            "name": f"users/{1000 + self.number}",
            "displayName": self.name,
            "email": self.email,
            "avatarUrl": f"https://lh3.example.com/{self.number}.png",
            "domainId": "example",
            "type": "HUMAN",
        }


@dataclass
class SimulatedChat:
    """`spaces` are those in which the app is a member. `subscribed`: it also gets all messages of
    them. `wrapped`: interaction events reach it through Pub/Sub.
    """

    spaces: tuple[str, ...] = ("spaces/AAAA",)
    subscribed: bool = False
    wrapped: bool = False
    messages: dict[str, Json] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    tell: Callable[[], object] = lambda: None
    keep: Callable[[str, str, Any], object] = lambda kind, native, value: None
    _requests: dict[str, str] = field(default_factory=dict)
    _threads: dict[tuple[str, str], str] = field(default_factory=dict)
    _people: dict[str, Json] = field(default_factory=dict)
    _count: int = 0

    def restore(self, kept: Callable[[str], Mapping[str, Any]]) -> None:
        """Takes up what was kept: `kept` returns the things of a kind by their ids."""
        self.messages.update(kept("message"))
        self.files.update({one: base64.b64decode(data) for one, data in kept("file").items()})
        self._requests.update(kept("request"))
        self._threads.update({_thread_of(one): name for one, name in kept("thread").items()})
        self._people.update(kept("person"))
        self._count = kept("count").get("all", 0)

    # What the app calls.

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Answered:
        """Returns the status and the body of the answer."""
        if path.startswith("/v1/media/"):
            found = self.files.get(path.removeprefix("/v1/media/"))
            return _fault(404, "NOT_FOUND") if found is None else (200, found)
        named = RESOURCE.fullmatch(path)
        acts: dict[tuple[str, str, bool], _Act] = {
            ("POST", "messages", False): self._create,
            ("PATCH", "messages", True): self._patch,
            ("GET", "messages", True): self._get,
            ("DELETE", "messages", True): self._delete,
            ("GET", "members", True): self._member,
        }
        act = acts.get((method, named[2], bool(named[3]))) if named else None
        if named is None or act is None or named[1] not in self.spaces:
            return _fault(404, "NOT_FOUND")
        return act(named[1], named[3] or "", query, object_of(body))

    def _create(self, space: str, _: str, query: Mapping[str, str], body: Json) -> Answered:
        known = self._requests.get(f"{space} {query.get('requestId')}")
        if known is not None:
            return 200, self.messages[known]
        custom = query.get("messageId")
        if custom is not None and not CUSTOM_ID.fullmatch(custom):
            return _fault(400, "INVALID_ARGUMENT", "messageId")
        if not (body.get("text") or body.get("cardsV2")) or _size(body) > LARGEST:
            return _fault(400, "INVALID_ARGUMENT", "text")
        if custom is not None and self._find(space, custom) is not None:
            return _fault(409, "ALREADY_EXISTS")
        thread = self._thread(space, query.get("messageReplyOption"), body.get("thread"))
        if thread is None:
            return _fault(404, "NOT_FOUND")
        message = self._post(
            space, thread, APP, {name: body[name] for name in GIVEN if name in body}
        )
        if custom is not None:
            message["clientAssignedMessageId"] = custom
        self._keep(message)
        if "requestId" in query:
            request = f"{space} {query['requestId']}"
            self._requests[request] = message["name"]
            self.keep("request", request, message["name"])
        return 200, message

    def _thread(self, space: str, option: str | None, asked: object) -> str | None:
        """Returns the thread of a new message, None where it must fail."""
        wanted = asked if isinstance(asked, dict) else {}
        key, name = wanted.get("threadKey"), wanted.get("name")
        if option in ("REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD", "REPLY_MESSAGE_OR_FAIL"):
            if key:
                if (space, key) not in self._threads:
                    self._threads[space, key] = self._new_thread(space)
                    self.keep("thread", f"{space} {key}", self._threads[space, key])
                return self._threads[space, key]
            if any(one["thread"]["name"] == name for one in self.messages.values()):
                return str(name)
            if option == "REPLY_MESSAGE_OR_FAIL":
                return None
        return self._new_thread(space)

    def _new_thread(self, space: str) -> str:
        return f"{space}/threads/T{self._next():05}"

    def _next(self) -> int:
        self._count += 1
        self.keep("count", "all", self._count)
        return self._count

    def _keep(self, message: Json) -> None:
        self.keep("message", message["name"], message)

    def _post(self, space: str, thread: str, sender: Json, content: Json) -> Json:
        name = f"{space}/messages/{thread.rpartition('/')[2]}.M{self._next():05}"
        keys = [key for (_, key), known in self._threads.items() if known == thread]
        self.messages[name] = {
            "name": name,
            "sender": sender,
            "createTime": now(),
            "thread": {"name": thread, **({"threadKey": keys[0]} if keys else {})},
            "space": self._space(space),
            **content,
        }
        self._publish("created", self.messages[name])
        return self.messages[name]

    def _patch(self, space: str, name: str, query: Mapping[str, str], body: Json) -> Answered:
        paths = [one for one in query.get("updateMask", "").split(",") if one]
        if not paths or any(path not in MASKS for path in paths):
            return _fault(400, "INVALID_ARGUMENT", "updateMask")
        if _size(body) > LARGEST:
            return _fault(400, "INVALID_ARGUMENT", "text")
        message = self._find(space, name)
        if message is None:
            if query.get("allowMissing") != "true" or not CUSTOM_ID.fullmatch(name):
                return _fault(404, "NOT_FOUND")
            option = {"messageReplyOption": "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"}
            return self._create(space, "", {**option, "messageId": name}, body)
        if message["sender"] != APP:
            return _fault(403, "PERMISSION_DENIED")
        for path in paths:
            message.pop(MASKS[path], None)
            if MASKS[path] in body:
                message[MASKS[path]] = body[MASKS[path]]
        message["lastUpdateTime"] = now()
        self._keep(message)
        self._publish("updated", message)
        return 200, message

    def _get(self, space: str, name: str, query: Mapping[str, str], body: Json) -> Answered:
        message = self._find(space, name)
        return _fault(404, "NOT_FOUND") if message is None else (200, message)

    def _delete(self, space: str, name: str, query: Mapping[str, str], body: Json) -> Answered:
        message = self._find(space, name)
        if message is None:
            return _fault(404, "NOT_FOUND")
        if message["sender"] != APP:
            return _fault(403, "PERMISSION_DENIED")
        self._forget(message)
        return 200, {}

    def _member(self, space: str, user: str, query: Mapping[str, str], body: Json) -> Answered:
        found = self._people.get(f"users/{user}")
        if found is None:
            return _fault(404, "NOT_FOUND")
        return 200, {"name": f"{space}/members/{user}", "state": "JOINED", "member": found}

    def _find(self, space: str, name: str) -> Json | None:
        return next(
            (
                one
                for one in self.messages.values()
                if one["name"] == f"{space}/messages/{name}"
                or (one.get("clientAssignedMessageId") == name and one["space"]["name"] == space)
            ),
            None,
        )

    # What people see and do.

    def threads(self) -> list[str]:
        return list(dict.fromkeys(one["thread"]["name"] for one in self.messages.values()))

    def shown(self, thread: str) -> list[Json]:
        """Returns the messages of a thread, in order."""
        return [one for one in self.messages.values() if one["thread"]["name"] == thread]

    def buttons(self, thread: str) -> dict[str, str]:
        """Returns the functions of the buttons in a thread that do something, by their labels."""
        pressed = {}
        for message in self.shown(thread):
            for button in _buttons(message):
                function = button.get("onClick", {}).get("action", {}).get("function")
                if function and not button.get("disabled"):
                    pressed[button["text"]] = function
        return pressed

    def writes(
        self, who: Member, thread: str, text: str, *, mention: bool = True, **more: Any
    ) -> Json:
        """Posts what a person writes into a thread. The app hears it where it is mentioned."""
        space = "/".join(thread.split("/")[:2])
        mentioned = f"@{APP['displayName']} " if mention else ""
        content: Json = {
            "text": f"{mentioned}{text}",
            "argumentText": f"{' ' if mention else ''}{text}",
        }
        if mention:
            user = {"type": "USER_MENTION", "startIndex": 0, "length": len(mentioned) - 1}
            content["annotations"] = [{**user, "userMention": {"user": APP, "type": "MENTION"}}]
        self._meet(who)
        message = self._post(space, thread, who.user, {**content, **more})
        self._keep(message)
        if mention:
            self._interact("MESSAGE", who, message)
        return message

    def begins(self, who: Member, text: str, space: str = "spaces/AAAA") -> Json:
        """Posts a message that starts a thread of its own."""
        return self.writes(who, self._new_thread(space), text)

    def attachment(self, data: bytes, mime_type: str, file_name: str) -> Json:
        """Returns an uploaded file, to be written with a message."""
        resource = base64.b64encode(uuid.uuid4().bytes).decode().replace("+", "A")
        self.files[resource] = data
        self.keep("file", resource, base64.b64encode(data).decode())
        return {
            "name": f"spaces/AAAA/messages/x/attachments/{uuid.uuid4().hex}",
            "contentName": file_name,
            "contentType": mime_type,
            "attachmentDataRef": {"resourceName": resource},
            "downloadUri": "https://chat.google.com/api/get_attachment_url",
            "source": "UPLOADED_CONTENT",
        }

    def presses(self, who: Member, thread: str, label: str) -> None:
        """Presses a button that the thread shows now."""
        self.clicks(who, thread, self.buttons(thread)[label])

    def clicks(self, who: Member, thread: str, function: str) -> None:
        """Presses a button by its function, also one that the message shows no more."""
        self._meet(who)
        message = self.shown(thread)[0]
        action = {"actionMethodName": function, "parameters": []}
        more = {"action": action, "common": {"invokedFunction": function}}
        self._interact("CARD_CLICKED", who, message, **more)

    def edits(self, who: Member, message: Json, text: str) -> None:
        """Changes a person's message. Only a subscription tells it."""
        message.update(text=text, argumentText=text, lastUpdateTime=now())
        message.pop("annotations", None)
        self._keep(message)
        self._publish("updated", message)

    def deletes(self, message: Json) -> None:
        """Deletes a message, as its writer or an owner of the space may."""
        self._forget(message)
        self._publish("deleted", {"name": message["name"], "deleteTime": now()})

    def adds_the_app(self, who: Member, space: str = "spaces/AAAA") -> None:
        self._tell(
            {
                "type": "ADDED_TO_SPACE",
                "eventTime": now(),
                "user": who.user,
                "space": self._space(space),
            }
        )

    def _meet(self, who: Member) -> None:
        self._people[who.user["name"]] = who.user
        self.keep("person", who.user["name"], who.user)

    def _forget(self, message: Json) -> None:
        del self.messages[message["name"]]
        self.keep("message", message["name"], None)

    def _space(self, space: str) -> Json:
        return {"name": space, "displayName": "Support", "type": "ROOM", "spaceType": "SPACE"}

    def _interact(self, kind: str, who: Member, message: Json, **more: Any) -> None:
        event = {
            "type": kind,
            "eventTime": now(),
            "message": json.loads(json.dumps(message)),
            "user": who.user,
            "space": message["space"],
            "thread": message["thread"],
            **more,
        }
        self._tell(_pushed(event, {}) if self.wrapped else event)

    def _publish(self, what: str, message: Json) -> None:
        """Publishes what happened to a message, as a subscription to its space does."""
        if not self.subscribed:
            return
        space = message["name"].partition("/messages/")[0]
        attributes = {
            "ce-datacontenttype": "application/json",
            "ce-id": uuid.uuid4().hex,
            "ce-source": "//workspaceevents.googleapis.com/subscriptions/chat-spaces-1",
            "ce-specversion": "1.0",
            "ce-subject": f"//chat.googleapis.com/{space}",
            "ce-time": now(),
            "ce-type": f"google.workspace.chat.message.v1.{what}",
        }
        self._tell(_pushed({"message": json.loads(json.dumps(message))}, attributes))

    def _tell(self, event: Json) -> None:
        self.events.append(event)
        self.tell()


def _thread_of(kept: str) -> tuple[str, str]:
    space, _, key = kept.partition(" ")
    return space, key


def _pushed(data: Json, attributes: Mapping[str, str]) -> Json:
    """Returns what Pub/Sub posts. https://cloud.google.com/pubsub/docs/push#receive_push"""
    number = str(uuid.uuid4().int)[:16]
    return {
        "message": {
            "attributes": dict(attributes),
            "data": base64.b64encode(json.dumps(data).encode()).decode(),
            "messageId": number,
            "message_id": number,
            "publishTime": now(),
        },
        "subscription": "projects/acme/subscriptions/chat",
    }


def _buttons(message: Json) -> list[Json]:
    """Returns the buttons below a message and on its cards."""
    lists = [one.get("buttonList") for one in message.get("accessoryWidgets", [])]
    for card in message.get("cardsV2", []):
        for section in card["card"].get("sections", []):
            lists += [one.get("buttonList") for one in section.get("widgets", [])]
    return [button for one in lists if one for button in one["buttons"]]


def _size(body: Json) -> int:
    return len(json.dumps(body, ensure_ascii=False).encode())


def _fault(code: int, status: str, what: str = "") -> Answered:
    return code, {"error": {"code": code, "status": status, "message": f"{status} {what}".strip()}}
