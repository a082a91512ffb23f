"""What a person does now: available or away, and the pages that they have open."""

from typing import Literal

from shared.conversations.contention import until_uncontended
from shared.conversations.room import presence_of
from shared.people.assign import offer_what_waits
from shared.people.free_slots import drop_what_is_over
from shared.ports import Commit, Ports, Snapshot
from shared.schemas.people import Person, Presence


async def renew(
    ports: Ports, person: Person, page: str | None, state: Literal["available", "away"] | None
) -> Presence:
    """Returns what the person does now, with `page` open from now on, and in this state unless it
    is None. Who becomes available is freed of what is over, and offered what waits.

    Raises Contended, Unavailable.
    """

    async def attempt() -> tuple[Presence, Presence]:
        found = await presence_of(ports, person.id)
        before, now = found.value, ports.clock.now()
        after = before if state in (None, before.state) else before.in_state(state)
        if page is not None:
            after = after.on_page(page, now + ports.page_open_for, now)
        if after is not before:
            await ports.store.commit(Commit((), people=[Snapshot(after, found.token)]))
        return before, after

    before, after = await until_uncontended(attempt)
    now = ports.clock.now()
    if after.is_available(now) and not before.is_available(now):
        await drop_what_is_over(ports, person.id)
        await offer_what_waits(ports, person.id)
    return after
