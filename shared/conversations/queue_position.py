"""How many wait before a customer, for the same desk: read from the queue, longest wait first,
and never all of it.
"""

from shared.errors import BatonError
from shared.handoff.guards import asks_for_place
from shared.logs import log
from shared.ports import Ports
from shared.schemas.conversation import Ahead, Conversation, Phase
from shared.schemas.events import Event

MOST, PAGE, PAGES = 50, 50, 4  # counted; read at a time; read at most


async def informed(ports: Ports, conversation: Conversation, event: Event) -> Event:
    """Returns the event with the answer, if they ask for their place; else, or where nobody
    knows, as it is.
    """
    if not asks_for_place(conversation, event, ports.policy):
        return event
    try:
        return event.model_copy(update={"ahead": await people_ahead(ports, conversation)})
    except BatonError as error:
        log(
            "WARNING",
            "a customer's place in line is not known",
            reason=error.reason,
            conversation=conversation.id,
        )
        return event


async def people_ahead(ports: Ports, conversation: Conversation) -> Ahead:
    """Returns how many wait longer for the same desk. Raises Unavailable."""
    people, cursor, desk = 0, None, _desk(conversation)
    for _ in range(PAGES):
        page = await ports.store.queue(Phase.QUEUED.value, cursor, PAGE)
        for one in page.items:
            if one.id == conversation.id:
                return Ahead(people=people)
            people += _desk(one) == desk and not one.erased
            if people > MOST:
                return Ahead(people=MOST, more=True)
        if page.cursor is None:
            return Ahead(people=people)
        cursor = page.cursor
    return Ahead(people=people, more=True)


def _desk(conversation: Conversation) -> str | None:
    return conversation.request.desk if conversation.request else None
