"""A server of files with the rules and the faults of platforms: it needs a token, redirects, is
slow, never ends, cuts off.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

TOKEN = "dev-whatsapp-access-token"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


@dataclass
class FileServer:
    """`files` are by id: the bytes, and what the server says of their type. `faults` change how one
    is sent. `asked` has the headers of all requests for bytes.
    """

    files: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    open_now: int = 0
    lookups: int = 0
    beacons: int = 0
    url: str = ""

    @property
    def graph(self) -> str:
        return f"{self.url}/v23.0"

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v23.0/{id}", self._lookup)
        app.router.add_get("/files/{id}", self._file)
        app.router.add_get("/beacon", self._beacon)
        return app

    async def _lookup(self, request: web.Request) -> web.Response:
        """Answers as Meta's Graph API does to `GET /<media id>`."""
        self.lookups += 1
        name = request.match_info["id"]
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _graph_error(401, 190)
        if self.faults.get(name) == "busy":
            return _graph_error(500, 1)
        if name not in self.files:
            return _graph_error(400, 100)
        content, mime_type = self.files[name]
        found = {
            "messaging_product": "whatsapp",
            "url": f"{self.url}/files/{name}",
            "mime_type": mime_type,
            "sha256": "0" * 64,
            "file_size": len(content),
            "id": name,
        }
        return web.Response(text=json.dumps(found), content_type="application/json")

    async def _beacon(self, _: web.Request) -> web.Response:
        """Counts the scripts that have run: each asks this address."""
        self.beacons += 1
        return web.Response()

    async def _file(self, request: web.Request) -> web.StreamResponse:
        self.asked.append({name.lower(): value for name, value in request.headers.items()})
        name = request.match_info["id"]
        fault = self.faults.get(name, "")
        if fault.startswith("to "):
            return web.Response(status=302, headers={"location": fault.removeprefix("to ")})
        if fault.isdigit():
            return web.Response(status=int(fault))
        content, mime_type = self.files[name]
        self.open_now += 1
        try:
            return await self._sent(request, content, mime_type, fault)
        finally:
            self.open_now -= 1

    async def _sent(
        self, request: web.Request, content: bytes, mime_type: str, fault: str
    ) -> web.StreamResponse:
        ranged = request.http_range if fault not in ("no ranges", "no length") else slice(None)
        is_part = ranged.start is not None
        part = content[ranged] if is_part else content
        answer = web.StreamResponse(status=206 if is_part else 200)
        answer.content_type = mime_type
        if is_part:
            start = ranged.start
            end = start + len(part) - 1
            answer.headers["content-range"] = f"bytes {start}-{end}/{len(content)}"
        if fault == "no length" or fault == "endless":
            answer.enable_chunked_encoding()
        else:
            answer.content_length = len(part)
        if fault == "silent":
            await asyncio.sleep(60)
        await answer.prepare(request)
        if fault == "cut":
            await answer.write(part[: len(part) // 2])
            assert request.transport is not None
            request.transport.close()
            return answer
        if fault == "stalls":
            await answer.write(part[: len(part) // 2])
            await asyncio.sleep(60)
        if fault == "drips":
            await answer.write(part[:64])
            for n in range(64, len(part)):
                await answer.write(part[n : n + 1])
                await asyncio.sleep(0.05)
        for at in range(0, len(part), 1 << 16):
            await answer.write(part[at : at + (1 << 16)])
        while fault == "endless":
            await answer.write(bytes(1 << 16))
        await answer.write_eof()
        return answer


def _graph_error(status: int, code: int) -> web.Response:
    error = {"error": {"message": "no", "type": "OAuthException", "code": code}}
    return web.Response(status=status, text=json.dumps(error), content_type="application/json")


@asynccontextmanager
async def serving(server: FileServer) -> AsyncIterator[FileServer]:
    """Serves on a port of the loopback interface while the context lasts."""
    runner = web.AppRunner(server.application(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()
