"""Takes a file for a customer before the message that shows it: to Baton's own store, and to the
platform where it takes files.

The bytes pass through: Baton holds at most a few chunks of a file.
"""

import hashlib
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

from shared.errors import (
    BadRequest,
    BatonError,
    DoorClosed,
    Refused,
    TooLarge,
    Unavailable,
    WrongType,
)
from shared.media.names import upload_name
from shared.media.tokens import Uploaded
from shared.media_links import MediaLinks
from shared.platforms.base import HasUploads, Outcome, Platform
from shared.ports import MediaStore, Ports
from shared.schemas.content import File
from shared.schemas.conversation import Capabilities, Conversation
from shared.values import frozen

MOST_BYTES = 100 << 20  # of a file for which the channel shows a link


@frozen
class Upload:
    """A file while it comes in. `size` is what its sender declares, None if nothing."""

    file: File
    chunks: AsyncIterator[bytes]
    size: int | None


def links_of(ports: Ports) -> MediaLinks:
    """Returns what makes links and ids. Raises DoorClosed."""
    if ports.media_links is None:
        raise DoorClosed("MEDIA_URL")
    return ports.media_links


async def take(ports: Ports, conversation: Conversation, given: Upload) -> Uploaded:
    """Returns the upload once the file is kept.

    Raises BadRequest for an empty file, TooLarge and WrongType for one that the channel does not
    take, Refused where nobody keeps it or the platform refuses it, Unavailable.
    """
    platform, store = ports.platforms.get(conversation.platform), ports.media_store
    shown, limit = _allowed(ports.policy.of(conversation.platform), given)
    taker = platform if shown is not None and isinstance(platform, HasUploads) else None
    if store is None and taker is None:
        raise _nowhere(ports.policy.of(conversation.platform), given, platform)
    if store is None and given.size is None:
        words = "Declare the size of the file in Content-Length."
        raise BadRequest("length-required", words)
    measured = _Measured(given.chunks, limit)
    known = Uploaded(
        conversation=conversation.id,
        kind=shown or given.file.kind_known,
        mime_type=given.file.mime_type or "",
        size=0,
        sha256="",
        file_name=given.file.file_name,
    )
    if store is not None:
        known = await _keep(store, known, measured)
    if taker is not None:
        try:
            known = await _hand_over(ports, taker, store, conversation, known, measured, given.size)
        except Exception:  # of any kind: no message will name what was kept
            with suppress(BatonError):
                await forget(ports, known)
            raise
    return replace(known, size=measured.size, sha256=measured.sha256)


async def forget(ports: Ports, taken: Uploaded) -> None:
    """Deletes what is kept of an upload."""
    if ports.media_store is not None and taken.upload is not None:
        await ports.media_store.delete(upload_name(taken.conversation, taken.upload))


def _allowed(channel: Capabilities, given: Upload) -> tuple[str | None, int]:
    """Returns the kind as which the channel shows the file, None for a link to it, and the largest
    size.
    """
    file = given.file
    types = channel.media_types.get(file.kind or "", ())
    if types and file.type_known not in types:
        allowed = ", ".join(types)
        words = f"Files of the kind {file.kind} may have these types on this channel: {allowed}."
        raise WrongType("media-type", words, allowed=allowed)
    shown = channel.shows(file)
    limit = channel.media.get(shown or "", MOST_BYTES)
    if given.size is not None and given.size > limit:
        raise _too_large(shown, limit)
    return shown, limit


def _too_large(shown: str | None, limit: int) -> TooLarge:
    what = f"A file that this channel shows as {shown}" if shown else "A file"
    return TooLarge("file-too-large", f"{what} may have at most {limit} bytes.", limit=str(limit))


def _nowhere(channel: Capabilities, given: Upload, platform: Platform | None) -> BatonError:
    if isinstance(platform, HasUploads):
        types = sorted({one for types in channel.media_types.values() for one in types})
        allowed = ", ".join(types)
        words = f"This channel does not take {given.file.type_known}, but {allowed}."
        return WrongType("media-type", words, allowed=allowed)
    return Refused(
        "no-media-store",
        "Uploads for this channel need MEDIA_BUCKET, which is not set. Give the file by its public "
        "https address in file.fileUrl.",
    )


class _Measured:
    """The chunks of a file with their size and hash. Raises TooLarge beyond `limit`, BadRequest for
    an empty file.
    """

    def __init__(self, chunks: AsyncIterator[bytes], limit: int) -> None:
        self._chunks, self._limit, self._hash = chunks, limit, hashlib.sha256()
        self.size = 0
        self.fault: Exception | None = None

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """A client of HTTP hides what its body raises, so that is kept as `fault`."""
        try:
            async for chunk in self._chunks:
                self.size += len(chunk)
                if self.size > self._limit:
                    raise _too_large(None, self._limit)
                self._hash.update(chunk)
                yield chunk
            if not self.size:
                raise BadRequest("empty-file", "The body is empty; it must be the file.")
        except Exception as error:
            self.fault = error
            raise


async def _keep(store: MediaStore, known: Uploaded, measured: _Measured) -> Uploaded:
    upload = uuid.uuid4().hex
    await store.put(upload_name(known.conversation, upload), known.mime_type, aiter(measured))
    return replace(known, upload=upload)


async def _hand_over(
    ports: Ports,
    taker: HasUploads,
    store: MediaStore | None,
    conversation: Conversation,
    known: Uploaded,
    measured: _Measured,
    declared: int | None,
) -> Uploaded:
    """Returns the upload with the platform's own id. What Baton keeps is read from there."""
    file = File(kind=known.kind, mime_type=known.mime_type, file_name=known.file_name)
    if store is None or known.upload is None:
        try:
            size, chunks = declared or 0, aiter(measured)
            native = await _sent(ports, taker, conversation.address, file, size, chunks)
        except BatonError as error:
            raise measured.fault or error from None
    else:
        async with store.open(upload_name(known.conversation, known.upload), None) as kept:
            native = await _sent(
                ports, taker, conversation.address, file, measured.size, kept.chunks
            )
    return replace(known, native_id=native, channel=conversation.channel)


async def _sent(
    ports: Ports,
    taker: HasUploads,
    address: str,
    file: File,
    size: int,
    chunks: AsyncIterator[bytes],
) -> str:
    sized = file.model_copy(update={"size": size})
    answer = await ports.sender.send(taker.upload(address, sized, chunks))
    outcome = Outcome.TRANSIENT if answer is None else taker.outcome(answer)
    native = taker.uploaded_id(answer) if answer is not None else None
    if outcome is Outcome.DONE and native is not None:
        return native
    said = f"HTTP {answer.status} {taker.refusal(answer) or ''}".strip() if answer else "no answer"
    if outcome in (Outcome.PERMANENT, Outcome.FORBIDDEN):
        raise Refused("upload-refused", f"The platform refuses this file: {said}.")
    raise Unavailable("upload-failed", f"The platform did not take the file: {said}. Try again.")
