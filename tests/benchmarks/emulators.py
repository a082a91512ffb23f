"""A pair of fresh emulators with Baton's topics, for each measurement: their queries slow with
history.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from infra.local.emulated import TOPICS
from infra.local.server import free_port
from tests.become import BECOME
from tests.conftest import FAST, FIRESTORE_MAIN, _await_ready, _find

JARS = {
    "firestore": (
        "cloud-firestore-emulator/cloud-firestore-emulator.jar",
        ["-cp", "{jar}", FIRESTORE_MAIN, "start"],
    ),
    "pubsub": ("pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar", ["-jar", "{jar}"]),
}


@dataclass(frozen=True, slots=True)
class Emulators:
    firestore: str
    pubsub: str
    project: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "GOOGLE_CLOUD_PROJECT": self.project,
            "FIRESTORE_EMULATOR_HOST": self.firestore,
            "PUBSUB_EMULATOR_HOST": self.pubsub,
        }

    def behind(self, firestore: str, pubsub: str) -> "Emulators":
        """Returns the same emulators at the addresses of a proxy."""
        return Emulators(firestore, pubsub, self.project)

    def apart(self) -> "Emulators":
        """Returns the same emulators with a project of its own, and Baton's topics in it."""
        other = Emulators(self.firestore, self.pubsub, f"bench-{uuid.uuid4().hex[:12]}")
        other.make_topics()
        return other

    def make_topics(self) -> None:
        for topic in TOPICS:
            _put(self.pubsub, f"projects/{self.project}/topics/{topic}", {})

    def push(self, topic: str, endpoint: str, *, ordered: bool) -> None:
        """Pushes what a topic gets. In order it is as deployed, but the emulator starts a thread
        for each ordering key and never ends it: ten thousand conversations stop the machine.
        """
        push = {"pushEndpoint": endpoint}
        name = f"projects/{self.project}/topics/{topic}"
        body = {
            "topic": name,
            "pushConfig": push,
            "enableMessageOrdering": ordered,
            "ackDeadlineSeconds": 60,
        }
        _put(self.pubsub, f"projects/{self.project}/subscriptions/{topic}-push", body)


@contextlib.contextmanager
def emulators() -> Iterator[Emulators]:
    """Starts both at once and ends them afterwards."""
    started = {name: _start(*JARS[name]) for name in JARS}
    try:
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda one: _await_ready(*one), started.values()))
        pair = Emulators(
            started["firestore"][1], started["pubsub"][1], f"bench-{uuid.uuid4().hex[:12]}"
        )
        pair.make_topics()
        yield pair
    finally:
        for process, _ in started.values():
            process.kill()
            process.wait()


def missing() -> str | None:
    """Returns what stands in the way of starting them."""
    if shutil.which("java") is None:
        return "java is not on the PATH"
    absent = [jar for jar, _ in JARS.values() if _find(jar) is None]
    return f"no Cloud SDK with platform/{absent[0]}" if absent else None


def _start(jar: str, arguments: list[str]) -> tuple[subprocess.Popen[bytes], str]:
    port, found = free_port(), _find(jar)
    command = [
        "java",
        *FAST,
        *(part.format(jar=found) for part in arguments),
        "--host=127.0.0.1",
        f"--port={port}",
    ]
    become = [sys.executable, "-S", "-c", BECOME, str(os.getpid()), *command]
    process = subprocess.Popen(become, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return process, f"127.0.0.1:{port}"


def _put(host: str, path: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(
        f"http://{host}/v1/{path}",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310  # our own loopback address
        return
