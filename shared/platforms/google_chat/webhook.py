"""Converts what Google Chat reports to events: what people write in threads, and the buttons that
they press.

Interaction events, which an app gets by HTTPS or through Pub/Sub:
https://developers.google.com/workspace/chat/api/reference/rest/v1/Event
Events of a subscription to a space, through Pub/Sub, which also have messages that do not mention
the app: https://developers.google.com/workspace/events/guides/events-chat
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.errors import BadRequest
from shared.logs import log
from shared.platforms.bodies import parse_object, parse_signed
from shared.platforms.google_chat.names import (
    NAME,
    OUR_THREADS,
    chat,
    chat_of_message,
    native_chat,
    space_name,
)
from shared.platforms.threads import Act, pressed
from shared.schemas.base import JsonObject
from shared.schemas.content import Content, File
from shared.schemas.details import Attachment, kind_of_type
from shared.schemas.events import Event, HumanMessage, HumanRevoked, Unknown
from shared.schemas.notation import sha256, time_or_none
from shared.schemas.people import Person
from shared.schemas.representative import NAME_LIMIT, Representative, RepresentativeType
from shared.schemas.texts import shortened
from shared.values import frozen

CREATED, UPDATED, DELETED = (
    f"google.workspace.chat.message.v1.{what}" for what in ("created", "updated", "deleted")
)
BATCHES = {
    f"google.workspace.chat.message.v1.batch{what}": single
    for what, single in (("Created", CREATED), ("Updated", UPDATED), ("Deleted", DELETED))
}
LIFECYCLE = "google.workspace.events.subscription."
EDITED = "[edited]"
MEMBER = re.compile(r"^users/")
LONGEST_LINK = 2048


@frozen
class Report:
    """One message, or one press of a button.

    `key` is its id, the same at each repetition. `is_ours`: the thread is one that Baton has
    opened, which an unlinked thread's first event must prove.
    """

    key: str
    name: str
    native: str
    message: JsonObject
    user: JsonObject
    at: object
    is_ours: bool = False

    def common(self) -> dict[str, Any]:
        return {
            "id": self.key,
            "source": chat(self.native),
            "address": self.native if self.is_ours else None,
            "actor": f"platform:{NAME}",
            "occurred_at": time_or_none(_instant(self.at)),
        }

    def unreadable(self, fault: str) -> Unknown:
        return Unknown(**self.common(), name="unreadable", fault=fault)


def reported(raw: bytes, people: Mapping[str, Person]) -> Sequence[Event]:
    """Returns the events of a genuine body. Whoever has the e-mail address of one of `people`
    speaks as that person.
    """
    return [event for read, report in _reports(raw) for event in read(report, people)]


def report_of(raw: bytes) -> Report | None:
    """Returns what a body that cannot be read is about, None if it names no thread."""
    return next((report for _, report in _reports(raw)), None)


_People = Mapping[str, Person]
_Read = Callable[[Report, _People], list[Event]]


def _reports(raw: bytes) -> list[tuple[_Read, Report]]:
    body = parse_signed(raw)
    pushed = body.get("message")
    if "subscription" in body and isinstance(pushed, dict) and "type" not in body:
        return _pushed(pushed)
    return _interaction(body)


def _pushed(message: JsonObject) -> list[tuple[_Read, Report]]:
    """https://cloud.google.com/pubsub/docs/push#receive_push"""
    data, attributes = message.get("data"), message.get("attributes")
    try:
        inner = parse_object(base64.b64decode(data if isinstance(data, str) else "", validate=True))
    except ValueError as error:
        raise BadRequest("malformed-base64", "message.data is not base64.") from error
    kind = attributes.get("ce-type") if isinstance(attributes, dict) else None
    return _interaction(inner) if kind is None else _of_subscription(str(kind), inner)


def _of_subscription(kind: str, data: JsonObject) -> list[tuple[_Read, Report]]:
    if kind.startswith(LIFECYCLE):
        log("WARNING", "a subscription to a Google Chat space needs care", event=kind)
        return []
    single = BATCHES.get(kind)
    if single is not None:
        listed = data.get("messages")
        items = listed if isinstance(listed, list) else []
        return [found for one in items for found in _of_subscription(single, _object(one))]
    read = {CREATED: _said, UPDATED: _changed, DELETED: _deleted}.get(kind)
    message = _object(data.get("message"))
    thread = _object(message.get("thread"))
    native = native_chat(thread.get("name"))
    if kind == DELETED and native is None:
        native = chat_of_message(message.get("name"))
    if read is None or native is None:
        return []
    at = message.get("lastUpdateTime") or message.get("createTime")
    sender, key = _object(message.get("sender")), thread.get("threadKey")
    return [(read, _report(kind, native, message, sender, at, thread_key=key))]


def _interaction(body: JsonObject) -> list[tuple[_Read, Report]]:
    """Returns none for an event that is about no thread, such as ADDED_TO_SPACE."""
    if "chat" in body and "type" not in body:
        words = "The app is a Google Workspace add-on. Build it as a Chat app that is none."
        raise BadRequest("google-chat-add-on", words)
    kind, message = body.get("type"), _object(body.get("message"))
    thread = _object(message.get("thread")) or _object(body.get("thread"))
    native, read = native_chat(thread.get("name")), _READERS.get(str(kind))
    if native is None or read is None:
        return []
    pressed_act = _act_of(body)
    key = thread.get("threadKey") or body.get("threadKey")
    user = _object(body.get("user")) or _object(message.get("sender"))
    report = _report(str(kind), native, message, user, body.get("eventTime"), pressed_act, key)
    return [(read, report)]


def _report(
    kind: str,
    native: str,
    message: JsonObject,
    user: JsonObject,
    at: object,
    act: str | None = None,
    thread_key: object = None,
) -> Report:
    name = message.get("name")
    named = name if isinstance(name, str) and name else sha256(repr(sorted(message.items())))
    once = kind in ("MESSAGE", CREATED)
    key = (
        named
        if once
        else sha256("\n".join((kind, named, str(user.get("name")), str(at), str(act))))
    )
    has_key = isinstance(thread_key, str) and thread_key.startswith(OUR_THREADS)
    return Report(key, act or kind, native, message, user, at, act is not None or has_key)


def _act_of(body: JsonObject) -> str | None:
    """Returns the function of the button that was pressed, None if none was."""
    if body.get("type") != "CARD_CLICKED":
        return None
    action, known = _object(body.get("action")), _object(body.get("common"))
    found = action.get("actionMethodName") or known.get("invokedFunction")
    return found if isinstance(found, str) and found else None


def _said(report: Report, people: _People, before: str = "") -> list[Event]:
    """Returns the words of a person, then each of their files."""
    who = _person(report, people)
    if who is None:
        return []
    common = {**report.common(), **who, "about": _quoted(report.message)}
    words = "\n".join([*filter(None, [_words(report.message)]), *_links(report.message)])
    said = [Content.of_fact(f"{before} {words}".strip())] if words else []
    contents = [*said, *([] if before else _files(report.message))]
    return [
        HumanMessage(**{**common, "id": _nth(report.key, place)}, content=content)
        for place, content in enumerate(contents)
    ]


def _changed(report: Report, people: _People) -> list[Event]:
    return _said(report, people, EDITED)


def _deleted(report: Report, people: _People) -> list[Event]:
    """The event may not name the sender. Baton's own messages are no human's, so nothing follows
    from their deletion.
    """
    about = report.message.get("name")
    who = _person(report, people) if report.user else _SOMEBODY
    if who is None or not isinstance(about, str) or not about:
        return []
    return [HumanRevoked(**report.common(), **who, about=about)]


def _clicked(report: Report, people: _People) -> list[Event]:
    who = _person(report, people)
    if who is None or report.name not in tuple(Act):
        return [Unknown(**report.common(), name=shortened(f"button {report.name}", 64))]
    return [pressed(Act(report.name), report.common(), who)]


_SOMEBODY: Mapping[str, Any] = {
    "representative": Representative(representative_type=RepresentativeType.HUMAN)
}
_READERS: Mapping[str, _Read] = {"MESSAGE": _said, "CARD_CLICKED": _clicked}


def _nth(key: str, place: int) -> str:
    return f"{key}#{place}" if place else key


def _words(message: JsonObject) -> str:
    """Returns the text without mentions of the app: `argumentText`. An event of a subscription may
    have none; then the mentions are cut out where the annotations say that they stand.
    """
    argument, text = message.get("argumentText"), message.get("text")
    if isinstance(argument, str):
        return argument.strip()
    words = text if isinstance(text, str) else ""
    for start, end in sorted(_mentions_of_apps(message), reverse=True):
        words = words[:start] + words[end:]
    return words.strip()


def _mentions_of_apps(message: JsonObject) -> list[tuple[int, int]]:
    found = message.get("annotations")
    spans = []
    for one in map(_object, found if isinstance(found, list) else []):
        user = _object(_object(one.get("userMention")).get("user"))
        start, length = one.get("startIndex", 0), one.get("length")
        if user.get("type") == "BOT" and isinstance(start, int) and isinstance(length, int):
            spans.append((start, start + length))
    return spans


def _quoted(message: JsonObject) -> str | None:
    """Returns the resource name of the message that this one answers, None if it answers none."""
    quoted = _object(message.get("quotedMessageMetadata"))
    name, kind = quoted.get("name"), quoted.get("quoteType", "REPLY")
    return name if isinstance(name, str) and name and kind == "REPLY" else None


def _links(message: JsonObject) -> list[str]:
    """Returns links to what Baton cannot fetch: files of Google Drive, which the customer may open
    if they are shared, and animated pictures.
    """
    drive = [
        f"https://drive.google.com/open?id={found}"
        for one in _attachments(message)
        if isinstance(found := _object(one.get("driveDataRef")).get("driveFileId"), str)
    ]
    gifs = message.get("attachedGifs")
    pictures = [_object(one).get("uri") for one in (gifs if isinstance(gifs, list) else [])]
    return [*drive, *(one for one in pictures if isinstance(one, str) and one)]


def _files(message: JsonObject) -> list[Content]:
    """Returns the files that people uploaded. They stay at Google Chat until somebody asks for
    them.
    """
    found = []
    for one in _attachments(message):
        media = _object(one.get("attachmentDataRef")).get("resourceName")
        if isinstance(media, str) and media:
            mime_type, name = one.get("contentType"), one.get("contentName")
            file = Attachment(
                kind=kind_of_type(mime_type) if isinstance(mime_type, str) else None,
                mime_type=mime_type if isinstance(mime_type, str) else None,
                file_name=name if isinstance(name, str) else None,
                id=media,
            )
            found.append(Content(file=File.of(file)))
    return found


def _attachments(message: JsonObject) -> list[JsonObject]:
    found = message.get("attachment")
    return [_object(one) for one in (found if isinstance(found, list) else [])]


def _person(report: Report, people: _People) -> Mapping[str, Any] | None:
    """Returns who acts, None for an app. Where the event does not name them, Baton must ask."""
    user = report.user
    if user.get("type") == "BOT":
        return None
    name, email, resource = user.get("displayName"), user.get("email"), user.get("name")
    known = people.get(email.lower()) if isinstance(email, str) else None
    member = MEMBER.sub(f"{space_name(report.native)}/members/", str(resource), count=1)
    if known is not None:
        return {"representative": known.representative, "native_person": member, "named": True}
    is_named = isinstance(name, str) and bool(name.strip())
    return {
        "representative": Representative(
            representative_type=RepresentativeType.HUMAN,
            display_name=shortened(str(name).strip(), NAME_LIMIT) if is_named else None,
            avatar_image=picture_of(user),
        ),
        "native_person": member,
        "named": is_named,
    }


def picture_of(user: JsonObject) -> str | None:
    """Returns the address of a person's picture, None where there is none that customers see."""
    link = user.get("avatarUrl")
    is_link = isinstance(link, str) and link.startswith("https://") and len(link) <= LONGEST_LINK
    return str(link) if is_link else None


def _instant(value: object) -> object:
    """Returns a time as Google Chat writes it: as text, or as seconds and nanoseconds."""
    if isinstance(value, dict):
        seconds, nanos = value.get("seconds"), value.get("nanos", 0)
        known = isinstance(seconds, int) and isinstance(nanos, int)
        return str(seconds + nanos / 1e9) if known else None
    return value


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}
