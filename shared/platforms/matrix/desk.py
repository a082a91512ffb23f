"""Matrix as a desk: a room for each handoff, in which the customer is a user of Baton's own.

Users, devices and rooms of an application service:
https://spec.matrix.org/v1.17/application-service-api/#server-admin-style-permissions
https://spec.matrix.org/v1.17/client-server-api/#rooms

A homeserver recognises a transaction id after it was restarted only if the call names a device. So
each customer has one, and the same call makes the same event.
https://spec.matrix.org/v1.17/client-server-api/#transaction-identifiers
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Literal
from urllib.parse import quote, urlencode

import pydantic_core

from shared.errors import DoorClosed
from shared.logs import log
from shared.platforms.base import Outcome, outcome_of_status
from shared.platforms.desk import (
    Chat,
    CustomerSignal,
    Declined,
    OpenFile,
    Opening,
    Passing,
    Standing,
    Steps,
    Words,
)
from shared.platforms.matrix.names import DEVICE, NAME, SENDER, Homeserver, chat, room
from shared.platforms.matrix.words import WAITING, first_words, with_standing
from shared.schemas.base import JsonObject
from shared.schemas.details import Attachment
from shared.schemas.http import Answer, Call, Request
from shared.schemas.notation import sha256
from shared.schemas.texts import shortened
from shared.values import frozen

MOST_INVITED = 100
TEXT_LIMIT = 16_000  # characters; an event has at most 65,536 bytes
NAME_LIMIT = 100
# A tombstone must name the room that follows. None follows, and the room itself is refused.
# https://github.com/matrix-org/synapse/pull/5801
NO_ROOM = ""
# A repeated call finds these done.
_DONE_BEFORE = ("M_USER_IN_USE", "M_ROOM_IN_USE", "M_DUPLICATE_ANNOTATION")
_NOT_THERE = ("M_FORBIDDEN", "M_NOT_FOUND")
SECONDS, UPLOAD_SECONDS, TYPING_MS = 30.0, 240.0, 30_000
PAGE, MOST_PAGES = 100, 100
# What people and customers say; the others are what a room shows of the customer.
_SAID = ("m.room.message", "m.reaction", "m.sticker", "m.room.encrypted")
_SHOWN = ("m.room.name", "m.room.topic")
_KINDS: Mapping[str, str] = {"image": "m.image", "sticker": "m.image", "video": "m.video"}
_SOUNDS = ("audio", "voice")


@frozen
class MatrixDesk:
    """`ends` is what becomes of a room at the end: the customer leaves, or the room is closed by a
    tombstone and stays, so that a later erase reaches it.
    """

    api_url: str | None = None
    as_token: str | None = field(default=None, repr=False)
    home: Homeserver = field(default_factory=Homeserver)
    ends: Literal["leave", "tombstone"] = "tombstone"
    name: str = NAME

    def customer(self, identifier: str, name: str | None) -> Steps[str | None]:
        localpart = self.home.localpart(identifier)
        user = self.home.user(localpart)
        yield self._account(localpart)
        # A homeserver before Matrix 1.17 makes no devices, and may show words twice after a crash.
        yield from _tried(
            self._call("PUT", f"/devices/{DEVICE}", {"display_name": "Baton"}, user=user)
        )
        if name:
            yield self._named(user, name)
        return user

    def open(self, opening: Opening) -> Steps[str | None]:
        people = yield from self._people(opening)
        made = yield from self._room(opening)
        if made is None:
            return None
        yield from self._invite(opening, made, people)
        for place, text in enumerate(first_words(opening, TEXT_LIMIT)):
            yield self._notice(made, opening.customer, f"{opening.command.id}-{place}", text)
        return made

    def _people(self, opening: Opening) -> Steps[tuple[str, ...]]:
        """Returns the people of the desk: those of its row, and who is in its room. The sender
        joins that room to read its members.
        """
        place, members = opening.command.place, dict[str, Any]()
        if place is not None:
            yield self._account(f"{self.home.prefix}{SENDER}")
            yield from _tried(self._call("POST", f"/join/{_quoted(place)}", {}))
            read = yield from _tried(self._call("GET", f"/rooms/{_quoted(place)}/joined_members"))
            found = _at(read, "joined")
            members = found if isinstance(found, dict) else {}
            if not members:
                message = "the members of a desk's room cannot be read; invite the sender to it"
                log("ERROR", message, desk=opening.command.desk, sender=self.home.sender)
        named = dict.fromkeys((*opening.command.invite, *members))
        people = tuple(one for one in named if not self.home.is_ours(one))
        if not people:
            log("ERROR", "a desk's room has no people to invite", desk=opening.command.desk)
        return people[:MOST_INVITED]

    def _room(self, opening: Opening) -> Steps[str | None]:
        """Makes the room, or finds the one that an earlier try has made."""
        alias = self.home.alias(opening.command.handoff or opening.command.id)
        body: JsonObject = {
            "preset": "private_chat",
            "visibility": "private",
            "room_alias_name": alias,
            "name": _name_of(opening),
            "topic": _topic_of(opening),
        }
        making = self._call("POST", "/createRoom", body, user=opening.customer)
        made = _text(_at((yield making), "room_id"))
        if made is not None:
            return made
        directory = f"/directory/room/{_quoted(f'#{alias}:{self.home.server_name}')}"
        found = _text(_at((yield self._call("GET", directory)), "room_id"))
        if found is None or (yield from _tried(self._members(found, opening.customer))) is not None:
            return found
        # The homeserver was killed after it had taken the alias and before there was a room.
        yield self._call("DELETE", directory, user=opening.customer)
        return _text(_at((yield making), "room_id"))

    def _invite(self, opening: Opening, made: str, people: Sequence[str]) -> Steps[None]:
        """Invites each apart, so that one who cannot be invited keeps nobody else away. Those who
        were invited by an earlier try, and may have left since, are not invited again.
        """
        known = frozenset[str]()
        if opening.again:
            known = _users_in((yield self._members(made, opening.customer)))
            yield self._state(made, opening.customer, "m.room.name", {"name": _name_of(opening)})
            topic: JsonObject = {"topic": _topic_of(opening)}
            yield self._state(made, opening.customer, "m.room.topic", topic)
        path = f"/rooms/{_quoted(made)}/invite"
        for one in people:
            if one not in known:
                invitation: JsonObject = {"user_id": one}
                taken = yield from _tried(
                    self._call("POST", path, invitation, user=opening.customer)
                )
                if taken is None:
                    log("WARNING", "somebody cannot be invited to a desk's room", invited=one)

    def say(self, chat: Chat, words: Words) -> Steps[str | None]:
        about, details = words.about, words.details
        if details.revoked and about:
            return _event_id((yield self._redact(chat.native, chat.customer, about, words.id)))
        if details.reaction and details.reaction.emoji and about:
            key = {"rel_type": "m.annotation", "event_id": about, "key": details.reaction.emoji}
            reaction: JsonObject = {"m.relates_to": {**key}}
            return _event_id((yield self._send(chat, words.id, reaction, kind="m.reaction")))
        if details.edited and about:
            return _event_id((yield self._send(chat, words.id, _changed(words, about))))
        shown = yield from self._files(chat, words)
        if shown is not None:
            return shown
        return _event_id((yield self._send(chat, words.id, _said(words))))

    def _files(self, chat: Chat, words: Words) -> Steps[str | None]:
        """Shows the files of a message. Returns the id of the first one, None where one of them
        cannot be had: then the words are shown, which have links.
        """
        uris = list[str]()
        for place, file in enumerate(words.details.attachments):
            uri = _text(_at((yield Passing(place, self._uploading(chat, file))), "content_uri"))
            if uri is None:
                return None
            uris.append(uri)
        ids = list[str | None]()
        for place, (file, uri) in enumerate(zip(words.details.attachments, uris, strict=True)):
            content = _file(file, uri)
            if words.about and not place:
                content |= _answering(words.about)
            ids.append(_event_id((yield self._send(chat, f"{words.id}-{place}", content))))
        return ids[0] if ids else None

    def show(self, chat: Chat, standing: Standing) -> Steps[None]:
        """Writes who has the customer before the reason, in the room's topic."""
        path = f"/rooms/{_quoted(chat.native)}/state/m.room.topic"
        current = _at((yield from _tried(self._call("GET", path, user=chat.customer))), "topic")
        topic = with_standing(current if isinstance(current, str) else "", standing.people)
        yield self._state(chat.native, chat.customer, "m.room.topic", {"topic": topic})

    def hint(self, chat: Chat, id: str, text: str) -> Steps[None]:
        yield self._notice(chat.native, chat.customer, id, text)

    def close(self, chat: Chat, id: str, reason: str | None) -> Steps[None]:
        """Says that the conversation has ended. In a room that the customer has left this is
        refused, so it counts as over.
        """
        because = f" ({reason})" if reason else ""
        text = f"This conversation has ended{because}. The customer does not read this room."
        yield self._notice(chat.native, chat.customer, id, text)
        if self.ends == "tombstone":
            closed: JsonObject = {"body": text, "replacement_room": NO_ROOM}
            yield self._state(chat.native, chat.customer, "m.room.tombstone", closed)
        else:
            path = f"/rooms/{_quoted(chat.native)}/leave"
            yield self._call("POST", path, {}, user=chat.customer)

    def erase(self, chat: Chat, said: Sequence[str]) -> Steps[None]:
        """Redacts what was said in the room and what it shows of the customer, then leaves it. A
        room that the customer has left before cannot be changed any more.
        """
        user, made = chat.customer, chat.native
        yield from _tried(self._named(user, _nameless(user)))
        if (yield from _tried(self._state(made, user, "m.room.name", {"name": "Erased"}))) is None:
            log("WARNING", "a room that the customer has left cannot be erased", chat=made)
            return
        yield from _tried(self._state(made, user, "m.room.topic", {"topic": ""}))
        start: str | None = ""
        for _ in range(MOST_PAGES):
            query = {"dir": "b", "limit": str(PAGE), **({"from": start} if start else {})}
            path = f"/rooms/{_quoted(made)}/messages"
            page = yield self._call("GET", path, user=user, query=query)
            for event in _erasable(page, user):
                yield from _tried(self._redact(made, user, event, f"erase-{sha256(event)[:32]}"))
            start = _text(_at(page, "end"))
            if start is None:
                break
        yield from _tried(self._call("POST", f"/rooms/{_quoted(made)}/leave", {}, user=user))

    def signal(self, chat: Chat, signal: CustomerSignal) -> Call | None:
        where = f"/rooms/{_quoted(chat.native)}"
        if signal.kind == "READ":
            if signal.message is None:
                return None
            path = f"{where}/receipt/m.read/{_quoted(signal.message)}"
            return self._call("POST", path, {}, user=chat.customer)
        typing: JsonObject = {"typing": False}
        if signal.kind == "TYPING_STARTED":
            typing = {"typing": True, "timeout": TYPING_MS}
        path = f"{where}/typing/{_quoted(chat.customer)}"
        return self._call("PUT", path, typing, user=chat.customer)

    def history(self, chat: Chat) -> Call:
        """A homeserver that is killed may never push what it has stored just before.

        https://github.com/element-hq/synapse/issues/11637
        """
        query = {"dir": "b", "limit": str(PAGE)}
        path = f"/rooms/{_quoted(chat.native)}/messages"
        return self._call("GET", path, user=chat.customer, query=query)

    def webhook_of(self, answer: Answer) -> Request:
        chunk = _at(answer, "chunk")
        events = list(reversed(chunk)) if isinstance(chunk, list) else []
        return Request("PUT", f"/{NAME}", pydantic_core.to_json({"events": events}))

    def outcome(self, answer: Answer) -> Outcome:
        """Returns the meaning of an answer. One that is no JSON is from a proxy."""
        code = error_code(answer)
        if code in _DONE_BEFORE:
            return Outcome.DONE
        if answer.status == 429:
            return Outcome.PACED
        if code == "M_FORBIDDEN":
            return Outcome.PERMANENT
        if _body(answer) is None:
            return Outcome.TRANSIENT
        return Outcome.CREDENTIALS if answer.status == 401 else outcome_of_status(answer.status)

    def pause(self, answer: Answer) -> float | None:
        """Returns the seconds that a homeserver before Matrix 1.10 asks to wait."""
        wait = _at(answer, "retry_after_ms")
        return wait / 1000 if isinstance(wait, int | float) and wait > 0 else None

    def refusal(self, answer: Answer) -> str | None:
        """Returns the code alone: the text may name people."""
        return error_code(answer)

    def is_over(self, answer: Answer) -> bool:
        """The customer has made the room and may do anything in it, as long as they are there."""
        return answer.status in (403, 404) and error_code(answer) in _NOT_THERE

    def conversation(self, native: str) -> str:
        return chat(native)

    def native(self, conversation: str) -> str:
        return room(conversation)

    def customers(self, identifier: str, customer: str) -> tuple[str, ...]:
        return ()

    def whose(self, conversation: str) -> Steps[str | None]:
        """Returns None: nothing is reported of a customer outside of their room."""
        yield from ()
        return None

    def _account(self, localpart: str) -> Call:
        account: JsonObject = {
            "type": "m.login.application_service",
            "username": localpart,
            "inhibit_login": True,
        }
        return self._call("POST", "/register", account)

    def _named(self, user: str, name: str) -> Call:
        body: JsonObject = {"displayname": shortened(name, NAME_LIMIT)}
        return self._call("PUT", f"/profile/{_quoted(user)}/displayname", body, user=user)

    def _members(self, made: str, user: str) -> Call:
        return self._call("GET", f"/rooms/{_quoted(made)}/members", user=user)

    def _notice(self, made: str, user: str, id: str, text: str) -> Call:
        content: JsonObject = {"msgtype": "m.notice", "body": shortened(text, TEXT_LIMIT)}
        path = f"/rooms/{_quoted(made)}/send/m.room.message/{_quoted(id)}"
        return self._call("PUT", path, content, user=user)

    def _send(self, chat: Chat, id: str, content: JsonObject, kind: str = "m.room.message") -> Call:
        path = f"/rooms/{_quoted(chat.native)}/send/{kind}/{_quoted(id)}"
        return self._call("PUT", path, content, user=chat.customer)

    def _redact(self, made: str, user: str, event: str, id: str) -> Call:
        path = f"/rooms/{_quoted(made)}/redact/{_quoted(event)}/{_quoted(id)}"
        return self._call("PUT", path, {}, user=user)

    def _state(self, made: str, user: str, kind: str, content: JsonObject) -> Call:
        return self._call("PUT", f"/rooms/{_quoted(made)}/state/{kind}", content, user=user)

    def _uploading(self, chat: Chat, file: Attachment) -> Any:
        """Returns what makes the call that uploads an open file. A homeserver takes none of unknown
        size.
        """

        def upload(opened: OpenFile) -> Call | None:
            size = opened.size or (file.size if isinstance(file.size, int) else None)
            if size is None:
                return None
            query = {"user_id": chat.customer, "filename": opened.name or _file_name(file)}
            return Call(
                "POST",
                f"{self._base}/_matrix/media/v3/upload?{urlencode(query)}",
                b"",
                {"content-type": opened.mime_type, "content-length": str(size)},
                self._auth,
                timeout=UPLOAD_SECONDS,
                stream=opened.chunks,
            )

        return upload

    def _call(
        self,
        method: str,
        path: str,
        body: JsonObject | None = None,
        *,
        user: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Call:
        """Returns a call, as the customer `user` or as the sender."""
        whose = {"user_id": user, "device_id": DEVICE} if user else {}
        if path == f"/devices/{DEVICE}":
            whose.pop("device_id")  # this call makes it
        asked = urlencode({**(query or {}), **whose})
        url = f"{self._base}/_matrix/client/v3{path}{'?' if asked else ''}{asked}"
        sent = b"" if body is None else pydantic_core.to_json(body)
        headers = {} if body is None else {"content-type": "application/json"}
        return Call(method, url, sent, headers, self._auth, timeout=SECONDS)

    @property
    def _base(self) -> str:
        if not self.api_url:
            raise DoorClosed("MATRIX_API_URL")
        if not self.home.server_name:
            raise DoorClosed("MATRIX_SERVER_NAME")
        return self.api_url.rstrip("/")

    @property
    def _auth(self) -> str:
        if not self.as_token:
            raise DoorClosed("MATRIX_AS_TOKEN")
        return f"bearer:{self.as_token}"


def _tried(call: Call) -> Steps[Answer | None]:
    """Returns the answer, None if the homeserver refuses the call for good."""
    try:
        return (yield call)
    except Declined:
        return None


def error_code(answer: Answer) -> str | None:
    """Returns the code of an error of Matrix, None for any other answer."""
    return None if answer.status < 400 else _text(_at(answer, "errcode"))


def _at(answer: Answer | None, name: str) -> Any:
    """Returns a field of the answer's body, None if there is none."""
    body = _body(answer) if answer else None
    return body.get(name) if body else None


def _body(answer: Answer) -> JsonObject | None:
    try:
        body = pydantic_core.from_json(answer.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _event_id(answer: Answer | None) -> str | None:
    return _text(_at(answer, "event_id"))


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _name_of(opening: Opening) -> str:
    return shortened(opening.name or _nameless(opening.customer), NAME_LIMIT)


def _topic_of(opening: Opening) -> str:
    return f"{WAITING} · {opening.command.reason}" if opening.command.reason else WAITING


def _nameless(user: str) -> str:
    """Returns the name of a customer whose name is not known."""
    return f"Customer {sha256(user)[:6]}"


def _users_in(answer: Answer | None) -> frozenset[str]:
    """Returns the users of whom a room has a membership of any kind."""
    chunk = _at(answer, "chunk")
    events = chunk if isinstance(chunk, list) else []
    return frozenset(str(one["state_key"]) for one in events if isinstance(one, dict))


def _erasable(page: Answer | None, customer: str) -> Iterator[str]:
    """Yields the events of a page that hold words, or names of the customer. A redaction leaves
    nothing in words, and of a membership whether somebody is there.
    """
    chunk = _at(page, "chunk")
    for one in chunk if isinstance(chunk, list) else []:
        kind, content = one.get("type"), one.get("content")
        is_customers = kind == "m.room.member" and one.get("state_key") == customer
        has_name = is_customers and isinstance(content, dict) and "displayname" in content
        is_shown = kind in _SHOWN or has_name
        if content and (kind in _SAID or is_shown) and isinstance(one.get("event_id"), str):
            yield one["event_id"]


def _answering(about: str) -> JsonObject:
    return {"m.relates_to": {"m.in_reply_to": {"event_id": about}}}


def _said(words: Words) -> JsonObject:
    text = words.text
    if words.about:  # the client shows what it answers
        text = words.text.partition("\n")[2] if words.text.startswith("> ") else words.text
    content: JsonObject = {"msgtype": "m.text", "body": shortened(text, TEXT_LIMIT)}
    return content | _answering(words.about) if words.about else content


def _changed(words: Words, about: str) -> JsonObject:
    """Returns an edit: the new words, and for old clients the same with a star."""
    text = shortened(words.said or words.text, TEXT_LIMIT)
    return {
        "msgtype": "m.text",
        "body": f"* {text}",
        "m.new_content": {"msgtype": "m.text", "body": text},
        "m.relates_to": {"rel_type": "m.replace", "event_id": about},
    }


def _file(file: Attachment, uri: str) -> JsonObject:
    kind, name = file.kind or "", _file_name(file)
    info: JsonObject = {"mimetype": file.mime_type} if file.mime_type else {}
    if isinstance(file.size, int):
        info["size"] = file.size
    return {
        "msgtype": "m.audio" if kind in _SOUNDS else _KINDS.get(kind, "m.file"),
        "body": file.caption or name,
        "filename": name,
        "url": uri,
        "info": info,
    }


def _file_name(file: Attachment) -> str:
    return file.file_name or file.kind or "file"
