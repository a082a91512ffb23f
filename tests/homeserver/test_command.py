"""`python -m infra.matrix homeserver`: what it prints is all that one needs to sign in."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from infra.local.server import PATIENCE_SECONDS
from infra.matrix.synapse import START_SECONDS, Synapse
from tests.forked import ROOT, Forked
from tests.homeserver.server import user_id


@pytest.fixture
def started(synapse: Path, tmp_path: Path) -> Iterator[tuple[Synapse, Forked, Path]]:
    """Starts the command. Yields the homeserver's address, the process and what it prints."""
    out, err = tmp_path / "out", tmp_path / "err"
    one = Synapse(synapse, tmp_path / "matrix", "")
    words = ["homeserver", "--port", str(one.port), "--baton", "http://127.0.0.1:8391"]
    environment = {**os.environ, "BATON_HOME": str(tmp_path)}
    running = Forked(
        "infra.matrix", *words, environment=environment, folder=ROOT, out=out, err=err, leads=True
    )
    yield one, running, out
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)


def test_people_sign_in_by_what_it_prints(started: tuple[Synapse, Forked, Path]) -> None:
    homeserver, running, out = started
    deadline = time.monotonic() + START_SECONDS
    while not (out.exists() and "3. Open" in out.read_text()):
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    said = out.read_text()
    assert f"http://localhost:{homeserver.port}" in said
    assert f"MATRIX_API_URL='{homeserver.url}' PORT='8391' make run" in said
    for name in ("jane", "omar", "sue"):
        password = re.search(rf"^ +{name} +(\S+)$", said, re.MULTILINE)
        assert password is not None
        token = homeserver.sign_in(name, password[1])
        who = homeserver.call("GET", "/_matrix/client/v3/account/whoami", token=token)
        assert who.body["user_id"] == user_id(name)
    running.send_signal(signal.SIGINT)
    assert running.wait(PATIENCE_SECONDS) == 0
    assert not homeserver.serves()
