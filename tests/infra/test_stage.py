"""Each staged folder is all that a function needs: it answers from there in a clean
environment, as deployed.
"""

import io
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from infra.deployables import deployables
from infra.local.server import Running, free_port
from infra.stage import EPOCH, StagingError, archive, check_imports, stage, tell_terraform, zipped
from shared.platforms.bodies import hmac_sha256_hex
from tests.forked import Forked

BIN = Path(sys.executable).parent


COMMAND = (str(BIN / "functions-framework"), "--host", "127.0.0.1")


def _real(folder: Path, environment: dict[str, str]) -> Running:
    return subprocess.Popen(COMMAND, cwd=folder, env=environment, stdout=subprocess.DEVNULL)


def _forked(folder: Path, environment: dict[str, str]) -> Running:
    log = folder.with_suffix(".log")
    return Forked(
        *COMMAND, environment=environment, folder=folder, out=log, err=log, keeps_shared=True
    )


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Returns what runs a staged function by the framework's console script, as the buildpack
    does. `start` is what starts it.
    """
    running: list[Running] = []

    def served(function: str, start: Callable[..., Running] = _forked, **settings: str) -> str:
        folder, port = stage(function, tmp_path), free_port()
        environment = {
            "PATH": f"{BIN}:/usr/bin:/bin",
            "PORT": str(port),
            "FUNCTION_TARGET": function,
            **settings,
        }
        running.append(start(folder, environment))
        return f"http://127.0.0.1:{port}"

    yield served
    for process in running:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


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
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


ANSWERS = {
    "send_representative": 503,
    "forward_variables": 403,
    "relay_media": 200,
}  # the others take POST only
PATHS = {"receive_webhook": "/business_messages", "send_representative": "/v1/conversations"}


@pytest.mark.parametrize("function", sorted(deployables()))
def test_a_staged_function_answers(serve: Callable[..., str], function: str) -> None:
    url = serve(function, _real)
    assert _status(url + PATHS.get(function, "/")) == ANSWERS.get(function, 405)


def test_the_pages_are_staged_with_their_function(serve: Callable[..., str]) -> None:
    url = serve("send_representative")
    files = ("reports/", "reports/reports.js", "reports/chart.umd.min.js", "desk/", "desk/desk.js")
    assert [_status(f"{url}/{name}") for name in files] == [200] * len(files)


def test_wrong_settings_close_every_door_of_a_function(serve: Callable[..., str]) -> None:
    assert _status(serve("receive_webhook", UNCLAIMED_AFTER="soon") + "/business_messages") == 503


@pytest.mark.parametrize("secret", ["...", "changeme", "short"])
@pytest.mark.parametrize(
    "where", [{}, {"K_SERVICE": "receive-webhook", "GOOGLE_CLOUD_PROJECT": "p"}], ids=str
)
def test_a_weak_secret_closes_its_door(
    serve: Callable[..., str], secret: str, where: dict[str, str]
) -> None:
    url = serve("receive_webhook", WHATSAPP_APP_SECRETS=secret, **where)
    _status(f"{url}/whatsapp")
    body = b'{"object": "whatsapp_business_account", "entry": []}'
    forged = {"x-hub-signature-256": f"sha256={hmac_sha256_hex(secret, body)}"}
    request = urllib.request.Request(f"{url}/whatsapp", body, forged)  # noqa: S310  # loopback
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)  # noqa: S310  # as above
    with refused.value as answer:
        assert (answer.code, b"door-closed" in answer.read()) == (503, True)


def test_deployed_a_function_refuses_the_embedded_store(serve: Callable[..., str]) -> None:
    url = serve(
        "receive_webhook",
        K_SERVICE="receive-webhook",
        BATON_STORE="sqlite:///x",
        GOOGLE_CLOUD_PROJECT="p",
    )
    assert _status(url + "/business_messages") == 503


@cache
def _compiles(source: bytes) -> None:
    """Raises SyntaxError. The functions share most of their files."""
    compile(source, "staged", "exec")


@pytest.mark.parametrize("function", sorted(deployables()))
def test_a_staged_folder_holds_what_is_deployed_and_compiles(tmp_path: Path, function: str) -> None:
    folder = stage(function, tmp_path)
    assert {"main.py", "shared", "requirements.txt"} <= {path.name for path in folder.iterdir()}
    assert not list(folder.rglob("__pycache__"))
    for path in folder.rglob("*.py"):
        _compiles(path.read_bytes())


@pytest.mark.parametrize("function", sorted(deployables()))
def test_the_same_sources_give_the_same_bytes(tmp_path: Path, function: str) -> None:
    first = stage(function, tmp_path / "first")
    content = zipped(first)
    second = stage(function, tmp_path / "second")
    for path in sorted(second.rglob("*"), reverse=True):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o777)
    assert zipped(second) == content
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert found.namelist() == sorted(found.namelist())
        assert {(info.date_time, info.external_attr >> 16) for info in found.infolist()} == {
            (EPOCH, 0o100644)
        }
        found.extractall(tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "main.py").read_bytes() == (first / "main.py").read_bytes()


def test_a_zip_is_named_after_its_content_and_replaces_the_one_before(tmp_path: Path) -> None:
    folder = stage("sweep", tmp_path)
    first = archive(folder)
    assert archive(folder) == first
    (folder / "main.py").write_text("changed = True\n")
    second = archive(folder)
    assert second.name != first.name
    assert list(tmp_path.glob("*.zip")) == [second]


def test_terraform_gets_the_name_of_every_zip(tmp_path: Path) -> None:
    (tmp_path / "terraform").mkdir()
    zips = {function: archive(stage(function, tmp_path / "build")) for function in deployables()}
    told = json.loads(tell_terraform(tmp_path / "build", tmp_path / "terraform").read_text())[
        "sources"
    ]
    assert told == {function: f"../build/{path.name}" for function, path in zips.items()}
    assert all((tmp_path / "terraform" / path).is_file() for path in told.values())


def test_a_function_that_imports_what_is_not_staged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "main.py").write_text("from infra import deployables\n")
    with pytest.raises(StagingError, match="imports infra, which is not staged"):
        check_imports(tmp_path / "functions", tmp_path)


def test_a_function_that_does_not_exist_is_not_staged(tmp_path: Path) -> None:
    with pytest.raises(StagingError, match=r"functions/nothing/main\.py"):
        stage("nothing", tmp_path)
