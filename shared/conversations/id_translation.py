"""Translation of message ids. Receipts, taps and failures name messages by the platform's own ids;
Baton's callers know them by theirs. In the other direction, callers name a customer's message by an
id that hides the platform's.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from pydantic import JsonValue

from shared.conversations.resolve import where_it_acts
from shared.errors import BatonError
from shared.logs import log
from shared.platforms.suggestions import all_of
from shared.ports import Ports
from shared.schemas.base import JsonObject
from shared.schemas.commands import Listener, SendMessage, ToCustomer
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
from shared.schemas.journal import JournalEntry
from shared.schemas.notation import entry_id, is_hidden, platform_of, sent_key
from shared.values import frozen

LOOK_BACK = 50  # entries of the journal, for the tap of a suggestion that names no message
NOT_ON_RECORD_YET, YOUNG = 2.0, timedelta(minutes=1)
_BEFORE = "/messages/"  # of the id, where a message is named in full
_SAID = (BotMessage.kind, HumanMessage.kind)  # other messages are Baton's own
# reports that name a message by the platform's own id
NAMES_A_MESSAGE = Undelivered | SuggestionResponse | Receipt
_OWN_ACTS = (UserMessage.kind, SuggestionResponse.kind, HumanRequested.kind)


async def in_their_ids(ports: Ports, channel: Conversation, message: str | None) -> str | None:
    """Returns the platform's own id of a customer's message; None where it is hidden and no longer
    stored.
    """
    if message is None or ports.policy.of(channel.platform).caller_ids or not is_hidden(message):
        return message
    for source in (channel.channel, *(former.id for former in channel.formerly)):
        for kind in _OWN_ACTS:
            entry = await ports.store.entry(source, entry_id(source, kind, message))
            if entry is not None and entry.value.native_id is not None:
                return entry.value.native_id
    return None


async def in_our_ids(
    ports: Ports, one: Event | Ephemeral, seconds: float = NOT_ON_RECORD_YET
) -> Event | Ephemeral | None:
    """Returns what a platform reported, with its messages under the callers' ids; None for a report
    about messages that Baton did not send, such as a campaign's on the same number.

    A report acts in the conversation whose message it names, whatever name it gives the customer.
    A failure may be reported before the answer to its call is on record: one that is younger than
    a minute is looked for once more after so many `seconds`. Raises Unavailable for a failure that
    cannot be looked up; anything else then keeps the platform's id.
    """
    if ports.policy.of(platform_of(one.source)).caller_ids:
        return one
    if isinstance(one, Undelivered):
        return await _failed(ports, one, seconds)
    try:
        if isinstance(one, SuggestionResponse):
            return await _tapped(ports, one)
        return await _received(ports, one) if isinstance(one, Receipt) else one
    except BatonError as error:
        log(
            "WARNING",
            "a message keeps the platform's id",
            reason=error.reason,
            conversation=one.source,
        )
        return one


async def _failed(ports: Ports, event: Undelivered, seconds: float) -> Undelivered | None:
    found = await _sent_as(ports, event.source, event.message)
    at = event.occurred_at
    if found is None and at is not None and ports.clock.now() - at < YOUNG:
        await asyncio.sleep(seconds)
        found = await _sent_as(ports, event.source, event.message)
    if found is None:
        return None
    # without an address it opens no conversation
    update = {"source": found.channel, "message": found.message.id, "address": None}
    return event.model_copy(update={**update, "by": found.by})


async def _received(ports: Ports, receipt: Receipt) -> Receipt | None:
    """Returns a receipt for the messages that Baton sent, None where it names others only."""
    receipts = receipt.form.get("receipts")
    every = receipts.get("receipts") if isinstance(receipts, dict) else None
    if not isinstance(receipts, dict) or not isinstance(every, list):
        return receipt
    named: list[JsonValue] = []
    source = receipt.source
    for one in every:
        native = _native_of(one)
        found = await _sent_as(ports, receipt.source, native) if native is not None else None
        if found is not None:
            source = found.channel
        if native is None or found is not None:
            named.append(_named(one, source, found) if isinstance(one, dict) else one)
    if not named and every:
        return None
    form = {**receipt.form, "receipts": {**receipts, "receipts": named}}
    if "conversationId" in form and source != receipt.source:
        form["conversationId"] = source
    return receipt.model_copy(update={"source": source, "form": form})


@frozen
class _Sent:
    """A message that Baton sent, and the channel on which it was shown. `by` is whose it is, None
    for Baton's own words.
    """

    message: ToCustomer
    channel: str
    by: Listener | None


async def _sent_as(ports: Ports, source: str, native: str) -> _Sent | None:
    """Returns the message that the platform of `source` knows by this id."""
    platform = platform_of(source)
    found = await ports.store.sent_as(sent_key(platform, native))
    if found is None:
        return None
    entry = found.value
    of = (one for one in entry.commands if isinstance(one, ToCustomer) and one.native_id == native)
    return next(
        (
            _Sent(one, channel, _speaker(entry, one))
            for one in of
            if platform_of(channel := one.shown_in(entry.conversation)) == platform
        ),
        None,
    )


def _speaker(entry: JournalEntry, sent: ToCustomer) -> Listener | None:
    has_waited = isinstance(sent, SendMessage) and sent.waited
    is_said = entry.kind in _SAID or has_waited
    return sent.representative.representative_type.value if is_said else None


async def _tapped(ports: Ports, event: SuggestionResponse) -> SuggestionResponse:
    """Returns a tap with what the platform leaves out: the message that offered the suggestion, its
    text and its kind.
    """
    tapped = event.form["suggestionResponse"]
    if not isinstance(tapped, dict):
        return event
    native = _native_of(tapped)
    if native is not None:
        found = await _sent_as(ports, event.source, native)
        tapped = _named(tapped, event.source, found)
        messages = [found.message] if found and isinstance(found.message, SendMessage) else []
    else:
        messages = await _sent_lately(ports, event.source)
    offered = _offered(messages, str(tapped.get("postbackData", "")))
    if offered is not None:
        message, suggestion, kind = offered
        told: JsonObject = {
            "message": f"conversations/{event.source}{_BEFORE}{message}",
            "type": kind,
        }
        tapped = {
            **tapped,
            **told,
            "suggestionType": kind,
            "text": tapped.get("text") or suggestion.text,
        }
    said = event.said or str(tapped.get("text", "")) or None
    return event.model_copy(
        update={"form": {**event.form, "suggestionResponse": tapped}, "said": said}
    )


async def _sent_lately(ports: Ports, source: str) -> list[SendMessage]:
    """Returns the messages sent lately, the newest first."""
    acting = await where_it_acts(ports, source, fresh=False)
    entries = await ports.store.latest(acting.value.id if acting else source, LOOK_BACK)
    commands = [command for entry in entries for command in reversed(entry.value.commands)]
    return [command for command in commands if isinstance(command, SendMessage)]


def _offered(messages: Sequence[SendMessage], postback: str) -> tuple[str, Tap, str] | None:
    """Returns id, suggestion and kind of the first message that offered this suggestion."""
    for message in messages:
        for suggestion in all_of(message.content):
            tap = suggestion.reply or suggestion.action
            if tap is not None and (tap.postback_data or tap.text) == postback:
                return message.id, tap, "REPLY" if suggestion.reply else "ACTION"
    return None


def _native_of(one: JsonValue) -> str | None:
    """Returns the message that a receipt or tap names, be it by a bare id or a full name."""
    message = one.get("message") if isinstance(one, dict) else None
    return message.rpartition(_BEFORE)[2] if isinstance(message, str) else None


def _named(one: JsonObject, channel: str, found: _Sent | None) -> JsonObject:
    """Returns a receipt or tap with its `message` renamed; a full name stays one."""
    message = one.get("message")
    if found is None or not isinstance(message, str):
        return one
    full = f"conversations/{channel}{_BEFORE}" if _BEFORE in message else ""
    return {**one, "message": full + found.message.id}
