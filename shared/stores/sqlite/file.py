"""The file of a SQLite store: its permissions, the check that it is Baton's, and the meaning of
its errors.
"""

import errno
import os
import sqlite3
import stat
from contextlib import closing
from functools import cache
from pathlib import Path

from shared.errors import Unavailable

OWNER_FOLDER, OWNER_FILE = 0o700, 0o600
# The suffixes of the files that SQLite keeps beside the database; they get its mode.
BESIDE = ("-wal", "-shm", "-journal")
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
# SQLite reports SQLITE_FULL for ENOSPC only; a size limit or a quota gives an I/O error.
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
_FULL_ERRNO = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class WrongFile(sqlite3.DatabaseError):
    """The file is damaged or belongs to another program or version."""


class UnusableFile(Exception):
    """A file that cannot be used as a store. `error` has the reason."""

    def __init__(self, path: str, error: sqlite3.Error | OSError) -> None:
        why = error.strerror if isinstance(error, OSError) else None
        super().__init__(f"{path} cannot be used: {why or error}")
        self.path, self.error = path, error

    @property
    def is_damaged(self) -> bool:
        """Whether the file is damaged or is not Baton's."""
        return is_damage(self.error)


def unavailable(error: sqlite3.Error | OSError) -> Unavailable:
    """Returns the answer to a request whose write failed, before which nothing was acknowledged."""
    if is_full(error):
        full = "The disk of the store is full or not writable; nothing was stored."
        return Unavailable("storage-full", full)
    if is_damage(error):
        damaged = "The store's file is damaged; the next start says what to do."
        return Unavailable("store-damaged", damaged)
    return Unavailable("store-unavailable", f"The store cannot be used now: {error}.")


def is_storage(error: sqlite3.Error | OSError) -> bool:
    """Returns whether the error comes from the file and not from an SQL statement of Baton's."""
    kinds = (sqlite3.OperationalError, sqlite3.DatabaseError, WrongFile)
    return isinstance(error, OSError) or type(error) in kinds


def is_full(error: sqlite3.Error | OSError) -> bool:
    """Returns whether the disk is full or a quota or file size limit was reached."""
    if isinstance(error, OSError):
        return error.errno in _FULL_ERRNO
    return getattr(error, "sqlite_errorcode", None) in _FULL


def is_damage(error: sqlite3.Error | OSError) -> bool:
    """Returns whether the file is damaged or is not Baton's."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    return isinstance(error, WrongFile) or code in _DAMAGED


def make_private(path: Path) -> None:
    """Creates the folder and the file if they are missing, and restricts the file to its owner.

    Raises OSError.

    An existing file is not opened here: closing it would drop the locks of this process's other
    connections.
    https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
    """
    make_folder(path.parent)
    if not os.path.lexists(path):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, OWNER_FILE))
    _must_be_a_file(path)
    for one in (path, *(Path(f"{path}{end}") for end in BESIDE)):
        if one.is_file() and one.stat().st_uid == os.geteuid():
            one.chmod(OWNER_FILE)


def make_folder(folder: Path) -> None:
    """Creates the folder with access for its owner only, if it is missing. Raises OSError."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{folder} is not a folder")
    folder.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)


def _must_be_a_file(path: Path) -> None:
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is not a file")
    if not os.access(path, os.R_OK | os.W_OK):
        raise PermissionError(errno.EACCES, "this user may not read and write it")
    log = Path(f"{path}-wal")
    if found.st_size == 0 and log.is_file() and log.stat().st_size:
        raise WrongFile("it is empty, but a -wal file with content lies beside it")


def check_tables(connection: sqlite3.Connection, schema: str) -> None:
    """Raises WrongFile if the file has tables that differ from those of `schema`."""
    found, expected = _columns(connection), _columns_of(schema)
    known = [table for table in expected if table in found]
    if found and not known:
        raise WrongFile("its tables are another program's")
    changed = [table for table in known if found[table] != expected[table]]
    if changed:
        raise WrongFile(f"its table {changed[0]} is another program's or another version's")


@cache
def _columns_of(schema: str) -> dict[str, set[str]]:
    with closing(sqlite3.connect(":memory:")) as empty:
        empty.executescript(schema)
        return _columns(empty)


def _columns(connection: sqlite3.Connection) -> dict[str, set[str]]:
    sql = """select tables.name, columns.name from sqlite_schema as tables,
             pragma_table_info(tables.name) as columns
             where tables.type = 'table' and tables.name not like 'sqlite~_%' escape '~'"""
    columns = dict[str, set[str]]()
    for table, column in connection.execute(sql):
        columns.setdefault(table, set()).add(column)
    return columns


def check_whole(connection: sqlite3.Connection) -> None:
    """Reads the whole file. Raises sqlite3.DatabaseError if a page is damaged."""
    found = str(connection.execute("pragma quick_check(1)").fetchone()[0])
    if found != "ok":
        raise WrongFile(f"it is damaged ({found})")
