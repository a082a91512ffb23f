"""Converts the transactions of a homeserver to events.

https://spec.matrix.org/v1.17/application-service-api/#pushing-events
https://spec.matrix.org/v1.17/client-server-api/#room-events
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from functools import partial
from typing import Any

from shared.errors import BadRequest
from shared.logs import log
from shared.platforms.base import Ended
from shared.platforms.bodies import alarm, child, collected, text_at
from shared.platforms.map_links import map_link
from shared.platforms.matrix.names import NAME, Homeserver, chat, local_name
from shared.schemas.base import JsonObject
from shared.schemas.content import Content, File
from shared.schemas.details import Attachment
from shared.schemas.ephemeral import AgentSignal, Ephemeral
from shared.schemas.events import (
    Event,
    HumanJoined,
    HumanLeft,
    HumanMessage,
    HumanReacted,
    HumanRevoked,
    Unknown,
)
from shared.schemas.representative import NAME_LIMIT, Representative, RepresentativeType
from shared.schemas.texts import shortened
from shared.values import frozen

# https://spec.matrix.org/v1.17/client-server-api/#matrix-content-mxc-uris
FILE = re.compile(r"mxc://[A-Za-z0-9.:\[\]-]{1,255}/[A-Za-z0-9_-]{1,255}")
_GEO = re.compile(r"geo:(-?[0-9.]+),(-?[0-9.]+)")
_KINDS = {"m.image": "image", "m.video": "video", "m.audio": "audio", "m.file": "document"}
_VOICE = ("org.matrix.msc3245.voice", "m.voice")
_QUOTE = "> "  # begins the lines that repeat the message which is answered


@frozen
class Item:
    """An event of a room.

    https://spec.matrix.org/v1.17/client-server-api/#room-event-format
    """

    body: Mapping[str, Any]
    home: Homeserver

    def __post_init__(self) -> None:
        """Raises BadRequest if it lacks what every event has."""
        for name in ("event_id", "room_id", "sender", "type"):
            if not isinstance(self.body.get(name), str) or not self.body[name]:
                raise BadRequest("schema", f"{name}: must be a text", field=name)

    @property
    def kind(self) -> str:
        return str(self.body["type"])

    @property
    def sender(self) -> str:
        return str(self.body["sender"])

    @property
    def state_key(self) -> str | None:
        return text_at(self.body, "state_key")

    @property
    def content(self) -> Mapping[str, Any]:
        return child(self.body, "content")

    @property
    def before(self) -> Mapping[str, Any]:
        """The content that this event of a room's state has replaced."""
        return child(child(self.body, "unsigned"), "prev_content") or child(
            self.body, "prev_content"
        )

    def common(self) -> dict[str, Any]:
        return {
            "id": self.body["event_id"],
            "source": chat(self.body["room_id"]),
            "address": self.body["room_id"],
            "actor": f"platform:{NAME}",
            "occurred_at": _time(self.body.get("origin_server_ts")),
        }

    def unreadable(self, fault: str) -> Unknown:
        return Unknown(**self.common(), name="unreadable", fault=fault)

    def unused(self) -> list[Event]:
        return [Unknown(**self.common(), name=shortened(self.kind, 64))]


def reported(
    body: JsonObject, home: Homeserver, places: AbstractSet[str]
) -> list[Event | Ephemeral]:
    """Returns the events of a transaction, in order, without those of `places`: the rooms whose
    members a desk invites.
    """
    faults = Counter[str]()
    found: list[Event | Ephemeral] = []
    for one in _items(body, "events"):
        if one.get("room_id") not in places:
            item = partial(Item, one, home)
            found += collected(partial(_read_item, item), item, faults)
    passing = "ephemeral" if "ephemeral" in body else "de.sorunome.msc2409.ephemeral"
    for one in _items(body, passing):
        if one.get("room_id") not in places:
            found += _passing(one, home)
    alarm(NAME, faults)
    return found


def _read_item(item: Callable[[], Item]) -> Sequence[Event]:
    return _read(item())


def _items(body: JsonObject, name: str) -> list[Mapping[str, Any]]:
    items = body.get(name)
    return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []


def _read(item: Item) -> Sequence[Event]:
    """What Baton's own users do is an echo of its calls."""
    if item.home.is_ours(item.sender) or item.kind not in _READERS:
        return []
    return _READERS[item.kind](item)


def _member(item: Item) -> list[Event]:
    who, now = item.state_key or "", text_at(item.content, "membership")
    was = text_at(item.before, "membership")
    if item.home.is_ours(who):
        gone = now in ("leave", "ban")
        reason = "the customer was removed from the room"
        return [Ended(**item.common(), reason=reason)] if gone else []
    if now == "join" and was != "join":
        return [HumanJoined(**item.common(), **person(who))]
    if now in ("leave", "ban") and was not in ("invite", "knock", "leave", "ban"):
        why = text_at(item.content, "reason") or (None if who == item.sender else "removed")
        return [HumanLeft(**item.common(), **person(who), reason=why)]
    return []  # an invitation, or a new name or picture of somebody who stays


def _message(item: Item) -> list[Event]:
    content = item.content
    relation = child(content, "m.relates_to")
    is_edit = relation.get("rel_type") == "m.replace"
    if is_edit:
        content = child(content, "m.new_content")
    said = _content(content)
    if said is None:
        return item.unused() if content else []
    if is_edit:
        said = Content.of_fact(f"[edited] {said.summary}")
    about = None if is_edit else _answered(relation)
    return [HumanMessage(**item.common(), **person(item.sender), content=said, about=about)]


def _answered(relation: Mapping[str, Any]) -> str | None:
    """Returns the message that is answered. In a thread, clients name the latest one only for other
    clients that show no threads.
    """
    if relation.get("is_falling_back") is True:
        return None
    return text_at(child(relation, "m.in_reply_to"), "event_id")


def _reaction(item: Item) -> list[Event]:
    relation = child(item.content, "m.relates_to")
    about, emoji = text_at(relation, "event_id"), text_at(relation, "key")
    if about is None or emoji is None:
        return item.unused()
    return [HumanReacted(**item.common(), **person(item.sender), about=about, emoji=emoji)]


def _content(content: Mapping[str, Any]) -> Content | None:
    """Returns what was said, None for what is not for the customer: notices are from programs."""
    kind, body = text_at(content, "msgtype"), text_at(content, "body") or ""
    if kind is None or kind == "m.notice" or kind.startswith("m.key.verification"):
        return None
    if kind in _KINDS:
        return _file(content, _KINDS[kind])
    text = _without_quote(content, body)
    if kind == "m.emote":
        text = f"* {text}"
    if kind == "m.location":
        text = "\n".join(filter(None, (text, _place(text_at(content, "geo_uri") or ""))))
    return Content.of_fact(text) if text.strip() else None


def _file(content: Mapping[str, Any], kind: str) -> Content:
    body, info = text_at(content, "body") or "", child(content, "info")
    name = text_at(content, "filename") or body
    if any(one in content for one in _VOICE):
        kind = "voice"
    size = info.get("size")
    url = text_at(content, "url") or ""
    if not FILE.fullmatch(url):  # encrypted, or no file of Matrix
        return Content.of_fact(" ".join(filter(None, (f"[{kind}]", body))))
    known = Attachment(
        kind=kind,
        mime_type=text_at(info, "mimetype"),
        file_name=shortened(name, 200) or None,
        size=size if isinstance(size, int) and not isinstance(size, bool) else None,
        caption=_without_quote(content, body) if body != name else None,
        id=url,
    )
    return Content(file=File.of(known))


def _sticker(item: Item) -> list[Event]:
    said = _file(item.content, "sticker")
    return [HumanMessage(**item.common(), **person(item.sender), content=said)]


def _encrypted(item: Item) -> list[Event]:
    """Baton makes rooms without encryption, so a homeserver or a person has turned it on."""
    message = "a message cannot be read: its room is encrypted"
    log("WARNING", message, platform=NAME, conversation=chat(item.body["room_id"]))
    return item.unused()


def _deleted(item: Item) -> list[Event]:
    """The name of what is deleted stands in the content since version 11 of rooms."""
    about = text_at(item.content, "redacts") or text_at(item.body, "redacts")
    if about is None:
        return item.unused()
    return [HumanRevoked(**item.common(), **person(item.sender), about=about)]


def _passing(one: Mapping[str, Any], home: Homeserver) -> list[AgentSignal]:
    """Returns who types at present, and who has read something. Who types no more is left out of
    the next list, so a channel shows them until its own time is over.
    """
    room, content = text_at(one, "room_id"), child(one, "content")
    if room is None:
        return []
    common: dict[str, Any] = {"source": chat(room)}
    if one.get("type") == "m.typing":
        users = content.get("user_ids")
        people = users if isinstance(users, list) else []
        common["kind"] = "TYPING_STARTED"
    elif one.get("type") == "m.receipt":
        kinds = [child(content, event) for event in content]
        people = list(dict.fromkeys(user for kind in kinds for user in child(kind, "m.read")))
        common["kind"] = "READ"
    else:
        return []
    named = [user for user in people if isinstance(user, str) and user and not home.is_ours(user)]
    return [AgentSignal(**common, **person(user)) for user in named]


def person(user: str) -> dict[str, Any]:
    """Returns who acts: by the name of their address, until Baton has asked for the one that they
    have chosen.
    """
    name = shortened(local_name(user), NAME_LIMIT)
    who = Representative(representative_type=RepresentativeType.HUMAN, display_name=name)
    return {"representative": who, "native_person": user}


def _without_quote(content: Mapping[str, Any], body: str) -> str:
    """Returns the words of an answer without the lines that repeat what it answers, which clients
    before Matrix 1.13 put before them.
    """
    if not child(child(content, "m.relates_to"), "m.in_reply_to") or not body.startswith(_QUOTE):
        return body
    lines = body.split("\n")
    while lines and lines[0].startswith(_QUOTE):
        lines.pop(0)
    return "\n".join(lines[1:] if lines and not lines[0].strip() else lines)


def _place(uri: str) -> str:
    found = _GEO.match(uri)
    try:
        return map_link(float(found[1]), float(found[2])) if found else ""
    except ValueError:
        return ""


def _time(value: object) -> datetime | None:
    """Returns a time in milliseconds since 1970."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None


_READERS: Mapping[str, Callable[[Item], list[Event]]] = {
    "m.room.member": _member,
    "m.room.message": _message,
    "m.reaction": _reaction,
    "m.sticker": _sticker,
    "m.room.encrypted": _encrypted,
    "m.room.redaction": _deleted,
}
