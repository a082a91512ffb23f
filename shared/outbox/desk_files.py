"""A file that only a desk's platform has, before the message that shows it: the channel gets it
through a link at once. Where that platform cannot give it then, the channel refuses the message for
good, or shows no file.
"""

from shared.errors import BatonError, Unavailable
from shared.handoff.visibility import attachments_of
from shared.media.sources import Source
from shared.media_links import MediaName
from shared.outbox.keep_media import keep
from shared.outbox.tries import Result
from shared.platforms.base import Outcome
from shared.ports import Ports
from shared.schemas.content import File
from shared.schemas.journal import JournalEntry


async def away(ports: Ports, entry: JournalEntry, file: File) -> Result | None:
    """Returns the result of a try while the file cannot be had. Returns None where it can, and
    where it never can: then the channel's own answer says what becomes of the message.

    Where Baton keeps files it has a copy then, which needs no desk any more.
    """
    name = MediaName(file.journal or entry.conversation, file.entry or entry.id)
    try:
        said = await ports.store.entry(name.conversation, name.entry)
        if said is None or not attachments_of(said.value) or ports.media is None:
            return None
        if ports.media_store is not None:
            await keep(ports, said.value, name.index)
            return None
        return await _not_there(ports, said.value, name)
    except Unavailable as error:
        return _waits(error.reason)
    except BatonError:
        return None


async def _not_there(ports: Ports, entry: JournalEntry, name: MediaName) -> Result | None:
    file = attachments_of(entry)[name.index]
    async with Source(ports, entry.source, name, file).open() as opened:
        return None if opened.status == 200 else _waits("platform-failed")


def _waits(reason: str) -> Result:
    return Result(Outcome.TRANSIENT, f"the file: {reason}", arrived=False)
