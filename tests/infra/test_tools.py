"""Every command-line tool ends with a line that says why, whatever it is given, and never with
a traceback.
"""

import multiprocessing
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests import forked
from tests.forked import ForkedServer

ROOT = Path(__file__).parents[2]
TOOLS = [
    "infra.bridge_tag",
    "infra.capabilities",
    "infra.cost",
    "infra.dead_letters",
    "infra.deploy",
    "infra.deploy.found",
    "infra.deploy.rest",
    "infra.deploy.setting_rules",
    "infra.diagram",
    "infra.doctor",
    "infra.documents",
    "infra.export",
    "infra.google_messages",
    "infra.matrix",
    "infra.openapi",
    "infra.recount",
    "infra.stage",
    "infra.table",
    "infra.local",
    "infra.local.demo",
    "infra.local.demo_data",
    "infra.local.picture",
]
DEPLOY = ["infra.deploy", "--project", "baton-test", "--region", "europe-west1"]


def test_every_tool_is_walked() -> None:
    marked = {
        path
        for path in (ROOT / "infra").rglob("*.py")
        if '\nif __name__ == "__main__":' in path.read_text()
    }
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
        for path in marked
    }
    assert names == set(TOOLS)


def ended(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Returns how a tool ended, which never is with a traceback."""
    done = forked.run(*command, **environment)
    assert "Traceback" not in done.stderr + done.stdout
    return done


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_that_a_shell_starts_prints_its_usage(tool: str) -> None:
    words = [sys.executable, "-m", tool, "--help"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: " in done.stdout


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("rubbish", [["--nonsense"], ["--\x01", "\x01"], ["--help"]])
def test_rubbish_is_answered_with_the_usage(tool: str, rubbish: list[str]) -> None:
    done = ended(tool, *rubbish)
    assert done.returncode == (0 if rubbish == ["--help"] else 2)
    assert "usage: " in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (["infra.bridge_tag", "--endpoint", "http://["], 2, "--endpoint"),
        (["infra.bridge_tag", "--endpoint", 'https://x.test/"><b'], 2, "--endpoint"),
        (
            ["infra.bridge_tag", "--endpoint", "https://x.test/f", "--adapter", "nonsense"],
            2,
            "--adapter",
        ),
        (
            [
                "infra.bridge_tag",
                "--endpoint",
                "https://x.test/f",
                "--adapter",
                "https://a.test/path",
            ],
            2,
            "--adapter",
        ),
        (
            ["infra.bridge_tag", "--endpoint", "https://x.test/f", "--agent", "jane"],
            2,
            "BRIDGE_TOKEN_KEYS",
        ),
        (["infra.doctor", "http://["], 2, "give a URL"),
        (["infra.doctor", "http://localhost:99999"], 2, "give a URL"),
        (["infra.doctor", "http://localhost:x"], 2, "give a URL"),
        (["infra.export", "--from", "yesterday"], 2, "not exported: from"),
        (["infra.recount", "--to", "0000-00-00"], 1, "not recounted: to"),
        (["infra.stage", "nothing"], 1, "functions/nothing/main.py does not exist"),
        (["infra.stage", "../functions/sweep"], 1, "does not exist"),
        (
            ["infra.stage", "--check", "--python", "nosuchpython", "sweep"],
            1,
            "`nosuchpython` cannot be run",
        ),
        (["infra.stage", "--check", "--python", "/", "sweep"], 1, "`/` cannot be run"),
        (["infra.stage", "--check", "--python", "true", "sweep"], 1, "cannot be run"),
        ([*DEPLOY, "--max-instances", "x"], 2, "--max-instances"),
    ],
)
def test_what_cannot_be_done_is_said(
    tmp_path: Path, command: list[str], code: int, says: str
) -> None:
    (tmp_path / "baton.sqlite").touch()
    done = ended(*command, BATON_HOME=str(tmp_path))
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr
    assert (ROOT / "functions" / "sweep" / "main.py").is_file()


@pytest.mark.parametrize("tool", ["infra.export", "infra.recount"])
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("BATON_STORE", "foo"),
        ("UNCLAIMED_AFTER", "abc"),
        ("BATON_API_KEYS", "nojson"),
        ("BATON_HOME", "/nowhere/at/all"),
        ("BATON_HOME", "{here}/spoilt"),
        ("BATON_HOME", "{here}/foreign"),
        ("BATON_HOME", "{here}/folder"),
    ],
)
def test_a_state_that_cannot_be_read_is_said_in_one_line(
    tmp_path: Path, tool: str, setting: str, value: str
) -> None:
    for name in ("spoilt", "foreign", "folder"):
        (tmp_path / name).mkdir()
    (tmp_path / "spoilt" / "baton.sqlite").write_bytes(bytes(range(256)) * 64)
    with closing(sqlite3.connect(tmp_path / "foreign" / "baton.sqlite")) as foreign:
        foreign.execute("create table bookmarks (url text)")
    (tmp_path / "folder" / "baton.sqlite").mkdir()
    environment = {"BATON_HOME": str(tmp_path), setting: value.format(here=tmp_path)}
    done = ended(tool, **environment)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("not ")
    assert ".." not in line.replace("://", "")
    assert "To go on" not in line


def test_damage_that_is_met_on_the_way_is_said_in_one_line(tmp_path: Path) -> None:
    with ForkedServer(tmp_path) as run:
        for n in range(30):
            body = f'{{"text": "{"x" * 900}", "messageId": "m-{n}"}}'.encode()
            run.send("POST", "/sim/business_messages/customers/3333/messages", body)
        run.wait_until_quiet("3333")
    path = tmp_path / "baton.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("pragma wal_checkpoint(truncate)")
        page = database.execute(
            "select rootpage from sqlite_schema where name = 'journal'"
        ).fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    done = ended("infra.export", BATON_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "not finished: The store's file is damaged" in done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the folder of a local run in which a customer has written."""
    folder = tmp_path_factory.mktemp("home")
    with ForkedServer(folder) as run:
        run.send("POST", "/sim/business_messages/customers/3333/messages", b'{"text": "Hi"}')
        run.wait_until_quiet("3333")
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ["infra.diagram"],
        ["infra.capabilities"],
        ["infra.bridge_tag", "--endpoint", "https://x.test/f"],
        ["infra.export"],
        ["infra.doctor", "http://127.0.0.1:1"],
        ["infra.doctor", "--help"],
        [*DEPLOY, "--dry-run"],
    ],
)
def test_a_reader_that_has_enough_ends_it_quietly(home: Path, command: list[str]) -> None:
    reading, writing = multiprocessing.Pipe(duplex=False)
    reading.close()
    with writing:
        done = forked.run_into(writing, *command, BATON_HOME=str(home))
    assert_quiet(done.stderr)


def test_a_reader_of_a_process_of_its_own_ends_it_quietly() -> None:
    """Python writes what is left in its buffer when it ends, and would complain."""
    reading, writing = os.pipe()
    os.close(reading)
    done = _printed_in_a_process_of_its_own(writing)
    os.close(writing)
    assert_quiet(done.stderr)


def assert_quiet(said: str) -> None:
    assert "rror" not in said
    assert "Traceback" not in said
    assert "Broken pipe" not in said


full_disk = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no full disk to write to"
)


@full_disk
@pytest.mark.parametrize("command", [["infra.diagram"], ["infra.export"], [*DEPLOY, "--dry-run"]])
def test_a_full_disk_is_said(home: Path, command: list[str]) -> None:
    assert_full(forked.run_into(Path("/dev/full"), *command, BATON_HOME=str(home)))


@full_disk
def test_a_full_disk_is_said_in_a_process_of_its_own() -> None:
    with Path("/dev/full").open("wb") as full:
        assert_full(_printed_in_a_process_of_its_own(full.fileno()))


def _printed_in_a_process_of_its_own(into: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.diagram"],
        env={**os.environ, "PYTHONUNBUFFERED": ""},
        cwd=ROOT,
        stdout=into,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )


def assert_full(done: subprocess.CompletedProcess[str]) -> None:
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "No space left on device" in done.stderr


@pytest.fixture
def mute() -> Iterator[tuple[str, threading.Event]]:
    """Yields the address of a server that takes connections and says nothing, and whether it
    has one.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        asked, held = threading.Event(), list[socket.socket]()

        def accept() -> None:
            held.append(listener.accept()[0])
            asked.set()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        for one in held:
            one.close()


def test_a_tool_that_is_interrupted_says_so(mute: tuple[str, threading.Event]) -> None:
    url, asked = mute
    words = [sys.executable, "-m", "infra.doctor", url]
    running = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert asked.wait(60)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert (running.returncode, said.strip()) == (130, "interrupted")


def test_a_tool_that_is_interrupted_while_it_is_imported_says_so(tmp_path: Path) -> None:
    """infra comes before what takes long to import."""
    (tmp_path / "jwt.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    given = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    words = [sys.executable, "-m", "infra.bridge_tag", "--endpoint", "https://x.test/f"]
    done = subprocess.run(
        words, env=given, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stderr.strip() == "interrupted"
    assert done.returncode == -signal.SIGINT


@pytest.mark.parametrize(
    "sent", [b"rubbish\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", b""]
)
def test_the_doctor_hears_rubbish(sent: bytes) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def answer() -> None:
            while True:  # each question gets the same answer
                connection = listener.accept()[0]
                connection.recv(65536)
                connection.sendall(sent)
                connection.close()

        threading.Thread(target=answer, daemon=True).start()
        done = ended("infra.doctor", f"http://127.0.0.1:{listener.getsockname()[1]}")
    assert done.returncode == 1
    assert "FAIL" in done.stdout


@pytest.mark.parametrize("keys", ["[]", '{"k": 1}', '{"k": {"name": "x", "may": 1}}', "nojson"])
def test_the_doctor_is_given_keys_that_are_none(tmp_path: Path, keys: str) -> None:
    with ForkedServer(tmp_path) as run:
        done = ended("infra.doctor", run.url, BATON_API_KEYS=keys)
    assert "skip  The API with a key" in done.stdout
