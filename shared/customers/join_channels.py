"""One customer on several channels: `to` holds their conversation from then on, and events of the
other conversation act on it.

Before and after a join, two outboxes deliver to the other channel, and nothing orders one after the
other. So a channel is joined, or parted, only when all its deliveries are settled.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import reduce

from shared.conversations.entries import with_freed
from shared.customers.link_entries import next_version, record_of
from shared.errors import Refused
from shared.handoff import channels
from shared.handoff.visibility import merge
from shared.measures.definitions import close
from shared.measures.messages import together
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.commands import CallDesk, State, ToChannel
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.desks import Called, ClosedDesk
from shared.schemas.measures import Measure, Name, Progress
from shared.schemas.notation import platform_of
from shared.schemas.virtual_agents import with_session
from shared.values import frozen

PAGE = 100
_UNSETTLED = {State.PENDING, State.BROKEN}
# desks' conversations, one of each past handoff at most; all move in one commit
CARRIED = 50
_ORDER = (Phase.BOT, Phase.QUEUED, Phase.HUMAN)
_Measures = tuple[Measure, ...]
_OF_A_CHANNEL = (
    *("address", "strong_address", "unreachable"),
    *("last_user_at", "last_message_id", "unsubscribed_at", "floor"),
)
_NOBODYS: Mapping[str, object] = {
    "phase": Phase.BOT,
    "humans": (),
    "left_unseen": (),
    "waiting": (),
    "reopening": None,
    "request": None,
    "called": None,
    "past_chats": (),
    "closed": (),
    "links": (),
    "timer": None,
    "human_since": None,
    "first_response_seconds": None,
    "answered": False,
    "said": (),
    "handback": None,
    "awaited": None,
    "owed": None,
    "progress": None,
    "uncounted": {},
    "offer": None,
    "tried": (),
    "assign": None,
    "survey": None,
}


@frozen
class _Change:
    """The new state of one conversation. `let_go` is the desk whose handoff ends with it."""

    before: Snapshot[Conversation]
    after: Conversation
    measures: _Measures = ()
    let_go: Called | None = None


def are_channels(ports: Ports, *conversations: str) -> bool:
    return all(ports.policy.is_channel(platform_of(one)) for one in conversations)


def desks_of(conversation: Conversation) -> tuple[str, ...]:
    """Returns the desks' conversations whose events act on this one. Its other links are those of
    channels.
    """
    return tuple(one for one in conversation.links if not conversation.owns(one))


async def join(
    ports: Ports, other: Snapshot[Conversation], primary: Snapshot[Conversation], key: str
) -> Conversation:
    """Returns `other` in its new state; its desks' conversations move along. Raises Refused
    `both-held`, `desk-called`, `too-many-links` or `outbox-pending`.
    """
    _check(other.value, primary.value)
    await _must_be_settled(ports, other.value.id)
    desks = await _linked_to(ports, other.value)
    stays, goes = _called(other.value, primary.value)
    version = next_version(one.value for one in (other, primary, *desks))
    merged = _merged(other.value, primary.value, version, ports.clock.now())
    links = dict.fromkeys((*primary.value.links, *(one.value.id for one in desks), other.value.id))
    over = tuple(dict.fromkeys((*merged.past_chats, *(goes.chats if goes else ()))))
    held = {"version": version, "links": tuple(links), "called": stays, "past_chats": over}
    apart = {**_NOBODYS, "linked_to": primary.value.id, "version": version}
    theirs, ours = _closed(ports, other.value, primary.value)
    changes = (
        _Change(other, other.value.model_copy(update=apart), theirs),
        _Change(primary, merged.model_copy(update=held), ours, goes),
        *(_Change(one, _moved(one.value, primary.value.id, version)) for one in desks),
    )
    return await _commit(ports, "link", key, changes)


def _moved(desk: Conversation, channel: str, version: int) -> Conversation:
    return desk.model_copy(update={"linked_to": channel, "version": version})


async def _linked_to(ports: Ports, channel: Conversation) -> list[Snapshot[Conversation]]:
    """Returns the desks' conversations that are linked to a channel, without those that have
    expired since.
    """
    found = await asyncio.gather(*(ports.store.load(one) for one in desks_of(channel)))
    return [one for one in found if one is not None and one.value.linked_to == channel.id]


async def part(
    ports: Ports, other: Snapshot[Conversation], primary: Snapshot[Conversation], key: str
) -> Conversation:
    """Returns `other` as a conversation of its own again; representatives shown there are shown to
    leave. Raises Refused `outbox-pending`.
    """
    await _must_be_settled(ports, primary.value.id)
    remains, channel = channels.parted(primary.value, other.value.id)
    links = tuple(one for one in primary.value.links if one != other.value.id)
    version = next_version((other.value, primary.value))
    after = remains.model_copy(update={"links": links, "version": version})
    own: dict[str, object] = {"linked_to": None, "version": version}
    if channel is not None:
        own |= {name: getattr(channel, name) for name in _OF_A_CHANNEL}
        own |= {
            "left_unseen": channel.shown,
            "locale": remains.locale,
            "customer_name": remains.customer_name,
        }
    changes = _Change(other, other.value.model_copy(update=own)), _Change(primary, after)
    return await _commit(ports, "unlink", key, changes)


def _check(other: Conversation, primary: Conversation) -> None:
    if other.humans and primary.humans:
        holders = ", ".join(human.representative.name for human in (*other.humans, *primary.humans))
        raise Refused(
            "both-held", "Humans are present in both; let those of one leave first.", holder=holders
        )
    if other.called and primary.called:
        raise Refused(
            "desk-called",
            "A desk was called for each of these; link them after the end of one handoff.",
        )
    if len(desks_of(other)) > CARRIED:
        raise Refused(
            "too-many-links",
            f"More than {CARRIED} desks' conversations are linked here; unlink some first.",
        )


async def _must_be_settled(ports: Ports, conversation: str) -> None:
    """Raises Refused `outbox-pending` where a command for a customer or a desk is still pending.

    A commit in between changes the conversation's version, so that the commit of the join fails.
    Commands for topics, webhooks and the team show nothing on a channel, and their target may be
    down for long: they do not count.
    """
    after = 0
    while entries := await ports.store.pending(conversation, after, PAGE):
        commands = (command for entry in entries for command in entry.value.commands)
        if any(
            isinstance(one, ToChannel | CallDesk) and one.state in _UNSETTLED for one in commands
        ):
            raise Refused(
                "outbox-pending", "Something is still being delivered there; ask again in a moment."
            )
        after = entries[-1].value.seq


def _merged(
    other: Conversation, primary: Conversation, version: int, now: datetime
) -> Conversation:
    update: dict[str, object] = {
        "variables": merge(primary.variables, other.variables, now),
        "platform_context": primary.platform_context or other.platform_context,
        "virtual_agent_sessions": reduce(
            with_session, other.virtual_agent_sessions, primary.virtual_agent_sessions
        ),
        "locale": primary.locale or other.locale,
        "customer_name": primary.customer_name or other.customer_name,
        "handback": primary.handback or other.handback,
        "spoke_at": max(filter(None, (primary.spoke_at, other.spoke_at)), default=None),
        "owed": primary.owed or other.owed,
        **channels.waiting_of(primary, other),
        "progress": _progress(other, primary),
        "uncounted": together(primary.uncounted, other.uncounted),
        "closed": _closed_desks(other, primary),
    }
    if _takes_over(other, primary):
        update |= _taken_over(other, primary, version)
    return channels.joined(primary.model_copy(update=update), other)


def _called(other: Conversation, primary: Conversation) -> tuple[Called | None, Called | None]:
    """Returns the desk that has the handoff from now on, and the desk whose handoff ends."""
    both = primary.called, other.called
    return (both[1], both[0]) if _takes_over(other, primary) else both


def _closed_desks(other: Conversation, primary: Conversation) -> tuple[ClosedDesk, ...]:
    """Returns the desks that the team knows to be closed, each once."""
    known = {
        one.desk: one for one in sorted((*other.closed, *primary.closed), key=lambda one: one.until)
    }
    return tuple(known.values())


def _takes_over(other: Conversation, primary: Conversation) -> bool:
    """Returns whether the handoff of `other` goes on. Where neither has one, a desk that left its
    chat open keeps it.
    """
    further = _ORDER.index(other.phase) - _ORDER.index(primary.phase)
    return further > 0 or (other.phase is Phase.BOT and further == 0 and other.called is not None)


def _progress(other: Conversation, primary: Conversation) -> Progress | None:
    """Returns the clocks that go on: those of the handoff that goes on, and of the visit on the
    channel where the customer wrote last.
    """
    theirs, ours = other.progress or Progress(), primary.progress or Progress()
    goes_on = theirs if _takes_over(other, primary) else ours
    visits = filter(None, (ours.visit, theirs.visit))
    merged = goes_on.model_copy(
        update={"visit": max(visits, key=lambda one: one.latest_at, default=None)}
    )
    return None if merged == Progress() else merged


def _closed(
    ports: Ports, other: Conversation, primary: Conversation
) -> tuple[_Measures, _Measures]:
    """Returns the measures of either conversation: a handoff that does not go on ends there."""
    ends = primary if _takes_over(other, primary) else other
    measures = close(ends, Name.LINKED, ports.clock.now()).measures
    return ((), measures) if ends is primary else (measures, ())


def _taken_over(other: Conversation, primary: Conversation, version: int) -> dict[str, object]:
    """Returns the handoff that goes on in the primary conversation; its humans are not yet shown on
    other channels.
    """
    held = ("phase", "human_since", "first_response_seconds", "answered", "said")
    return {
        **{name: getattr(other, name) for name in held},
        "request": other.request or primary.request,
        "humans": tuple(human.model_copy(update={"told": False}) for human in other.humans),
        "timer": other.timer.model_copy(update={"armed": version}) if other.timer else None,
        "offer": other.offer,
        "tried": other.tried,
        "assign": other.assign and other.assign.model_copy(update={"armed": version}),
        **({"human_version": version} if other.humans else {}),
    }


async def _commit(ports: Ports, kind: str, key: str, changes: Sequence[_Change]) -> Conversation:
    """Writes all in one commit, each conversation with its journal entry; a change of phase
    notifies the team.
    """
    nonce = uuid.uuid4().hex
    entries = [
        record_of(ports, kind, key, nonce, one.before.value, one.after, one.measures, one.let_go)
        for one in changes
    ]
    before, after = [one.before.value for one in changes], [one.after for one in changes]
    entries[0] = with_freed(entries[0], before, after)
    await ports.store.commit(
        Commit(entries, [Snapshot(one.after, one.before.token) for one in changes])
    )
    return changes[0].after
