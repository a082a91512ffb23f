"""Slack as a desk: a thread of a channel for each handoff.

Messages: https://docs.slack.dev/reference/methods/chat.postMessage
Changes of them: https://docs.slack.dev/reference/methods/chat.update
Files: https://docs.slack.dev/messaging/working-with-files
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, TypeGuard
from urllib.parse import urlencode

import pydantic_core

from shared.errors import DoorClosed
from shared.platforms.base import Outcome
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
from shared.platforms.linked_files import host_of
from shared.platforms.slack.answers import body_of, is_over, outcome_of, refusal_of
from shared.platforms.slack.blocks import closed, is_closed, request_blocks, with_standing
from shared.platforms.slack.names import (
    NAME,
    REQUEST,
    THREAD,
    TRANSCRIPT,
    native_thread,
    place_of,
    thread,
)
from shared.platforms.slack.text import escaped, without_lines
from shared.platforms.threads import customer_of, request_of, transcript
from shared.schemas.base import JsonObject
from shared.schemas.http import Answer, Call, Pace, Request
from shared.schemas.texts import shortened
from shared.values import frozen

API = "https://slack.com/api"
UPLOAD_HOST = "files.slack.com"
UPLOAD_SECONDS = 60.0
# characters as Slack counts them, with `&`, `<` and `>` escaped
TEXT_LIMIT, CHANGED_LIMIT = 39_000, 4000
TRANSCRIPT_LIMIT, MOST_PARTS = 3500, 4
PER_SECOND, BURST = 1.0, 5  # messages of one channel; short bursts are allowed
PAGE, MOST_PAGES, LONGEST_THREAD = 200, 10, 999
CLOCKS_DIFFER = timedelta(seconds=60)
CUSTOMERS_ICON = ":bust_in_silhouette:"
# Nothing in a customer's words is markup, a mention or a preview. chat.update has other defaults
# than chat.postMessage, so both are given them.
_AS_TYPED: JsonObject = {"mrkdwn": False, "parse": "none", "link_names": False}
_NO_PREVIEWS: JsonObject = {"unfurl_links": False, "unfurl_media": False}
Message = Mapping[str, Any]


@frozen
class SlackDesk:
    """`bot_token` is the token of the app's bot user. A desk's `place` is the id of a channel of
    which the app is a member.
    """

    api_url: str = API
    bot_token: str | None = field(default=None, repr=False)
    name: str = NAME

    def customer(self, identifier: str, name: str | None) -> Steps[str | None]:
        """Slack has no customers: their words are posted under their name."""
        yield from ()
        return identifier

    def open(self, opening: Opening) -> Steps[str | None]:
        """Posts the request, and below it what was said before. Asked again, it posts what is
        missing: its messages carry the id of the handoff.
        """
        command = opening.command
        channel, handoff = command.place, command.handoff or ""
        if not channel:
            raise DoorClosed("BATON_DESKS")
        root = None
        if opening.again and command.asked_at is not None:
            root = yield from self._found(channel, handoff, command.asked_at - CLOCKS_DIFFER)
        shown = frozenset[int]() if root is None else (yield from self._shown(channel, root))
        if root is None:
            request = request_of(opening)
            blocks = request_blocks(request, opening.page)
            named = _named(REQUEST, handoff, channel=channel)
            begins = {"text": escaped(request.headline), "blocks": blocks, "metadata": named}
            root = _ts((yield self._post(channel, begins)))
        if root is None:
            return None
        parts = transcript(opening.said, TRANSCRIPT_LIMIT, MOST_PARTS)
        for number, part in enumerate(parts):
            if number not in shown:
                metadata = _named(TRANSCRIPT, handoff, part=number)
                below = {"thread_ts": root, "text": escaped(part), "metadata": metadata}
                yield self._post(channel, {**below, **_AS_TYPED})
        return native_thread(channel, root)

    def say(self, chat: Chat, words: Words) -> Steps[str | None]:
        """Shows the customer's words under their name. Only its last call shows something, so a
        failure before it may be followed by another try.
        """
        changed = yield from self._changed(chat, words)
        if changed:
            return words.about
        channel, root = place_of(chat.native)
        author = {"username": customer_of(words.name), "icon_emoji": CUSTOMERS_ICON}
        files, links = yield from self._uploaded(words)
        if files:
            comment = _cut(without_lines(words.text, links), TEXT_LIMIT)
            shared: dict[str, object] = {
                "files": files,
                "channel_id": channel,
                "thread_ts": root,
                **author,
            }
            if comment.strip():
                shared["initial_comment"] = comment
            paces = self._paces(channel)
            with suppress(Declined):
                yield self._write("files.completeUploadExternal", shared, paces)
                return None  # Slack shares files later, and does not say under which id
        text = _cut(words.text, TEXT_LIMIT)
        said = {"thread_ts": root, "text": text, **author, **_AS_TYPED}
        return _ts((yield self._post(channel, said)))

    def show(self, chat: Chat, standing: Standing) -> Steps[None]:
        root = yield from self._message(chat, place_of(chat.native)[1])
        if root is not None and not is_closed(_blocks(root)):
            yield self._shows(chat, root, with_standing(_blocks(root), standing.people))

    def hint(self, chat: Chat, id: str, text: str) -> Steps[None]:
        channel, root = place_of(chat.native)
        yield self._post(channel, {"thread_ts": root, "text": escaped(text), **_AS_TYPED})

    def close(self, chat: Chat, id: str, reason: str | None) -> Steps[None]:
        """Takes the buttons away, then says that the conversation is over. A closed thread is left
        as it is.
        """
        channel, ts = place_of(chat.native)
        root = yield from self._message(chat, ts)
        if root is not None and is_closed(_blocks(root)):
            return
        over = f"This conversation is over: {reason}." if reason else "This conversation is over."
        if root is not None:
            yield self._shows(chat, root, closed(_blocks(root), over))
        yield self._post(channel, {"thread_ts": ts, "text": escaped(over), **_AS_TYPED})

    def erase(self, chat: Chat, said: Sequence[str]) -> Steps[None]:
        """Deletes what Baton posted, the request last. What people wrote only they can delete."""
        channel, ts = place_of(chat.native)
        thread = yield from self._replies(channel, ts)
        ours = {one.get("bot_id") for one in thread if one.get("ts") == ts} - {None}
        mine = [one for one in thread if one.get("bot_id") in ours]
        for one in reversed(mine):
            for file in one.get("files") or ():
                with suppress(Declined):
                    yield self._write("files.delete", {"file": file.get("id")})
            with suppress(Declined):
                yield self._write("chat.delete", {"channel": channel, "ts": one.get("ts")})

    def signal(self, chat: Chat, signal: CustomerSignal) -> Call | None:
        """Returns None: Slack shows typing and receipts of no customer."""
        return None

    def history(self, chat: Chat) -> Call:
        """Slack gives an event up after three tries within six minutes."""
        channel, root = place_of(chat.native)
        asked = {"channel": channel, "ts": root, "limit": LONGEST_THREAD}
        return self._read("conversations.replies", {**asked, **_ALL})

    def webhook_of(self, answer: Answer) -> Request:
        messages = list(_messages(body_of(answer)))
        root = messages[0] if messages else {}
        channel = _payload(root, REQUEST).get("channel")
        thread = {
            "type": THREAD,
            "channel": channel,
            "user": root.get("user"),
            "messages": messages,
        }
        headers = {"content-type": "application/json"}
        return Request("POST", f"/{NAME}", pydantic_core.to_json(thread), headers)

    def outcome(self, answer: Answer) -> Outcome:
        return outcome_of(answer)

    def refusal(self, answer: Answer) -> str | None:
        return refusal_of(answer)

    def is_over(self, answer: Answer) -> bool:
        return is_over(answer)

    def conversation(self, native: str) -> str:
        return thread(*place_of(native))

    def native(self, conversation: str) -> str:
        return conversation.removeprefix(f"{NAME}:")

    def customers(self, identifier: str, customer: str) -> tuple[str, ...]:
        return ()

    def whose(self, conversation: str) -> Steps[str | None]:
        yield from ()
        return conversation

    def _changed(self, chat: Chat, words: Words) -> Steps[bool]:
        """Changes or deletes an earlier message of the customer's. Returns whether it did: if not,
        it is said in words.
        """
        edited, revoked = words.details.edited, words.details.revoked
        text = escaped(edited.text or "") if edited else ""
        if words.about is None or (revoked is None and not 0 < len(text) <= CHANGED_LIMIT):
            return False
        which = {"channel": place_of(chat.native)[0], "ts": words.about}
        try:
            if revoked is not None:
                yield self._write("chat.delete", which)
            else:
                yield self._write("chat.update", {**which, "text": text, **_AS_TYPED})
        except Declined:
            return False
        return True

    def _uploaded(self, words: Words) -> Steps[tuple[list[JsonObject], list[str]]]:
        """Hands the files of a message over, which shows nothing yet. Returns the files that Slack
        has, and their links, which need not be shown.
        """
        files, links = list[JsonObject](), list[str]()
        for place, file in enumerate(words.details.attachments):
            asked = body_of((yield Passing(place, self._upload_url)))
            url, known = asked.get("upload_url"), asked.get("file_id")
            if not self._is_slacks(url) or not isinstance(known, str):
                continue
            if (yield Passing(place, self._upload_to(url))) is not None:
                files.append({"id": known, "title": file.file_name or file.kind or "file"})
                links += words.links[place : place + 1]
        return files, links

    def _upload_url(self, file: OpenFile) -> Call | None:
        """Returns the call that asks where a file goes, None if its size is not known: Slack has
        to be told it before.
        """
        if not file.size:
            return None
        asked = {"filename": file.name or "file", "length": file.size}
        return self._read("files.getUploadURLExternal", asked)

    def _is_slacks(self, url: object) -> TypeGuard[str]:
        """Returns whether a file may go to this address."""
        hosts = (UPLOAD_HOST, host_of(self.api_url))
        return isinstance(url, str) and host_of(url) in hosts

    def _upload_to(self, url: str) -> Callable[[OpenFile], Call]:
        """Returns what makes the call that hands a file over. The address needs no token."""

        def call(file: OpenFile) -> Call:
            headers = {"content-type": file.mime_type, "content-length": str(file.size)}
            return Call("POST", url, b"", headers, timeout=UPLOAD_SECONDS, stream=file.chunks)

        return call

    def _found(self, channel: str, handoff: str, since: datetime) -> Steps[str | None]:
        """Returns the message that an earlier try has posted for this handoff: the oldest one."""
        asked = {"channel": channel, "oldest": f"{since.timestamp():.6f}"}
        posted = yield from self._all("conversations.history", asked)
        ours = [one.get("ts") for one in posted if _is_named(one, REQUEST, handoff)]
        return min((ts for ts in ours if isinstance(ts, str)), default=None)

    def _shown(self, channel: str, root: str) -> Steps[frozenset[int]]:
        """Returns which parts of the transcript an earlier try has posted."""
        replies = yield from self._replies(channel, root)
        payloads = (_payload(one, TRANSCRIPT) for one in replies)
        return frozenset(part for one in payloads if isinstance(part := one.get("part"), int))

    def _message(self, chat: Chat, ts: str) -> Steps[Message | None]:
        """Returns a message of a thread as it is now, None if it is not there any more."""
        channel, root = place_of(chat.native)
        asked = {"channel": channel, "ts": root, "oldest": ts, "latest": ts, "inclusive": "true"}
        found = body_of((yield self._read("conversations.replies", {**asked, **_ALL})))
        return next((one for one in _messages(found) if one.get("ts") == ts), None)

    def _replies(self, channel: str, root: str) -> Steps[list[Message]]:
        return (yield from self._all("conversations.replies", {"channel": channel, "ts": root}))

    def _all(self, method: str, asked: Mapping[str, object]) -> Steps[list[Message]]:
        """Returns the messages of all pages."""
        found, cursor = list[Message](), ""
        for _ in range(MOST_PAGES):
            more = {"cursor": cursor} if cursor else {}
            body = body_of((yield self._read(method, {**asked, **_ALL, "limit": PAGE, **more})))
            found += _messages(body)
            cursor = _next(body)
            if not cursor:
                break
        return found

    def _shows(self, chat: Chat, root: Message, blocks: Sequence[JsonObject]) -> Call:
        """Returns the call that changes the request. What it does not give, such as the metadata,
        stays.
        """
        channel, ts = place_of(chat.native)
        asked = {"channel": channel, "ts": ts, "text": root.get("text") or "", "blocks": blocks}
        return self._write("chat.update", asked)

    def _post(self, channel: str, message: Mapping[str, object]) -> Call:
        body = {"channel": channel, **message, **_NO_PREVIEWS}
        return self._write("chat.postMessage", body, self._paces(channel))

    def _paces(self, channel: str) -> tuple[Pace, ...]:
        return (Pace(f"slack {channel}", PER_SECOND, BURST),)

    def _write(self, method: str, body: Mapping[str, object], paces: tuple[Pace, ...] = ()) -> Call:
        headers = {"content-type": "application/json; charset=utf-8"}
        whole = pydantic_core.to_json(body)
        return Call("POST", self._url(method), whole, headers, auth=self._auth(), paces=paces)

    def _read(self, method: str, query: Mapping[str, object]) -> Call:
        """Returns a call that changes nothing: these methods take no JSON."""
        return Call("GET", f"{self._url(method)}?{urlencode(query)}", b"", auth=self._auth())

    def _url(self, method: str) -> str:
        return f"{self.api_url.rstrip('/')}/{method}"

    def _auth(self) -> str:
        if not self.bot_token:
            raise DoorClosed("SLACK_BOT_TOKEN")
        return f"bearer:{self.bot_token}"


_ALL: JsonObject = {"include_all_metadata": "true"}


def _named(kind: str, handoff: str, **more: int | str) -> JsonObject:
    """Returns the metadata by which Baton finds a message that it has posted."""
    return {"event_type": kind, "event_payload": {"handoff": handoff, **more}}


def _payload(message: Message, kind: str) -> Mapping[str, Any]:
    metadata = message.get("metadata")
    known = metadata if isinstance(metadata, dict) and metadata.get("event_type") == kind else {}
    payload = known.get("event_payload")
    return payload if isinstance(payload, dict) else {}


def _is_named(message: Message, kind: str, handoff: str) -> bool:
    return _payload(message, kind).get("handoff") == handoff


def _messages(body: Mapping[str, Any]) -> Iterator[Message]:
    found = body.get("messages")
    return (one for one in found if isinstance(one, dict)) if isinstance(found, list) else iter(())


def _blocks(message: Message) -> list[JsonObject]:
    found = message.get("blocks")
    return found if isinstance(found, list) else []


def _next(body: Mapping[str, Any]) -> str:
    known = body.get("response_metadata")
    cursor = known.get("next_cursor") if isinstance(known, dict) else None
    return cursor if isinstance(cursor, str) else ""


def _ts(answer: Answer | None) -> str | None:
    """Returns the id of the message that was posted."""
    ts = body_of(answer).get("ts")
    return ts if isinstance(ts, str) and ts else None


def _cut(text: str, limit: int) -> str:
    """Returns a text escaped, with as much of it as Slack takes."""
    return escaped(shortened(text, limit, "… [cut]", size=lambda one: len(escaped(one))))
