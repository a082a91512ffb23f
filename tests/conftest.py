"""The emulators of Firestore and Pub/Sub, for every test that asks for them; each test works in a
project of its own.

They are started from the Cloud SDK's jars at first use, once for all workers of a run, and end with
the tests.
FIRESTORE_EMULATOR_HOST and PUBSUB_EMULATOR_HOST, where they are set, name emulators to use instead.
Without Java or the jars the tests that need them are skipped; BATON_REQUIRE_ALL=1 makes that a
failure.

Hypothesis tries the same examples in every run, so that a run tells of the code and not of chance;
HYPOTHESIS_PROFILE=hunt looks for new ones.
"""

import fcntl
import gc
import os
import shutil
import signal
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
from tests.become import BECOME

FAST = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx1g", "-Duser.language=en"]
FIRESTORE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
READY_SECONDS = 120.0
# Starts a program, and ends it when all have let go of the file that those who use it hold. It is
# no child of the worker that starts it, which may end first.
GUARD = """
import fcntl, os, subprocess, sys, threading
if os.fork():
    os._exit(0)
host, users, become, *program = sys.argv[1:]
started = subprocess.Popen([sys.executable, "-S", "-c", become, str(os.getpid()), *program])
threading.Thread(target=lambda: (started.wait(), os._exit(1)), daemon=True).start()
with open(users) as held:
    fcntl.flock(held, fcntl.LOCK_EX)
    if os.path.exists(host):
        os.unlink(host)
    started.kill()
"""

# Nearly all that tests make is freed by counting references; looking for cycles after every 700
# objects takes a tenth of the processor time.
gc.set_threshold(50_000, 20, 50)
gc.disable()  # until all tests are collected: what is made until then is kept


def _interrupted(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


# A shell that runs the tests in its background has them ignore this signal, and so would all that
# they start. asyncio replaces Python's default handler at each start of a loop, but not another
# one.
signal.signal(signal.SIGINT, _interrupted)

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


def pytest_collection_finish() -> None:
    """Leaves all that was imported and collected out of the searches for cycles, which begin."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def of_run(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Returns a folder that all workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def firestore_emulator(of_run: Path) -> Iterator[str]:
    """Returns host:port of a Firestore emulator."""
    jar = "cloud-firestore-emulator/cloud-firestore-emulator.jar"
    arguments = ["-cp", "{jar}", FIRESTORE_MAIN, "start"]
    with _emulator("FIRESTORE_EMULATOR_HOST", jar, arguments, of_run) as host:
        _warm_up(host)
        yield host


@pytest.fixture(scope="session")
def pubsub_emulator(of_run: Path) -> Iterator[str]:
    """Returns host:port of a Pub/Sub emulator."""
    jar = "pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
    with _emulator("PUBSUB_EMULATOR_HOST", jar, ["-jar", "{jar}"], of_run) as host:
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
def _emulator(variable: str, jar: str, arguments: list[str], of_run: Path) -> Iterator[str]:
    """Yields host:port of the run's emulator. The first worker that asks starts it; it ends when
    the last has let go of `users`, also by dying.
    """
    given = os.environ.get(variable)
    if given:
        yield given
        return
    known, users = of_run / variable, of_run / f"{variable}.users"
    with users.open("w") as used, users.with_suffix(".lock").open("w") as starting:
        fcntl.flock(used, fcntl.LOCK_SH)
        fcntl.flock(starting, fcntl.LOCK_EX)
        if not known.exists():
            host = _start(jar, arguments, known, users)
            known.write_text(host)
        fcntl.flock(starting, fcntl.LOCK_UN)
        yield known.read_text()


def _start(jar: str, arguments: list[str], known: Path, users: Path) -> str:
    java = shutil.which("java") or _absent("java is not on the PATH")
    found = _find(jar) or _absent(
        f"no Cloud SDK with platform/{jar}: gcloud components install the emulators"
    )
    host = f"127.0.0.1:{free_port()}"
    where = ["--host=127.0.0.1", f"--port={host.rpartition(':')[2]}"]
    program = [java, *FAST, *(part.format(jar=found) for part in arguments), *where]
    subprocess.run(
        [sys.executable, "-S", "-c", GUARD, str(known), str(users), BECOME, *program],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # an interrupt from the keyboard ends the tests first
        check=True,
    )
    _await_ready(None, host)
    return host


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


def _await_ready(process: subprocess.Popen[bytes] | None, host: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and (process is None or process.poll() is None):
        try:
            with urllib.request.urlopen(f"http://{host}/", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    pytest.fail(f"the emulator at {host} did not start (exit code {process and process.poll()})")


def _absent(reason: str) -> NoReturn:
    if os.environ.get("BATON_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
