"""Google Chat as a desk: a thread for each handoff, in the space that the desk's row names.

https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create
https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/patch

An app posts only as itself, so the customer's name stands before their words. It cannot upload
files: https://developers.google.com/workspace/chat/api/reference/rest/v1/media/upload requires a
user. Files are links, and pictures are shown from theirs.
"""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import pydantic_core

from shared.errors import Refused
from shared.platforms.base import Outcome, error_status
from shared.platforms.desk import (
    Chat,
    CustomerSignal,
    Declined,
    Opening,
    Standing,
    Steps,
    Words,
)
from shared.platforms.google import outcome_of
from shared.platforms.google_chat.cards import (
    OVER,
    deleted_text,
    edited_text,
    erased_message,
    over_message,
    plain,
    request_message,
    said_messages,
    standing_message,
)
from shared.platforms.google_chat.names import (
    NAME,
    SPACE,
    chat,
    message_id,
    native_chat,
    space_name,
    thread_key,
    thread_name,
)
from shared.platforms.threads import request_of
from shared.schemas.base import JsonObject
from shared.schemas.http import Answer, Call, Pace
from shared.schemas.notation import command_id
from shared.values import frozen

# https://developers.google.com/workspace/chat/limits: writes in one space, all apps together
PER_SECOND_IN_SPACE = 1.0
MOST_PIECES = 50  # messages of one customer's message
REQUEST = "request"  # the message from which a thread starts
MASKS = {"text": "text", "accessoryWidgets": "accessory_widgets", "cardsV2": "cards_v2"}


@frozen
class GoogleChatDesk:
    """A ChatDesk. `auth` is that of a service account of the Chat app's project."""

    api_url: str = "https://chat.googleapis.com"
    auth: str = "none"
    name: str = NAME

    def customer(self, identifier: str, name: str | None) -> Steps[str | None]:
        """Makes no call: an app does not make users."""
        yield from ()
        return identifier

    def open(self, opening: Opening) -> Steps[str | None]:
        """Starts a thread. A repetition finds it, by the id of its first message."""
        command = opening.command
        space = command.place
        if space is None or not SPACE.fullmatch(space):
            raise Refused("no-space", "The desk's place must name a space, like spaces/AAAA.")
        handoff = command.handoff or command.id
        message = request_message(request_of(opening), opening.said, opening.page)
        thread: JsonObject = {"threadKey": thread_key(handoff)}
        answer = yield self._create(space, handoff, REQUEST, message, thread)
        found = _at(answer, "thread", "name")
        if found is None:  # it was posted before, and the answer does not say where
            path = f"{space}/messages/{message_id(handoff, REQUEST)}"
            found = _at((yield self._call("GET", path, space)), "thread", "name")
        return native_chat(found)

    def say(self, chat: Chat, words: Words) -> Steps[str | None]:
        """Posts the customer's words, changes what they have changed, and takes back what they
        have deleted. Returns the resource name, by which people's answers name the message.
        """
        details = words.details
        if words.about and (details.edited or details.revoked):
            text = deleted_text(words) if details.revoked else edited_text(words)
            with contextlib.suppress(Declined):  # somebody has deleted that message there
                yield self._change(chat, words.about, {"text": text})
                return words.about
        names = []
        for place, message in enumerate(said_messages(words)):
            answer = yield self._post(chat, words.id, str(place), message)
            names.append(_at(answer, "name") or message_id(words.id, str(place)))
        return names[0]

    def show(self, chat: Chat, standing: Standing) -> Steps[None]:
        yield self._change(chat, _request_id(chat), standing_message(standing.people))

    def hint(self, chat: Chat, id: str, text: str) -> Steps[None]:
        yield self._post(chat, id, "hint", {"text": plain(text)})

    def close(self, chat: Chat, id: str, reason: str | None) -> Steps[None]:
        if chat.handoff:
            yield self._change(chat, _request_id(chat), over_message())
        yield self._post(chat, id, "over", {"text": OVER})

    def erase(self, chat: Chat, said: Sequence[str]) -> Steps[None]:
        """Removes what the first message shows, and deletes the customer's words below it: an app
        may not list the messages of a thread, and their ids follow from those of the words.
        """
        if chat.handoff:
            yield self._change(chat, _request_id(chat), erased_message())
        space = space_name(chat.native)
        for one in said:
            for place in range(MOST_PIECES):
                path = f"{space}/messages/{message_id(one, str(place))}"
                try:  # to ask costs nothing, and an erase may be asked for again
                    yield self._call("GET", path, space)
                    yield self._call("DELETE", path, space)
                except Declined:
                    break

    def signal(self, chat: Chat, signal: CustomerSignal) -> Call | None:
        """Returns None: an app can show neither typing nor what was read."""
        return None

    def outcome(self, answer: Answer) -> Outcome:
        """ALREADY_EXISTS means that an earlier try has posted the message. A page of a proxy is no
        answer of Google Chat's.
        """
        outcome = outcome_of(answer)
        is_answer = answer.status != 200 or answer.body.lstrip().startswith(b"{")
        return outcome if is_answer else Outcome.TRANSIENT

    def refusal(self, answer: Answer) -> str | None:
        return error_status(answer)

    def is_over(self, answer: Answer) -> bool:
        """Returns whether the thread or its space is gone. What else may be missing is made again,
        or posted anew.
        """
        return answer.status == 404

    def conversation(self, native: str) -> str:
        return chat(native)

    def native(self, conversation: str) -> str:
        return conversation.removeprefix(f"{NAME}:")

    def customers(self, identifier: str, customer: str) -> tuple[str, ...]:
        return ()

    def whose(self, conversation: str) -> Steps[str | None]:
        yield from ()
        return conversation

    def _post(self, chat: Chat, of: str, what: str, message: Mapping[str, Any]) -> Call:
        thread: JsonObject = {"name": thread_name(chat.native)}
        return self._create(space_name(chat.native), of, what, message, thread)

    def _create(
        self, space: str, of: str, what: str, message: Mapping[str, Any], thread: JsonObject
    ) -> Call:
        """Returns the call that posts a message. The same `of` and `what` are the same message:
        Google Chat answers a repetition with the message that it has.

        Where the thread is gone it fails: in a thread of its own nobody could answer it.
        """
        query = {
            "requestId": command_id(NAME, of, f"{what} request"),
            "messageId": message_id(of, what),
            "messageReplyOption": "REPLY_MESSAGE_OR_FAIL",
        }
        return self._call("POST", f"{space}/messages", space, query, {**message, "thread": thread})

    def _change(self, chat: Chat, message: str, changed: Mapping[str, Any]) -> Call:
        """Returns the call that changes one of Baton's messages. One with an id of Baton's is made
        again in its thread where somebody has deleted it.
        """
        query = {"updateMask": ",".join(MASKS[name] for name in changed if name in MASKS)}
        space, body = space_name(chat.native), {**changed}
        if message.startswith("client-"):
            query["allowMissing"] = "true"
            body["thread"] = {"name": thread_name(chat.native)}
            message = f"{space}/messages/{message}"
        return self._call("PATCH", message, space, query, body)

    def _call(
        self,
        method: str,
        path: str,
        space: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Call:
        url = f"{self.api_url.rstrip('/')}/v1/{path}{f'?{urlencode(query)}' if query else ''}"
        sent = b"" if body is None else pydantic_core.to_json(body)
        headers = {} if body is None else {"content-type": "application/json"}
        paces = (Pace(f"google_chat {space}", PER_SECOND_IN_SPACE),) if method != "GET" else ()
        return Call(method, url, sent, headers, self.auth, paces=paces)


def _request_id(chat: Chat) -> str:
    return message_id(chat.handoff, REQUEST)


def _at(answer: Answer | None, *path: str) -> str | None:
    """Returns the text at a path of an answer, None where there is none."""
    try:
        value: Any = pydantic_core.from_json(answer.body if answer else b"")
        for name in path:
            value = value[name]
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    return value if isinstance(value, str) else None
