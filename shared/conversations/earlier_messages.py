"""The earlier message that a customer answers, reacts to, changes or deletes: by the id that its
sender or its readers know, with its first words, and with who heard it and who may read it.
"""

from collections.abc import Sequence

from shared.handoff.visibility import first_words_of
from shared.ports import Ports
from shared.schemas.commands import Listener, Post, Publish, SendMessage
from shared.schemas.conversation import Conversation
from shared.schemas.details import About, first_words
from shared.schemas.events import ByCustomer, Correction, SuggestionResponse, UserMessage
from shared.schemas.journal import JournalEntry
from shared.schemas.notation import entry_id, platform_of, sent_key
from shared.schemas.notifications import USER_MESSAGES
from shared.schemas.variables import Audience
from shared.values import frozen

_SAID = (UserMessage.kind, SuggestionResponse.kind)


@frozen
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
    # customers offer no suggestions
    kinds = () if isinstance(event, SuggestionResponse) else _SAID
    earlier = await _earlier(ports, conversation, event.source, message, kinds)
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


async def _earlier(
    ports: Ports, known: Conversation, source: str, message: str, kinds: Sequence[str]
) -> _Earlier | None:
    """Looks also into the journals of conversations that became part of this one."""
    formers = [former.id for former in known.formerly]
    for journal, whose in ((known.id, source), *((one, one) for one in formers)):
        for kind in kinds:
            found = await ports.store.entry(journal, entry_id(whose, kind, message))
            if found is not None and not found.value.marker:
                return _of_customer(found.value, message)
    sent = await ports.store.sent_as(sent_key(platform_of(source), message))
    if sent is None or sent.value.conversation not in (known.id, *formers):
        return None
    for command in sent.value.commands:
        if isinstance(command, SendMessage) and command.native_id == message:
            return _ours(command)
    return None


def _of_customer(entry: JournalEntry, message: str) -> _Earlier:
    about = About(message=message, by="CUSTOMER", text=first_words_of(entry))
    return _Earlier(about, readers_of(entry), entry.captured_for)


def readers_of(entry: JournalEntry) -> tuple[Listener, ...]:
    """Returns who gets the customer's words of this entry."""
    readers = {
        reader
        for command in entry.commands
        if isinstance(command, Post)
        or (isinstance(command, Publish) and command.topic == USER_MESSAGES)
        for reader in command.readers
    }
    return tuple(sorted(readers))


def _ours(command: SendMessage) -> _Earlier:
    by = command.representative.representative_type.value
    return _Earlier(About(message=command.id, by=by, text=first_words(command.content.summary)))
