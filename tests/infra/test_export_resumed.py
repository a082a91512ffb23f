"""A large export is small in memory, its owner's alone, and goes on where it was cut off."""

import asyncio
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.ports import Commit, Snapshot
from shared.stores.sqlite.store import SqliteStore
from tests.forked import Forked
from tests.infra.exporting import PERIOD, ROOT, Run, command, conversation, run, said, settings
from tests.soak import SOAKS

__all__ = ["run"]
MEGABYTES = 150

# All messages at once take 130 MB beside the program's own: the gate has fewer and longer ones.
CONVERSATIONS, MESSAGES, LENGTH = (1000, 100, 210) if SOAKS else (150, 50, 16000)
SMALLER = 100
TEXT = "I see you have a problem. How can I help? " * 5


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = TEXT * (LENGTH // len(TEXT))
    return _filled(tmp_path_factory.mktemp("large"), CONVERSATIONS, MESSAGES, text)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for what is redacted: that takes half a millisecond a message."""
    return _filled(tmp_path_factory.mktemp("few"), 60, 50)


@pytest.fixture(scope="module")
def smaller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _filled(tmp_path_factory.mktemp("smaller"), SMALLER, SMALLER)


def _filled(folder: Path, conversations: int, messages: int, text: str = TEXT) -> Path:
    asyncio.run(_fill(folder / "baton.sqlite", conversations, messages, text))
    return folder / "baton.sqlite"


async def _fill(path: Path, conversations: int, messages: int, text: str) -> None:
    store = SqliteStore(str(path))
    names = [f"business_messages:c{n}" for n in range(conversations)]
    for start in range(0, conversations, 50):
        some = names[start : start + 50]
        entries = [said(name, n, f"{n}: {text}") for name in some for n in range(messages)]
        await store.commit(Commit(entries, [Snapshot(conversation(one), None) for one in some]))
    await store.close()


# `ru_maxrss` of Linux includes the peak of the parent process; VmHWM starts at zero.
MEASURED = """
import pathlib, resource, sys
from infra.export.export import main
main(sys.argv[1:])
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
peaks = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
print(*peaks or [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])
"""


@pytest.fixture(scope="module")
def whole(large: Path) -> tuple[Path, subprocess.CompletedProcess[bytes]]:
    """Returns the export of all of it, and how that went: its memory in kilobytes, and what it
    said.
    """
    output = large.with_name("whole.jsonl")
    (python, _, __, *arguments), environment = command(large, *PERIOD, "--output", str(output))
    return output, subprocess.run(
        [python, "-c", MEASURED, *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        check=True,
    )


@pytest.fixture(scope="module")
def smaller_whole(smaller: Path, run: Run) -> bytes:
    output = smaller.with_name("whole.jsonl")
    run(smaller, *PERIOD, "--output", str(output))
    return output.read_bytes()


@pytest.mark.soak
def test_a_large_export_takes_little_memory(
    whole: tuple[Path, subprocess.CompletedProcess[bytes]],
) -> None:
    output, done = whole
    assert f"{CONVERSATIONS * MESSAGES:,} messages." in done.stderr.decode()
    lines = output.read_text().splitlines()
    assert sum(len(json.loads(line)["messages"]) for line in lines) == CONVERSATIONS * MESSAGES
    assert not list(output.parent.glob("*.progress*"))
    assert int(done.stdout) / 1024 < MEGABYTES


def _cut_off(store: Path, part: Path, size: int, how: signal.Signals, *more: str) -> str:
    """Ends an export when it has written a part of what it is to write. Returns what it said."""
    told = part.with_suffix(".told")
    given = {**os.environ, **settings(store)}
    words = ("infra.export", *PERIOD, *more, "--output", str(part))
    process = Forked(*words, environment=given, folder=ROOT, out=told, err=told)
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > size // 3) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(how)
    assert process.wait(60) != 0
    assert 0 < part.stat().st_size < size
    return told.read_text()


@pytest.mark.parametrize(
    "how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name
)
def test_an_export_that_was_cut_off_goes_on_as_if_it_had_not_been(
    smaller: Path, smaller_whole: bytes, tmp_path: Path, run: Run, how: signal.Signals
) -> None:
    part, wanted = tmp_path / "part.jsonl", smaller_whole
    told = _cut_off(smaller, part, len(wanted), how)
    python = os.path.relpath(sys.executable, ROOT) if sys.prefix != sys.base_prefix else "python"
    again = (
        f"To go on: {python} -m infra.export --from 2026-03-01T00:00+00:00 "
        "--to 2026-03-02T00:00+00:00"
    )
    assert (again in told) == (how is not signal.SIGKILL)
    with part.open("ab") as file:
        file.write(b"half a li")
    other = run(smaller, *PERIOD, "--redact", "--output", str(part), status=2).stderr
    assert "another export" in other
    assert f"--output {part}" in other
    run(smaller, *PERIOD, "--output", str(part))
    assert part.read_bytes() == wanted


def test_who_is_who_stays_the_same_when_a_redacted_export_goes_on(
    few: Path, tmp_path: Path, run: Run
) -> None:
    part, whole = tmp_path / "part.csv", tmp_path / "whole.csv"
    run(few, *PERIOD, "--format", "csv", "--redact", "--output", str(whole))
    _cut_off(few, part, whole.stat().st_size, signal.SIGKILL, "--format", "csv", "--redact")
    run(few, *PERIOD, "--format", "csv", "--redact", "--output", str(part))
    assert _numbered(part) == _numbered(whole)


def _numbered(export: Path) -> str:
    """Returns an export with its pseudonyms replaced by their order."""
    text, numbers = export.read_text(), dict[str, str]()
    return re.sub(
        r"p-[0-9a-f]{32}", lambda found: numbers.setdefault(found[0], f"#{len(numbers)}"), text
    )


@pytest.fixture(scope="module")
def cut_off(smaller: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Path, bytes]:
    """Returns the files that an export left that was cut off."""
    part = tmp_path_factory.mktemp("begun") / "part.jsonl"
    _cut_off(smaller, part, SMALLER * SMALLER * len(TEXT), signal.SIGKILL)
    files = (part, part.with_name("part.jsonl.progress"))
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]
    return {file: file.read_bytes() for file in files}


@pytest.fixture
def begun(cut_off: dict[Path, bytes]) -> Path:
    """Returns the output of an export that was cut off."""
    for file, content in cut_off.items():
        file.write_bytes(content)
    return next(iter(cut_off))


@pytest.mark.parametrize("lost", ["missing", "shorter", "unreadable"])
def test_what_cannot_be_gone_on_from_is_said_and_left_as_it_is(
    smaller: Path, begun: Path, run: Run, lost: str
) -> None:
    progress = begun.with_name("part.jsonl.progress")
    if lost == "missing":
        begun.unlink()
    elif lost == "shorter":
        begun.write_bytes(b"{}")
    else:
        progress.write_text("{")
    left = {path.name: path.read_bytes() for path in begun.parent.iterdir()}
    told = run(smaller, *PERIOD, "--output", str(begun), status=2).stderr
    assert f"delete {progress}" in told or "delete it" in told
    assert "Traceback" not in told
    assert {path.name: path.read_bytes() for path in begun.parent.iterdir()} == left


def test_only_the_owner_may_read_its_files(smaller: Path, begun: Path, run: Run) -> None:
    begun.chmod(0o644)
    run(smaller, *PERIOD, "--output", str(begun))
    assert stat.S_IMODE(begun.stat().st_mode) == 0o600


@pytest.mark.parametrize("where", [".", "nowhere/part.jsonl"])
def test_what_cannot_be_written_is_said(
    smaller: Path, tmp_path: Path, run: Run, where: str
) -> None:
    told = run(smaller, *PERIOD, "--output", str(tmp_path / where), status=2).stderr
    assert "not exported" in told
    assert "Traceback" not in told
