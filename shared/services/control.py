"""What bots, desks and operators may ask of a conversation. Who may ask is settled before, in `api`."""

from shared.errors import AlreadyExists, BatonError, NotFound, Refused
from shared.handoff.transitions import TRACKED
from shared.logs import log
from shared.ports import Ports
from shared.schemas.commands import Lane, Signal, State
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.events import Event
from shared.schemas.representative import Representative, RepresentativeType
from shared.services.apply import Applied, apply, wake
from shared.services.native_ids import in_their_ids


async def accept(ports: Ports, event: Event) -> None:
    """Takes a message or event with an id of the caller's. Raises AlreadyExists for an id accepted before, Refused."""
    known = (await _ask(ports, event)).duplicate
    if known is None:
        return
    if known.digest not in (None, event.digest):
        raise _reused(event)
    raise AlreadyExists("already-accepted", "This id was accepted before; nothing was sent again.", id=event.id)


async def control(ports: Ports, event: Event) -> Conversation:
    """Takes a control verb and returns the conversation; repeated under its requestId it changes nothing more.

    Raises Refused, and AlreadyExists where somebody else, or something else, had this requestId: a claim that was never
    looked at must not look won.
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
    return AlreadyExists("id-reused", "This id was accepted before, with other content; choose a new one.", id=event.id)


async def _ask(ports: Ports, event: Event) -> Applied:
    applied = await apply(ports, event)
    if applied.refusal is None or applied.emits:
        await wake(ports, applied.conversation.id)
    if applied.refusal is not None:
        raise applied.refusal
    return applied


async def seen(ports: Ports, conversation: str) -> Conversation:
    """Returns the conversation as it stands in the store. Raises NotFound."""
    snapshot = await ports.store.load(conversation)
    if snapshot is None or snapshot.value.erased:
        raise NotFound("unknown-conversation", "Baton knows no such conversation.", conversation=conversation)
    return snapshot.value


async def channel_of(ports: Ports, conversation: str) -> Conversation:
    """Returns the conversation that acts: the channel's, where this one is linked. Raises NotFound."""
    found = await seen(ports, conversation)
    return await seen(ports, found.linked_to) if found.linked_to else found


async def shown_in(ports: Ports, conversation: str) -> Conversation:
    """Returns where its messages are shown: a channel of the customer shows its own. Raises NotFound."""
    found = await seen(ports, conversation)
    return found if ports.policy.is_channel(found.platform) else await channel_of(ports, conversation)


async def signal_typing(ports: Ports, conversation: str, signal: Signal) -> None:
    """Passes typing on if that representative is the one who speaks and nothing waits before it; else drops it.

    Some channels show it as the answer to the customer's latest message. Raises NotFound, Refused `tracked`.
    """
    channel = await channel_of(ports, conversation)
    check_delivers(channel)
    if signal.representative and _speaks(channel, signal.representative) and await _is_clear(ports, channel.id):
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
        return conversation.phase is not Phase.HUMAN and conversation.unsubscribed_at is None
    return conversation.present(representative) is not None


async def _is_clear(ports: Ports, conversation: str) -> bool:
    pending = await ports.store.pending(conversation, 0, 50)
    commands = (command for entry in pending for command in entry.value.commands)
    return not any(command.lane is Lane.CHANNEL and command.state is State.PENDING for command in commands)
