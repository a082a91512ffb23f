"""Translation of message ids. Receipts, taps and failures name messages by the platform's own ids;
Baton's callers know them by theirs. In the other direction, callers name a customer's message by an
id that hides the platform's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from shared.conversations.apply import where_it_acts
from shared.conversations.earlier_messages import LOOK_BACK, native_id
from shared.errors import BatonError
from shared.logs import log
from shared.platforms.suggestions import all_of
from shared.ports import Ports
from shared.schemas.base import JsonObject
from shared.schemas.commands import Listener, SendMessage
from shared.schemas.content import Tap
from shared.schemas.conversation import Conversation
from shared.schemas.ephemeral import Ephemeral, Receipt
from shared.schemas.events import (
    BotMessage,
    Event,
    HumanMessage,
    HumanRequested,
    SuggestionResponse,
    Undelivered,
    UserMessage,
)
from shared.schemas.ids import entry_id, is_hidden, platform_of

_BEFORE = "/messages/"  # of the id, where a message is named in full
_SAID = (BotMessage.kind, HumanMessage.kind)  # other messages are Baton's own
_OWN_ACTS = (UserMessage.kind, SuggestionResponse.kind, HumanRequested.kind)


@dataclass(frozen=True, slots=True)
class _Sent:
    """The messages sent lately, the newest first, and the callers' ids by the platform's own."""

    ids: Mapping[str, str]
    messages: Sequence[SendMessage]
    senders: Mapping[str, Listener]

    def offered(self, name: str | None, postback: str) -> tuple[str, Tap, str] | None:
        """Returns id, suggestion and kind of the message that offered this suggestion: of the named
        message, else of the newest that did.
        """
        for message in self.messages:
            if name in (None, message.id):
                for suggestion in all_of(message.content):
                    tap = suggestion.reply or suggestion.action
                    if tap is not None and (tap.postback_data or tap.text) == postback:
                        return message.id, tap, "REPLY" if suggestion.reply else "ACTION"
        return None


async def in_their_ids(ports: Ports, channel: Conversation, message: str | None) -> str | None:
    """Returns the platform's own id of a customer's message; None where it is hidden and no longer
    stored.
    """
    if message is None or ports.policy.of(channel.platform).caller_ids or not is_hidden(message):
        return message
    for kind in _OWN_ACTS:
        entry = await ports.store.entry(channel.channel, entry_id(channel.channel, kind, message))
        if entry is not None and entry.value.native_id is not None:
            return entry.value.native_id
    return None


async def in_our_ids(
    ports: Ports, reported: Sequence[Event | Ephemeral]
) -> list[Event | Ephemeral]:
    """Returns what a platform reported, its messages named by the callers' ids where they are
    stored.
    """
    read: dict[str, _Sent] = {}
    return [
        await _translated(ports, one, read) if _names_a_message(ports, one) else one
        for one in reported
    ]


def _names_a_message(ports: Ports, one: Event | Ephemeral) -> bool:
    knows_theirs = ports.policy.of(platform_of(one.source)).caller_ids
    return not knows_theirs and isinstance(one, Receipt | SuggestionResponse | Undelivered)


async def _translated(
    ports: Ports, one: Event | Ephemeral, read: dict[str, _Sent]
) -> Event | Ephemeral:
    try:
        if one.source not in read:
            read[one.source] = await _sent(ports, one.source)
        sent = read[one.source]
    except BatonError as error:
        log(
            "WARNING",
            "a message keeps the platform's id",
            reason=error.reason,
            conversation=one.source,
        )
        return one
    if isinstance(one, Undelivered):
        ours = sent.ids.get(one.message, one.message)
        return one.model_copy(update={"message": ours, "by": sent.senders.get(ours)})
    if isinstance(one, SuggestionResponse):
        return _tapped(one, sent)
    if isinstance(one, Receipt):
        return one.model_copy(update={"form": _renamed(one.form, sent.ids)})
    return one


async def _sent(ports: Ports, source: str) -> _Sent:
    acting = await where_it_acts(ports, source, fresh=False)
    conversation = acting.value.id if acting else source
    entries = await ports.store.latest(conversation, LOOK_BACK)
    commands = [command for entry in entries for command in reversed(entry.value.commands)]
    found = [(native_id(ports, conversation, command), command.id) for command in commands]
    messages = [command for command in commands if isinstance(command, SendMessage)]
    senders: dict[str, Listener] = {
        command.id: command.representative.representative_type.value
        for entry in entries
        if entry.value.kind in _SAID
        for command in entry.value.commands
        if isinstance(command, SendMessage)
    }
    ids = {native: ours for native, ours in found if native is not None}
    return _Sent(ids, messages, senders)


def _tapped(event: SuggestionResponse, sent: _Sent) -> SuggestionResponse:
    """Returns a tap with what the platform leaves out: the message that offered the suggestion, its
    text and its kind.
    """
    tapped = event.form["suggestionResponse"]
    if not isinstance(tapped, dict):
        return event
    tapped = _named(tapped, sent.ids)
    name = str(tapped["message"]).rpartition(_BEFORE)[2] if "message" in tapped else None
    offered = sent.offered(name, str(tapped.get("postbackData", "")))
    if offered is not None:
        message, suggestion, kind = offered
        found: JsonObject = {
            "message": f"conversations/{event.source}{_BEFORE}{message}",
            "type": kind,
        }
        tapped = {
            **tapped,
            **found,
            "suggestionType": kind,
            "text": tapped.get("text") or suggestion.text,
        }
    said = event.said or str(tapped.get("text", "")) or None
    return event.model_copy(
        update={"form": {**event.form, "suggestionResponse": tapped}, "said": said}
    )


def _renamed(form: JsonObject, known: Mapping[str, str]) -> JsonObject:
    receipts = form.get("receipts")
    every = receipts.get("receipts") if isinstance(receipts, dict) else None
    if not isinstance(receipts, dict) or not isinstance(every, list):
        return form
    named: list[JsonValue] = [_named(one, known) if isinstance(one, dict) else one for one in every]
    return {**form, "receipts": {**receipts, "receipts": named}}


def _named(one: JsonObject, known: Mapping[str, str]) -> JsonObject:
    """Returns a receipt or tap with its `message` renamed, be it a bare id or a full name."""
    message = one.get("message")
    if not isinstance(message, str):
        return one
    before, slashes, native = message.rpartition(_BEFORE)
    return {**one, "message": before + slashes + known.get(native, native)}
