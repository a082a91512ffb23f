"""The emulators of Firestore and Pub/Sub, for every test that asks for them; each test works in a
project of its own.

They are started from the Cloud SDK's jars at first use and end with the tests.
FIRESTORE_EMULATOR_HOST and PUBSUB_EMULATOR_HOST, where they are set, name emulators to use instead.
Without Java or the jars the tests that need them are skipped; BATON_REQUIRE_ALL=1 makes that a
failure.

Hypothesis tries the same examples in every run, so that a run tells of the code and not of chance;
HYPOTHESIS_PROFILE=hunt looks for new ones.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

from infra.local.server import free_port

FAST = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m", "-Duser.language=en"]
FIRESTORE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
READY_SECONDS = 120.0
# Asks Linux to end this process with its parent, then becomes the program; elsewhere the fixture
# alone ends it.
BECOME = """
import ctypes, os, signal, sys
parent = int(sys.argv[1])
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == parent:
    os.execvp(sys.argv[2], sys.argv[2:])
"""

_unhurried = settings(
    deadline=None, print_blob=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("gate", _unhurried, derandomize=True)
settings.register_profile("hunt", _unhurried, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the files of quick tests last, so that the workers end at about the same time, and takes
    the others from each folder in turn, so that seldom all workers run a browser at once.
    """
    ranks: dict[Path, int] = {}
    seen: Counter[Path] = Counter()
    for path in dict.fromkeys(item.path for item in items):
        ranks[path] = seen[path.parent]
        seen[path.parent] += 1
    unit = Path(__file__).parent / "unit"
    items.sort(key=lambda one: (one.path.is_relative_to(unit), ranks[one.path], one.path.parent))


@pytest.fixture(scope="session")
def firestore_emulator() -> Iterator[str]:
    """Returns host:port of a Firestore emulator."""
    jar = "cloud-firestore-emulator/cloud-firestore-emulator.jar"
    with _emulator(
        "FIRESTORE_EMULATOR_HOST", jar, ["-cp", "{jar}", FIRESTORE_MAIN, "start"]
    ) as host:
        _warm_up(host)
        yield host


@pytest.fixture(scope="session")
def pubsub_emulator() -> Iterator[str]:
    """Returns host:port of a Pub/Sub emulator."""
    jar = "pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
    with _emulator("PUBSUB_EMULATOR_HOST", jar, ["-jar", "{jar}"]) as host:
        yield host


@pytest.fixture
def fresh_project() -> str:
    """Returns the id of a project that is new: the emulators have no data of it."""
    return f"test-{uuid.uuid4().hex[:16]}"


@pytest.fixture(scope="session")
def nowhere() -> Iterator[str]:
    """Returns the URL of a port without a server, during these tests and after them."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextmanager
def _emulator(variable: str, jar: str, arguments: list[str]) -> Iterator[str]:
    given = os.environ.get(variable)
    if given:
        yield given
        return
    java = shutil.which("java") or _absent("java is not on the PATH")
    found = _find(jar) or _absent(
        f"no Cloud SDK with platform/{jar}: gcloud components install the emulators"
    )
    host = f"127.0.0.1:{free_port()}"
    command = [java, *FAST, *(part.format(jar=found) for part in arguments)]
    where = ["--host=127.0.0.1", f"--port={host.rpartition(':')[2]}"]
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", BECOME, str(os.getpid()), *command, *where],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_ready(process, host)
        yield host
    finally:
        process.kill()
        process.wait()


def _warm_up(firestore: str) -> None:
    """Waits for the first answer, for which an emulator on a busy machine takes longer than
    Baton gives an RPC.
    """
    import grpc  # type: ignore[import-untyped]  # grpcio has no types
    from google.cloud.firestore_v1.services.firestore import FirestoreClient
    from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

    with grpc.insecure_channel(firestore) as channel:
        client = FirestoreClient(transport=FirestoreGrpcTransport(channel=channel))
        client.commit(
            request={"database": "projects/test-warm/databases/(default)"}, timeout=READY_SECONDS
        )


def _find(jar: str) -> Path | None:
    return next(
        (path for root in _sdk_roots() for path in sorted((root / "platform").glob(jar))), None
    )


def _sdk_roots() -> Iterator[Path]:
    """Returns where a Cloud SDK may be, the cheap guesses first: asking gcloud takes a second."""
    gcloud = shutil.which("gcloud")
    if gcloud:
        yield Path(gcloud).resolve().parents[1]
    yield from map(
        Path, ("/usr/lib/google-cloud-sdk", "/usr/share/google-cloud-sdk", "/opt/google-cloud-sdk")
    )
    yield from (Path.home() / "google-cloud-sdk", Path("/snap/google-cloud-cli/current"))
    if gcloud:
        question = [gcloud, "info", "--format=value(installation.sdk_root)"]
        answer = subprocess.run(question, capture_output=True, text=True, check=False)
        yield Path(answer.stdout.strip() or "/nonexistent")


def _await_ready(process: subprocess.Popen[bytes], host: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{host}/", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    pytest.fail(f"the emulator at {host} did not start (exit code {process.poll()})")


def _absent(reason: str) -> NoReturn:
    if os.environ.get("BATON_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
