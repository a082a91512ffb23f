"""The state of the simulated Dialogflow CX, in its own SQLite file. It commits before it
answers.
"""

import json
from datetime import UTC, datetime
from typing import Any

from infra.local.simulators.dialogflow_agent import Session
from infra.local.simulators.platform_store import whole
from shared.stores.sqlite.store import open_database

_SCHEMA = """
create table if not exists sessions (id text primary key, page text not null,
  parameters text not null);
create table if not exists turns (
  seq integer primary key autoincrement, session text not null, at text not null,
  turn text not null);
"""


class DialogflowStore:
    def __init__(self, path: str) -> None:
        self._db = open_database(path, _SCHEMA, whole=True)

    def session(self, name: str) -> Session:
        """Returns the state of a session. A session begins with its first call."""
        rows = self._db.execute(
            "select page, parameters from sessions where id = ?", (name,)
        ).fetchall()
        return Session(rows[0][0], json.loads(rows[0][1])) if rows else Session()

    def record(self, name: str, turn: dict[str, Any], session: Session | None) -> None:
        """Stores a call. Stores the new state of the session too, unless the call was refused."""
        values = (name, datetime.now(UTC).isoformat(), json.dumps(turn))
        with whole(self._db):
            self._db.execute("insert into turns (session, at, turn) values (?, ?, ?)", values)
            if session is not None:
                state = (name, session.page, json.dumps(session.parameters))
                self._db.execute("insert or replace into sessions values (?, ?, ?)", state)

    def turns(self, name: str) -> list[dict[str, Any]]:
        rows = self._db.execute(
            "select seq, at, turn from turns where session = ? order by seq", (name,)
        )
        return [{"seq": seq, "at": at, **json.loads(turn)} for seq, at, turn in rows]

    def sessions(self) -> list[dict[str, Any]]:
        """Returns every session that was called, the latest first."""
        rows = self._db.execute(
            "select session, count(*), max(at) from turns group by session order by max(seq) desc"
        ).fetchall()
        return [
            {"session": session, "turns": turns, "latest": latest}
            for session, turns, latest in rows
        ]
