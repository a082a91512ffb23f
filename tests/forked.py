"""Programs of Baton in processes that are forked from one that has imported their libraries.

A program of Baton spends a second of processor time on imports. A test of what a program does need
not repeat them: the process that is forked runs the same `__main__`, in an environment and a folder
of its own. What a test says of the start itself (the imports, the interpreter's end, the command
line of a shell) needs `python -m`, as in tests/infra/test_tools.py and test_local_run.py.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from infra.local.server import LocalServer

ROOT = Path(__file__).parents[1]

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.forked_imports"])


class Forked:
    """`python -m module arguments`, as far as a test needs `subprocess.Popen`."""

    def __init__(
        self, module: str, arguments: tuple[str, ...], environment: Mapping[str, str],
        folder: Path, out: Path, err: Path,
    ) -> None:  # fmt: skip
        given = (module, arguments, dict(environment), str(folder), str(out), str(err))
        self._process = _context.Process(target=_become, args=given, daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, how: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, how)

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code


class ForkedServer(LocalServer):
    """A local run whose process is forked."""

    def launch(self, log: BinaryIO) -> Forked:
        path = Path(log.name)
        return Forked("infra.local", (), self.environment, ROOT, path, path)


def run(
    module: str, *arguments: str, folder: Path = ROOT, timeout: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Returns how `python -m module arguments` ended."""
    with tempfile.TemporaryDirectory() as written:
        out, err = Path(written, "out"), Path(written, "err")
        given = {**os.environ, **environment}
        running = Forked(module, arguments, given, folder, out, err)
        try:
            code = running.wait(timeout)
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
            raise
        words = [sys.executable, "-m", module, *arguments]
        return subprocess.CompletedProcess(words, code, out.read_text(), err.read_text())


def _become(
    module: str, arguments: tuple[str, ...], environment: Mapping[str, str], folder: str,
    out: str, err: str,
) -> None:  # fmt: skip
    """Runs a module as the program of this process."""
    for descriptor, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), descriptor)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115  # as long as the process
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115  # as above
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [module, *arguments]
    if not hasattr(sys.modules.get(module), "__path__"):
        sys.modules.pop(module, None)  # Python warns where a program was imported already
    runpy.run_module(module, run_name="__main__", alter_sys=True)
