"""CCAI Platform as a desk: end users, chats and messages of its Apps API.

Routes, chat_created and echoes:
https://docs.cloud.google.com/contact-center/ccai-platform/docs/chat-platform-api-guide
Basic authentication, 10 requests a second:
https://docs.cloud.google.com/contact-center/ccai-platform/docs/apps-api
Some bodies are unofficial: see `names.py`.
"""

import base64
from collections.abc import Sequence
from dataclasses import field
from typing import Any
from urllib.parse import quote

import pydantic_core

from shared.errors import DoorClosed, Refused
from shared.platforms.base import Outcome, outcome_of_json
from shared.platforms.ccai.names import (
    EVERYTHING,
    KEEP_WAITING,
    NAME,
    Unofficial,
    chat,
    end_user,
    end_user_by_id,
    native_chat,
    native_end_user,
)
from shared.platforms.desk import (
    Chat,
    CustomerSignal,
    Declined,
    Opening,
    Speaker,
    Spoken,
    Standing,
    Steps,
    Words,
)
from shared.schemas.base import JsonObject
from shared.schemas.commands import CallDesk
from shared.schemas.http import Answer, Call, Pace
from shared.schemas.languages import best_of, language_of
from shared.schemas.notation import format_time
from shared.values import frozen

PER_SECOND = 10.0
# The platform's own codes. Other languages are sent by their ISO code, such as id or fil.
# https://docs.cloud.google.com/contact-center/ccai-platform/docs/virtual-agent-lang-map
LANGUAGES = (
    *("en", "en-GB", "en-CA", "es", "es-MX", "fr", "fr-CA", "pt", "pt-BR", "zh", "zh-Hant"),
    *("de", "ja", "it", "ko", "sv", "fi", "nb", "da", "nl"),
)
_OVER, _BODY_REFUSED = (404, 409, 410), (400, 422)
_SENDERS: dict[Speaker, str] = {
    "customer": "end_user",
    "bot": "virtual_agent",
    "human": "virtual_agent",
}


@frozen
class CcaiDesk:
    """`api_user` is the tenant's subdomain.

    `menu_id` is the queue for desks that configure no other.
    """

    api_url: str | None = None
    api_user: str | None = None
    api_token: str | None = field(default=None, repr=False)
    menu_id: int | None = None
    unofficial: tuple[Unofficial, ...] = EVERYTHING
    name: str = NAME

    def customer(self, identifier: str, name: str | None) -> Steps[str | None]:
        self._must_be_trusted()
        return _made_by((yield self._call("POST", "/end_users", {"identifier": identifier})))

    def open(self, opening: Opening) -> Steps[str | None]:
        command, said = opening.command, opening.said
        menu = self.menu_id if command.menu is None else command.menu
        if menu is None:
            raise DoorClosed("CCAI_MENU_ID")
        asked: JsonObject = {"menu_id": menu, "end_user_id": _number(opening.customer)}
        if language := best_of(command.language, LANGUAGES) or language_of(command.language):
            asked["lang"] = language
        asked["context"] = {"value": _context(command)}
        if Unofficial.TRANSCRIPT in self.unofficial and said:
            asked["transcript"] = [_line(one) for one in said]
        return _made_by((yield self._call("POST", "/chats", {"chat": asked})))

    def say(self, chat: Chat, words: Words) -> Steps[str | None]:
        message: JsonObject = {"type": "text", "content": words.text}
        whole: JsonObject = {"from_user_id": _number(chat.customer), "message": message}
        yield self._call("POST", f"/chats/{quote(chat.native, safe='')}/message", whole)
        return None

    def show(self, chat: Chat, standing: Standing) -> Steps[None]:
        """Does nothing: the platform shows it itself."""
        yield from ()

    def hint(self, chat: Chat, id: str, text: str) -> Steps[None]:
        """Does nothing: the platform has no messages for agents alone."""
        yield from ()

    def close(self, chat: Chat, id: str, reason: str | None) -> Steps[None]:
        """Sends the body of the reference, and after a refusal the parameters of the guide.

        https://docs.cloud.google.com/contact-center/ccai-platform/docs/chat-platform-api-endpoints
        shows the parameters in `chat`; the guide names them without it, and says that the reference
        has the schema.
        """
        path, by = f"/chats/{quote(chat.native, safe='')}", _number(chat.customer)
        parameters: JsonObject = {"status": "finished"}
        try:
            yield self._call("PATCH", path, {"finished_by_user_id": by, "chat": parameters})
        except Declined as declined:
            is_body = declined.answer.status in _BODY_REFUSED
            if not is_body or Unofficial.CLOSING not in self.unofficial:
                raise
            yield self._call("PATCH", path, {"finished_by_user_id": by, **parameters})

    def wait(self, chat: Chat, offer: str) -> Steps[None]:
        """Accepts to keep waiting, which is offered for over_capacity alone. The guide names the
        parameter; its place in the body is tried as for the end of a chat.
        """
        path = f"/chats/{quote(chat.native, safe='')}/escalations/{quote(offer, safe='')}"
        parameters: JsonObject = {"deflection_channel": KEEP_WAITING}
        try:
            yield self._call("PATCH", path, {"escalation": parameters})
        except Declined as declined:
            if declined.answer.status not in _BODY_REFUSED:
                raise
            yield self._call("PATCH", path, parameters)

    def erase(self, chat: Chat, said: Sequence[str]) -> Steps[None]:
        """Does nothing: the API deletes nothing."""
        yield from ()

    def signal(self, chat: Chat, signal: CustomerSignal) -> Call | None:
        return None

    def outcome(self, answer: Answer) -> Outcome:
        return outcome_of_json(answer)

    def refusal(self, answer: Answer) -> str | None:
        return None

    def is_over(self, answer: Answer) -> bool:
        return answer.status in _OVER

    def conversation(self, native: str) -> str:
        return chat(native)

    def native(self, conversation: str) -> str:
        return native_chat(conversation)

    def customers(self, identifier: str, customer: str) -> tuple[str, ...]:
        return end_user(identifier), end_user_by_id(customer)

    def whose(self, conversation: str) -> Steps[str | None]:
        identifier, number = native_end_user(conversation)
        return number or (yield from self.customer(identifier, None))

    def _must_be_trusted(self) -> None:
        if Unofficial.CHATS not in self.unofficial:
            raise Refused(
                "unofficial",
                "CCAI_UNOFFICIAL does not allow the bodies with which chats are created.",
            )

    def _call(self, method: str, path: str, body: JsonObject) -> Call:
        url = address_of(self.api_url, path)
        login = login_of(self.api_user, self.api_token)
        headers = {"content-type": "application/json", "authorization": login}
        paces = (Pace(f"ccai {self.api_url}", PER_SECOND),)
        return Call(method, url, pydantic_core.to_json(body), headers, paces=paces)


def address_of(api_url: str | None, path: str) -> str:
    """Returns an address of the Apps API. Raises DoorClosed."""
    if not api_url:
        raise DoorClosed("CCAI_API_URL")
    return f"{api_url.rstrip('/')}{path}"


def login_of(user: str | None, token: str | None) -> str:
    """Returns the header that proves a call. Raises DoorClosed."""
    if not user or not token:
        raise DoorClosed("CCAI_API_TOKEN" if user else "CCAI_API_USER")
    return f"Basic {base64.b64encode(f'{user}:{token}'.encode()).decode()}"


def _made_by(answer: Answer | None) -> str | None:
    """Returns the id of the created object, or None if the answer contains none."""
    try:
        found: Any = pydantic_core.from_json(answer.body if answer else b"")["id"]
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    is_id = isinstance(found, int | str) and not isinstance(found, bool) and found != ""
    return str(found) if is_id else None


def _number(native: str) -> int | str:
    return int(native) if native.isascii() and native.isdecimal() else native


def _context(command: CallDesk) -> JsonObject:
    """Returns what the agent may see.

    A virtual agent of the queue reads it as `$session.params.context`.
    """
    why: JsonObject = {"handoff_reason": command.reason} if command.reason else {}
    more: JsonObject = {"handoff_metadata": command.metadata} if command.metadata else {}
    return {**why, **more, **(command.variables or {})}


def _line(one: Spoken) -> JsonObject:
    """Returns a message of the transcript.

    There is no known sender type for a human from before the chat, so their name is put before
    their text.
    """
    text = f"{one.name}: {one.text}" if one.by == "human" and one.name else one.text
    return {
        "sender": _SENDERS[one.by],
        "timestamp": format_time(one.at),
        "content": [{"type": "text", "text": text}],
    }
