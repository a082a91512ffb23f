"""Each staged folder is all that a function needs: it answers from there in a clean environment, as deployed."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.deployables import deployables
from infra.local.server import free_port
from infra.stage import StagingError, stage

BIN = Path(sys.executable).parent


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Returns what runs a staged function by the framework's console script, as the buildpack does."""
    running: list[subprocess.Popen[bytes]] = []

    def served(function: str, **settings: str) -> str:
        folder, port = stage(function, tmp_path), free_port()
        environment = {"PATH": f"{BIN}:/usr/bin:/bin", "PORT": str(port), "FUNCTION_TARGET": function, **settings}
        command = [str(BIN / "functions-framework"), "--host", "127.0.0.1"]
        running.append(subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL))
        return f"http://127.0.0.1:{port}"

    yield served
    for process in running:
        process.terminate()
        process.wait(timeout=20)


def _status(url: str, seconds: float = 60) -> int:
    """Returns the status of a GET once the server answers at all."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310  # our own loopback address
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


ANSWERS = {"receive_webhook": 405, "send_representative": 503, "deliver_outbox": 405, "sweep": 405}
PATHS = {"receive_webhook": "/business_messages", "send_representative": "/v1/conversations"}


@pytest.mark.parametrize("function", sorted(deployables()))
def test_a_staged_function_answers(serve: Callable[..., str], function: str) -> None:
    url = serve(function)
    assert _status(url + PATHS.get(function, "/")) == ANSWERS[function]


def test_wrong_settings_close_every_door_of_a_function(serve: Callable[..., str]) -> None:
    assert _status(serve("receive_webhook", UNCLAIMED_AFTER="soon") + "/business_messages") == 503


def test_deployed_a_function_refuses_the_embedded_store(serve: Callable[..., str]) -> None:
    url = serve("receive_webhook", K_SERVICE="receive-webhook", BATON_STORE="sqlite:///x", GOOGLE_CLOUD_PROJECT="p")
    assert _status(url + "/business_messages") == 503


@pytest.mark.parametrize("function", sorted(deployables()))
def test_a_staged_folder_holds_what_is_deployed_and_compiles(tmp_path: Path, function: str) -> None:
    folder = stage(function, tmp_path)
    assert {"main.py", "shared", "requirements.txt"} <= {path.name for path in folder.iterdir()}
    assert not list(folder.rglob("__pycache__"))
    subprocess.run([sys.executable, "-m", "compileall", "-f", "-q", "."], cwd=folder, check=True)


def test_a_function_that_does_not_exist_is_not_staged(tmp_path: Path) -> None:
    with pytest.raises(StagingError, match=r"functions/nothing/main\.py"):
        stage("nothing", tmp_path)
