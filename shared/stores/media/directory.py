"""A MediaStore in a directory, for one machine.

A file begins with a line that has its MIME type, so that both are written at once.
"""

import asyncio
import os
import re
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from shared.errors import NotFound, Unavailable
from shared.ports import Opened

CHUNK = 64 << 10
SWEPT_EVERY = 3600.0  # seconds
_NAME = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_PREFIX = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*/?")
_PART = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class DirectoryStore:
    """A MediaStore. Files are deleted `kept_for` after they were put."""

    def __init__(self, root: Path, kept_for: timedelta) -> None:
        self._root, self._kept_for = root, kept_for.total_seconds()
        self._swept_at = 0.0

    async def put(self, name: str, mime_type: str, chunks: AsyncIterator[bytes]) -> None:
        path = self._path(name)
        written = self._root / "unfinished" / uuid.uuid4().hex
        try:
            file = await asyncio.to_thread(_created, written)
            try:
                await asyncio.to_thread(file.write, f"{_one_line(mime_type)}\n".encode())
                async for chunk in chunks:
                    await asyncio.to_thread(file.write, chunk)
                await asyncio.to_thread(_flush, file)
            finally:
                await asyncio.to_thread(file.close)
            await asyncio.to_thread(_move, written, path)
        except OSError as error:
            raise _failed(error) from error
        finally:
            await asyncio.to_thread(written.unlink, missing_ok=True)
        await asyncio.to_thread(self._sweep)

    @asynccontextmanager
    async def open(self, name: str, part: str | None) -> AsyncIterator[Opened]:
        path = self._path(name)
        try:
            file = await asyncio.to_thread(path.open, "rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise NotFound("no-such-file", "This file is not kept.") from error
        except OSError as error:
            raise _failed(error) from error
        try:
            yield await asyncio.to_thread(_opened, file, part)
        finally:
            await asyncio.to_thread(file.close)

    async def delete(self, prefix: str) -> None:
        if not _PREFIX.fullmatch(prefix):
            raise ValueError("the prefix is no beginning of a name")
        try:
            await asyncio.to_thread(self._delete, prefix)
        except OSError as error:
            raise _failed(error) from error

    async def close(self) -> None:
        """Nothing is held open."""

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise NotFound("no-such-file", "This is no name of a file.")
        return self._root / "files" / name

    def _delete(self, prefix: str) -> None:
        files = self._root / "files"
        for path in sorted((files / prefix).parent.rglob("*"), reverse=True):
            if path.relative_to(files).as_posix().startswith(prefix) and path.is_file():
                path.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Deletes what has been kept long enough, and what a crash has left unfinished."""
        now = time.time()
        if now - self._swept_at < SWEPT_EVERY:
            return
        self._swept_at = now
        for path in self._root.rglob("*"):
            age = now - path.stat().st_mtime if path.is_file() else 0.0
            limit = SWEPT_EVERY if path.parent.name == "unfinished" else self._kept_for
            if age > limit:
                path.unlink(missing_ok=True)


def _created(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("xb")


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _move(written: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.replace(written, path)


def _opened(file: BinaryIO, part: str | None) -> Opened:
    mime_type = file.readline().decode().rstrip("\n")
    begin = file.tell()
    total = os.fstat(file.fileno()).st_size - begin
    span = _span(part, total)
    if span is None:
        headers = {"content-type": mime_type, "content-length": str(total)}
        return Opened(200, headers, _chunks(file, total))
    start, end = span
    if start >= total:
        return Opened(416, {"content-range": f"bytes */{total}"}, _chunks(file, 0))
    file.seek(begin + start)
    headers = {
        "content-type": mime_type,
        "content-length": str(end - start),
        "content-range": f"bytes {start}-{end - 1}/{total}",
    }
    return Opened(206, headers, _chunks(file, end - start))


def _span(part: str | None, total: int) -> tuple[int, int] | None:
    """Returns the first byte of a part and the one after it, None for the whole file: a header that
    is malformed is left aside.
    """
    found = _PART.fullmatch(part or "")
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        last = int(found[2])
        return (max(total - last, 0) if last else total), total
    if found[2] and int(found[2]) < int(found[1]):
        return None
    return int(found[1]), min(int(found[2] or total) + 1, total)


async def _chunks(file: BinaryIO, left: int) -> AsyncIterator[bytes]:
    while left > 0:
        chunk = await asyncio.to_thread(file.read, min(left, CHUNK))
        if not chunk:
            return
        left -= len(chunk)
        yield chunk


def _one_line(mime_type: str) -> str:
    return " ".join(mime_type.split())


def _failed(error: OSError) -> Unavailable:
    words = f"The directory of files cannot be used: {error.strerror or 'it failed'}."
    return Unavailable("media-store", words)
