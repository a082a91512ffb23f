"""Synapse, the homeserver, from PyPI in a virtual environment of its own: its requirements collide
with those of others.

The environment is kept in the user's cache, under a name that changes with the locked
requirements.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from shared.errors import Unavailable

LOCK = Path(__file__).parent / "synapse.txt"
INSTALLED = "installed"  # this file is written last


def find() -> Path | None:
    """Returns the Python that has Synapse, None where it is not installed."""
    python = place() / "bin" / "python"
    return python if python.exists() and (place() / INSTALLED).exists() else None


def install(say: Callable[[str], object]) -> Path:
    """Returns the Python that has Synapse. Installs it first where it is missing, which takes a
    minute. Several processes may call this at once. Raises Unavailable.
    """
    folder = place()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = find()
        if found is None:
            say(f"Installing Synapse into {folder} (once, about a minute) ...")
            found = _installed(folder)
    return found


def _installed(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    _run(sys.executable, "-I", "-m", "venv", str(folder))
    python = folder / "bin" / "python"
    # all versions are locked, and Python compiles at its first start what it loads
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"]
    install = ["install", *options, "--require-hashes", "-r", str(LOCK)]
    _run(str(python), "-I", "-m", "pip", *install)
    (folder / INSTALLED).touch()
    return python


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise Unavailable("synapse-not-installed", f"Synapse cannot be installed: {last}")


def place() -> Path:
    """Returns the folder of the environment."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = f"{sys.implementation.cache_tag}".encode()
    return (
        cache / "baton" / f"synapse-{hashlib.sha256(version + LOCK.read_bytes()).hexdigest()[:12]}"
    )
