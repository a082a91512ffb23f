"""Damage to a store that a running Baton uses."""

import sqlite3
from contextlib import closing
from pathlib import Path

GARBAGE = bytes(range(256)) * 1280


def damage_store(path: Path) -> None:
    """Overwrites the SQLite file and its log; the next statement of a running Baton reads them.

    A foreign write goes with it. SQLite then drops the pages that it holds in memory; it would
    answer from them otherwise, and could not see the damage. The write ends after the damage: what
    Baton reads in between would be held in memory again.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("begin immediate")
        stranger.execute("pragma user_version = 77")
        for end in ("", "-wal"):
            Path(f"{path}{end}").write_bytes(GARBAGE)
        stranger.execute("commit")
