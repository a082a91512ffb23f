"""People whose pages are all gone: what they held goes on without them."""

from shared.conversations.apply import apply_and_wake
from shared.conversations.room import presence_of
from shared.people.free_slots import drop_what_is_over
from shared.ports import Ports
from shared.schemas.own_events import PersonGone


async def let_go(ports: Ports, person: str, conversation: str) -> None:
    """Ends what a person who is gone holds in a conversation, or is offered of it: one commit for
    each slot. Who has opened a page again since keeps it.

    Raises Contended, Unavailable.
    """
    found = await presence_of(ports, person)
    mine = [slot for slot, of in found.value.slots.items() if of.conversation == conversation]
    for slot in mine:
        event = PersonGone(id=slot, source=conversation, actor="timer", person=person, slot=slot)
        await apply_and_wake(ports, event)
    if mine:
        await drop_what_is_over(ports, person)
