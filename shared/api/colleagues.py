"""The people to whom a customer may be passed on."""

from shared.api import views
from shared.api.handlers import Ask
from shared.handoff.routing.desk import API_READERS
from shared.schemas.http import Response
from shared.schemas.people import PersonSeen, Presence, Role


async def list_people(ask: Ask) -> Response:
    """Returns the people who answer, whether each is available and has room, and the desks."""
    people = [one for one in ask.ports.people.values() if one.role is not Role.REPORTS]
    found = await ask.ports.store.people([one.id for one in people])
    now = ask.ports.clock.now()
    shown = []
    for person in people:
        presence = found[person.id].value if person.id in found else Presence(id=person.id)
        seen = PersonSeen(person=person, slots=tuple(presence.slots))
        available = presence.is_available(now)
        shown.append(views.colleague_view(person, available=available, room=seen.room))
    desks = [one.name for one in ask.ports.policy.desks] or [API_READERS.name]
    return views.json_response({"people": shown, "desks": desks})
