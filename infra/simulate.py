"""Repeats the build of Cloud Build for a staged folder on this machine.

It installs the hashed requirements into a clean environment, compiles the whole folder, and starts
the framework's console script in it with only the function's variables.
"""

import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.server import free_port

START_SECONDS = 60.0
# The test with which the buildpack finds the framework. A requirements file that fails it gets the
# buildpack's own version on top.
FRAMEWORK = re.compile(r"(?m)^functions-framework\b([^-]|$)")


class SimulationError(Exception):
    """The deployment would fail with this error; the message holds the output of the program that
    failed.
    """


class DeploymentBuild:
    """A clean environment of one Python, which exists while the context lasts."""

    venv_options: tuple[str, ...] = ()

    def __init__(self, python: str, requirements: Path) -> None:
        self._python = python
        self._requirements = requirements
        self._folder = Path()

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="baton-build-"))
        try:
            self._install()
        except BaseException:
            shutil.rmtree(self._folder)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        shutil.rmtree(self._folder)

    @property
    def version(self) -> str:
        return _run(str(self._folder / "bin" / "python"), "--version").strip()

    def answer(self, staged: Path) -> int:
        """Returns the status of the function's first answer. Raises SimulationError."""
        folder = self._folder / staged.name
        shutil.copytree(staged, folder)
        _run(str(self._folder / "bin" / "python"), "-m", "compileall", "-f", "-q", ".", cwd=folder)
        return self._first_answer(folder)

    def _install(self) -> None:
        if not FRAMEWORK.search(self._requirements.read_text()):
            raise SimulationError(
                f"{self._requirements} does not list functions-framework at the start of a line"
            )
        _run(self._python, "-m", "venv", *self.venv_options, str(self._folder))
        locked = ("--quiet", "--require-hashes", "-r", str(self._requirements))
        _run(*self._pip("install"), "--no-compile", *locked)
        _run(*self._pip("check"))

    def _pip(self, command: str) -> tuple[str, ...]:
        """Returns the words that start a command of the environment's own pip."""
        python = str(self._folder / "bin" / "python")
        return python, "-m", "pip", "--disable-pip-version-check", command

    def _first_answer(self, folder: Path) -> int:
        port = free_port()
        environment = {"PATH": f"{self._folder / 'bin'}:/usr/bin:/bin", "PORT": str(port)}
        environment |= {
            "FUNCTION_TARGET": folder.name,
            "FUNCTION_USE_ASGI": "true",
            "LOG_EXECUTION_ID": "true",
        }
        command = [str(self._folder / "bin" / "functions-framework"), "--host", "127.0.0.1"]
        with (folder.parent / f"{folder.name}.log").open("w+") as log:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
            try:
                return _await_answer(f"http://127.0.0.1:{port}/", process)
            except TimeoutError:
                log.seek(0)
                raise SimulationError(
                    f"{folder.name} does not answer:\n{log.read()[-3000:]}"
                ) from None
            finally:
                process.terminate()
                process.wait()


def _await_answer(url: str, process: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310  # our own loopback address
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            time.sleep(0.1)
    raise TimeoutError


def _run(*command: str, cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, errors="replace", check=False
        )
    except (OSError, ValueError) as error:
        raise SimulationError(f"`{command[0]}` cannot be run: {error}") from error
    if done.returncode != 0:
        raise SimulationError(
            f"`{' '.join(command)}` failed:\n{(done.stdout + done.stderr)[-3000:]}"
        )
    return done.stdout
