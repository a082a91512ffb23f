"""The room that people have for conversations: it is read before a decision that may take some of
it, and what the decision takes is written in the same commit, under the precondition that nothing
of that person has changed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from shared.errors import BatonError
from shared.handoff.machine import Decision
from shared.ports import Ports, Snapshot
from shared.schemas.conversation import Conversation
from shared.schemas.events import Event, TakesRoom, Transfer
from shared.schemas.own_events import Offered, PersonGone
from shared.schemas.people import PersonSeen, Presence, Slot

AT_CAPACITY = "at-capacity"
Seen = Snapshot[Presence] | None
Where = Callable[[Ports, str], Awaitable[Snapshot[Conversation] | None]]


async def with_person(ports: Ports, event: Event) -> tuple[Event, Seen]:
    """Returns the event with what a decision must know of the person whose room it may take, and
    that person; unchanged with None where no person is concerned. Raises Unavailable.
    """
    if isinstance(event, PersonGone):
        return event, await presence_of(ports, event.person)
    if not isinstance(event, TakesRoom) or event.taker is None or event.taker not in ports.people:
        return event, None
    found = await presence_of(ports, event.taker)
    return as_seen(ports, event, found), found


async def presence_of(ports: Ports, person: str) -> Snapshot[Presence]:
    """Returns what a person does now, as stored. Raises Unavailable."""
    found = await ports.store.people([person])
    return found.get(person) or Snapshot(Presence(id=person), None)


def as_seen(ports: Ports, event: Event, found: Snapshot[Presence]) -> Event:
    """Returns the event with this person as a decision may know them."""
    presence = found.value
    seen = PersonSeen(
        person=ports.people[presence.id],
        available=presence.is_available(ports.clock.now()),
        slots=tuple(presence.slots),
    )
    return event.model_copy(update={"person": seen})


def written(
    ports: Ports, event: Event, decision: Decision, seen: Snapshot[Presence]
) -> list[Snapshot[Presence]]:
    """Returns the person as the decision leaves them, for its commit; none where it takes nothing
    of their room.
    """
    if decision.refusal is not None:
        return []
    after = seen.value
    if isinstance(event, PersonGone):
        after = after.without([event.slot])
    for one in decision.slots:
        slot = Slot(conversation=decision.conversation.id, kind=one.kind)
        assigned = isinstance(event, Offered)
        after = after.with_slot(one.slot, slot, ports.clock.now(), assigned=assigned)
    return [] if after is seen.value else [Snapshot(after, seen.token)]


def explained(
    ports: Ports, event: Event, decision: Decision, refusal: BatonError, seen: Seen
) -> Decision:
    """Returns a refusal with what the caller must know to go on: who cannot take the conversation,
    which offer stands, when the desk opens.
    """
    known = decision.conversation
    more: dict[str, str] = {}
    person = ports.people.get(seen.value.id) if seen else None
    if refusal.reason in (AT_CAPACITY, "not-available") and person and seen:
        more = {"person": person.name, "conversations": str(len(seen.value.slots))}
        more |= {"capacity": str(person.capacity)} if person.capacity is not None else {}
    elif refusal.reason == "offer-over" and known.offer is not None:
        more = {"offer": known.offer.id, "to": known.offer.to}
    elif refusal.reason == "desk-closed" and isinstance(event, Transfer):
        opens = ports.policy.next_wait(known, event.to_desk, ports.clock.now()).opens
        more = {"opens": opens.isoformat()} if opens else {}
    told = type(refusal)(refusal.reason, refusal.message, **{**refusal.metadata, **more})
    return replace(decision, refusal=told)


async def healed(ports: Ports, seen: Snapshot[Presence], where: Where) -> Snapshot[Presence]:
    """Returns the person without slots that their conversations do not hold.

    A conversation is read after the person, and a frame or offer that is over never comes back: so
    a slot that is dropped here is not taken by anything. `where` finds the conversation.
    """
    stale = [
        name
        for name, slot in seen.value.slots.items()
        if not _holds(await where(ports, slot.conversation), name)
    ]
    return Snapshot(seen.value.without(stale), seen.token) if stale else seen


def _holds(found: Snapshot[Conversation] | None, slot: str) -> bool:
    return found is not None and slot in found.value.slots
