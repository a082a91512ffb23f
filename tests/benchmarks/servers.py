"""The servers that are compared, each as its own ecosystem deploys it: one worker, one port,
output to a file.
"""

import compileall
import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection
from pathlib import Path

from infra.deployables import ROOT
from infra.local.server import free_port
from infra.stage import stage
from tests.benchmarks.cpu import cpu_seconds
from tests.benchmarks.emulators import Emulators
from tests.benchmarks.webhooks import SECRETS, WEBHOOKS

HERE = Path(__file__).parent
BUILD = ROOT / "build" / "benchmarks"
BIN = Path(sys.executable).parent
START_SECONDS = 60.0
# The figures of an ack are those of the queued way: with its wake-up, and without deliveries.
QUEUED = {"BATON_DELIVER_IN_PLACE": "off"}


@dataclass(frozen=True, slots=True)
class Program:
    """What to start, where, with which environment beside the emulators', and the path of its
    webhook.
    """

    command: list[str]
    folder: Path
    environment: dict[str, str]
    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Running:
    process: subprocess.Popen[bytes]
    port: int
    program: Program
    log: Path

    def family(self) -> list[int]:
        """Returns the process and its workers."""
        pid = self.process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.family())

    def megabytes(self, measure: str) -> float:
        """Returns the family's `Rss` or `Pss` (pages that both share counted once); 0 where the
        system has neither.
        """
        with contextlib.suppress(OSError):
            rollups = (Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.family())
            return (
                sum(int(rollup.partition(f"\n{measure}:")[2].split()[0]) for rollup in rollups)
                / 1024
            )
        return 0.0

    def post(self, conversation: str, message: str) -> int:
        """Returns the status of one webhook, waiting for the server as long as it starts."""
        body, headers = WEBHOOKS[self.program.kind](conversation, message)
        headers["content-type"] = "application/json"
        deadline = time.monotonic() + START_SECONDS
        while True:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
            try:
                connection.request("POST", self.program.path, body, headers)
                return connection.getresponse().status
            except ConnectionRefusedError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(
                        f"{self.program.command[0]} did not start:\n{self.log.read_text()}"
                    ) from None
                time.sleep(0.002)
            finally:
                connection.close()


@contextlib.contextmanager
def serve(program: Program, pair: Emulators) -> Iterator[Running]:
    """Starts a program; it need not be ready yet."""
    port, log = free_port(), BUILD / f"{program.folder.name}.{free_port()}.log"
    environment = {
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        **pair.environment,
        **program.environment,
    }
    command = [part.format(port=port) for part in program.command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=program.folder, env=environment, stdout=output, stderr=output
        )
    try:
        yield Running(process, port, program, log)
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.unlink()


def baton(
    kind: str = "csku",
    function: str = "receive_webhook",
    settings: Mapping[str, str] = QUEUED,
) -> Program:
    deployed = {
        "BATON_STORE": "firestore",
        "BATON_QUEUE": "pubsub",
        "K_SERVICE": function.replace("_", "-"),
    }
    environment = {**deployed, **SECRETS, **settings}
    return _function(_staged(function), function, environment, f"/{kind}", kind)


def noop() -> Program:
    return _function(_copied("noop"), "noop", {}, "/csku", "csku")


def express() -> Program:
    command = [shutil.which("node") or "node", "server.js"]
    return Program(command, _node_modules(), {"NODE_ENV": "production"}, "/webhook", "csku")


def flask() -> Program:
    threads = ["--workers", "1", "--threads", "8"]
    command = [str(BIN / "gunicorn"), *threads, "--bind", "127.0.0.1:{port}", "reference_flask:app"]
    return Program(command, HERE, {}, "/webhook", "csku")


PROGRAMS: dict[str, Callable[[], Program]] = {
    "Baton, CSKU": baton,
    "Baton, Business Messages": lambda: baton("business_messages"),
    "Baton, in place": lambda: baton("business_messages", settings={}),
    "Express": express,
    "Flask": flask,
    "no-op": noop,
}


def _function(
    folder: Path, target: str, environment: dict[str, str], path: str, kind: str
) -> Program:
    """As the buildpack starts it, with the variables that the deployment sets."""
    given = {"FUNCTION_TARGET": target, "FUNCTION_USE_ASGI": "true", "LOG_EXECUTION_ID": "true"}
    return Program([str(BIN / "functions-framework")], folder, {**given, **environment}, path, kind)


@cache
def _staged(function: str) -> Path:
    return _compiled(stage(function, BUILD))


@cache
def _copied(folder: str) -> Path:
    return _compiled(Path(shutil.copytree(HERE / folder, BUILD / folder, dirs_exist_ok=True)))


@cache
def _node_modules() -> Path:
    """Returns the folder of the Express server, its packages installed."""
    target = Path(shutil.copytree(HERE / "express", BUILD / "express", dirs_exist_ok=True))
    if not (target / "node_modules").exists():
        install = ["npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(
            install, cwd=target, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    return target


def _compiled(folder: Path) -> Path:
    compileall.compile_dir(folder, quiet=2)
    return folder
