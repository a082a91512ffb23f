"""A file that only a desk's platform has, before the message that shows it: the channel gets it
through a link at once. Where that platform cannot give it then, the channel refuses the message for
good, or shows no file.
"""

from shared.errors import BatonError, Unavailable
from shared.handoff.visibility import attachments_of
from shared.media.sources import Source
from shared.media_links import MediaName
from shared.outbox.tries import Result
from shared.platforms.base import Outcome
from shared.ports import Ports
from shared.schemas.content import File
from shared.schemas.journal import JournalEntry


async def away(ports: Ports, entry: JournalEntry, file: File) -> Result | None:
    """Returns the result of a try while the file cannot be had. Returns None where it can, and
    where it never can: then the channel's own answer says what becomes of the message.
    """
    name = MediaName(file.journal or entry.conversation, file.entry or entry.id)
    try:
        said = await ports.store.entry(name.conversation, name.entry)
        files = attachments_of(said.value) if said else ()
        if said is None or not files or ports.media is None:
            return None
        async with Source(ports, said.value.source, name, files[name.index]).open() as opened:
            fault = None if opened.status == 200 else "platform-failed"
    except Unavailable as error:
        fault = error.reason
    except BatonError:
        return None
    return Result(Outcome.TRANSIENT, f"the file: {fault}", arrived=False) if fault else None
