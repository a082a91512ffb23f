"""Copies a file of a message to where Baton keeps files: platforms forget them, or are away."""

import asyncio
from collections.abc import AsyncIterator

from shared.errors import NotFound, TooLarge, Unavailable
from shared.handoff.visibility import attachments_of
from shared.media.kinds import limit_of
from shared.media.names import kept_name
from shared.media.sources import Source
from shared.media_links import MediaName
from shared.outbox.tries import Result
from shared.platforms.base import Outcome
from shared.ports import MediaStore, Opened, Ports
from shared.schemas.commands import KeepMedia
from shared.schemas.journal import JournalEntry

LONGEST_SECONDS = 60.0
UNKNOWN_TYPE = "application/octet-stream"


async def keep_media(ports: Ports, entry: JournalEntry, command: KeepMedia) -> Result:
    return await keep(ports, entry, command.index)


async def keep(ports: Ports, entry: JournalEntry, index: int) -> Result:
    """Returns once a file of a message is kept, or was before.

    Raises the errors of Source.open, TooLarge, Unavailable.
    """
    store, files = ports.media_store, attachments_of(entry)
    if store is None or index >= len(files):
        return Result(Outcome.PERMANENT, "nothing keeps files, or the message has none")
    name, file = MediaName(entry.conversation, entry.id, index), files[index]
    if await _is_kept(store, kept_name(name)):
        return Result(Outcome.DONE)
    try:
        async with (
            asyncio.timeout(LONGEST_SECONDS),
            Source(ports, entry.source, name, file).open() as opened,
        ):
            mime_type = file.mime_type or opened.headers.get("content-type", UNKNOWN_TYPE)
            await store.put(kept_name(name), mime_type, _within(opened, limit_of(file.kind)))
    except TimeoutError:
        raise Unavailable("too-slow", "The platform is too slow to copy the file now.") from None
    return await _unless_erased(ports, store, entry, name)


async def _is_kept(store: MediaStore, name: str) -> bool:
    try:
        async with store.open(name, "bytes=0-0"):
            return True
    except NotFound:
        return False


async def _within(opened: Opened, limit: int) -> AsyncIterator[bytes]:
    """Returns the chunks of the whole file. Raises TooLarge beyond the limit, Unavailable if the
    platform sends something else or too little.
    """
    declared = opened.headers.get("content-length", "")
    size = 0
    async for chunk in opened.chunks:
        size += len(chunk)
        if size > limit:
            raise TooLarge("file-too-large", f"The file has more than {limit} bytes.")
        yield chunk
    if opened.status != 200 or (declared.isascii() and declared.isdigit() and size < int(declared)):
        raise Unavailable("platform-failed", "The platform has sent something else than the file.")


async def _unless_erased(
    ports: Ports, store: MediaStore, entry: JournalEntry, name: MediaName
) -> Result:
    """An erase strips the entry first and deletes the files then, so one of the two sees what the
    other has done.
    """
    current = await ports.store.entry(entry.conversation, entry.id)
    if current is not None and attachments_of(current.value):
        return Result(Outcome.DONE)
    await store.delete(f"{kept_name(name).rpartition('/')[0]}/")
    return Result(Outcome.PERMANENT, "the conversation was erased")
