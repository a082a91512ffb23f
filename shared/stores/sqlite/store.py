"""The embedded store: one SQLite file in WAL mode, used by one thread.

A commit is durable when it returns.
"""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from shared.errors import BadRequest
from shared.measures.counts import SHOWN, Count, Tally, in_tally
from shared.ports import Commit, Page, PreconditionFailed, Snapshot, Watched, Written
from shared.schemas.conversation import Conversation
from shared.schemas.devices import Device
from shared.schemas.journal import JournalEntry
from shared.schemas.notation import format_time
from shared.schemas.people import Presence
from shared.stores.documents import (
    DEVICE_KEPT,
    from_conversation,
    from_device,
    from_entry,
    from_person,
    is_in_no_line,
    to_conversation,
    to_device,
    to_entry,
    to_list,
    to_page,
    to_person,
    to_watched,
)
from shared.stores.sqlite import counts as sqlite_counts
from shared.stores.sqlite.file import (
    UnusableFile,
    check_tables,
    check_whole,
    is_storage,
    make_private,
    unavailable,
)
from shared.stores.sqlite.pages import behind, page

T = TypeVar("T")
_JOURNAL_CURSOR = re.compile(r"(\d{1,18}) (\S+) (.+)", re.ASCII)  # seq, time, id
_BEHIND_ALL = 10**18  # a sequence
_Row = tuple[Any, ...]
FIRST_REVISION = 1
_WAIT_MS, _LOG_WAIT_MS = 5000, 100
# how often a watch looks for the commits of another process
LOOK_AGAIN_SECONDS = 0.5
_SCHEMA = """
create table if not exists conversations (
  id text primary key, version integer not null, phase text not null, waiting_since text,
  due_at text,
  body text not null);
create index if not exists conversations_by_wait on conversations (phase, waiting_since, id);
create index if not exists conversations_by_due on conversations (due_at, id)
  where due_at is not null;
create table if not exists journal (
  conversation text not null, id text not null, revision integer not null, seq integer not null,
  time text not null,
  pending_seq integer, due_at text, body text not null, primary key (conversation,
  id)) without rowid;
drop index if exists journal_by_time;
create index if not exists journal_in_sequence on journal (conversation, seq, time, id);
create index if not exists journal_pending on journal (conversation, pending_seq)
  where pending_seq is not null;
create index if not exists journal_by_due on journal (due_at, conversation, id)
  where due_at is not null;
create table if not exists natives (
  conversation text not null, entry text not null, native text not null, primary key (conversation,
  entry, native)) without rowid;
create index if not exists natives_by_native on natives (native);
create table if not exists people (
  id text primary key, version integer not null, due_at text, body text not null) without rowid;
create index if not exists people_by_due on people (due_at, id) where due_at is not null;
create table if not exists devices (
  id text primary key, version integer not null, expire_at text not null,
  body text not null) without rowid;
"""
SCHEMA = _SCHEMA + sqlite_counts.SCHEMA


class SqliteStore:
    """A ConversationStore.

    Tokens are the version of a conversation or a person and the revision of an entry.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        self._connection: sqlite3.Connection | None = None
        self._watching: set[asyncio.Event] = set()

    async def load(self, conversation: str, *, fresh: bool = True) -> Snapshot[Conversation] | None:
        rows = await self._run(
            _select, "select body from conversations where id = ?", (conversation,)
        )
        return _conversation(rows[0][0]) if rows else None

    def copy_called(self, name: str) -> Snapshot[Conversation] | None:
        return None

    async def commit(self, commit: Commit) -> Written:
        await self._run(_whole, _commit, commit)
        self._wake_watches()
        return Written(
            [Snapshot(entry, FIRST_REVISION) for entry in commit.entries],
            [Snapshot(one.value, one.value.version) for one in commit.conversations],
        )

    async def entry(self, conversation: str, entry: str) -> Snapshot[JournalEntry] | None:
        sql = "select body, revision from journal where conversation = ? and id = ?"
        rows = await self._run(_select, sql, (conversation, entry))
        return Snapshot(to_entry(rows[0][0]), rows[0][1]) if rows else None

    async def sent_as(self, native: str) -> Snapshot[JournalEntry] | None:
        sql = """select journal.body, journal.revision from natives
                 join journal on journal.conversation = natives.conversation
                   and journal.id = natives.entry
                 where natives.native = ? order by journal.time desc limit 1"""
        rows = await self._run(_select, sql, (native,))
        return Snapshot(to_entry(rows[0][0]), rows[0][1]) if rows else None

    async def update(
        self, entry: Snapshot[JournalEntry], counts: Sequence[Count] = ()
    ) -> Snapshot[JournalEntry]:
        return await self._run(_whole, _update, entry, counts)

    async def update_together(
        self, entries: Sequence[Snapshot[JournalEntry]]
    ) -> list[Snapshot[JournalEntry]]:
        return await self._run(_whole, _update_together, entries)

    async def pending(
        self, conversation: str, after: int, limit: int
    ) -> list[Snapshot[JournalEntry]]:
        sql = """select body, revision from journal where conversation = ? and pending_seq > ?
                 order by pending_seq limit ?"""
        rows = await self._run(_select, sql, (conversation, after, limit))
        return [Snapshot(to_entry(body), revision) for body, revision in rows]

    async def pending_count(self, conversation: str) -> int:
        sql = "select count(*) from journal where conversation = ? and pending_seq is not null"
        rows = await self._run(_select, sql, (conversation,))
        return int(rows[0][0])

    async def queue(self, phase: str, cursor: str | None, limit: int) -> Page[Conversation]:
        sql = """select body, coalesce(waiting_since, '') || ' ' || id as place from conversations
                 where phase = ? and place > ? order by coalesce(waiting_since, ''), id limit ?"""
        rows = await self._run(_select, sql, (phase, cursor or "", limit))
        found = _conversations(rows, limit)
        waiting = [one for one in found.items if not is_in_no_line(one)]
        return Page(waiting, found.cursor, found.unreadable)

    async def journal(
        self, conversation: str, cursor: str | None, limit: int, *, expired: bool = False
    ) -> Page[Snapshot[JournalEntry]]:
        """Entries never expire here, so `expired` has no effect."""
        sql = """select body, revision, printf('%d ', seq) || time || ' ' || id as place
                 from journal where conversation = ? and (seq, time, id) > (?, ?, ?)
                 order by seq, time, id limit ?"""
        rows = await self._run(_select, sql, (conversation, *_journal_place(cursor), limit))
        return page(rows, lambda row: Snapshot(to_entry(row[0]), row[1]), limit)

    async def journal_back(
        self, conversation: str, cursor: str | None, limit: int
    ) -> Page[Snapshot[JournalEntry]]:
        sql = """select body, revision, printf('%d ', seq) || time || ' ' || id as place
                 from journal where conversation = ? and (seq, time, id) < (?, ?, ?)
                 order by seq desc, time desc, id desc limit ?"""
        place = (_BEHIND_ALL, "", "") if cursor is None else _journal_place(cursor)
        rows = await self._run(_select, sql, (conversation, *place, limit))
        return page(rows, lambda row: Snapshot(to_entry(row[0]), row[1]), limit)

    async def latest(self, conversation: str, limit: int) -> list[Snapshot[JournalEntry]]:
        sql = """select body, revision from journal where conversation = ?
                 order by seq desc, time desc, id desc limit ?"""
        rows = await self._run(_select, sql, (conversation, limit))
        return [Snapshot(to_entry(body), revision) for body, revision in rows]

    async def due_conversations(self, now: datetime, cursor: str | None, limit: int) -> Page[str]:
        sql = """select id, due_at || ' ' || id as place from conversations
                 where due_at <= ? and (due_at, id) > (?, ?) order by due_at, id limit ?"""
        rows = await self._run(_select, sql, (format_time(now), *behind(cursor, 2), limit))
        return page(rows, lambda row: str(row[0]), limit)

    async def due_entries(self, now: datetime, cursor: str | None, limit: int) -> Page[str]:
        sql = """select conversation, due_at || ' ' || conversation || ' ' || id as place
                 from journal where due_at <= ? and (due_at, conversation, id) > (?, ?, ?)
                 order by due_at, conversation, id limit ?"""
        rows = await self._run(_select, sql, (format_time(now), *behind(cursor, 3), limit))
        return page(rows, lambda row: str(row[0]), limit)

    async def conversations(self, cursor: str | None, limit: int) -> Page[Conversation]:
        sql = "select body, id from conversations where id > ? order by id limit ?"
        rows = await self._run(_select, sql, (cursor or "", limit))
        return _conversations(rows, limit)

    async def people(self, ids: Collection[str]) -> Mapping[str, Snapshot[Presence]]:
        sql = "select body from people where id in (select value from json_each(?))"
        rows = await self._run(_select, sql, (json.dumps(list(ids)),))
        found = (_person(body) for (body,) in rows)
        return {one.value.id: one for one in found}

    async def due_people(
        self, now: datetime, cursor: str | None, limit: int
    ) -> Page[Snapshot[Presence]]:
        sql = """select body, due_at || ' ' || id as place from people
                 where due_at <= ? and (due_at, id) > (?, ?) order by due_at, id limit ?"""
        rows = await self._run(_select, sql, (format_time(now), *behind(cursor, 2), limit))
        return page(rows, lambda row: _person(row[0]), limit)

    async def watch_person(
        self, person: str, conversations: Collection[str]
    ) -> AsyncGenerator[Watched, None]:
        sql = """with wanted as (select value from json_each(?))
                 select 1, body from people where id = ? union all
                 select 2, body from conversations where id in wanted union all
                 select 3, body from devices where id in wanted order by 1, 2"""
        values = (json.dumps(list(conversations)), person)
        async with aclosing(self._changes(sql, values)) as changes:
            async for rows in changes:
                mine, theirs, devices = (
                    [body for kind, body in rows if kind == wanted] for wanted in (1, 2, 3)
                )
                yield to_watched(mine[0] if mine else None, theirs, devices)

    async def watch_phase(self, phase: str, limit: int) -> AsyncGenerator[list[Conversation], None]:
        sql = """select body from conversations where phase = ?
                 order by coalesce(waiting_since, ''), id limit ?"""
        async with aclosing(self._changes(sql, (phase, limit))) as changes:
            async for rows in changes:
                yield to_list(body for (body,) in rows)

    async def _changes(
        self, sql: str, values: tuple[object, ...]
    ) -> AsyncGenerator[list[_Row], None]:
        """Yields the rows at once, and again where they have changed after a commit."""
        committed, before = asyncio.Event(), None
        self._watching.add(committed)
        try:
            while True:
                committed.clear()
                rows = await self._run(_select, sql, values)
                if rows != before:
                    before = rows
                    yield rows
                with suppress(TimeoutError):
                    await asyncio.wait_for(committed.wait(), LOOK_AGAIN_SECONDS)
        finally:
            self._watching.discard(committed)

    async def device(self, conversation: str) -> Snapshot[Device] | None:
        sql = "select body, version from devices where id = ?"
        rows = await self._run(_select, sql, (conversation,))
        return Snapshot(to_device(rows[0][0]), rows[0][1]) if rows else None

    async def keep_device(self, device: Snapshot[Device], now: datetime) -> None:
        await self._run(_whole, _keep_device, device, now)
        self._wake_watches()

    async def forget_device(self, conversation: str) -> None:
        await self._run(_select, "delete from devices where id = ?", (conversation,))
        self._wake_watches()

    def _wake_watches(self) -> None:
        for committed in self._watching:
            committed.set()

    async def counted(
        self, since: datetime, until: datetime, tallies: Collection[Tally] = SHOWN
    ) -> list[Count]:
        return await self._run(sqlite_counts.read, format_time(since), format_time(until), tallies)

    async def correct(
        self, since: datetime, until: datetime, corrections: Sequence[Count], read_at: datetime
    ) -> None:
        span, corrected = (
            (format_time(since), format_time(until)),
            in_tally(corrections, Tally.CORRECTED),
        )
        await self._run(_whole, sqlite_counts.correct, *span, corrected, format_time(read_at))

    async def journal_ends(self, since: datetime, until: datetime) -> Mapping[datetime, datetime]:
        return {}

    async def scrub(self) -> bool:
        return await self._run(_scrub)

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator["SqliteStore"]:
        view = SqliteStore(self._path)
        try:
            await view._run(_freeze)
            yield view
        finally:
            await view.close()

    async def close(self) -> None:
        """Closes the file and ends the thread. The store cannot be used afterwards."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, connection.close)
        self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        """Runs `work` in the thread that owns the connection.

        Raises Unavailable if the file cannot be used.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, partial(self._work, work, *arguments))
        except UnusableFile as unusable:
            raise unavailable(unusable.error) from unusable
        except (sqlite3.Error, OSError) as error:
            if not is_storage(error):
                raise
            raise unavailable(error) from error

    def _work(self, work: Callable[..., T], *arguments: object) -> T:
        if self._connection is None:
            self._connection = open_database(self._path, SCHEMA)
            _scrub_once(self._connection)
        return work(self._connection, *arguments)


def open_database(path: str, schema: str, *, whole: bool = False) -> sqlite3.Connection:
    """Returns a connection in WAL mode that is durable at each commit.

    Creates the folder and tables that are missing.

    `secure_delete` overwrites replaced data in the file as far as it can; `_scrub` does the rest.
    With `whole` the whole file is read and checked first. Raises UnusableFile; a file that is not
    Baton's is left unchanged.
    """
    try:
        if path != ":memory:":
            make_private(Path(path))
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=_WAIT_MS / 1000
        )
        try:
            if whole:
                check_whole(connection)
            _begin(connection, schema)
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise UnusableFile(path, error) from error
    return connection


def _begin(connection: sqlite3.Connection, schema: str) -> None:
    check_tables(connection, schema)
    connection.execute("pragma journal_mode = wal")
    # In WAL mode, NORMAL could lose the last commits in a power failure.
    connection.execute("pragma synchronous = full")
    connection.execute("pragma secure_delete = on")
    if connection.execute("select 1 from sqlite_schema").fetchone() is None:
        schema = f"begin immediate; {schema} commit;"  # each commit waits for the disk
    connection.executescript(schema)


def examine(path: str) -> None:
    """Reads and checks the whole file of a store. Raises UnusableFile."""
    open_database(path, SCHEMA, whole=True).close()


def _select(connection: sqlite3.Connection, sql: str, values: tuple[object, ...]) -> list[_Row]:
    return connection.execute(sql, values).fetchall()


def _whole(connection: sqlite3.Connection, work: Callable[..., T], *arguments: object) -> T:
    """Runs `work` in one transaction."""
    connection.execute("begin immediate")
    try:
        done = work(connection, *arguments)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    return done


def _scrub(connection: sqlite3.Connection) -> bool:
    """Rewrites the file and empties its write-ahead log.

    Returns False if another connection reads the log.

    `secure_delete` leaves copies of rows that moved between pages, and the log keeps its content
    until it is truncated. The log is emptied first, because a rewrite that cannot be finished only
    makes it grow.
    """
    if not _empties_log(connection):
        return False
    connection.execute("vacuum")
    return _empties_log(connection)


def _empties_log(connection: sqlite3.Connection) -> bool:
    """Truncates the log. Returns whether that worked.

    The wait for a reader is short, because the store's only thread is blocked during it.
    """
    connection.execute(f"pragma busy_timeout = {_LOG_WAIT_MS}")
    busy, *_ = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
    connection.execute(f"pragma busy_timeout = {_WAIT_MS}")
    return not busy


def _scrub_once(connection: sqlite3.Connection) -> None:
    """Scrubs a file that an older version without scrubbing may have written.

    If that fails, the next opening tries again.
    """
    if connection.execute("pragma user_version").fetchone() != (0,):
        return
    with suppress(sqlite3.OperationalError):
        if _scrub(connection):
            connection.execute("pragma user_version = 1")


def _freeze(connection: sqlite3.Connection) -> None:
    """Starts a read transaction, which sees the file as it is at its first read."""
    connection.execute("begin")
    connection.execute("select 1 from conversations").fetchone()


def _commit(connection: sqlite3.Connection, commit: Commit) -> None:
    for entry in commit.entries:
        _create_entry(connection, entry)
    for conversation in commit.conversations:
        _write_conversation(connection, conversation)
    for person in commit.people:
        _write_person(connection, person)
    _update_together(connection, commit.updates)


def _create_entry(connection: sqlite3.Connection, entry: JournalEntry) -> None:
    document = from_entry(entry)
    times = _texts(document.time, document.due_at)
    _must_change_one(
        connection.execute(
            "insert or ignore into journal (conversation, id, revision, seq, time, due_at, "
            "pending_seq, body)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.conversation,
                entry.id,
                FIRST_REVISION,
                document.seq,
                *times,
                document.pending_seq,
                document.body,
            ),
        )
    )
    _add_natives(connection, entry, document.natives)


def _add_natives(
    connection: sqlite3.Connection, entry: JournalEntry, natives: Sequence[str]
) -> None:
    connection.executemany(
        "insert into natives (conversation, entry, native) values (?, ?, ?)",
        [(entry.conversation, entry.id, native) for native in natives],
    )


def _write_conversation(
    connection: sqlite3.Connection, conversation: Snapshot[Conversation]
) -> None:
    document = from_conversation(conversation.value)
    values = (
        document.version,
        document.phase,
        *_texts(document.waiting_since, document.due_at),
        document.body,
    )
    sql = """insert or ignore into conversations (version, phase, waiting_since, due_at, body, id)
             values (?, ?, ?, ?, ?, ?)"""
    key: tuple[object, ...] = (conversation.value.id,)
    if conversation.token is not None:
        sql = """update conversations set version = ?, phase = ?, waiting_since = ?, due_at = ?,
          body = ?
                 where id = ? and version = ?"""
        key = (conversation.value.id, conversation.token)
    _must_change_one(connection.execute(sql, (*values, *key)))


def _write_person(connection: sqlite3.Connection, person: Snapshot[Presence]) -> None:
    document = from_person(person.value)
    values = (document.version, *_texts(document.due_at), document.body)
    sql = "insert or ignore into people (version, due_at, body, id) values (?, ?, ?, ?)"
    key: tuple[object, ...] = (person.value.id,)
    if person.token is not None:
        sql = "update people set version = ?, due_at = ?, body = ? where id = ? and version = ?"
        key = (person.value.id, person.token)
    _must_change_one(connection.execute(sql, (*values, *key)))


def _keep_device(connection: sqlite3.Connection, device: Snapshot[Device], now: datetime) -> None:
    connection.execute("delete from devices where expire_at < ?", (format_time(now),))
    values = (device.value.version, format_time(now + DEVICE_KEPT), from_device(device.value))
    sql = "insert or ignore into devices (version, expire_at, body, id) values (?, ?, ?, ?)"
    key: tuple[object, ...] = (device.value.id,)
    if device.token is not None:
        sql = "update devices set version = ?, expire_at = ?, body = ? where id = ? and version = ?"
        key = (device.value.id, device.token)
    _must_change_one(connection.execute(sql, (*values, *key)))


def _update(
    connection: sqlite3.Connection, entry: Snapshot[JournalEntry], counts: Sequence[Count]
) -> Snapshot[JournalEntry]:
    value, document = entry.value, from_entry(entry.value)
    cursor = connection.execute(
        """update journal set pending_seq = ?, due_at = ?, body = ?, revision = revision + 1
           where conversation = ? and id = ? and revision = ? returning revision""",
        (
            document.pending_seq,
            *_texts(document.due_at),
            document.body,
            value.conversation,
            value.id,
            entry.token,
        ),
    )
    rows = cursor.fetchall()
    if not rows:
        raise PreconditionFailed
    connection.execute(
        "delete from natives where conversation = ? and entry = ?", (value.conversation, value.id)
    )
    _add_natives(connection, value, document.natives)
    sqlite_counts.add(connection, counts)
    return Snapshot(value, rows[0][0])


def _update_together(
    connection: sqlite3.Connection, entries: Sequence[Snapshot[JournalEntry]]
) -> list[Snapshot[JournalEntry]]:
    return [_update(connection, entry, ()) for entry in entries]


def _must_change_one(cursor: sqlite3.Cursor) -> None:
    if cursor.rowcount != 1:
        raise PreconditionFailed


def _journal_place(cursor: str | None) -> tuple[int, str, str]:
    """Returns the position of a cursor, that of the beginning for None. Raises BadRequest."""
    if cursor is None:
        return (-1, "", "")
    place = _JOURNAL_CURSOR.fullmatch(cursor)
    if place is None:
        raise BadRequest("invalid-cursor", "The cursor is invalid; start without one.")
    return (int(place[1]), place[2], place[3])


def _conversations(rows: list[_Row], limit: int) -> Page[Conversation]:
    found = page(rows, lambda row: str(row[0]), limit)
    return to_page(found.items, found.cursor)


def _conversation(body: str) -> Snapshot[Conversation]:
    conversation = to_conversation(body)
    return Snapshot(conversation, conversation.version)


def _person(body: str) -> Snapshot[Presence]:
    person = to_person(body)
    return Snapshot(person, person.version)


def _texts(*times: datetime | None) -> tuple[str | None, ...]:
    return tuple(None if time is None else format_time(time) for time in times)
