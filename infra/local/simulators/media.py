"""The files of a simulated platform: those that customers send, those that Baton uploads or links
to, and their clock.
"""

import asyncio
import hashlib
import secrets
import shutil
import tempfile
import weakref
from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.base_protocol import BaseProtocol
from multidict import CIMultiDict
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from infra.local.simulators.platform_store import PlatformStore
from infra.local.simulators.simulator import Simulator, google_error, json_of

KINDS = ("image", "video", "audio", "voice", "document", "sticker")
MEGABYTE = 1 << 20
LARGEST = 100 * MEGABYTE
FETCH_SECONDS = 10.0
OWN_HOSTS = ("127.0.0.1", "localhost")
# What a browser may show beside the page; anything else is a download.
_SHOWN = ("image/jpeg", "image/png", "image/gif", "image/webp", "audio/", "video/")
_INERT = {"x-content-type-options": "nosniff", "content-security-policy": "sandbox"}


class NotFetched(Exception):
    """The platform cannot get a file from the link of a message; the text is the reason."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that the platform keeps."""

    id: str
    mime_type: str
    name: str | None
    sha256: bytes
    path: Path
    at: datetime

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def base_type(self) -> str:
        """The MIME type without its parameters."""
        return base_type(self.mime_type)


class Files:
    """Keeps files in a folder beside the platform's database. `ahead` moves their clock."""

    def __init__(self, store: PlatformStore) -> None:
        self._store = store
        self.ahead = timedelta()
        self._folder = Path(f"{store.path}-files")
        if store.path == ":memory:":
            self._folder = Path(tempfile.mkdtemp(prefix="baton-files-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def keep(self, content: bytes, mime_type: str, name: str | None) -> File:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = str(secrets.randbelow(9 * 10**15) + 10**15)
        self._path(file).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        self._store.keep_file(file, mime_type, name, digest, self.now().isoformat())
        return self.get(file) or _lost(file)

    def get(self, file: str) -> File | None:
        found = self._store.file(file)
        if found is None or not self._path(file).exists():
            return None
        mime_type, name, digest, at = found
        return File(
            file,
            mime_type,
            name,
            bytes.fromhex(digest),
            self._path(file),
            datetime.fromisoformat(at),
        )

    def age(self, file: File) -> timedelta:
        return self.now() - file.at

    def _path(self, file: str) -> Path:
        return self._folder / file


class FilesSimulator(Simulator):
    """A platform whose customers send and get files."""

    def __init__(self, store: PlatformStore, webhook_url: str) -> None:
        self.files = Files(store)
        super().__init__(store, webhook_url)

    @abstractmethod
    def reported_file(
        self, key: str, native: str, kind: str, file: File, caption: str | None, origin: str
    ) -> dict[str, Any]:
        """Returns the webhook for a file that a customer sends. `origin` is where this platform is
        served.
        """

    @abstractmethod
    def is_customer(self, key: str) -> bool:
        """Returns whether this may be the key of a customer."""

    def unsendable(self, kind: str, file_type: str, size: int) -> str | None:
        """Returns why a customer cannot send such a file, None if they can."""
        return None if kind in KINDS else f"kind is one of {', '.join(KINDS)}."

    def files_routes(self) -> list[Route]:
        return [
            Route("/customers/{key}/media", self._send_file, methods=["POST"]),
            Route("/media/{file}", self._show_file, methods=["GET"]),
            Route("/clock", self._set_clock, methods=["PUT"]),
        ]

    async def _send_file(self, request: Request) -> Response:
        """Sends a file of the customer's: its bytes, with `kind`, `fileName`, `caption` and
        `displayName` in the query.
        """
        asked, key = request.query_params, self.key_of(request.path_params["key"])
        kind, caption = asked.get("kind", "document"), asked.get("caption") or None
        mime_type = request.headers.get("content-type", "application/octet-stream")
        content = await request.body()
        refused = self.unsendable(kind, base_type(mime_type), len(content))
        if refused or not content or len(content) > LARGEST or not self.is_customer(key):
            words = refused or f"Send a file of 1 to {LARGEST} bytes, as a customer."
            return google_error(400, "INVALID_ARGUMENT", words)
        native = asked.get("messageId") or self.new_id()
        file = self.files.keep(content, mime_type, asked.get("fileName"))
        row = {"messageId": native, "text": caption or "", "files": [self.view(kind, file)]}
        origin = f"{request.url.scheme}://{request.url.netloc}"
        with self.store.whole():
            self.store.learn(key, asked.get("displayName"))
            if self.store.show(key, "customer", "message", native, row):
                self.report(self.reported_file(key, native, kind, file, caption, origin))
        await self.let_baton_hear()
        return JSONResponse({**row, "conversation": self.conversation_of(key), "fileId": file.id})

    async def _show_file(self, request: Request) -> Response:
        """Returns a file as the phone shows it."""
        file = self.files.get(request.path_params["file"])
        if file is None:
            return google_error(404, "NOT_FOUND", "There is no such file.")
        return served(file)

    async def _set_clock(self, request: Request) -> Response:
        """Moves the clock of the files: `{"aheadSeconds"}`."""
        ahead = (await json_of(request)).get("aheadSeconds")
        if not isinstance(ahead, int | float):
            return google_error(400, "INVALID_ARGUMENT", "aheadSeconds must be a number.")
        self.files.ahead = timedelta(seconds=ahead)
        return JSONResponse({"aheadSeconds": ahead})

    def view(self, kind: str, file: File) -> dict[str, Any]:
        """Returns a file as the phone's transcript has it."""
        return {
            "kind": kind,
            "url": f"{self.prefix}/media/{file.id}",
            "mimeType": file.mime_type,
            "fileName": file.name,
            "size": file.size,
        }

    def given(self, file: File) -> Response:
        """Returns the bytes of a file to Baton, as far as the faults allow."""
        if self.faults.strikes("media_gone"):
            return google_error(404, "NOT_FOUND", "The simulated platform was told to lose it.")
        return _Cut(file) if self.faults.strikes("media_cut") else served(file)

    async def fetched(self, link: str) -> File | None:
        """Returns the file behind the link of a message, None for a link to another machine: a
        local run needs no network. Raises NotFetched.
        """
        if urlsplit(link).hostname not in OWN_HOSTS:
            return None
        content, mime_type, name = await _fetch(link)
        return self.files.keep(content, mime_type, name)


class _Cut(FileResponse):
    """Announces a whole file, and ends after half of it. The server then closes the connection."""

    def __init__(self, file: File) -> None:
        super().__init__(file.path, media_type=file.mime_type)
        self._half = file.path.read_bytes()[: file.size // 2]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        size = str(self.path.stat().st_size).encode()  # type: ignore[union-attr]  # a Path here
        headers = [(b"content-length", size), (b"content-type", b"application/octet-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._half, "more_body": True})


def served(file: File) -> Response:
    """Returns a file, or the range of it that was asked for. A document never opens as a page."""
    shown = file.base_type.startswith(_SHOWN)
    return FileResponse(
        file.path,
        media_type=file.mime_type,
        filename=file.name or file.id,
        content_disposition_type="inline" if shown else "attachment",
        headers=_INERT,
    )


async def _fetch(link: str) -> tuple[bytes, str, str | None]:
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(link, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise NotFetched(f"The link answers {answer.status}.")
            content = bytearray()
            async for chunk in answer.content.iter_chunked(1 << 16):
                content += chunk
                if len(content) > LARGEST:
                    raise NotFetched("The file is too large.")
            disposition = answer.content_disposition
            name = disposition.filename if disposition else None
            return bytes(content), answer.content_type, name
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NotFetched(f"The link cannot be fetched: {type(error).__name__}.") from error


async def form_of(request: Request) -> Mapping[str, tuple[bytes, str, str | None]]:
    """Returns the parts of a multipart body by name: the bytes, the MIME type and the file name.
    What is no such body has none.
    """
    loop, body = asyncio.get_running_loop(), await request.body()
    stream = aiohttp.StreamReader(BaseProtocol(loop), len(body) + 1, loop=loop)
    stream.feed_data(body)
    stream.feed_eof()
    headers = CIMultiDict(request.headers)
    found = dict[str, tuple[bytes, str, str | None]]()
    try:
        async for part in aiohttp.MultipartReader(headers, stream):
            if isinstance(part, aiohttp.BodyPartReader) and part.name:
                kind = part.headers.get("content-type", "text/plain")
                found[part.name] = (bytes(await part.read()), kind, part.filename)
    except (ValueError, AssertionError, KeyError):
        return {}
    return found


def base_type(mime_type: str) -> str:
    """Returns a MIME type without its parameters, in lower case."""
    return mime_type.partition(";")[0].strip().lower()


def kind_of(mime_type: str, kinds: Collection[str] = ("image", "video", "audio")) -> str:
    """Returns the kind of a file by its MIME type."""
    family = base_type(mime_type).partition("/")[0]
    return family if family in kinds else "document"


def _lost(file: str) -> File:
    raise FileNotFoundError(file)
