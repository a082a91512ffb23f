"""One customer on several channels: `to` holds their conversation from then on, and the other's events act on it.

Before and after, two outboxes show things on the other channel, and nothing keeps one behind the other: so a channel is
joined, and let go again, only when all that was to be delivered has been.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime

from shared.errors import Refused
from shared.handoff import channels
from shared.handoff.visibility import merge
from shared.ports import Commit, Ports, Snapshot
from shared.reports.definitions import close
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.ids import platform_of
from shared.schemas.measures import Measure, Name, Progress
from shared.services.link_records import record_of

_ORDER = (Phase.BOT, Phase.QUEUED, Phase.HUMAN)
_OF_A_CHANNEL = ("address", "last_user_at", "last_message_id", "unsubscribed_at")
_NOBODYS: Mapping[str, object] = {
    "phase": Phase.BOT,
    "humans": (),
    "left_unseen": (),
    "request": None,
    "timer": None,
    "human_since": None,
    "first_response_seconds": None,
    "said": (),
    "handback": None,
    "awaited": None,
    "owed": None,
    "progress": None,
}


def are_channels(ports: Ports, *conversations: str) -> bool:
    return all(ports.policy.is_channel(platform_of(one)) for one in conversations)


async def join(ports: Ports, other: Snapshot[Conversation], primary: Snapshot[Conversation], key: str) -> Conversation:
    """Returns `other` as it became. Raises Refused `both-held`, `desk-called` or `outbox-pending`."""
    _check(other.value, primary.value)
    await _must_be_settled(ports, other.value.id)
    merged = _merged(other.value, primary.value, ports.clock.now())
    links = (*primary.value.links, other.value.id)
    gone = _closed(ports, other.value, primary.value)
    versions = {"version": primary.value.version + 1, "links": links}
    apart = {**_NOBODYS, "linked_to": primary.value.id, "version": other.value.version + 1}
    after = other.value.model_copy(update=apart), merged.model_copy(update=versions)
    return await _commit(ports, "link", key, (other, primary), after, gone)


async def part(ports: Ports, other: Snapshot[Conversation], primary: Snapshot[Conversation], key: str) -> Conversation:
    """Returns `other` on its own again: who was shown there is told to have left. Raises Refused `outbox-pending`."""
    await _must_be_settled(ports, primary.value.id)
    remains, channel = channels.parted(primary.value, other.value.id)
    links = tuple(one for one in primary.value.links if one != other.value.id)
    after = remains.model_copy(update={"links": links, "version": primary.value.version + 1})
    own: dict[str, object] = {"linked_to": None, "version": other.value.version + 1}
    if channel is not None:
        own |= {name: getattr(channel, name) for name in _OF_A_CHANNEL}
        own |= {"left_unseen": channel.shown, "locale": remains.locale, "customer_name": remains.customer_name}
    return await _commit(ports, "unlink", key, (other, primary), (other.value.model_copy(update=own), after))


def _check(other: Conversation, primary: Conversation) -> None:
    if other.humans and primary.humans:
        holders = ", ".join(human.representative.name for human in (*other.humans, *primary.humans))
        raise Refused("both-held", "Humans are present in both; let those of one leave first.", holder=holders)
    if other.called or (primary.called and other.humans):
        raise Refused("desk-called", "A desk was called for one of these; link the other way round, or after its end.")


async def _must_be_settled(ports: Ports, conversation: str) -> None:
    """What is committed meanwhile changes the conversation's version, and so fails our own commit."""
    if await ports.store.pending_count(conversation):
        raise Refused("outbox-pending", "Something is still being delivered there; ask again in a moment.")


def _merged(other: Conversation, primary: Conversation, now: datetime) -> Conversation:
    update: dict[str, object] = {
        "variables": merge(primary.variables, other.variables, now),
        "locale": primary.locale or other.locale,
        "customer_name": primary.customer_name or other.customer_name,
        "handback": primary.handback or other.handback,
        "spoke_at": max(filter(None, (primary.spoke_at, other.spoke_at)), default=None),
        "owed": primary.owed or other.owed,
        "progress": _progress(other, primary),
        "closed_until": max(filter(None, (primary.closed_until, other.closed_until)), default=None),
    }
    if _takes_over(other, primary):
        update |= _taken_over(other, primary, primary.version + 1)
    return channels.joined(primary.model_copy(update=update), other)


def _takes_over(other: Conversation, primary: Conversation) -> bool:
    return _ORDER.index(other.phase) > _ORDER.index(primary.phase)


def _progress(other: Conversation, primary: Conversation) -> Progress | None:
    """Returns the clocks that run on: of the handoff that goes on, and of what the reports call a conversation."""
    theirs, ours = other.progress or Progress(), primary.progress or Progress()
    goes_on = theirs if _takes_over(other, primary) else ours
    merged = goes_on.model_copy(update={"visit": ours.visit or theirs.visit})
    return None if merged == Progress() else merged


def _closed(
    ports: Ports, other: Conversation, primary: Conversation
) -> tuple[tuple[Measure, ...], tuple[Measure, ...]]:
    """Returns what the reports count in either conversation: a handoff that does not go on ends there."""
    ends = primary if _takes_over(other, primary) else other
    measures = close(ends, Name.LINKED, ports.clock.now()).measures
    return ((), measures) if ends is primary else (measures, ())


def _taken_over(other: Conversation, primary: Conversation, version: int) -> dict[str, object]:
    """Returns the handoff that goes on in the primary conversation, its humans yet to be shown on other channels."""
    held = ("phase", "human_since", "first_response_seconds", "said")
    return {
        **{name: getattr(other, name) for name in held},
        "request": other.request or primary.request,
        "humans": tuple(human.model_copy(update={"told": False}) for human in other.humans),
        "timer": other.timer.model_copy(update={"armed": version}) if other.timer else None,
        **({"human_version": version} if other.humans else {}),
    }


async def _commit(
    ports: Ports,
    kind: str,
    key: str,
    before: tuple[Snapshot[Conversation], Snapshot[Conversation]],
    after: tuple[Conversation, Conversation],
    measures: tuple[tuple[Measure, ...], tuple[Measure, ...]] = ((), ()),
) -> Conversation:
    """Writes both in one commit, each with its journal entry; the team is told where either's phase changes."""
    nonce = uuid.uuid4().hex
    changes = zip(before, after, measures, strict=True)
    entries = [record_of(ports, kind, key, nonce, one.value, then, counted) for one, then, counted in changes]
    written = [Snapshot(then, one.token) for one, then in zip(before, after, strict=True)]
    await ports.store.commit(Commit(entries, written))
    return after[0]
