"""The state of a local run: its owner's alone, one process's at a time, and refused in words
where it is not usable.
"""

import json
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.local.server import LocalServer
from tests import forked
from tests.forked import ForkedServer
from tests.infra.damage import damage_store

ROOT = Path(__file__).parents[2]
FILES = ["baton", "platform", "rcs", "whatsapp", "ccai", "slack", "dialogflow", "crm"]
SAY = "/sim/business_messages/customers/3333/messages"
GARBAGE = bytes(range(256)) * 64


# A file's mode binds the administrator as well, once this right is given up.
AS_ANYBODY = ["setpriv", "--bounding-set", "-dac_override", "--"] if os.geteuid() == 0 else []


def start(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Returns how a start ended that must end by itself."""
    given = {"PORT": "0", "BATON_HOME": str(folder), **environment}
    return forked.run("infra.local", **given)


def start_as_anybody(folder: Path) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "PORT": "0", "BATON_HOME": str(folder)}
    command = [*AS_ANYBODY, sys.executable, "-m", "infra.local"]
    return subprocess.run(command, env=given, cwd=ROOT, capture_output=True, text=True, timeout=60)


def refused(folder: Path, **environment: str) -> str:
    """Returns the words of a start that was refused as it must be."""
    return words_of(start(folder, **environment))


def words_of(ended: subprocess.CompletedProcess[str]) -> str:
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr
    assert "nothing was lost" not in ended.stderr
    return ended.stderr


def modes(folder: Path) -> dict[str, str]:
    found = [folder, *folder.iterdir()]
    return {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in found}


def _truncated(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("create table conversations (id, body)")
        database.executemany(
            "insert into conversations values (?, ?)", [(n, "x" * 900) for n in range(90)]
        )
    database.close()
    os.truncate(path, 20_000)


def _page_damaged(path: Path) -> None:
    with ForkedServer(path.parent) as run:
        for n in range(40):
            run.send("POST", SAY, json.dumps({"text": "x" * 900, "messageId": f"m-{n}"}).encode())
        run.wait_until_quiet("3333")
    with sqlite3.connect(path) as database:
        database.execute("pragma wal_checkpoint(truncate)")
    database.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 8192)


def _another_programs(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("create table bookmarks (id integer primary key, url text)")
    database.close()


def _another_versions(path: Path) -> None:
    with sqlite3.connect(path) as database:
        for table in ("conversations", "sessions", "comments", "turns"):
            database.execute(f"create table {table} (id text primary key, of_another_version text)")
    database.close()


def _emptied(path: Path) -> None:
    path.touch()
    Path(f"{path}-wal").write_bytes(GARBAGE)


SPOILT: dict[str, Callable[[Path], object]] = {
    "rubbish": lambda path: path.write_bytes(GARBAGE),
    "text": lambda path: path.write_text("not a database\n" * 100),
    "truncated": _truncated,
    "another program's": _another_programs,
    "another version's": _another_versions,
    "emptied": _emptied,
}


@pytest.mark.parametrize("how", SPOILT)
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_spoilt_is_named_at_the_start_with_what_to_do(
    tmp_path: Path, name: str, how: str
) -> None:
    path = tmp_path / f"{name}.sqlite"
    SPOILT[how](path)
    before = path.read_bytes()
    said = refused(tmp_path)
    assert f"{path} cannot be used: " in said
    assert f"mkdir {tmp_path}/damaged && mv {path}* {tmp_path}/damaged/" in said
    assert path.read_bytes() == before


def test_damage_in_the_middle_is_found_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "baton.sqlite"
    _page_damaged(path)
    assert f"{path} cannot be used: " in refused(tmp_path)


def test_what_the_words_say_helps(tmp_path: Path) -> None:
    (tmp_path / "baton.sqlite").write_bytes(GARBAGE)
    command = next(line for line in refused(tmp_path).splitlines() if line.startswith("  mkdir "))
    subprocess.run(["sh", "-eu", "-c", command], check=True)
    with ForkedServer(tmp_path) as run:
        assert run.send("POST", SAY, b'{"text": "Hi"}').status == 200
    assert (tmp_path / "damaged" / "baton.sqlite").read_bytes() == GARBAGE


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "baton.sqlite").mkdir()
    assert "it is a folder" in refused(tmp_path)
    (tmp_path / "baton.sqlite").rmdir()
    os.mkfifo(tmp_path / "baton.sqlite")
    assert "it is not a file" in refused(tmp_path)


def test_a_folder_that_cannot_be_had_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/baton")):
        said = refused(folder)
        assert f"{folder} cannot be used: " in said
        assert "BATON_HOME=" in said
    said = refused(tmp_path, BATON_STORE=f"sqlite:///{tmp_path}/file/baton.sqlite")
    assert f"{tmp_path}/file is not a folder" in said


def test_a_file_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "baton.sqlite").touch(0o400)
    tmp_path.chmod(0o500)
    try:
        assert "cannot be used" in words_of(start_as_anybody(tmp_path))
    finally:
        tmp_path.chmod(0o700)


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / f"{name}.sqlite").touch()
    with ForkedServer(tmp_path) as run:
        assert run.send("POST", SAY, b'{"text": "Hi"}').status == 200


def test_what_is_kept_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(0o755)
    with ForkedServer(folder) as run:
        run.send("POST", SAY, b'{"text": "Hi"}')
        run.stop(signal.SIGKILL)
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)
    with ForkedServer(folder) as run:
        run.send("POST", SAY, b'{"text": "again"}')
        run.wait_until_quiet("3333")
        found = modes(folder)
    assert {"baton.sqlite", "baton.sqlite-wal", "baton.sqlite-shm", "platform.sqlite-wal"} <= set(
        found
    )
    assert found.pop("state") == "0o700"
    found.pop("server.log")  # the test's own
    assert set(found.values()) == {"0o600"}


def test_a_folder_with_other_things_in_it_stays_open(tmp_path: Path) -> None:
    """The state may be put into a folder of the user's; only files are closed then."""
    tmp_path.chmod(0o755)
    environment = {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    with ForkedServer(tmp_path, environment):
        found = modes(tmp_path)
    assert found.pop(tmp_path.name) == "0o755"
    assert found["baton.sqlite"] == "0o600"


def test_a_second_run_on_the_same_state_is_refused(tmp_path: Path) -> None:
    for name in ("a", "d"):
        (tmp_path / name).mkdir()
    with ForkedServer(tmp_path / "a") as run:
        assert run.process is not None
        said = refused(tmp_path / "a")
        assert f"process {run.process.pid}" in said
        assert "BATON_HOME=" in said
        store = f"sqlite:///{tmp_path}/a/baton.sqlite"
        with ForkedServer(
            tmp_path / "d", {"BATON_STORE": f"sqlite:///{tmp_path}/elsewhere.sqlite"}
        ):
            said = refused(tmp_path / "b", BATON_STORE=f"sqlite:///{tmp_path}/elsewhere.sqlite")
            assert "Another run uses" in said
        assert "Another run uses" in refused(tmp_path / "c", BATON_STORE=store)
        run.stop(signal.SIGKILL)
        run.start()
        assert run.send("POST", SAY, b'{"text": "Hi"}').status == 200


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with ForkedServer(tmp_path) as run:
        said = refused(tmp_path / "b", PORT=str(run.port))
    assert "PORT=8081 make run" in said


@pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="only Linux limits a process that runs"
)
def test_a_full_disk_acknowledges_nothing_and_says_so(tmp_path: Path) -> None:
    with ForkedServer(tmp_path) as run:
        assert run.process is not None
        _say(run, "before")
        run.wait_until_quiet("3333")
        no_limit = resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE)
        full = (tmp_path / "platform.sqlite-wal").stat().st_size
        resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (full, no_limit[1]))
        statuses = [_say(run, f"m-{n}") for n in range(3)]
        assert statuses == [(503, "storage-full")] * 3
        webhook = [_webhook(run, f"w-{n}") for n in range(30)]
        assert webhook[-1] == (503, "storage-full")
        resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, no_limit)
        assert _say(run, "m-0") == (200, "")
        run.wait_until(lambda: "m-0" in _journal(run))
        kept = {f"w-{n}" for n, one in enumerate(webhook) if one == (200, "")}
        assert kept == {one for one in _journal(run) if one.startswith("w-")}
        lines = [
            json.loads(line) for line in run.log.read_text().splitlines() if line.startswith("{")
        ]
    failed = [
        line
        for line in lines
        if line["severity"] == "ERROR" and line.get("reason") == "storage-full"
    ]
    assert len(failed) >= 3


def test_damage_that_comes_later_is_answered_503(tmp_path: Path) -> None:
    with ForkedServer(tmp_path) as run:
        damage_store(tmp_path / "baton.sqlite")
        answered = [_webhook(run, "w-1"), _webhook(run, "w-2")]
    assert answered == [(503, "store-damaged")] * 2
    assert "nothing was lost" not in run.log.read_text()


def _say(run: LocalServer, message: str) -> tuple[int, str]:
    reply = run.send("POST", SAY, json.dumps({"text": "x" * 3000, "messageId": message}).encode())
    return reply.status, _reason(reply.body)


def _webhook(run: LocalServer, message: str) -> tuple[int, str]:
    body = {
        "event": "agent.message_out",
        "timestamp": 1738056000,
        "conversation_id": "conv_1",
        "need_human": 1,
    }
    said = {"id": message, "agent": {"name": "A"}, "content": {"type": "text", "text": "x" * 3000}}
    headers = {"authorization": "dev-csku-secret"}
    reply = run.send(
        "POST", "/receive_webhook/csku", run.encode({**body, "message": said}), headers
    )
    return reply.status, _reason(reply.body)


def _reason(body: object) -> str:
    return (
        str(body["error"]["details"][0]["reason"])
        if isinstance(body, dict) and "error" in body
        else ""
    )


def _journal(run: LocalServer) -> set[str]:
    """Returns the ids of what was taken, as the platforms gave them."""
    base = "/send_representative/v1/conversations"
    pages = [run.get(f"{base}/{one}/journal", "dev-agent") for one in ("3333", "csku:conv_1")]
    ids = [str(entry.get("eventId", "")) for page in pages for entry in page.get("entries", [])]
    return {one.rpartition(":")[2] for one in ids}
