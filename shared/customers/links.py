"""Links: a desk's conversation, or another channel of the customer, joined to a channel's. Both
ends change in one commit.
"""

import uuid
from collections.abc import Collection, Mapping

from shared.conversations.apply import wake
from shared.conversations.contention import until_uncontended
from shared.conversations.entries import entries_of, with_freed
from shared.conversations.resolve import led
from shared.customers import join_channels as identity
from shared.customers import same_customer
from shared.customers.link_entries import ended, next_version, record_of
from shared.errors import BadRequest, NotFound, Refused
from shared.handoff.machine import decide
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.conversation import Conversation, Phase
from shared.schemas.journal import JournalEntry
from shared.schemas.own_events import Unlinked

_Change = tuple[Snapshot[Conversation], Mapping[str, object]]


async def link(ports: Ports, desk: str, channel: str, key: str) -> Conversation:
    """Returns the desk's conversation, whose events act on `channel` from now on; a repetition
    changes nothing.

    Where `desk` is a channel itself, both are channels of one customer from then on. Where both are
    customers of one number of the business, they become one conversation for good.

    Raises BadRequest for a link to itself, NotFound for an unseen channel, Refused
    `already-linked`, `chain` and, for channels, `both-held`, `desk-called`, `too-many-links` or
    `outbox-pending`.
    """
    desk, channel = await _led(ports, desk), await _led(ports, channel)
    if desk == channel:
        raise BadRequest("self-link", "A conversation cannot be linked to itself.")
    linked = await until_uncontended(lambda: _link(ports, desk, channel, key))
    for one in (desk, channel):
        await wake(ports, one)
    return linked


async def unlink(ports: Ports, desk: str, key: str) -> Conversation:
    """Returns the desk's or channel's conversation without its link. Raises NotFound, Refused
    `outbox-pending` or `same-customer`.
    """
    to = await _led(ports, desk)
    if to != desk:
        raise Refused(
            "same-customer",
            "This conversation became part of another one: the platform says that both are one "
            "customer. That cannot be undone.",
            to=to,
        )
    return await until_uncontended(lambda: _unlink(ports, desk, key))


async def _led(ports: Ports, conversation: str) -> str:
    """Returns the conversation for which an id stands: what it became part of, else itself."""
    found = await led(ports, conversation)
    return found.value.id if found else conversation


async def _link(ports: Ports, desk: str, channel: str, key: str) -> Conversation:
    are_channels = identity.are_channels(ports, desk, channel)
    known = await (seen(ports, desk) if are_channels else ports.store.load(desk))
    ours = known or Snapshot(ports.policy.newcomer(desk, desk.partition(":")[2]), None)
    theirs = await seen(ports, channel)
    if ours.value.linked_to == channel and desk in theirs.value.links:
        return ours.value
    check_free(ours.value, theirs.value, identity.desks_of(ours.value) if are_channels else ())
    if are_channels and same_customer.is_one_chat(ports, ours.value, theirs.value):
        return await same_customer.join(ports, ours.value.id, theirs.value.id, key)
    if are_channels:
        return await identity.join(ports, ours, theirs, key)
    joined = {"address": ours.value.address or desk.partition(":")[2], **joined_to(channel)}
    links = {"links": (*theirs.value.links, desk)}
    return await _write(ports, "link", key, (ours, joined), (theirs, links))


def joined_to(channel: str) -> Mapping[str, object]:
    """Returns the changes of a desk's conversation whose events act on `channel` from now on."""
    cleared: dict[str, object] = {
        "phase": Phase.BOT,
        "humans": (),
        "timer": None,
        "human_since": None,
        "progress": None,
        "uncounted": {},
        "offer": None,
        "tried": (),
        "assign": None,
        "survey": None,
    }
    return {"linked_to": channel, "erased": False, **cleared}


async def _unlink(ports: Ports, desk: str, key: str) -> Conversation:
    ours = await seen(ports, desk)
    if ours.value.linked_to is None:
        return ours.value
    theirs = await ports.store.load(ours.value.linked_to)
    if theirs is None:
        return await _write(ports, "unlink", key, (ours, {"linked_to": None}))
    if theirs.value.owns(desk):
        return await identity.part(ports, ours, theirs, key)
    parted = await _take_from(ports, theirs, ours, key)
    await wake(ports, theirs.value.id)
    return parted


async def _take_from(
    ports: Ports, channel: Snapshot[Conversation], desk: Snapshot[Conversation], key: str
) -> Conversation:
    """Removes a desk's conversation from the customer's. The table decides what follows for the
    customer.
    """
    nonce = uuid.uuid4().hex
    event = Unlinked(id=nonce, source=channel.value.id, actor=key, desk=desk.value.id)
    decision = decide(channel.value, event, ports.clock.now(), ports.policy)
    after = decision.conversation
    gone = {
        name: tuple(one for one in getattr(after, name) if one != desk.value.id)
        for name in ("links", "past_chats")
    }
    version = next_version((desk.value, channel.value))
    ours, own = _written(ports, "unlink", key, nonce, version, (desk, {"linked_to": None}))
    written = [ours, Snapshot(after.model_copy(update=gone), channel.token)]
    await ports.store.commit(Commit([own, *entries_of(ports, event, decision, nonce)], written))
    return ours.value


def check_free(desk: Conversation, channel: Conversation, carried: Collection[str] = ()) -> None:
    """Raises Refused `already-linked` or `chain`. `carried` are links of `desk` that move along
    with it.
    """
    if desk.linked_to not in (None, channel.id):
        raise Refused(
            "already-linked",
            "This conversation is linked elsewhere; unlink it first.",
            to=desk.linked_to,
        )
    if set(desk.links) - set(carried) or channel.linked_to is not None:
        furthest = {"to": channel.linked_to} if channel.linked_to else {}
        raise Refused(
            "chain",
            "A link leads to a conversation that is not linked itself, never further.",
            **furthest,
        )


async def seen(ports: Ports, conversation: str) -> Snapshot[Conversation]:
    snapshot = await ports.store.load(conversation)
    if snapshot is None or snapshot.value.erased:
        raise NotFound(
            "unknown-conversation", "Baton knows no such conversation.", conversation=conversation
        )
    return snapshot


async def _write(ports: Ports, kind: str, key: str, *changes: _Change) -> Conversation:
    """Writes all changes in one commit, each with its journal entry. Returns the first conversation
    in its new state.
    """
    nonce = uuid.uuid4().hex
    version = next_version(before.value for before, _ in changes)
    written = [_written(ports, kind, key, nonce, version, change) for change in changes]
    await ports.store.commit(
        Commit([entry for _, entry in written], [after for after, _ in written])
    )
    return written[0][0].value


def _written(
    ports: Ports, kind: str, key: str, nonce: str, version: int, change: _Change
) -> tuple[Snapshot[Conversation], JournalEntry]:
    before, update = change
    after = before.value.model_copy(update={**update, "version": version})
    entry = record_of(
        ports, kind, key, nonce, before.value, after, ended(ports, before.value, after)
    )
    return Snapshot(after, before.token), with_freed(entry, [before.value], [after])
