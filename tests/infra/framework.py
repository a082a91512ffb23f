"""One function under the framework's own console script, as it is deployed, with its state in a
file.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.server import PATIENCE_SECONDS, Running, free_port
from infra.local.settings import (
    API_KEYS,
    CSKU_SECRET,
    MEDIA_LINK_KEY,
    SIGNING_KEY,
    WHATSAPP_SECRET,
)
from tests.forked import Forked

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COMMAND = (str(BIN / "functions-framework"), "--host", "127.0.0.1")
LOG = "server.log"
Start = Callable[[Path, dict[str, str]], Running]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["error"]
        return found


@dataclass(frozen=True, slots=True)
class Served:
    port: int
    group: int

    async def ask(self, request: bytes, seconds: float = PATIENCE_SECONDS) -> Answer:
        """Returns the answer to raw bytes, which need not be all of a request."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        try:
            async with asyncio.timeout(seconds):
                return await _answer(reader, is_head=request.startswith(b"HEAD "))
        finally:
            writer.transport.abort()

    def peak(self) -> float:
        """Returns the most that one of its processes has held since `forget_peak`, in MB."""
        return max(_peak(process) for process in self._processes())

    def forget_peak(self) -> float:
        """Returns what one of its processes holds now at most, in MB."""
        for process in self._processes():
            (process / "clear_refs").write_text("5")
        return self.peak()

    def _processes(self) -> list[Path]:
        found = Path("/proc").glob("[0-9]*")
        return [process for process in found if _group(process) == self.group]


async def _answer(reader: asyncio.StreamReader, *, is_head: bool) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    length = 0 if is_head else int(headers.get("content-length", 0))
    return Answer(int(head[0].split()[1]), headers, await reader.readexactly(length))


def _group(process: Path) -> int:
    try:
        return os.getpgid(int(process.name))
    except ProcessLookupError:
        return 0


def _peak(process: Path) -> float:
    status = (process / "status").read_text()
    return next(
        (int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")),
        0.0,
    )


def _real(folder: Path, environment: dict[str, str]) -> Running:
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            COMMAND, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )


def forked(folder: Path, environment: dict[str, str]) -> Running:
    log = folder / LOG
    return Forked(
        *COMMAND,
        environment=environment,
        folder=folder,
        out=log,
        err=log,
        leads=True,
        keeps_shared=True,
    )


@contextmanager
def serving(
    function: str, folder: Path, start: Start = _real, /, **settings: str
) -> Iterator[Served]:
    """Serves a function from entering to leaving, with further settings. Raises RuntimeError with
    its log if it does not start. A test of its memory needs a `_real` process.
    """
    port = free_port()
    environment = {
        "PATH": f"{BIN}:/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        "PORT": str(port),
        "FUNCTION_TARGET": function,
        "FUNCTION_SOURCE": str(ROOT / "functions" / function / "main.py"),
        "BATON_STORE": f"sqlite:///{folder / 'baton.sqlite'}",
        "BATON_QUEUE": "inline",
        "BATON_BOT": "none",
        "BATON_API_KEYS": json.dumps(API_KEYS),
        "BUSINESS_MESSAGES_SIGNING_KEYS": SIGNING_KEY,
        "CSKU_WEBHOOK_SECRETS": CSKU_SECRET,
        "WHATSAPP_APP_SECRETS": WHATSAPP_SECRET,
        "MEDIA_LINK_KEYS": MEDIA_LINK_KEY,
        **settings,
    }
    process = start(folder, environment)
    try:
        _await(f"http://127.0.0.1:{port}/", process, folder)
        yield Served(port, process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=PATIENCE_SECONDS)


def _await(url: str, process: Running, folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=10).close()  # noqa: S310  # our own loopback address
            return
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError((folder / LOG).read_text())
