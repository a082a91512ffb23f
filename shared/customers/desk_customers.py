"""The names by which a desk knows a customer. The desk's conversations under these names are linked
to the customer's channel before it is asked for a chat. So the desk's events act on the channel,
and an erase reaches them.
"""

import uuid
from collections.abc import Mapping, Sequence

from shared.conversations.contention import until_uncontended
from shared.customers.link_entries import next_version, record_of
from shared.customers.links import joined_to, seen
from shared.platforms.desk import ChatDesk, Steps
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.conversation import Conversation
from shared.schemas.notation import sha256

_Changes = dict[str, tuple[Snapshot[Conversation], Conversation]]


def identifier(channel: str) -> str:
    """Returns the name under which a desk knows a customer; it reveals nothing about them."""
    return f"baton-{sha256(channel)[:40]}"


def whose(desk: ChatDesk, customer: str | None, channel: str) -> Steps[str | None]:
    """Returns the steps that give the desk's own id of the customer that it reports on in
    `customer`. Without `customer` it is the channel's customer.
    """
    return desk.whose(customer) if customer else desk.customer(identifier(channel), None)


async def link_customer(ports: Ports, customers: Sequence[str], channel: str) -> None:
    """Links the desk's conversations of a customer to their channel; writes nothing where they are
    linked already.

    Raises NotFound for a channel that does not exist any more, Contended and Unavailable.
    """
    await until_uncontended(lambda: _link(ports, customers, channel))


async def _link(ports: Ports, customers: Sequence[str], channel: str) -> None:
    theirs = await seen(ports, channel)
    changes: _Changes = {}
    for one in customers:
        ours = await ports.store.load(one) or Snapshot(ports.policy.newcomer(one, one), None)
        if ours.value.linked_to == channel and one in theirs.value.links:
            continue
        await _part(ports, ours.value, channel, changes)
        _change(changes, ours, {"address": one, "ours": True, **joined_to(channel)})
    missing = tuple(one for one in customers if one not in theirs.value.links)
    if missing:
        _change(changes, theirs, {"links": (*theirs.value.links, *missing)})
    if changes:
        await _commit(ports, changes)


async def _part(ports: Ports, ours: Conversation, channel: str, changes: _Changes) -> None:
    """Removes it from another channel to which this one once belonged: the desk means the customer
    of this one.
    """
    if ours.linked_to in (None, channel):
        return
    known = changes.get(ours.linked_to)
    other = known[0] if known else await ports.store.load(ours.linked_to)
    if other is not None:
        links = known[1].links if known else other.value.links
        _change(changes, other, {"links": tuple(one for one in links if one != ours.id)})


def _change(
    changes: _Changes, before: Snapshot[Conversation], update: Mapping[str, object]
) -> None:
    changes[before.value.id] = before, before.value.model_copy(update=update)


async def _commit(ports: Ports, changes: _Changes) -> None:
    nonce = uuid.uuid4().hex
    version = next_version(before.value for before, _ in changes.values())
    written = [
        (before, after.model_copy(update={"version": version}))
        for before, after in changes.values()
    ]
    entries = [
        record_of(ports, "link", "system", nonce, before.value, after) for before, after in written
    ]
    await ports.store.commit(
        Commit(entries, [Snapshot(after, before.token) for before, after in written])
    )
