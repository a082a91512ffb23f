"""Programs of Baton in processes that are forked from one that has imported their libraries.

A program of Baton spends a second of processor time on imports. A test of what a program does need
not repeat them: the process that is forked runs the same `__main__`, in an environment and a folder
of its own. What a test says of the start itself (the imports, the interpreter's end, the command
line of a shell) needs `python -m`, as in tests/infra/test_tools.py and test_local_run.py.
"""

import importlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Set
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, BinaryIO

from infra.local.server import LocalServer

ROOT = Path(__file__).parents[1]
RUN_SECONDS = 120.0
# What a console script imports again. The framework looks at the working directory meanwhile.
AGAIN = {"functions", "functions_framework", "infra", "shared", "tests"}

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.forked_imports"])


class Forked:
    """A program of Baton as far as a test needs `subprocess.Popen`: `python -m` with a module, or
    the path of a console script. It leads a session of its own where `leads` is true.
    `out` may be the end of a pipe.

    A console script imports all of Baton again. Where `keeps_shared` is true, it is served with
    what is imported of `shared`, of which the script's own is a copy.
    """

    def __init__(
        self,
        program: str,
        *arguments: str,
        environment: Mapping[str, str],
        folder: Path,
        out: "Path | Connection[Any, Any]",
        err: Path,
        leads: bool = False,
        keeps_shared: bool = False,
    ) -> None:
        words, outputs = (program, *arguments), (out, err)
        given = (words, dict(environment), str(folder), outputs, leads, keeps_shared)
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
        return Forked("infra.local", environment=self.environment, folder=ROOT, out=path, err=path)


def run(module: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Returns how `python -m module arguments` ended."""
    with tempfile.TemporaryDirectory() as written:
        out = Path(written, "out")
        done = run_into(out, module, *arguments, **environment)
        done.stdout = out.read_text()
        return done


def run_into(
    out: "Path | Connection[Any, Any]", module: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Returns how `python -m module arguments` ended that printed into a file or a pipe."""
    given = {**os.environ, **environment}
    with tempfile.TemporaryDirectory() as written:
        err = Path(written, "err")
        running = Forked(module, *arguments, environment=given, folder=ROOT, out=out, err=err)
        try:
            code = running.wait(RUN_SECONDS)
        finally:
            running.send_signal(signal.SIGKILL)
        words = [sys.executable, "-m", module, *arguments]
        return subprocess.CompletedProcess(words, code, "", err.read_text())


def _become(
    words: tuple[str, ...],
    environment: Mapping[str, str],
    folder: str,
    outputs: "tuple[Path | Connection[Any, Any], Path]",
    leads: bool,
    keeps_shared: bool,
) -> None:
    """Runs a program as the program of this process."""
    if leads:
        os.setsid()
    for descriptor, output in enumerate(outputs, start=1):
        os.dup2(_opened(output), descriptor)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115  # as long as the process
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115  # as above
    # Tests that a shell started in the background ignore interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = list(words)
    if "/" in words[0]:
        _forget_baton(
            environment.get("PYTHONPATH", ""), AGAIN - {"shared"} if keeps_shared else AGAIN
        )
        if keeps_shared:  # it takes its place in the framework, which is imported again
            importlib.reload(sys.modules["shared.edge.application"])
        runpy.run_path(words[0], run_name="__main__")
    else:
        if not hasattr(sys.modules.get(words[0]), "__path__"):
            sys.modules.pop(words[0], None)  # Python warns where a program was imported already
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def _opened(output: "Path | Connection[Any, Any]") -> int:
    if isinstance(output, Connection):
        return output.fileno()
    return os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def _forget_baton(path: str, again: Set[str]) -> None:
    """Leaves what is installed: a staged function has to find its own `shared`."""
    for name in [one for one in sys.modules if one.partition(".")[0] in again]:
        del sys.modules[name]
    installed = [one for one in sys.path if one and not Path(one, "shared").is_dir()]
    sys.path[:] = [*filter(None, path.split(os.pathsep)), *installed]
