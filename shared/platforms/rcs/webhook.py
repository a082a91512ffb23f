"""Converts RCS for Business webhooks to events.

A Pub/Sub envelope contains a message or event of one customer.

Envelope:
https://developers.google.com/business-communications/rcs-business-messaging/guides/integrate/webhooks
Messages:
https://developers.google.com/business-communications/rcs-business-messaging/guides/build/messages/receive
Events:
https://developers.google.com/business-communications/rcs-business-messaging/guides/build/events/receive-events
"""

import base64
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from shared.errors import BadRequest
from shared.platforms.bodies import parse_signed, read_or_noted
from shared.platforms.map_links import NOWHERE, map_link
from shared.platforms.phones import NOTHING, Line, e164
from shared.platforms.unverified import SAFE, Fact
from shared.schemas.base import JsonObject
from shared.schemas.details import (
    Attachment,
    Choice,
    Details,
    Location,
    Number,
    as_number,
    kind_of_type,
)
from shared.schemas.ephemeral import Ephemeral
from shared.schemas.events import Event, Subscribed, Undelivered, Unknown, Unsubscribed
from shared.schemas.notation import sha256, time_or_none
from shared.schemas.texts import shortened
from shared.values import frozen

NAME = "rcs"
_LAUNCH = "agent_launch_event"

# The text that Google Messages sends for a customer who unsubscribes, by calling code; elsewhere
# STOP. UNVERIFIED: Google's guide gives the keywords as examples only; this table is from
# https://developer.vonage.com/en/messages/concepts/rcs-subscribe-unsubscribe
_STOP: Mapping[str, str] = {"+34": "baja", "+52": "baja", "+55": "parar"}
_AROUND = re.compile(r"^[\W_]+|[\W_]+$")  # punctuation, emoji and white space around a word
_START: Mapping[str, str] = {"+34": "alta", "+52": "alta", "+33": "démarrer", "+55": "começar"}


@frozen
class _Report:
    """The decoded `message.data`.

    `line` is the customer with our agent, `facts` the unverified facts to rely on.
    """

    body: JsonObject
    line: Line
    facts: AbstractSet[Fact] = SAFE

    def text(self, *path: str) -> str | None:
        value: object = self.body
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value if isinstance(value, str) and value else None

    def number(self, *path: str) -> Number | None:
        value: object = self.body
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return as_number(value)


def _message(report: _Report) -> list[Event]:
    """Returns the events of a text.

    The keyword that unsubscribes is not sent to bots; the one that subscribes is.
    """
    text = report.text("text")
    if text is None:
        return [_unknown(report, "text")]
    if _is_keyword(report, text, _STOP, "stop"):
        return [Unsubscribed(**report.line.common(), said=text)]
    said: list[Event] = [report.line.message(text)]
    if _is_keyword(report, text, _START, "start"):
        return [Subscribed(**report.line.common(), said=None), *said]
    return said


def _is_keyword(report: _Report, text: str, local: Mapping[str, str], everywhere: str) -> bool:
    """Returns whether the text is a keyword and nothing else but punctuation.

    The international keyword is valid in every country.
    """
    known = local if Fact.RCS_KEYWORDS in report.facts else {}
    words = {
        everywhere,
        *(word for code, word in known.items() if report.line.phone.startswith(code)),
    }
    bare = _AROUND.sub("", unicodedata.normalize("NFC", text))
    return bare.casefold() in words


def _file(report: _Report) -> list[Event]:
    """Returns the file's link as text, as Business Messages does for images."""
    name = report.text("userFile", "payload", "fileName")
    link = report.text("userFile", "payload", "fileUri")
    size = report.number("userFile", "payload", "fileSizeBytes")
    mime_type = report.text("userFile", "payload", "mimeType")
    file = Attachment(
        kind=kind_of_type(mime_type), mime_type=mime_type, file_name=name, size=size, link=link
    )
    words = link or (f"[file] {name}" if name else "[file]")
    return [report.line.message(words, Details(attachments=(file,)))]


def _location(report: _Report) -> list[Event]:
    place = report.body["location"]
    found = (
        [place.get(name) for name in ("latitude", "longitude")] if isinstance(place, dict) else []
    )
    # protobuf leaves out zeros, which are valid coordinates
    values = [0 if value is None else value for value in found]
    latitude, longitude = values or (None, None)
    where = Location(latitude=as_number(latitude), longitude=as_number(longitude))
    words = map_link(*values) if values else NOWHERE
    return [report.line.message(words, Details(location=where) if values else NOTHING)]


def _tap(report: _Report) -> list[Event]:
    """Returns the event of a tapped suggestion.

    A suggested action is sent without messageId, text and eventType.
    """
    postback = report.text("suggestionResponse", "postbackData") or ""
    choice = Details(choice=Choice(postback=postback)) if postback else NOTHING
    text = report.text("suggestionResponse", "text") or ""
    return [report.line.tap(postback, text, details=choice)]


def _receipt(report: _Report) -> list[Event | Ephemeral]:
    message, kind = report.text("messageId"), report.body["eventType"]
    if message is None:
        return [_unknown(report, str(kind))]
    return [report.line.receipt(message, "READ" if kind == "READ" else "DELIVERED")]


def _expired(report: _Report) -> list[Event]:
    """Returns that a message expired.

    Where the platform could not take it back, it may still arrive: a JOINED counts as shown.
    """
    message, kind = report.text("messageId"), str(report.body["eventType"])
    if message is None:
        return [_unknown(report, kind)]
    late = kind == "TTL_EXPIRATION_REVOKE_FAILED"
    reason = "it expired before it was delivered"
    if late:
        reason = "it expired, and the platform could not take it back: it may still arrive"
    common = report.line.common()
    return [Undelivered(**common, message=message, reason=reason, may_arrive=late)]


_EVENTS: Mapping[str, Callable[[_Report], Sequence[Event | Ephemeral]]] = {
    "DELIVERED": _receipt,
    "READ": _receipt,
    "IS_TYPING": lambda report: [report.line.typing()],
    "UNSUBSCRIBE": lambda report: [Unsubscribed(**report.line.common(), said=None)],
    "SUBSCRIBE": lambda report: [Subscribed(**report.line.common(), said=None)],
    "TTL_EXPIRATION_REVOKED": _expired,
    "TTL_EXPIRATION_REVOKE_FAILED": _expired,
}
_PAYLOADS: Mapping[str, Callable[[_Report], Sequence[Event | Ephemeral]]] = {
    "suggestionResponse": _tap,
    "userFile": _file,
    "location": _location,
    "text": _message,
}


def reported(body: bytes, facts: AbstractSet[Fact] = SAFE) -> Sequence[Event | Ephemeral]:
    """Returns the events of a genuine body.

    One that cannot be read is logged as an ERROR and never refused: all agents of a partner share
    one queue, which a single 400 would stop.
    """
    data = signed_data(body) or b""
    return read_or_noted(
        NAME,
        lambda: _reported(body, parse_signed(data), data, facts),
        lambda: _line_of(parse_signed(data), data),
    )


def _reported(
    body: bytes, message: JsonObject, data: bytes, facts: AbstractSet[Fact]
) -> Sequence[Event | Ephemeral]:
    if _is_launch(body, message):
        return []
    line = _line_of(message, data)
    if line is None:
        raise BadRequest("nobody-named", "The body names no customer or no agent.")
    return _read(_Report(message, line, facts))


def signed_data(body: bytes) -> bytes | None:
    """Returns the decoded `message.data`, which are the signed bytes, or None if the body has
    another form.
    """
    try:
        message = parse_signed(body).get("message")
        data = message.get("data") if isinstance(message, dict) else None
        return base64.b64decode(data, validate=True) if isinstance(data, str) else None
    except (BadRequest, ValueError):
        return None


def _is_launch(body: bytes, message: JsonObject) -> bool:
    """Returns whether this is a launch event of the agent itself.

    The attribute is not signed, so it is ignored if the message names a customer.
    """
    envelope = parse_signed(body)["message"]
    attributes = envelope.get("attributes") if isinstance(envelope, dict) else None
    told = attributes.get("type") if isinstance(attributes, dict) else None
    return told == _LAUNCH and "senderPhoneNumber" not in message


def _line_of(body: JsonObject, data: bytes) -> Line | None:
    """Returns the customer with our agent, or None if the body names none.

    The native id is the platform's own: `messageId` of a message, `eventId` of an event. If there
    is none, it is a hash of the bytes, which are the same in every redelivery. Events of the server
    name the customer in `phoneNumber`.
    """
    agent, phone = (
        body.get("agentId"),
        e164(body.get("senderPhoneNumber")) or e164(body.get("phoneNumber")),
    )
    if not isinstance(agent, str) or not agent or phone is None:
        return None
    ids = ("eventId", "messageId") if "eventType" in body else ("messageId", "eventId")
    native = next((one for one in map(body.get, ids) if isinstance(one, str) and one), None)
    at = time_or_none(body.get("sendTime"))
    return Line(
        NAME, agent, phone, f"{agent}|{phone}", native or sha256(data.decode("latin-1")), at
    )


def _read(report: _Report) -> Sequence[Event | Ephemeral]:
    event = report.body.get("eventType")
    if event is not None:
        read = _EVENTS.get(event) if isinstance(event, str) else None
        return read(report) if read else [_unknown(report, shortened(str(event), 64))]
    payload = next((name for name in _PAYLOADS if report.body.get(name) is not None), None)
    return _PAYLOADS[payload](report) if payload else [_unknown(report, "no known payload")]


def _unknown(report: _Report, name: str) -> Unknown:
    return Unknown(**report.line.common(), name=name)
