"""Where Synapse is installed, and when that counts."""

import re
from pathlib import Path

import pytest

from infra.matrix.install import INSTALLED, LOCK, find, place


def test_an_installation_counts_once_it_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert find() is None
    python = place() / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert find() is None
    (place() / INSTALLED).touch()
    assert find() == python


def test_every_requirement_is_locked_with_hashes() -> None:
    locked = re.findall(
        r"^([a-z0-9.-]+)==\S+.*\\\n    --hash=sha256:", LOCK.read_text(), re.MULTILINE
    )
    named = re.findall(r"^([a-z0-9.-]+)==", LOCK.read_text(), re.MULTILINE)
    assert locked == named and "matrix-synapse" in named
