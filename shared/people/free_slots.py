"""The room that a person has again when a conversation is over, or an offer."""

from collections.abc import Collection

from shared.conversations.contention import until_uncontended
from shared.conversations.resolve import where_it_acts
from shared.conversations.room import healed, presence_of
from shared.people.assign import offer_what_waits
from shared.ports import Commit, Ports, Snapshot


async def free(ports: Ports, person: str, slots: Collection[str]) -> None:
    """Frees these slots and offers the person what waits. A repetition frees nothing, and offers
    again what the first try may not have reached.

    Raises Contended, Unavailable.
    """

    async def attempt() -> None:
        found = await presence_of(ports, person)
        if any(slot in found.value.slots for slot in slots):
            after = Snapshot(found.value.without(slots), found.token)
            await ports.store.commit(Commit((), people=[after]))

    await until_uncontended(attempt)
    await offer_what_waits(ports, person)


async def drop_what_is_over(ports: Ports, person: str) -> None:
    """Drops slots of conversations that are not there any more, or do not hold them: a restored
    backup may have such. Raises Contended, Unavailable.
    """

    async def attempt() -> None:
        found = await presence_of(ports, person)
        after = await healed(ports, found, where_it_acts)
        if after is not found:
            await ports.store.commit(Commit((), people=[after]))

    await until_uncontended(attempt)
