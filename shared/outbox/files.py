"""A message with a file, as it is sent. Links to files are made at each try: they expire."""

from functools import partial

from shared.errors import DoorClosed
from shared.handoff.visibility import Linked
from shared.media_links import MediaName
from shared.ports import Ports
from shared.schemas.commands import SendMessage
from shared.schemas.content import TEXT_LIMIT, Content, File
from shared.schemas.journal import JournalEntry
from shared.schemas.notation import platform_of
from shared.schemas.texts import shortened


def linked_by(ports: Ports) -> Linked | None:
    """Returns what adds links to files for people who read words alone, perhaps days later; None
    where Baton makes no links.
    """
    links = ports.media_links
    return None if links is None else partial(links.with_links, for_people=True)


def with_link(ports: Ports, entry: JournalEntry, command: SendMessage, file: File) -> SendMessage:
    """Returns the message with a link from which the platform, or the customer, gets the file; the
    same one where the platform has the file. Where Baton makes no links, words stand for a file
    that only a desk's platform has.

    Raises DoorClosed while Baton cannot make links to a file that it keeps.
    """
    if file.instead is None and file.native_id is not None:
        return command
    if file.source_id is not None and ports.media_links is None:
        words = file.instead or command.content.summary
        return _saying(command, Content(text=words, suggestions=command.content.suggestions))
    link = file.file_url or _link(ports, entry, file)
    if file.instead is None:
        linked = file.model_copy(update={"file_url": link})
        return _saying(command, command.content.model_copy(update={"file": linked}))
    limit = ports.policy.of(platform_of(command.shown_in(entry.conversation))).text_limit
    words = shortened(file.instead, min(limit, TEXT_LIMIT) - len(link) - 1)
    text = f"{words}\n{link}"
    return _saying(command, Content(text=text, suggestions=command.content.suggestions))


def _link(ports: Ports, entry: JournalEntry, file: File) -> str:
    if ports.media_links is None:
        raise DoorClosed("MEDIA_URL")
    place = MediaName(file.journal or entry.conversation, file.entry or entry.id)
    return ports.media_links.link(place, for_people=file.instead is not None)


def _saying(command: SendMessage, content: Content) -> SendMessage:
    return command.model_copy(update={"content": content})
