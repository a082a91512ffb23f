"""Converts Slack's events and the buttons that people press to events.

https://docs.slack.dev/apis/events-api
https://docs.slack.dev/reference/events/message
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from shared.errors import BadRequest
from shared.logs import log
from shared.platforms.bodies import parse_signed
from shared.platforms.slack.emoji import emoji_of
from shared.platforms.slack.names import ACTION, NAME, THREAD, native_thread, thread
from shared.platforms.slack.text import words_of
from shared.platforms.threads import Act, pressed
from shared.schemas.base import JsonObject
from shared.schemas.content import Content, File
from shared.schemas.details import kind_of_type
from shared.schemas.events import Event, HumanMessage, HumanReacted, HumanRevoked, Unknown
from shared.schemas.representative import Representative, RepresentativeType
from shared.values import frozen

_Object = Mapping[str, Any]
_TS = re.compile(r"[0-9]{1,10}\.[0-9]{6}")  # seconds
REACTION_ADDED, REACTION_REMOVED = _REACTIONS = ("reaction_added", "reaction_removed")
FORM = "application/x-www-form-urlencoded"
# What people write in a thread. A file and a reply that is shown in the channel too are messages.
_SAID = (None, "file_share", "thread_broadcast", "me_message")
_ACTS: Mapping[str, Act] = {f"{ACTION}{act}": act for act in Act}


def parsed(body: bytes, content_type: str) -> JsonObject:
    """Returns the object of a genuine body: that of an event, or that of a button in a form."""
    if not content_type.lower().startswith(FORM):
        return parse_signed(body)
    fields = parse_qs(body.decode("utf-8", "replace"))
    if "payload" not in fields:
        raise BadRequest("schema", "payload: is missing.", field="payload")
    return parse_signed(fields["payload"][0].encode("utf-8", "surrogatepass"))


@frozen
class Report:
    """What happened in one thread. `id` is the same for each delivery; `at` is Slack's own time."""

    channel: str
    root: str
    id: str
    at: object

    def common(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "source": thread(self.channel, self.root),
            "address": native_thread(self.channel, self.root),
            "actor": f"platform:{NAME}",
            "occurred_at": _time(self.at),
        }

    def unreadable(self, fault: str) -> Event:
        return Unknown(**self.common(), name="unreadable", fault=fault)


def reported(body: _Object) -> Sequence[Event]:
    """Returns the events of a genuine body, none if it is about no thread of Baton's."""
    if body.get("type") == "block_actions":
        return _pressed(body)
    if body.get("type") == THREAD:
        return _read_again(body)
    if body.get("type") == "app_rate_limited":
        log("WARNING", "Slack holds back events: there were too many", platform=NAME)
    event = body.get("event")
    if body.get("type") != "event_callback" or not isinstance(event, dict):
        return []
    if event.get("type") in _REACTIONS:
        return _reacted(body, event)
    return _message(body, event) if event.get("type") == "message" else []


def _read_again(body: _Object) -> Sequence[Event]:
    """Returns what people said in a thread that Baton has read, under the ids of its webhooks."""
    known = {"authorizations": [{"user_id": body.get("user"), "is_bot": True}]}
    where = {"channel": body.get("channel")}
    return [one for said in body["messages"] for one in _message(known, {**said, **where})]


def report_of(body: _Object) -> Report | None:
    """Returns the thread of a body that cannot be read, None if it names none."""
    event = body.get("event")
    known = event if isinstance(event, dict) else {}
    inner = known.get("message")
    root = known.get("thread_ts") or (inner.get("thread_ts") if isinstance(inner, dict) else None)
    return _report(known.get("channel"), root, body.get("event_id"), known.get("event_ts"))


def _message(body: _Object, event: _Object) -> Sequence[Event]:
    if event.get("subtype") == "message_changed":
        return _edited(body, event)
    if event.get("subtype") == "message_deleted":
        return _deleted(body, event)
    report = _report(event.get("channel"), event.get("thread_ts"), event.get("ts"), event.get("ts"))
    if report is None or event.get("subtype") not in _SAID or not _is_of_a_person(body, event):
        return []
    return _said(report, event, words_of(event, _bot_user(body)))


def _said(report: Report, message: _Object, words: str) -> list[Event]:
    """Returns what a person said: their words, and each file of theirs."""
    common = report.common()
    by = {**common, **_by(message["user"])}
    said = list[Event]()
    if words:
        said.append(HumanMessage(**by, content=Content.of_fact(words)))
    for file in _files(message):
        named = {**by, "id": f"{report.id}:{file.source_id}"}
        said.append(HumanMessage(**named, content=Content.model_construct(file=file)))
    return said or [Unknown(**common, name="message without words")]


def _by(user: str) -> dict[str, Any]:
    """Returns a person whose name Slack does not give here: Baton asks for it."""
    who = Representative(representative_type=RepresentativeType.HUMAN, display_name=user)
    return {"representative": who, "native_person": user}


def _edited(body: _Object, event: _Object) -> Sequence[Event]:
    """Returns the new words of a message. Slack also says so where only a preview was added, or
    where Baton itself changed a message.
    """
    message, before = event.get("message"), event.get("previous_message")
    if not isinstance(message, dict) or message.get("subtype") not in _SAID:
        return []
    id = f"{message.get('ts')}:edited:{event.get('event_ts')}"
    report = _report(event.get("channel"), message.get("thread_ts"), id, event.get("event_ts"))
    ours = _bot_user(body)
    words = words_of(message, ours)
    is_same = isinstance(before, dict) and words_of(before, ours) == words
    if report is None or is_same or not words or not _is_of_a_person(body, message):
        return []
    content = Content.of_fact(f"[edited] {words}")
    return [HumanMessage(**report.common(), **_by(message["user"]), content=content)]


def _deleted(body: _Object, event: _Object) -> Sequence[Event]:
    """Returns who wrote the message: Slack does not say who deleted it."""
    before = event.get("previous_message")
    if not isinstance(before, dict) or not _is_of_a_person(body, before):
        return []
    id = f"{event.get('deleted_ts')}:deleted"
    report = _report(event.get("channel"), before.get("thread_ts"), id, event.get("event_ts"))
    if report is None:
        return []
    about = str(before.get("ts"))
    return [HumanRevoked(**report.common(), **_by(before["user"]), about=about)]


def _reacted(body: _Object, event: _Object) -> Sequence[Event]:
    """Returns the reaction of a person. It names the message and not its thread, for which Baton
    asks: until then the message stands for it.

    https://docs.slack.dev/reference/events/reaction_added
    """
    item, user, emoji = event.get("item"), event.get("user"), emoji_of(event.get("reaction"))
    known = item if isinstance(item, dict) and item.get("type") == "message" else {}
    about, at = known.get("ts"), event.get("event_ts")
    report = _report(known.get("channel"), about, f"{about}:{user}:{at}", at)
    is_person = isinstance(user, str) and user not in ("", _bot_user(body))
    if report is None or not is_person or emoji is None:
        return []
    shown = None if event.get("type") == REACTION_REMOVED else emoji
    common = report.common() | _by(str(user))
    return [HumanReacted(**common, about=str(about), emoji=shown)]


def _pressed(body: _Object) -> Sequence[Event]:
    """Returns what a person did by pressing a button. Slack sends one action at a time, and sends
    it once.
    """
    user, container = body.get("user"), body.get("container")
    actions = body.get("actions")
    if not (isinstance(user, dict) and isinstance(container, dict) and isinstance(actions, list)):
        return []
    root = container.get("thread_ts") or container.get("message_ts")
    events = list[Event]()
    for action in actions:
        act = _ACTS.get(str(action.get("action_id"))) if isinstance(action, dict) else None
        at = action.get("action_ts") if act else None
        report = _report(container.get("channel_id"), root, f"{user.get('id')}:{at}", at)
        if act is not None and report is not None and isinstance(user.get("id"), str):
            events.append(pressed(act, report.common(), _by(user["id"])))
    return events


def _report(channel: object, root: object, id: object, at: object) -> Report | None:
    """Returns the report about a thread, None for what is in no thread."""
    known = (channel, root, id)
    if not all(isinstance(one, str) and one for one in known):
        return None
    return Report(str(channel), str(root), str(id), at)


def _is_of_a_person(body: _Object, message: _Object) -> bool:
    """Returns whether a person wrote it, in a thread that this app has begun. Slack does not say
    who has begun it in all forms of events.
    """
    user, began, ours = message.get("user"), message.get("parent_user_id"), _bot_user(body)
    is_app = message.get("bot_id") is not None or message.get("subtype") == "bot_message"
    is_elsewhere = ours is not None and began is not None and began != ours
    return isinstance(user, str) and user not in ("", ours) and not is_app and not is_elsewhere


def _bot_user(body: _Object) -> str | None:
    """Returns the id of this app's own user."""
    found = body.get("authorizations")
    known = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    bots = (one.get("user_id") for one in known if one.get("is_bot") is True)
    return next((one for one in bots if isinstance(one, str)), None)


def _files(message: _Object) -> list[File]:
    """Returns the files of a message, without those that are gone, and those that an external
    service has.
    """
    found = message.get("files")
    known = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return [
        File(
            source_id=one["id"],
            kind=kind_of_type(_text(one.get("mimetype"))),
            mime_type=_text(one.get("mimetype")),
            file_name=_text(one.get("name")) or _text(one.get("title")),
            size=one["size"] if isinstance(one.get("size"), int) else None,
        )
        for one in known
        if isinstance(one.get("id"), str) and one.get("mode") != "tombstone"
    ]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _time(ts: object) -> datetime | None:
    """Returns the time that is in one of Slack's ids."""
    is_time = isinstance(ts, str) and _TS.fullmatch(ts)
    return datetime.fromtimestamp(float(ts), UTC) if isinstance(ts, str) and is_time else None
