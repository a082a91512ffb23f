"""The number of customers who wait longer for the same desk. It reads the queue, the longest wait
first, and never all of it.
"""

from shared.errors import BatonError
from shared.logs import log
from shared.ports import Ports
from shared.schemas.conversation import Ahead, Conversation, Phase
from shared.schemas.events import Event

MOST, PAGE, PAGES = 50, 50, 4  # counted; read at a time; read at most


async def with_place(ports: Ports, conversation: Conversation, event: Event) -> Event:
    """Returns the event of a customer who asks for their place, with the answer; unchanged where
    the store cannot answer now.
    """
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
    """Returns how many customers wait longer for the same desk. Raises Unavailable."""
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
