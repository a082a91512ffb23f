"""What an operator knows of a customer's names: that two conversations of one number are one
customer's, or that a name belongs to another conversation.
"""

import asyncio
import uuid
from collections.abc import Callable

from shared.conversations.apply import wake
from shared.conversations.contention import until_uncontended
from shared.conversations.entries import new_entry
from shared.conversations.resolve import led, prepared
from shared.errors import BadRequest, NotFound, Refused
from shared.handoff.names import Missing, Naming
from shared.platforms.base import HasNames
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.conversation import Conversation
from shared.schemas.events import GivenName
from shared.schemas.notation import entry_id, platform_of

_Read = dict[str, Snapshot[Conversation] | None]


def is_one_chat(ports: Ports, one: Conversation, two: Conversation) -> bool:
    """Returns whether both are customers of one number of the business, on a platform that calls a
    customer by several names. Then the customer may have one chat for both.
    """
    platform = ports.platforms.get(platform_of(one.id))
    if platform_of(one.id) != platform_of(two.id) or not isinstance(platform, HasNames):
        return False
    numbers = [platform.business_of(each.address) for each in (one, two)]
    return numbers[0] is not None and numbers[0] == numbers[1]


async def join(ports: Ports, one: str, two: str, key: str) -> Conversation:
    """Returns the conversation that both are from now on. That cannot be undone. Raises Refused
    `too-many-links` or `already-linked`.
    """

    def joined(naming: Naming) -> str:
        whole = naming.join(one, two)
        if naming.refused is None:
            return whole
        if naming.refused[2] == "already-linked":
            raise Refused("already-linked", "Both are joined to other channels; unlink one first.")
        raise Refused("too-many-links", "Too many conversations are linked to these; unlink some.")

    return await _written(ports, "link", key, joined)


async def rename(ports: Ports, conversation: str, name: str, to: str, key: str) -> Conversation:
    """Returns the conversation `to`, which has a name of `conversation` from now on. Raises
    NotFound, BadRequest `self-link`, Refused `not-its-name` or `not-one-number`.
    """

    async def attempt() -> Conversation:
        known, other = await led(ports, conversation), await led(ports, to)
        for one, id in ((known, conversation), (other, to)):
            if one is None or one.value.erased:
                raise NotFound(
                    "unknown-conversation", "Baton knows no such conversation.", conversation=id
                )
        if known is None or other is None or known.value.id == other.value.id:
            raise BadRequest("self-link", "The name belongs to this conversation already.")
        given = next((one for one in known.value.names if one.id == name), None)
        if given is None:
            raise Refused("not-its-name", "The conversation does not have this name.")
        if not is_one_chat(ports, known.value, other.value):
            raise Refused("not-one-number", "A name moves only between customers of one number.")
        source, target = known.value.id, other.value.id

        def renamed(naming: Naming) -> str:
            naming.rename(GivenName(id=name, strong=given.strong), source, target)
            return target

        return await _written(ports, "rename", key, renamed)

    renamed = await until_uncontended(attempt)
    for one in (conversation, to):
        await wake(ports, one)
    return renamed


async def _written(
    ports: Ports, kind: str, key: str, change: Callable[[Naming], str]
) -> Conversation:
    """Commits what `change` makes of the names and returns the conversation that it names, in its
    new state.
    """
    nonce, now, read = uuid.uuid4().hex, ports.clock.now(), _Read()
    while True:
        known = {id: one.value if one else None for id, one in read.items()}
        naming = Naming(known, (), now, now, ports.policy.kept_for)
        try:
            conversation = change(naming)
            break
        except Missing as missing:
            wanted = missing.documents
            found = await asyncio.gather(*(ports.store.load(one) for one in wanted))
            read |= dict(zip(wanted, found, strict=True))
    acting = next((whole for whole, _ in naming.merges), conversation)
    place = await prepared(ports, naming, acting, read, nonce, key)
    before = place.conversation.value
    after = before.model_copy(update={"version": before.version + 1})
    entry = new_entry(
        ports,
        entry_id(after.id, kind, nonce),
        after.id,
        kind,
        seq=after.version,
        actor=key,
        nonce=nonce,
    )
    await ports.store.commit(
        Commit(
            [entry, *place.beside.entries],
            [Snapshot(after, place.conversation.token), *place.beside.conversations],
            place.beside.updates,
        )
    )
    return after
