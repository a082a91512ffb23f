"""Runs `python -m infra.export` on a store, as its own process, which is forked."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.ports import Commit, Snapshot
from shared.schemas.conversation import Conversation
from shared.schemas.journal import JournalEntry, Sealed, Verdict
from shared.schemas.representative import Representative, RepresentativeType
from shared.stores.sqlite.store import SqliteStore
from tests import forked

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


def settings(store: Path) -> dict[str, str]:
    return {"BATON_STORE": f"sqlite:///{store}", "BATON_QUEUE": "inline"}


def command(store: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Returns what to start, and in which environment."""
    started = [sys.executable, "-m", "infra.export", *arguments]
    return started, {**os.environ, **settings(store)}


@pytest.fixture(scope="session")
def run() -> Run:
    def ran(store: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = forked.run("infra.export", *arguments, **settings(store))
        assert done.returncode == status, done.stderr
        return done

    return ran


BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
PERIOD = ("--from", "2026-03-01", "--to", "2026-03-02")
JANE = Representative(representative_type=RepresentativeType.HUMAN, display_name="Jane Doe")


def said(conversation: str, n: int, text: str | None, **more: Any) -> JournalEntry:
    """Returns the `n`th message of a conversation: the customer's if even, else the human's."""
    who: dict[str, Any] = (
        {"kind": "human_message", "representative": JANE} if n % 2 else {"kind": "user_message"}
    )
    given = {
        "time": BEGIN + timedelta(seconds=n),
        "source": conversation,
        "verdict": Verdict.ACCEPTED,
        **who,
        **more,
    }
    words = None if text is None else Sealed(text)
    return JournalEntry(
        id=f"e-{n}", conversation=conversation, seq=n, nonce="n", text=words, **given
    )


async def stored(
    path: Path, conversations: Iterable[Conversation], entries: Iterable[JournalEntry]
) -> None:
    """Writes them into a store of their own."""
    store = SqliteStore(str(path))
    await store.commit(Commit(list(entries), [Snapshot(one, None) for one in conversations]))
    await store.close()


def conversation(name: str, **more: Any) -> Conversation:
    return Conversation(id=name, address=name, version=1, **more)
