"""A process that has loaded Synapse, from which homeservers are forked.

A start of Synapse spends 1.4 of its 1.6 s of processor time on imports. What a test says of the
start itself needs `Synapse`, as in test_command.py.
"""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.matrix.synapse import environment

LAUNCHER = Path(__file__).with_name("launcher.py")


class Loaded:
    """Starts homeservers until it is closed."""

    def __init__(self, python: Path) -> None:
        self.python = python
        self._process = subprocess.Popen(
            [str(python), "-I", str(LAUNCHER)],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # an interrupt from the keyboard ends the tests first
        )

    def close(self) -> None:
        """Returns once it has ended, and all homeservers with it."""
        self._process.communicate()

    def start(self, log: Path, *arguments: str) -> "Launched":
        return Launched(self, self.ask("start", str(log), *arguments))

    def ask(self, *question: Any) -> Any:
        """Returns the launcher's answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@dataclass
class Launched:
    """A homeserver's process, as far as a test needs `subprocess.Popen`."""

    loaded: Loaded
    pid: int
    code: int | None = None

    def poll(self) -> int | None:
        if self.code is None:
            self.code = self.loaded.ask("end", self.pid)
        return self.code

    def send_signal(self, how: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, how)

    def wait(self, timeout: float | None = None) -> int:
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            time.sleep(0.02)
        return code
