"""Saves the files of exported messages: through the links of `relay_media` where MEDIA_URL and
MEDIA_LINK_KEYS are set, else from the store and the platforms with this environment's credentials.

A file that is saved already is not fetched again. What cannot be saved is listed.
"""

import contextlib
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import aiohttp
import pydantic_core

from infra.export.files import own
from infra.export.transcripts import Line, NamedFile
from shared.errors import BadRequest, BatonError
from shared.media.headers import safe_name
from shared.media.sources import Source
from shared.ports import Ports
from shared.schemas.base import JsonObject
from shared.schemas.notation import sha256

FAILURES = "failed.jsonl"
OWNERS_FOLDER = 0o700
SECONDS_WITHOUT_BYTES = 60.0
_NOT_IN_FOLDERS = re.compile(r"[^A-Za-z0-9._+=~-]")


class NotSaved(Exception):
    """A file could not be fetched; the text is the reason."""


class Saver:
    """Saves files below `folder`, in a folder of each conversation."""

    def __init__(self, ports: Ports, folder: Path) -> None:
        self._ports = ports
        self._folder = folder
        self._failures = folder / FAILURES
        self._noted = set[bytes]()
        self.saved = 0

    @property
    def failed(self) -> int:
        return len(self._noted)

    def begin(self, *, resumed: bool) -> None:
        """Makes the folder. A resumed run keeps the list of what could not be saved before. Raises
        BadRequest where that cannot be done.
        """
        try:
            self._folder.mkdir(mode=OWNERS_FOLDER, parents=True, exist_ok=True)
            if not resumed:
                self._failures.unlink(missing_ok=True)
            elif self._failures.exists():
                self._noted = set(self._failures.read_bytes().splitlines())
        except OSError as error:
            words = f"{self._folder} cannot be written: {error.strerror}."
            raise BadRequest("no-folder", words) from error

    async def line(self, line: Line) -> Line:
        """Saves the files of a line, and returns it with their places."""
        return replace(line, files=tuple([await self._save(file) for file in line.files]))

    async def _save(self, named: NamedFile) -> NamedFile:
        place = place_of(named)
        path = self._folder / place
        if not path.exists():
            try:
                await self._fetch(named, path)
            except (NotSaved, BatonError, aiohttp.ClientError, TimeoutError) as error:
                reason = error.reason if isinstance(error, BatonError) else str(error)
                self._note(named, reason or type(error).__name__)
                return named
        self.saved += 1
        return replace(named, saved=place)

    async def _fetch(self, named: NamedFile, path: Path) -> None:
        """Writes the whole file, or none."""
        path.parent.mkdir(mode=OWNERS_FOLDER, parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        async with contextlib.aclosing(self._chunks(named)) as chunks:
            with own(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
                await _copy(chunks, file)
        os.replace(part, path)

    async def _chunks(self, named: NamedFile) -> AsyncGenerator[bytes, None]:
        links = self._ports.media_links
        if links is not None and links.keys:
            async for chunk in _linked(links.link(named.name)):
                yield chunk
            return
        source = Source(self._ports, named.reporter, named.name, named.file)
        async with source.open() as opened:
            async for chunk in opened.chunks:
                yield chunk

    def _note(self, named: NamedFile, reason: str) -> None:
        noted: JsonObject = {
            "conversation": named.name.conversation,
            "entry": named.name.entry,
            "index": named.name.index,
            "file": place_of(named),
            "reason": reason,
        }
        line = pydantic_core.to_json(noted)
        if line not in self._noted:
            self._noted.add(line)
            with own(self._failures, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as file:
                file.write(line + b"\n")


async def _copy(chunks: AsyncIterator[bytes], file: IO[bytes]) -> None:
    async for chunk in chunks:
        file.write(chunk)


async def _linked(link: str) -> AsyncIterator[bytes]:
    """Yields what `relay_media` answers. Raises NotSaved for an error."""
    timeout = aiohttp.ClientTimeout(total=None, sock_read=SECONDS_WITHOUT_BYTES)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(link) as answer:
        if answer.status != 200:
            raise NotSaved(_reason(answer.status, await answer.content.read(1 << 16)))
        async for chunk in answer.content.iter_chunked(1 << 16):
            yield chunk


def _reason(status: int, body: bytes) -> str:
    try:
        return str(pydantic_core.from_json(body)["error"]["details"][0]["reason"])
    except (ValueError, KeyError, TypeError, IndexError):
        return f"HTTP {status}"


def place_of(named: NamedFile) -> str:
    """Returns the path of a file below the folder. It is the same in each run."""
    file, name = named.file, named.name
    kind = (file.mime_type or "application/octet-stream").partition(";")[0].strip()
    folder = _NOT_IN_FOLDERS.sub("_", name.conversation)
    title = safe_name(file.file_name, file.kind, kind)
    return f"{folder}/{sha256(name.entry)[:16]}-{name.index}-{title}"
