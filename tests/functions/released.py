"""Serves the functions of an older release of Baton, from the sources of that release.

They run in the folder where the release was unpacked, and import nothing of today's code. So the
release is a party of its own in the tests of two versions.
"""

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import BinaryIO

from infra.local.server import LocalServer, Reply, Running
from infra.local.settings import API_KEYS, defaults

RELEASE = Path(__file__).parent / "releases" / "0.2.0.tar.xz"
# Runs in the release's folder: each function behind its name, as the Functions Framework serves it.
SERVE = """
import os, sys
from pathlib import Path
import functions_framework.aio, uvicorn
import shared

assert Path(shared.__file__).resolve().is_relative_to(Path.cwd().resolve()), shared.__file__
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


class Released(LocalServer):
    """The functions of RELEASE on the store of `today`. Serves while the context lasts."""

    def __init__(self, today: LocalServer, folder: Path) -> None:
        # Keys of people are set once every function knows them.
        keys = {"BATON_API_KEYS": json.dumps(API_KEYS)}
        given = {**defaults(today.port, today.log.parent), **keys, "PYTHONPATH": "."}
        super().__init__(folder, given)
        self._folder = folder

    def launch(self, log: BinaryIO) -> Running:
        with tarfile.open(RELEASE) as sources:
            sources.extractall(self._folder, filter="data")
        command = [sys.executable, "-c", SERVE, str(self.port)]
        return subprocess.Popen(
            command, env=self.environment, cwd=self._folder, stdout=log, stderr=log
        )

    def serves(self) -> bool:
        try:
            return self.send("GET", "/receive_webhook/nothing").status == 404
        except OSError:
            return False


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
