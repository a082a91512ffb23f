"""A local run in a process of its own, for the demo, the picture and the tests."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

from infra.local.reference import Step
from infra.local.settings import SIGNING_KEY
from infra.local.signing import signature

START_SECONDS = 60.0
# a busy machine needs long for what has no time limit of its own
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Any


class Running(Protocol):
    """The part of `subprocess.Popen` that is needed of a process."""

    pid: int

    def poll(self) -> int | None: ...
    def send_signal(self, how: int, /) -> None: ...
    def wait(self, timeout: float | None = None) -> int: ...


class LocalServer:
    """Serves while the context lasts. `folder` keeps its state. Settings in `environment` override
    the defaults.
    """

    def __init__(
        self, folder: Path, environment: dict[str, str] | None = None, port: int | None = None
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self.environment = {
            **os.environ,
            "PORT": str(self.port),
            "BATON_HOME": str(folder),
            "BATON_BOT": "none",
            **(environment or {}),
        }
        self.process: Running | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop(signal.SIGTERM)

    def start(self) -> None:
        """Returns once the server answers. Raises RuntimeError with its log if it does not
        start.
        """
        with self.log.open("ab") as log:
            self.process = self.launch(log)
        deadline = time.monotonic() + START_SECONDS
        while not self.serves():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the local run did not start:\n{self.log.read_text()}")
            time.sleep(0.05)

    def launch(self, log: BinaryIO) -> Running:
        """Returns the process, which has begun to start."""
        root, command = Path(__file__).parents[2], [sys.executable, "-m", "infra.local"]
        return subprocess.Popen(command, env=self.environment, cwd=root, stdout=log, stderr=log)

    def change(self, **environment: str) -> None:
        """Changes settings for the next start."""
        self.environment.update(environment)

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=PATIENCE_SECONDS)
            self.process = None

    def play(self, step: Step) -> Reply:
        """Returns the answer to one step of a script."""
        body = self.encode(step.body)
        if step.key is None:
            return self.send(
                "POST", step.path, body, {"x-goog-signature": signature(SIGNING_KEY, body)}
            )
        return self.send("POST", step.path, body, {"authorization": f"Bearer {step.key}"})

    @staticmethod
    def encode(body: Any) -> bytes:
        return json.dumps(body, ensure_ascii=False).encode()

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Reply:
        """Returns status and parsed body of any request."""
        url = f"{self.url}{path}"
        request = urllib.request.Request(  # noqa: S310  # our own loopback address
            url, data=body or None, method=method, headers=headers or {}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310  # as above
                return Reply(response.status, _parsed(response.read()))
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, _parsed(error.read()))

    def get(self, path: str, key: str = "") -> Any:
        return self.send(
            "GET", path, headers={"authorization": f"Bearer {key}"} if key else {}
        ).body

    def transcript(self, conversation: str) -> list[dict[str, Any]]:
        """Returns what the simulated platform has shown this customer."""
        shown: list[dict[str, Any]] = self.get(f"/sim/business_messages/customers/{conversation}")[
            "transcript"
        ]
        return shown

    def wait_until_quiet(self, conversation: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Returns once nothing waits in the conversation's outbox, or there is no such
        conversation. Raises TimeoutError.
        """
        path = f"/send_representative/v1/conversations/{conversation}"
        self.wait_until(
            lambda: _is_quiet(self.send("GET", path, headers={"authorization": "Bearer dev-bot"})),
            seconds,
        )

    def wait_until(self, holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Returns once `holds` returns true. Raises TimeoutError.

        It asks less often the longer it waits, so that questions do not take the processor from
        what it waits for.
        """
        deadline, nap = time.monotonic() + seconds, 0.02
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"still waiting after {seconds} s; the log "
                    f"ends:\n{self.log.read_text()[-2000:]}"
                )
            time.sleep(nap)
            nap = min(nap * 1.5, 0.25)

    def serves(self) -> bool:
        """Returns whether the server answers."""
        try:
            return self.send("GET", "/sim/business_messages/customers").status == 200
        except OSError:
            return False


def _is_quiet(reply: Reply) -> bool:
    return reply.status == 404 or (reply.status == 200 and reply.body["pending"] == 0)


def free_port() -> int:
    """Returns a port of the loopback interface that the system gives to no other process for a
    minute.

    A connection that its server closes leaves the port in TIME_WAIT. The system does not give such
    a port to a process that asks for any free port. A server that asks for this port gets it.
    """
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        with socket.create_connection(server.getsockname()) as client:
            server.accept()[0].close()
            client.recv(1)
        return int(server.getsockname()[1])


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
