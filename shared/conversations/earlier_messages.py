"""The earlier message that a customer answers, reacts to, changes or deletes: by the id that its
sender or its readers know, with its first words, and with who heard it and who may read it.
"""

from dataclasses import dataclass

from shared.handoff.visibility import first_words_of
from shared.ports import Ports
from shared.schemas.commands import Command, Listener, Post, Publish, SendMessage
from shared.schemas.conversation import Conversation
from shared.schemas.details import About, first_words
from shared.schemas.events import ByCustomer, Correction, SuggestionResponse, UserMessage
from shared.schemas.http import Answer
from shared.schemas.ids import entry_id, platform_of
from shared.schemas.journal import JournalEntry
from shared.schemas.notifications import USER_MESSAGES
from shared.schemas.variables import Audience

LOOK_BACK = 50  # entries of the journal
_SAID = (UserMessage.kind, SuggestionResponse.kind)


@dataclass(frozen=True, slots=True)
class _Earlier:
    """An earlier message. `heard` and `captured_for` are those of a customer's."""

    about: About
    heard: tuple[Listener, ...] = ()
    captured_for: tuple[Audience, ...] | None = None


async def with_earlier(
    ports: Ports, conversation: Conversation, event: ByCustomer, message: str
) -> ByCustomer:
    """Returns the event, with the message that it names where that is stored. `conversation` is
    the one on which the event acts, read before: a message that is stored meanwhile changes it.

    Raises Unavailable.
    """
    of_ours = isinstance(event, SuggestionResponse)  # customers offer no suggestions
    earlier = None if of_ours else await _of_customer(ports, conversation.id, event.source, message)
    earlier = earlier or await _of_ours(ports, conversation.id, message)
    if earlier is None or event.details is None:
        return event
    if not isinstance(event, Correction):
        details = event.details.model_copy(update={"about": earlier.about})
        return event.model_copy(update={"details": details, "quoted_for": earlier.captured_for})
    bare = earlier.about.model_copy(update={"text": None})  # these words do not hold any more
    return event.model_copy(
        update={
            "details": event.details.model_copy(update={"about": bare}),
            "heard": earlier.heard,
            "captured_for": earlier.captured_for,
        }
    )


async def _of_customer(
    ports: Ports, conversation: str, source: str, message: str
) -> _Earlier | None:
    for kind in _SAID:
        found = await ports.store.entry(conversation, entry_id(source, kind, message))
        if found is not None:
            entry = found.value
            about = About(message=message, by="CUSTOMER", text=first_words_of(entry))
            return _Earlier(about, _hearers(entry), entry.captured_for)
    return None


def _hearers(entry: JournalEntry) -> tuple[Listener, ...]:
    readers = {
        reader
        for command in entry.commands
        if isinstance(command, Post)
        or (isinstance(command, Publish) and command.topic == USER_MESSAGES)
        for reader in command.readers
    }
    return tuple(sorted(readers))


async def _of_ours(ports: Ports, conversation: str, message: str) -> _Earlier | None:
    for latest in await ports.store.latest(conversation, LOOK_BACK):
        for command in latest.value.commands:
            if (
                isinstance(command, SendMessage)
                and native_id(ports, conversation, command) == message
            ):
                by = command.representative.representative_type.value
                said = first_words(command.content.summary)
                return _Earlier(About(message=command.id, by=by, text=said))
    return None


def native_id(ports: Ports, conversation: str, command: Command) -> str | None:
    """Returns the platform's id of a message. A receipt may arrive before the answer is stored, so
    an id that is known before sending counts too.
    """
    if command.native_id is not None or not isinstance(command, SendMessage):
        return command.native_id
    platform = ports.platforms.get(platform_of(command.shown_in(conversation)))
    return platform.sent_id(command, Answer(0)) if platform else None
