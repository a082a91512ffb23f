"""What a person sees of their work, and when it has changed: their conversations, and the lists."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import datetime
from functools import partial

from shared.conversations.apply import wake
from shared.errors import Unavailable
from shared.people.presence import renew
from shared.people.watches import Watch, any_of, watches_of
from shared.ports import Ports, Watched
from shared.schemas.conversation import Conversation
from shared.schemas.devices import Device
from shared.schemas.notation import sha256
from shared.schemas.people import Person, Presence
from shared.values import frozen

LONGEST_SECONDS = 25.0  # less than the patience of anything between the page and Baton
LISTED = 100  # conversations of a phase
SILENT = "it is silent"
KEPT = 2 / 3  # of the time for which a page counts as open, after which it says so again


@frozen
class Live:
    """What a person sees at one moment. `mine` are the conversations that they hold or are offered,
    `devices` are the devices of their customers; `listed` are the conversations of each phase,
    longest wait first.
    """

    presence: Presence
    mine: Sequence[Conversation]
    devices: Mapping[str, Device]
    listed: Mapping[str, Sequence[Conversation]]

    @property
    def name(self) -> str:
        """A name of this state. Which pages are open is no part of it."""
        versions = [(one.id, one.version, self._device_version(one)) for one in self.mine]
        lists = [
            [(one.id, one.version) for one in conversations]
            for conversations in self.listed.values()
        ]
        slots = sorted((slot, of.kind) for slot, of in self.presence.slots.items())
        return sha256(repr((self.presence.state, slots, versions, lists)))[:16]

    def _device_version(self, one: Conversation) -> int:
        return self.devices[one.id].version if one.id in self.devices else 0


async def live(
    ports: Ports, person: Person, page: str | None, phases: Collection[str], since: str
) -> Live:
    """Returns what the person sees once it is not what they saw at `since`, at the latest after
    LONGEST_SECONDS. Meanwhile `page` counts as open.

    Raises Contended, Unavailable: also where the store is silent for so long.
    """
    loop, watches = asyncio.get_running_loop(), watches_of(ports.store)
    deadline = loop.time() + LONGEST_SECONDS
    keeping = _Keeping(ports, person, page)
    async with AsyncExitStack() as stack:
        mine = await stack.enter_async_context(
            watches.on(("person", person.id), partial(_of_person, ports, person.id))
        )
        lists = {
            phase: await stack.enter_async_context(
                watches.on(("phase", phase), partial(ports.store.watch_phase, phase, LISTED))
            )
            for phase in phases
        }
        while True:
            changes = [mine.changed, *(one.changed for one in lists.values())]  # from here on
            seen = await _seen_by(deadline, person, mine, lists)
            again_in = await keeping.keep(seen)
            left = deadline - loop.time()
            if seen.name != since or left <= 0:
                return seen
            await any_of(changes, min(left, again_in))


async def _of_person(ports: Ports, person: str) -> AsyncGenerator[Watched, None]:
    """Yields a person and the conversations in their slots, also where the slots change."""
    found = await ports.store.people([person])
    watched = _watched(Watched(found[person].value if person in found else None, {}))
    while True:
        async with aclosing(ports.store.watch_person(person, watched)) as changes:
            async for seen in changes:
                now = _watched(seen)
                if now != watched:
                    watched = now
                    break
                yield seen
            else:
                return


def _watched(seen: Watched) -> tuple[str, ...]:
    """Returns the conversations in the person's slots, and those that they became part of since."""
    slots = seen.person.slots.values() if seen.person else ()
    known = {slot.conversation for slot in slots}
    further = (seen.conversations[one] for one in known if one in seen.conversations)
    leads = {one.leads_to or one.linked_to for one in further}
    return tuple(sorted(known | {one for one in leads if one}))


async def _seen_by(
    deadline: float,
    person: Person,
    mine: Watch[Watched],
    lists: Mapping[str, Watch[list[Conversation]]],
) -> Live:
    """Raises Unavailable where a watch has shown nothing until then: it waits for as long as the
    store is silent, and the page asks again long before.
    """
    try:
        async with asyncio.timeout_at(deadline):
            return await _seen(person, mine, lists)
    except TimeoutError:
        raise Unavailable(
            "store-unavailable", f"The store cannot be used now ({SILENT})."
        ) from None


async def _seen(
    person: Person, mine: Watch[Watched], lists: Mapping[str, Watch[list[Conversation]]]
) -> Live:
    now = await mine.latest()
    slots = now.person.slots if now.person else {}
    return Live(
        now.person or Presence(id=person.id),
        [one for one in now.conversations.values() if not slots.keys().isdisjoint(one.slots)],
        now.devices,
        {phase: await one.latest() for phase, one in lists.items()},
    )


class _Keeping:
    """What a page that is open does beside watching: it says that it is open, and has offers end
    that were not answered in time; the sweep would take a minute for that.
    """

    def __init__(self, ports: Ports, person: Person, page: str | None) -> None:
        self._ports, self._person, self._page = ports, person, page
        self._open_until: datetime | None = None
        self._woken = set[str]()

    async def keep(self, seen: Live) -> float:
        """Returns in how many seconds there is something to do again."""
        return min(await self._keep_open(seen.presence), await self._end_offers(seen.mine))

    async def _keep_open(self, presence: Presence) -> float:
        if self._page is None:
            return LONGEST_SECONDS
        now, lasts = self._ports.clock.now(), self._ports.page_open_for
        until = self._open_until or presence.pages.get(self._page)
        if until is None or until - now <= lasts * KEPT:
            renewed = await renew(self._ports, self._person, self._page, None)
            until = self._open_until = renewed.pages[self._page]
        return (until - lasts * KEPT - now).total_seconds()

    async def _end_offers(self, mine: Sequence[Conversation]) -> float:
        now, soonest = self._ports.clock.now(), LONGEST_SECONDS
        offers = {one.id: one.offer for one in mine if one.offer is not None}
        for conversation, offer in offers.items():
            left = (offer.until - now).total_seconds()
            if left > 0:
                soonest = min(soonest, left)
            elif offer.id not in self._woken:
                self._woken.add(offer.id)
                await wake(self._ports, conversation, timers=True)
        return soonest
