"""`python -m infra.recount` on a local run's state: what is right stays, what is wrong is
mended, and it says which.
"""

import asyncio
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.local.talk import Talk
from shared.measures.counts import Cell, Count, quarter_of
from shared.schemas.measures import Name
from shared.stores.sqlite.store import SqliteStore
from tests import forked
from tests.forked import ForkedServer

NOW = quarter_of(datetime.now(UTC))


@pytest.fixture
def played(tmp_path: Path) -> Path:
    with ForkedServer(tmp_path) as server:
        talk = Talk.open(server)
        talk.post(":requestHuman", {"reason": "refund"}, "dev-bot")
        server.wait_until_quiet(talk.id)
    return tmp_path / "baton.sqlite"


def _recount(store: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = {"BATON_STORE": f"sqlite:///{store}", "BATON_QUEUE": "inline"}
    return forked.run("infra.recount", *arguments, **settings)


async def _spoil(path: Path, *at: datetime) -> None:
    store = SqliteStore(str(path))
    (conversation, *_) = (await store.conversations(None, 1)).items
    (entry, *_) = (await store.journal(conversation.id, None, 1)).items
    await store.update(entry, [Count(Cell(one, "sms", "", "", Name.REQUESTED), 2) for one in at])
    await store.close()


def test_it_mends_what_the_journal_can_say_and_leaves_the_rest(played: Path) -> None:
    assert "nothing had to be corrected" in _recount(played).stdout
    asyncio.run(_spoil(played, NOW, NOW - timedelta(days=60)))
    long_ago = f"{NOW - timedelta(days=90):%Y-%m-%d}"
    assert ": 2 had to be corrected" in _recount(played, "--from", long_ago).stdout
    assert "nothing had to be corrected" in _recount(played).stdout


def test_what_no_journal_remembers_cannot_be_recounted(played: Path) -> None:
    done = _recount(played, "--from", "2020-01-01", "--to", "2020-02-01")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing before can be recounted" in done.stderr


def test_it_may_be_run_twice_at_once(played: Path) -> None:
    asyncio.run(_spoil(played, NOW))
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: _recount(played), range(3)))
    assert {one.returncode for one in done} == {0}, [one.stderr for one in done]
    assert "nothing had to be corrected" in _recount(played).stdout
