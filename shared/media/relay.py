"""Hands the file of a message to a reader who has a link to it: GET|HEAD /<token>.

The bytes pass through: Baton holds at most a few chunks of a file.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack

from shared.errors import Gone, MethodNotAllowed, TooLarge, Unavailable
from shared.handoff.visibility import attachments_of
from shared.media.headers import CACHED_SECONDS, SAFE, disposition, safe_name
from shared.media.kinds import FIRST_BYTES, is_as_claimed, limit_of, type_of
from shared.media.names import kept_name
from shared.media.ranges import Part, asked_part
from shared.media.sources import Source
from shared.media_links import MediaLinks, MediaName
from shared.ports import Opened, Ports
from shared.schemas.details import Attachment
from shared.schemas.events import BotMessage, HumanMessage
from shared.schemas.http import Request, Response, Stream
from shared.schemas.journal import JournalEntry
from shared.schemas.notation import sha256

ALIVE = b'{"function":"relay_media"}'
UNKNOWN_TYPE = "application/octet-stream"
# Cloud Run refuses a longer answer that has a Content-Length, and streams one without.
# https://cloud.google.com/run/quotas
LONGEST_DECLARED = 31 << 20
_CACHED = {"cache-control": f"private, max-age={CACHED_SECONDS}"}


async def relay_media(ports: Ports, links: MediaLinks, request: Request) -> Response:
    """Returns the file that a link names.

    Raises NotFound for what is no link, Gone where the link or the file has expired or the
    conversation was erased, TooLarge, Refused, Unsupported, Unavailable.
    """
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("GET, HEAD")
    if request.path == "/":
        return Response(body=ALIVE)
    name = links.named_by(request.path.strip("/"))
    entry, file = await _attachment(ports, name)
    public = _public_link(entry, file)
    if public is not None:
        return Response(302, headers={**SAFE, "location": public, "cache-control": "no-store"})
    tag = f'"{sha256(kept_name(name))[:32]}"'  # a message's file never changes
    if tag in request.headers.get("if-none-match", ""):
        return Response(304, headers={**SAFE, "etag": tag, **_CACHED})
    if isinstance(file.size, int | float):
        _check_size(file, file.size)
    return await _opened(Source(ports, entry.source, name, file), request, tag)


async def _attachment(ports: Ports, name: MediaName) -> tuple[JournalEntry, Attachment]:
    """Raises Gone: the token is genuine, so there was such a file."""
    found = await ports.store.entry(name.conversation, name.entry)
    files = attachments_of(found.value) if found else ()
    if found is None or name.index >= len(files):
        raise Gone("file-erased", "This conversation was erased, or its journal has expired.")
    return found.value, files[name.index]


def _public_link(entry: JournalEntry, file: Attachment) -> str | None:
    """Returns the public address that a bot or human gave for the file, None for any other file.

    Readers fetch it from there, as the customer does. Baton fetches from platforms only.
    """
    is_callers = entry.kind in (BotMessage.kind, HumanMessage.kind)
    is_elsewhere = is_callers and file.id is None and file.upload is None
    link = (file.link or "") if is_elsewhere else ""
    return link if link.startswith("https://") and link.isascii() and link.isprintable() else None


def _limit(file: Attachment) -> int:
    """Returns how many bytes are passed on. What a caller uploaded was measured then, by the limits
    of the channel.
    """
    return limit_of(None if file.upload else file.kind)


def _check_size(file: Attachment, size: float | None) -> None:
    limit = _limit(file)
    if size is not None and size > limit:
        raise TooLarge("file-too-large", f"Files of this kind may have at most {limit} bytes.")


async def _opened(source: Source, request: Request, tag: str) -> Response:
    """Returns the file, or the part of it that was asked for."""
    limit = _limit(source.file)
    async with AsyncExitStack() as stack:
        whole = await stack.enter_async_context(source.open())
        if whole.status != 200:
            raise _failed()
        total = _length(whole)
        _check_size(source.file, total)
        chunks = whole.chunks
        first = await _first(chunks)
        part = _asked(request, tag, total)
        length = total if part is None else part.size
        status, mime_type, headers = _head(source.file, first, part, length, tag)
        if request.method == "HEAD":
            return Response(status, content_type=mime_type, headers=headers)
        if part is not None and part.start > 0:
            await stack.aclose()  # its first bytes have told the type
            first, chunks = b"", await _from(stack, source, part)
        body = _body(first, chunks, length, limit)
        opened = stack.pop_all()
    opened.push_async_callback(body.aclose)
    notes = {"bytes": length}
    stream = Stream(body, opened.aclose)
    return Response(status, content_type=mime_type, headers=headers, notes=notes, stream=stream)


def _length(opened: Opened) -> int | None:
    declared = opened.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else None


async def _first(chunks: AsyncIterator[bytes]) -> bytes:
    """Returns the first chunks of a file, enough to see what it is."""
    first = b""
    while len(first) < FIRST_BYTES:
        chunk = await anext(chunks, None)
        if chunk is None:
            break
        first += chunk
    return first


def _asked(request: Request, tag: str, total: int | None) -> Part | None:
    """Returns the part that is asked for, None for the whole file: also if its size is not known,
    or if the reader has a part of another file.

    Raises OutOfRange.
    """
    if total is None or request.headers.get("if-range", tag) != tag:
        return None
    return asked_part(request.headers.get("range"), total)


def _head(
    file: Attachment, first: bytes, part: Part | None, length: int | None, tag: str
) -> tuple[int, str, dict[str, str]]:
    """Returns status, type and headers of the answer.

    The type is that of the first bytes, if it is one that browsers may show and the one that the
    platform has named. Any other file is only saved.
    """
    found = type_of(first)
    known = found if found and is_as_claimed(found, file.mime_type, file.kind) else UNKNOWN_TYPE
    how = "attachment" if known.startswith("application/") else "inline"
    name = safe_name(file.file_name, file.kind, known)
    headers = {**SAFE, **_CACHED, "etag": tag, "accept-ranges": "bytes"}
    headers["content-disposition"] = disposition(how, name)
    if part is not None:
        headers["content-range"] = part.content_range
    if length is not None and length <= LONGEST_DECLARED:
        headers["content-length"] = str(length)
    return 200 if part is None else 206, known, headers


async def _from(stack: AsyncExitStack, source: Source, part: Part) -> AsyncIterator[bytes]:
    """Returns the bytes of a part. A platform that sends the whole file all the same is read up to
    where the part begins.
    """
    opened = await stack.enter_async_context(source.open(part.header))
    if opened.status == 200:
        return _without(opened.chunks, part.start)
    if not opened.headers.get("content-range", "").startswith(f"bytes {part.start}-"):
        raise _failed()
    return opened.chunks


async def _without(chunks: AsyncIterator[bytes], skipped: int) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        if len(chunk) > skipped:
            yield chunk[skipped:]
        skipped = max(skipped - len(chunk), 0)


async def _body(
    first: bytes, chunks: AsyncIterator[bytes], length: int | None, limit: int
) -> AsyncGenerator[bytes, None]:
    """Returns `length` bytes as they come, and all that come if it is None.

    Raises TooLarge beyond the limit, Unavailable if the platform sends fewer than it said.
    """
    sent = 0
    async for chunk in _joined(first, chunks):
        wanted = chunk if length is None else chunk[: length - sent]
        sent += len(wanted)
        if sent > limit:
            raise TooLarge("file-too-large", f"The file has more than {limit} bytes.")
        yield wanted
        if sent == length:
            return
    if length is not None and sent < length:
        raise _failed()


def _failed() -> Unavailable:
    return Unavailable("platform-failed", "The platform has sent something else than the file.")


async def _joined(first: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for chunk in chunks:
        yield chunk
