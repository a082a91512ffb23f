"""An emulator that a test starts for itself, because of what it does with it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from infra.local.server import free_port
from tests.become import BECOME
from tests.conftest import FAST, FIRESTORE_MAIN, _absent, _await_ready, _find

FIRESTORE = (
    "cloud-firestore-emulator/cloud-firestore-emulator.jar",
    "-cp",
    "{jar}",
    FIRESTORE_MAIN,
    "start",
)
PUBSUB = ("pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar", "-jar", "{jar}")


@contextmanager
def own_emulator(emulator: Sequence[str], *java_options: str) -> Iterator[tuple[str, int]]:
    """Returns host:port and process id of an emulator (FIRESTORE or PUBSUB) that no other test
    uses.
    """
    pattern, *arguments = emulator
    java = shutil.which("java") or _absent("java is not on the PATH")
    jar = _find(pattern) or _absent(f"no Cloud SDK with platform/{pattern}")
    port = free_port()
    program = [java, *FAST, *java_options, *(part.format(jar=jar) for part in arguments)]
    process = subprocess.Popen(
        [
            sys.executable,
            "-S",
            "-c",
            BECOME,
            str(os.getpid()),
            *program,
            "--host=127.0.0.1",
            f"--port={port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_ready(process, f"127.0.0.1:{port}")
        yield f"127.0.0.1:{port}", process.pid
    finally:
        process.kill()
        process.wait()
