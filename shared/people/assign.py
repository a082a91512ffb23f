"""Push: customers who wait are offered to people who are available.

Whichever comes last, the customer or the person, brings them together: a conversation whose timer
`assign` fires looks for a person, and a person who becomes available or has room again looks at the
queue. What they read was committed before, so one of the two always sees the other.
"""

from datetime import datetime

from shared.conversations.apply import apply_and_wake
from shared.conversations.room import presence_of
from shared.ports import Ports
from shared.schemas.conversation import Conversation, Phase, Timer
from shared.schemas.events import Event
from shared.schemas.languages import language_of
from shared.schemas.own_events import AssignTimeout, Offered
from shared.schemas.people import Person, Presence

PAGE = 50


async def next_offer(ports: Ports, conversation: Conversation, timer: Timer) -> Event:
    """Returns the event that follows from the timer `assign`: the conversation is offered to the
    person who suits it and has the fewest conversations, of these to who was not offered one for
    the longest time; or there is no such person. Raises Unavailable.
    """
    suited = [one for one in ports.people.values() if suits(ports, one, conversation)]
    known = await ports.store.people([one.id for one in suited]) if suited else {}
    now = ports.clock.now()
    free = [
        known[one.id].value
        for one in suited
        if one.id in known and _is_free(one, known[one.id].value, now)
    ]
    at, common = f"{timer.armed}:{timer.n}", {"source": conversation.id, "actor": "timer"}
    if not free:
        return AssignTimeout.model_validate(
            {"id": at, "armed": timer.armed, "n": timer.n, **common}
        )
    chosen = min(free, key=_turn).id
    return Offered.model_validate({"id": f"{at}:{chosen}", "to": chosen, **common})


async def offer_what_waits(ports: Ports, person: str) -> None:
    """Offers a person the customers who wait, longest wait first, as long as there is room.

    Raises Contended, Unavailable.
    """
    one = ports.people.get(person)
    if one is None or ports.policy.assign != "push":
        return
    cursor: str | None = None
    while await _may_take(ports, one):
        page = await ports.store.queue(Phase.QUEUED.value, cursor, PAGE)
        for conversation in page.items:
            if suits(ports, one, conversation) and not await _offer(ports, one, conversation):
                return
        if page.cursor is None:
            return
        cursor = page.cursor


async def _offer(ports: Ports, person: Person, conversation: Conversation) -> bool:
    """Offers a conversation. Returns whether the person has room for another one."""
    event = Offered(
        id=f"{conversation.version}:{person.id}",
        source=conversation.id,
        actor="system",
        to=person.id,
    )
    await apply_and_wake(ports, event)
    return await _may_take(ports, person)


async def _may_take(ports: Ports, person: Person) -> bool:
    found = await presence_of(ports, person.id)
    return _is_free(person, found.value, ports.clock.now())


def suits(ports: Ports, person: Person, conversation: Conversation) -> bool:
    """Returns whether a conversation may be offered to this person."""
    request = conversation.request
    if request is None or conversation.offer is not None or person.id in conversation.tried:
        return False
    desk = ports.policy.desk(request.desk or "")
    language = language_of(conversation.locale) or ports.policy.notices.language
    is_theirs = not person.desks or request.desk in person.desks
    is_read = not person.languages or language in person.languages
    return is_theirs and is_read and not (desk and desk.must_be_called)


def _is_free(person: Person, presence: Presence, now: datetime) -> bool:
    has_room = person.capacity is None or len(presence.slots) < person.capacity
    return has_room and presence.is_available(now)


def _turn(presence: Presence) -> tuple[int, float, str]:
    """Returns a sort key: fewest conversations first, then longest without an offer."""
    offered = presence.assigned_at
    return len(presence.slots), offered.timestamp() if offered else 0.0, presence.id
