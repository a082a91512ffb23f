"""Requests of bots, desks and operators about a conversation. `api` has checked their rights
before.
"""

from datetime import timedelta

from shared.conversations.apply import Applied, apply_and_wake
from shared.conversations.id_translation import in_their_ids
from shared.conversations.resolve import led, where_it_acts
from shared.errors import AlreadyExists, BatonError, NotFound, Refused
from shared.handoff.transitions import TRACKED
from shared.logs import log
from shared.ports import Ports, Snapshot
from shared.schemas.commands import Command, SendEvent, Signal, ToCustomer
from shared.schemas.conversation import Conversation, Holder, Phase
from shared.schemas.events import Event
from shared.schemas.representative import Representative, RepresentativeType

# after a representative left; typing that began earlier is no longer shown
STILL_TYPING = timedelta(minutes=10)
LATEST = 20  # entries of the journal


async def accept(ports: Ports, event: Event) -> Applied:
    """Takes a message or event that has the caller's id. Raises AlreadyExists for an id that was
    accepted before, and Refused.
    """
    applied = await _ask(ports, event)
    known = applied.duplicate
    if known is None:
        return applied
    if known.digest not in (None, event.digest):
        raise _reused(event)
    raise AlreadyExists(
        "already-accepted", "This id was accepted before; nothing was sent again.", id=event.id
    )


async def control(ports: Ports, event: Event) -> Conversation:
    """Takes a control verb and returns the conversation. A repetition under the same requestId
    changes nothing.

    Raises Refused. Raises AlreadyExists where another caller, or another request, used this
    requestId: a claim that was not examined must not look won.
    """
    applied = await _ask(ports, event)
    known = applied.duplicate
    if known is not None and (known.digest, known.actor) not in (
        (None, None),
        (event.digest, event.key or event.actor),
    ):
        raise _reused(event)
    return applied.conversation


def _reused(event: Event) -> AlreadyExists:
    return AlreadyExists(
        "id-reused",
        "This id was accepted before, with other content; choose a new one.",
        id=event.id,
    )


async def _ask(ports: Ports, event: Event) -> Applied:
    applied = await apply_and_wake(ports, event)
    if applied.refusal is not None:
        raise applied.refusal
    return applied


async def seen(ports: Ports, conversation: str) -> Conversation:
    """Returns the stored conversation. Raises NotFound."""
    return _seen(conversation, await led(ports, conversation))


def _seen(conversation: str, found: Snapshot[Conversation] | None) -> Conversation:
    if found is None or found.value.erased:
        raise NotFound(
            "unknown-conversation", "Baton knows no such conversation.", conversation=conversation
        )
    return found.value


async def channel_of(ports: Ports, conversation: str) -> Conversation:
    """Returns the conversation on which this one acts (see `where_it_acts`). Raises NotFound."""
    return _seen(conversation, await where_it_acts(ports, conversation))


async def shown_in(ports: Ports, conversation: str) -> Conversation:
    """Returns the conversation in which its messages are shown: itself where it is a channel of the
    customer, else the one on which it acts. Raises NotFound.
    """
    found = await seen(ports, conversation)
    return (
        found if ports.policy.is_channel(found.platform) else await channel_of(ports, conversation)
    )


async def signal_typing(ports: Ports, conversation: str, signal: Signal) -> None:
    """Passes a typing signal on where that representative may begin to type, or may have begun;
    drops any other.

    Some channels show it as the answer to the customer's latest message. Raises NotFound, and
    Refused `tracked`.
    """
    channel = await channel_of(ports, conversation)
    check_delivers(channel)
    passes = _may_type if signal.kind == "TYPING_STARTED" else _may_have_typed
    if signal.representative and await passes(ports, channel, signal.representative):
        answered = signal.model_copy(update={"message_id": channel.last_message_id})
        await signal_receipt(ports, channel, answered)


def check_delivers(conversation: Conversation) -> None:
    """Raises Refused `tracked` for a conversation to whose customer Baton sends nothing."""
    if conversation.tracked:
        raise Refused(TRACKED.reason, TRACKED.message)


async def signal_receipt(ports: Ports, channel: Conversation, signal: Signal) -> None:
    """Sends a signal once, best effort."""
    platform = ports.platforms.get(channel.platform)
    try:
        theirs = await in_their_ids(ports, channel, signal.message_id)
        update = {"to": channel.address, "message_id": theirs}
        call = platform.call(signal.model_copy(update=update)) if platform else None
        if call is not None:
            await ports.sender.send(call)
    except BatonError as error:
        log("WARNING", "a signal was not sent", reason=error.reason, conversation=channel.id)


def _speaks(conversation: Conversation, representative: Representative) -> bool:
    if representative.representative_type is RepresentativeType.BOT:
        floor = conversation.floor
        is_active = floor is None or floor.holder is Holder.OURS
        may_speak = is_active and conversation.unsubscribed_at is None
        return may_speak and conversation.phase is not Phase.HUMAN
    return conversation.present(representative) is not None


async def _may_type(ports: Ports, channel: Conversation, representative: Representative) -> bool:
    """Returns whether that representative speaks and no message waits to be shown before their
    typing.
    """
    return _speaks(channel, representative) and not await _waiting(ports, channel)


async def _may_have_typed(
    ports: Ports, channel: Conversation, representative: Representative
) -> bool:
    """Returns whether the customer may see that representative type. Typing is not stored, so this
    is an estimate.

    No page of Business Messages says that a message ends the indicator, so messages sent or waiting
    do not matter. RCS and WhatsApp end it with the next message, or after 20 and 25 seconds, and
    have no event for it.

    https://developers.google.com/business-communications/business-messages/guides/how-to/message/events

    https://developers.google.com/business-communications/rcs-business-messaging/guides/build/events/send-events

    https://developers.facebook.com/documentation/business-messaging/whatsapp/typing-indicators
    """
    if _speaks(channel, representative):
        return not any(
            _frames(one, "REPRESENTATIVE_JOINED", representative)
            for one in await _waiting(ports, channel)
        )
    since = ports.clock.now() - STILL_TYPING
    if representative.representative_type is RepresentativeType.BOT:
        silenced = channel.unsubscribed_at if channel.human_since is None else channel.human_since
        return silenced is None or silenced > since
    lately = [
        one.value for one in await ports.store.latest(channel.id, LATEST) if one.value.time > since
    ]
    return any(
        _frames(one, "REPRESENTATIVE_LEFT", representative)
        for entry in lately
        for one in entry.commands
    )


async def _waiting(ports: Ports, channel: Conversation) -> list[Command]:
    """Returns the commands that wait to be shown to the customer."""
    pending = await ports.store.pending(channel.id, 0, 50)
    commands = (command for entry in pending for command in entry.value.pending)
    return [command for command in commands if isinstance(command, ToCustomer)]


def _frames(command: Command, event_type: str, representative: Representative) -> bool:
    if not isinstance(command, SendEvent):
        return False
    return (command.event_type, command.representative.name) == (event_type, representative.name)
