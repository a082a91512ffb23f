"""A MediaStore in Cloud Storage, by its JSON API. Google's own client blocks, and its import takes
longer than a cold start may.

https://docs.cloud.google.com/storage/docs/json_api/v1
https://docs.cloud.google.com/storage/docs/performing-resumable-uploads
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import pydantic_core
from yarl import URL

from shared.errors import NotFound, Unavailable
from shared.ports import Opened

SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
PIECE = 1 << 20  # bytes of one call; a multiple of 256 KiB, as Cloud Storage requires
CHUNK = 64 << 10
CONNECT_SECONDS, IDLE_SECONDS = 3.0, 30.0
_RESUME = HTTPStatus.PERMANENT_REDIRECT


class BucketStore:
    """A MediaStore. It must be created inside the event loop that uses it.

    `token` returns an access token, None where the bucket needs none.
    """

    def __init__(
        self,
        bucket: str,
        token: Callable[[], Awaitable[str]] | None,
        api_url: str = "https://storage.googleapis.com",
    ) -> None:
        self._bucket, self._token, self._api_url = bucket, token, api_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def put(self, name: str, mime_type: str, chunks: AsyncIterator[bytes]) -> None:
        """Nothing is visible in the bucket before the last call."""
        pieces = _pieces(chunks)
        first = await anext(pieces)
        if len(first) < PIECE:
            await self._put_small(name, mime_type, first)
        else:
            await self._put_large(name, mime_type, first, pieces)

    @asynccontextmanager
    async def open(self, name: str, part: str | None) -> AsyncIterator[Opened]:
        more = {"range": part} if part else {}
        url = f"{self._objects()}/{quote(name, safe='')}?alt=media"
        async with self._call("GET", url, headers=more) as answer:
            if answer.status == HTTPStatus.NOT_FOUND:
                raise NotFound("no-such-file", "This file is not kept.")
            if answer.status not in (200, 206, 416):
                raise _failed(answer.status)
            headers = {one.lower(): value for one, value in answer.headers.items()}
            yield Opened(answer.status, headers, _chunks(answer))

    async def delete(self, prefix: str) -> None:
        cursor: str | None = ""
        while cursor is not None:
            asked = {"prefix": prefix, "fields": "items(name),nextPageToken", "pageToken": cursor}
            found = await self._asked("GET", f"{self._objects()}?{urlencode(asked)}")
            for one in found.get("items", ()):
                await self._deleted(str(one["name"]))
            cursor = found.get("nextPageToken")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _objects(self) -> str:
        return f"{self._api_url}/storage/v1/b/{self._bucket}/o"

    def _uploads(self, kind: str, name: str) -> str:
        base = f"{self._api_url}/upload/storage/v1/b/{self._bucket}/o"
        return f"{base}?uploadType={kind}&name={quote(name, safe='')}"

    async def _put_small(self, name: str, mime_type: str, whole: bytes) -> None:
        url, headers = self._uploads("media", name), {"content-type": mime_type}
        async with self._call("POST", url, headers=headers, data=whole) as answer:
            _check(answer.status)

    async def _put_large(
        self, name: str, mime_type: str, piece: bytes, pieces: AsyncIterator[bytes]
    ) -> None:
        """A piece that is shorter than PIECE is the last one."""
        headers = {"x-upload-content-type": mime_type}
        async with self._call("POST", self._uploads("resumable", name), headers=headers) as answer:
            _check(answer.status)
            session = answer.headers.get("location", "")
        sent = 0
        try:
            while await self._sent(session, piece, sent):
                sent += len(piece)
                piece = await anext(pieces)
        except BaseException:
            with suppress(Unavailable):
                async with self._call("DELETE", session):
                    pass
            raise

    async def _sent(self, session: str, piece: bytes, sent: int) -> bool:
        """Sends a piece. Returns whether another one must follow."""
        is_last, end = len(piece) < PIECE, sent + len(piece)
        total = str(end) if is_last else "*"
        span = f"bytes {sent}-{end - 1}/{total}" if piece else f"bytes */{total}"
        async with self._call(
            "PUT", session, headers={"content-range": span}, data=piece
        ) as answer:
            if is_last:
                _check(answer.status)
            elif answer.status != _RESUME or answer.headers.get("range") != f"bytes=0-{end - 1}":
                raise _failed(answer.status)
        return not is_last

    async def _deleted(self, name: str) -> None:
        async with self._call("DELETE", f"{self._objects()}/{quote(name, safe='')}") as answer:
            if answer.status != HTTPStatus.NOT_FOUND:
                _check(answer.status)

    async def _asked(self, method: str, url: str) -> Mapping[str, Any]:
        async with self._call(method, url) as answer:
            _check(answer.status)
            found: Mapping[str, Any] = pydantic_core.from_json(await answer.read())
            return found

    @asynccontextmanager
    async def _call(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, data: bytes = b""
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Raises Unavailable where there is no answer."""
        allowed = {"authorization": f"Bearer {await self._token()}"} if self._token else {}
        if self._session is None:
            limits = aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS, sock_read=IDLE_SECONDS)
            self._session = aiohttp.ClientSession(
                timeout=limits, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
            )
        try:
            request = self._session.request(
                method,
                URL(url, encoded=True),
                data=data,
                headers={**(headers or {}), **allowed},
                allow_redirects=False,
            )
            async with request as answer:
                yield answer
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable("media-store", "The store of files cannot be reached.") from error


async def _pieces(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Returns the bytes in pieces of PIECE. The last one is shorter, and may be empty."""
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        while len(held) >= PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    yield bytes(held)


async def _chunks(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.content.iter_chunked(CHUNK):
            yield chunk
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable("media-store", "The store of files has stopped answering.") from error


def _check(status: int) -> None:
    if not 200 <= status < 300:
        raise _failed(status)


def _failed(status: int) -> Unavailable:
    words = f"The store of files answered with HTTP {status}."
    return Unavailable("media-store", words, http_status=str(status))
