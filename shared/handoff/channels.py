"""One customer on several channels. Baton answers on the channel where they wrote last, and each
channel keeps its own frames.

A conversation's own fields describe the channel in use; `elsewhere` keeps what the others last
showed. When the customer moves to another channel, a human who was never shown there is introduced
before their next message, and one who has left since is shown as LEFT. So each channel shows whole
frames.

A platform may let several senders answer one customer. Who is active there is known by what the
platform reports and by what it accepted of ours. The latest word of the platform's own clock
counts. Some platforms count whole seconds, so within one second a word of a higher rank counts:
what was only heard, what came to us, and a report that the floor moved.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from shared.schemas.conversation import Channel, Conversation, Floor, Holder, OwnAct, Participant

# The message that says STOP, in any language, must not end the unsubscribing that it caused.
KEYWORD_FOLLOWS = timedelta(seconds=10)
HEARD, TO_US, MOVED = 0, 1, 2
LAPSES_AFTER = timedelta(days=1)  # a sender of whom nothing was heard since is not active any more
_OURS = Holder.OURS
_Update = Mapping[str, object]
_Channel = Channel | Conversation  # the channel in use has its fields in the conversation


def in_use(conversation: Conversation) -> Channel:
    """Returns the channel in use, with the humans whom it shows as present."""
    return Channel(
        id=conversation.channel,
        address=conversation.address,
        strong_address=conversation.strong_address,
        unreachable=conversation.unreachable,
        last_user_at=conversation.last_user_at,
        last_message_id=conversation.last_message_id,
        unsubscribed_at=conversation.unsubscribed_at,
        shown=(*(human for human in conversation.humans if human.told), *conversation.left_unseen),
        floor=conversation.floor,
    )


def all_of(conversation: Conversation) -> tuple[Channel, ...]:
    """Returns every channel of the customer, the one in use first."""
    return (in_use(conversation), *conversation.elsewhere)


def moved(conversation: Conversation, to: str) -> Conversation:
    """Returns the conversation with `to` in use, one of the customer's channels."""
    there = next((one for one in conversation.elsewhere if one.id == to), None)
    if there is None:
        return conversation
    others = (*(one for one in conversation.elsewhere if one.id != to), in_use(conversation))
    return _speaking_on(conversation.model_copy(update={"elsewhere": others}), there)


def _speaking_on(conversation: Conversation, there: Channel) -> Conversation:
    shown = {human.representative.name: human for human in there.shown}
    here = {human.representative.name for human in conversation.humans}
    update = {
        "speaks_on": None if there.id == conversation.id else there.id,
        "address": there.address,
        "strong_address": there.strong_address,
        "unreachable": there.unreachable,
        "last_user_at": there.last_user_at,
        "last_message_id": there.last_message_id,
        "unsubscribed_at": there.unsubscribed_at,
        "floor": there.floor,
        "humans": tuple(
            _as_shown(human, shown.get(human.representative.name)) for human in conversation.humans
        ),
        "left_unseen": tuple(human for name, human in shown.items() if name not in here),
    }
    return conversation.model_copy(update=update)


def not_shown(conversation: Conversation, frame: str) -> Conversation:
    """Returns the conversation without a JOINED that never arrived, on any of its channels."""
    humans = (
        human.model_copy(update={"told": human.told and human.frame != frame})
        for human in conversation.humans
    )
    elsewhere = _shown_elsewhere(conversation, lambda human: human.frame != frame)
    return conversation.model_copy(update={"humans": tuple(humans), "elsewhere": elsewhere})


def without_app(conversation: Conversation) -> Conversation:
    """Returns the conversation without humans in a channel's own app. No channel shows that they
    left, because none has announced them.
    """
    humans = tuple(human for human in conversation.humans if not human.app)
    gone = {human.representative.name for human in conversation.humans if human.app}
    elsewhere = _shown_elsewhere(
        conversation, lambda human: not human.app or human.representative.name not in gone
    )
    return conversation.model_copy(update={"humans": humans, "elsewhere": elsewhere})


def _shown_elsewhere(
    conversation: Conversation, stays: Callable[[Participant], bool]
) -> tuple[Channel, ...]:
    return tuple(
        one.model_copy(update={"shown": tuple(filter(stays, one.shown))})
        for one in conversation.elsewhere
    )


def _as_shown(human: Participant, shown: Participant | None) -> Participant:
    """Returns a human in the frame that stands open on the channel, if one does."""
    return human.model_copy(
        update={"told": shown is not None, "frame": shown.frame if shown else human.frame}
    )


def acted(
    conversation: Conversation,
    source: str,
    at: datetime,
    message: str,
    address: str | None = None,
    strong_address: str | None = None,
) -> Conversation:
    """Returns the conversation after the customer did something on `source`. That opens the
    channel's window, ends their unsubscribing, and gives their addresses there.
    """

    def after(channel: _Channel) -> _Update:
        known, since = channel.last_user_at, channel.unsubscribed_at
        ends = since is not None and at > since + KEYWORD_FOLLOWS
        update: dict[str, object] = {"unsubscribed_at": None if ends else since}
        if known is None or at >= known:
            update["last_user_at"], update["last_message_id"] = at, message
            if address:
                update.update(_addresses(channel, address, strong_address))
        return update

    return _on(conversation, source, after)


def readdressed(
    conversation: Conversation,
    source: str,
    at: datetime,
    address: str | None,
    strong_address: str | None,
) -> Conversation:
    """Returns the conversation after a report that the customer's names have changed."""

    def after(channel: _Channel) -> _Update:
        is_late = channel.last_user_at is not None and at < channel.last_user_at
        return {} if is_late or not address else _addresses(channel, address, strong_address)

    return _on(conversation, source, after)


def without_number(conversation: Conversation, source: str) -> Conversation:
    """Returns the conversation after the number of its channel `source` has become another
    customer's.
    """
    return _on(
        conversation,
        source,
        lambda one: (
            {"address": one.strong_address} if one.strong_address else {"unreachable": True}
        ),
    )


def _addresses(channel: _Channel, address: str, strong_address: str | None) -> _Update:
    strong = strong_address or channel.strong_address
    return {"address": address, "strong_address": strong, "unreachable": False}


def active(floor: Floor | None, own_act: OwnAct | None, now: datetime) -> Holder:
    """Returns who is active. OURS where the platform never said that it knows several senders.

    `own_act` counts where it is later than the platform's latest word.
    """
    if floor is None:
        return _OURS
    holder = floor.holder
    if own_act is not None and (floor.since is None or own_act.at > floor.since):
        holder = Holder.OPEN if own_act.gave else Holder.OURS
    elif holder is Holder.THEIRS and floor.since and now - floor.since >= LAPSES_AFTER:
        holder = Holder.OPEN
    return Holder.OPEN if floor.handing_back and holder is Holder.OURS else holder


def noted(known: Floor | None, holder: Holder, at: datetime | None, rank: int) -> Floor:
    """Returns the floor after a word of the platform; unchanged where that word is older than the
    latest one. A word without a time counts as now.
    """
    if known is None:
        return Floor(holder=holder, since=at, rank=rank, shared=holder is Holder.THEIRS)
    if _is_late(known, at, rank):
        return known
    theirs = holder is Holder.THEIRS
    update = {
        "holder": holder,
        "since": at or known.since,
        "rank": rank,
        "handing_back": known.handing_back and theirs,
        "shared": known.shared or theirs,
    }
    return known.model_copy(update=update)


def _is_late(known: Floor, at: datetime | None, rank: int) -> bool:
    """Returns whether a word of the platform is older than the latest one."""
    if known.since is None or at is None:
        return False
    return (at, rank) < (known.since, known.rank)


def later(one: Floor | None, other: Floor | None) -> Floor | None:
    """Returns the floor of two conversations that turn out to be one: the later word counts."""
    if one is None or other is None:
        return one or other
    if other.since is None:
        return one
    is_older = one.since is None or (one.since, one.rank) < (other.since, other.rank)
    return other if is_older else one


def floor_of(conversation: Conversation, source: str) -> Floor | None:
    """Returns who is active on one of the customer's channels, as far as that is known."""
    if source == conversation.channel:
        return conversation.floor
    return next(one.floor for one in conversation.elsewhere if one.id == source)


def with_floor(conversation: Conversation, source: str, floor: Floor) -> Conversation:
    """Returns the conversation with who is active on one of its channels."""
    return _on(conversation, source, lambda _: {"floor": floor})


def unsubscribed(conversation: Conversation, source: str, at: datetime) -> Conversation:
    """A word older than the customer's last one there changes nothing."""
    return _on(
        conversation,
        source,
        lambda one: (
            {"unsubscribed_at": at} if one.last_user_at is None or at >= one.last_user_at else {}
        ),
    )


def subscribed(conversation: Conversation, source: str, at: datetime) -> Conversation:
    """A word older than the last one changes nothing."""
    return _on(
        conversation,
        source,
        lambda one: {
            "unsubscribed_at": one.unsubscribed_at
            if one.unsubscribed_at and at < one.unsubscribed_at
            else None
        },
    )


def _on(
    conversation: Conversation, source: str, change: Callable[[_Channel], _Update]
) -> Conversation:
    """Returns the conversation with one of its channels changed."""
    if source == conversation.channel:
        return conversation.model_copy(update=change(conversation))
    others = (
        one.model_copy(update=change(one)) if one.id == source else one
        for one in conversation.elsewhere
    )
    return conversation.model_copy(update={"elsewhere": tuple(others)})


def followed(conversation: Conversation, source: str, at: datetime) -> Conversation:
    """Returns the conversation with the channel in use on which the customer wrote last. A late
    event does not move them back.

    Some platforms count whole seconds, so events of one second keep the order of arrival.
    """
    if source == conversation.channel:
        return conversation
    latest = conversation.last_user_at
    late = latest is not None and at.replace(microsecond=0) < latest.replace(microsecond=0)
    return conversation if late else moved(conversation, source)


def waiting_of(one: Conversation, two: Conversation) -> _Update:
    """Returns what waits for a customer who has both conversations, in the order of acceptance,
    and the later template.
    """
    every = sorted((*one.waiting, *two.waiting), key=lambda waits: waits.since)
    sent = filter(None, (one.reopening, two.reopening))
    latest = max(sent, key=lambda template: template.at, default=None)
    return {"waiting": tuple(every), "reopening": latest}


def joined(primary: Conversation, other: Conversation) -> Conversation:
    """Returns `primary` with the channel of `other`, which is the same customer's. The channel on
    which they wrote last is in use.
    """
    past = tuple(dict.fromkeys((*primary.past_chats, *other.past_chats)))
    added = primary.model_copy(
        update={"elsewhere": (*primary.elsewhere, in_use(other)), "past_chats": past}
    )
    theirs, ours = other.last_user_at, primary.last_user_at
    return (
        moved(added, other.id) if theirs is not None and (ours is None or theirs > ours) else added
    )


def parted(primary: Conversation, other: str) -> tuple[Conversation, Channel | None]:
    """Returns `primary` without the channel `other`, and that channel."""
    remains = moved(primary, primary.id) if primary.channel == other else primary
    gone = next((one for one in remains.elsewhere if one.id == other), None)
    kept = tuple(one for one in remains.elsewhere if one.id != other)
    return remains.model_copy(update={"elsewhere": kept}), gone
