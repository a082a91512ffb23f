"""The ids by which a desk's chat knows the messages of a conversation."""

from shared.conversations.resolve import where_it_acts
from shared.ports import Ports
from shared.schemas.commands import CallDesk, SendMessage, SendReaction, State
from shared.schemas.events import HumanMessage, HumanReacted, HumanRevoked
from shared.schemas.journal import JournalEntry

EARLIER = 100  # entries in which a message is looked for
REPLAYED_ID = "replayed:"  # stands before the id of an event from before the chat was linked
PART = ("#", ":")  # stand behind the id of a message where its parts are messages of their own
_NOT_REACHED = (State.FAILED, State.DROPPED, State.UNFRAMED)


async def desk_message_id(
    ports: Ports, conversation: str, chat: str, handoff: str, message: str
) -> str | None:
    """Returns the desk's own id of a message in `chat`, which is that of `handoff`. None if the
    chat does not have the message, such as a bot's.

    `message` is its id as `About` has it: the customer's own, or that of Baton's command.
    """
    for one in await ports.store.latest(conversation, EARLIER):
        entry = one.value
        if entry.event_id == message:
            said = (c for c in entry.commands if isinstance(c, CallDesk) and c.action == "say")
            return next((c.native_id for c in said if c.handoff == handoff), None)
        if any(command.id == message for command in entry.commands):
            theirs = entry.event_id if entry.source == chat else None
            return theirs and theirs.removeprefix(REPLAYED_ID)
    return None


async def about_customers_message(
    ports: Ports, event: HumanMessage | HumanReacted
) -> HumanMessage | HumanReacted | None:
    """Returns the event with the id of the customer's message that it is about, in place of the
    desk's own id of it. Where that message is not known a message is about none, and a reaction is
    left out (None).
    """
    about = event.about and await _customers_message(ports, event.source, event.about)
    if about is None and isinstance(event, HumanReacted):
        return None
    return event.model_copy(update={"about": about})


async def _customers_message(ports: Ports, chat: str, message: str) -> str | None:
    acting = await where_it_acts(ports, chat)
    for one in await ports.store.latest(acting.value.id, EARLIER) if acting else ():
        for command in one.value.commands:
            if isinstance(command, CallDesk) and command.native_id == message:
                return one.value.event_id if command.action == "say" else None
    return None


async def about_what_was_passed_on(
    ports: Ports, event: HumanRevoked
) -> HumanRevoked | HumanReacted | None:
    """Returns the event with the entries of what the customer has got, or will get, of a message
    that was deleted at the desk; for a reaction the event that takes it back. None if they get
    nothing of it: it was a note among colleagues, or is long past.
    """
    acting = await where_it_acts(ports, event.source)
    latest = await ports.store.latest(acting.value.id, EARLIER) if acting else ()
    said = [one.value for one in latest if _is_about(one.value, event)]
    reaction = next((c for one in said for c in one.commands if isinstance(c, SendReaction)), None)
    if reaction is not None:
        known = event.model_dump(exclude={"about", "entries"})
        return HumanReacted(**known, about=reaction.about) if reaction.emoji else None
    reached = tuple(one.id for one in said if any(map(_reaches, one.commands)))
    return event.model_copy(update={"entries": reached}) if reached else None


def _is_about(entry: JournalEntry, event: HumanRevoked) -> bool:
    known = (entry.event_id or "").removeprefix(REPLAYED_ID)
    is_part = known.startswith(event.about) and known[len(event.about) :].startswith(PART)
    return entry.source == event.source and (known == event.about or is_part)


def _reaches(command: object) -> bool:
    return isinstance(command, SendMessage) and command.state not in _NOT_REACHED
