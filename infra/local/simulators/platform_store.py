"""What a simulated platform has shown its customers, in its own SQLite file. It commits before it
answers.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

from shared.stores.sqlite.store import open_database

_SCHEMA = """
create table if not exists conversations (id text primary key, name text);
create table if not exists transcript (
  seq integer primary key autoincrement, conversation text not null, side text not null,
  kind text not null,
  id text not null, body text not null, at text not null, unique (conversation, side, kind, id));
create table if not exists webhooks (seq integer primary key autoincrement, body text not null);
create table if not exists files (
  id text primary key, mime_type text not null, name text, sha256 text not null, at text not null,
  reported integer not null default 0);
create table if not exists kept (
  seq integer primary key, kind text not null, id text not null, body text not null,
  unique (kind, id));
"""


@contextmanager
def whole(db: sqlite3.Connection) -> Iterator[None]:
    """Commits all writes within the context together, or none. Other writers wait."""
    db.execute("begin immediate")
    try:
        yield
        db.execute("commit")
    except BaseException:
        if db.in_transaction:  # SQLite rolls back by itself where the disk is full
            db.execute("rollback")
        raise


class PlatformStore:
    def __init__(self, path: str) -> None:
        self.path = path
        self._db = open_database(path, _SCHEMA, whole=True)

    def whole(self) -> AbstractContextManager[None]:
        return whole(self._db)

    def learn(self, conversation: str, name: str | None = None) -> None:
        """Stores that this conversation exists. Only an existing conversation takes messages."""
        self._db.execute(
            """insert into conversations values (?, ?)
               on conflict (id) do update set name = coalesce(excluded.name, name)""",
            (conversation, name),
        )

    def knows(self, conversation: str) -> bool:
        return bool(
            self._db.execute("select 1 from conversations where id = ?", (conversation,)).fetchall()
        )

    def name_of(self, conversation: str) -> str | None:
        rows = self._db.execute(
            "select name from conversations where id = ?", (conversation,)
        ).fetchall()
        return rows[0][0] if rows else None

    def conversations(self) -> list[dict[str, Any]]:
        rows = self._db.execute(
            """select id, name, (select max(seq) from transcript
              where conversation = conversations.id) as latest,
               (select body from transcript where conversation = conversations.id
                and side = 'customer' and kind in ('message', 'edit') order by seq desc limit 1)
               from conversations order by coalesce(latest, 0) desc, id"""
        )
        return [
            {
                "id": one,
                "name": name,
                "latest": latest,
                "said": said and _words_of(json.loads(said)),
            }
            for one, name, latest, said in rows
        ]

    def show(
        self, conversation: str, side: str, kind: str, native: str, body: dict[str, Any]
    ) -> bool:
        """Returns whether this is new. An id that was shown already is not shown again."""
        try:
            self._db.execute(
                "insert into transcript (conversation, side, kind, id, body, at) values (?, ?, ?, "
                "?, ?, ?)",
                (conversation, side, kind, native, json.dumps(body), datetime.now(UTC).isoformat()),
            )
        except sqlite3.IntegrityError:
            return False
        return True

    def owner_of(self, side: str, native: str) -> str | None:
        """Returns the conversation in which this id was shown, None if there is none."""
        rows = self._db.execute(
            "select conversation from transcript where side = ? and id = ?", (side, native)
        )
        found = rows.fetchall()
        return found[0][0] if found else None

    def transcript(self, conversation: str, after: int = 0) -> list[dict[str, Any]]:
        rows = self._db.execute(
            "select seq, side, kind, id, body, at from transcript where conversation = ? and seq > "
            "? order by seq",
            (conversation, after),
        )
        return [
            {
                "seq": seq,
                "side": side,
                "kind": kind,
                "id": native,
                "body": json.loads(body),
                "at": at,
            }
            for seq, side, kind, native, body, at in rows
        ]

    def keep_file(self, file: str, mime_type: str, name: str | None, sha256: str, at: str) -> None:
        """Stores what is known of a file. Its bytes are elsewhere."""
        row = (file, mime_type, name, sha256, at)
        self._db.execute("insert into files values (?, ?, ?, ?, ?, 0)", row)

    def file(self, file: str) -> tuple[str, str | None, str, str] | None:
        """Returns the MIME type, the name, the SHA-256 and the time of a file."""
        rows = self._db.execute(
            "select mime_type, name, sha256, at from files where id = ?", (file,)
        ).fetchall()
        return rows[0] if rows else None

    def was_reported(self, file: str) -> None:
        """Stores that a webhook has named this file."""
        self._db.execute("update files set reported = 1 where id = ?", (file,))

    def is_reported(self, file: str) -> bool:
        named = "select 1 from files where id = ? and reported"
        return bool(self._db.execute(named, (file,)).fetchall())

    def keep(self, kind: str, native: str, value: Any) -> None:
        """Stores what the platform knows of one thing, instead of what it knew. None forgets it."""
        if value is None:
            self._db.execute("delete from kept where kind = ? and id = ?", (kind, native))
            return
        self._db.execute(
            """insert into kept (kind, id, body) values (?, ?, ?)
               on conflict (kind, id) do update set body = excluded.body""",
            (kind, native, json.dumps(value)),
        )

    def kept(self, kind: str) -> dict[str, Any]:
        """Returns all things of a kind by their ids, in the order in which they came."""
        rows = self._db.execute("select id, body from kept where kind = ? order by seq", (kind,))
        return {native: json.loads(body) for native, body in rows}

    def keeps(self, kind: str, native: str) -> bool:
        found = self._db.execute("select 1 from kept where kind = ? and id = ?", (kind, native))
        return bool(found.fetchall())

    def enqueue(self, body: dict[str, Any]) -> None:
        self._db.execute("insert into webhooks (body) values (?)", (json.dumps(body),))

    def webhooks(self, limit: int, after: int = 0) -> list[tuple[int, str]]:
        return self._db.execute(
            "select seq, body from webhooks where seq > ? order by seq limit ?", (after, limit)
        ).fetchall()

    def delivered(self, seq: int) -> None:
        self._db.execute("delete from webhooks where seq = ?", (seq,))


def _words_of(body: dict[str, Any]) -> Any:
    """Returns the text of a message, or what kind of file it has without a text."""
    text, files = body.get("text"), body.get("files")
    return f"[{files[0]['kind']}]" if files and not text else text
