"""Serves the functions of an older release of Baton, from the sources of that release.

`python -m tests.functions.released` runs in the folder where the release was unpacked. Nothing of
today's code is imported: the release is a party of its own in the tests of two versions.
"""

import os
import signal
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.server import START_SECONDS, LocalServer, Reply, free_port
from infra.local.settings import defaults

RELEASE = Path(__file__).parent / "releases" / "0.2.0.tar.xz"
# Runs in the release's folder: each function behind its name, as the Functions Framework serves it.
SERVE = """
import os, sys
from pathlib import Path
import functions_framework.aio, uvicorn

functions = {}
for main in sorted(Path("functions").glob("*/main.py")):
    name = main.parent.name
    functions[name] = functions_framework.aio.create_asgi_app(name, str(main.resolve()))
    os.environ.pop("FUNCTION_TARGET", None)
    os.environ.pop("FUNCTION_SIGNATURE_TYPE", None)

async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    name, _, rest = scope["path"].lstrip("/").partition("/")
    await functions[name]({**scope, "path": "/" + rest, "raw_path": b"/" + rest.encode()},
                          receive, send)

uvicorn.run(application, host="127.0.0.1", port=int(sys.argv[1]), lifespan="off", log_level="error")
"""


class Released:
    """The functions of RELEASE on the store of `server`. Serves while the context lasts."""

    def __init__(self, server: LocalServer, folder: Path, state: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "released.log"
        self._folder, self._server, self._state = folder, server, state
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with tarfile.open(RELEASE) as sources:
            sources.extractall(self._folder, filter="data")
        settings = {**defaults(self._server.port, self._state), "BATON_BOT": "none"}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(self.port)],
                env={**os.environ, **settings, "PYTHONPATH": "."},
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        self._wait_until_it_answers(self._process)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/receive_webhook/nothing", timeout=5)  # noqa: S310  # loopback
            except urllib.error.HTTPError:
                return
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"it did not start:\n{self.log.read_text()}") from None
                time.sleep(0.05)
            else:
                return


class TwoVersions(LocalServer):
    """Today's local run beside a release: calls go to each of them in turn."""

    def __init__(self, today: LocalServer, released: Released, *, today_first: bool) -> None:
        self.__dict__.update(today.__dict__)
        self.today = today
        self._sides = [today.url, released.url] if today_first else [released.url, today.url]

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Reply:
        own = self.url
        if not path.startswith("/sim"):
            self.url = self._sides[0]
            self._sides.reverse()
        try:
            return super().send(method, path, body, headers)
        finally:
            self.url = own
