"""The folder of one local run: private to its owner, and locked by one process at a time."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from shared.stores.sqlite.file import OWNER_FILE, OWNER_FOLDER, UnusableFile, make_folder

LOCK = "run.lock"
SQLITE = "sqlite:///"


class Held(Exception):
    """Another run holds the folder; the message names the process."""


@contextlib.contextmanager
def held(folder: Path, store: str) -> Iterator[None]:
    """Locks the folder, and the store where it lies elsewhere, until the context ends. Raises Held,
    UnusableFile.

    The kernel releases the lock when the process ends, however it ends.
    """
    locks = [folder / LOCK]
    if store.startswith(SQLITE):
        locks.append(Path(f"{store.removeprefix(SQLITE)}.lock"))
    with contextlib.ExitStack() as stack:
        for lock in locks:
            try:
                stack.enter_context(_locked(lock))
            except OSError as error:
                raise UnusableFile(str(lock.parent), error) from error
        _make_private(folder)
        yield


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    make_folder(path.parent)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, OWNER_FILE), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Held(f"process {file.read(20).strip() or 'unknown'}") from None
        with contextlib.suppress(PermissionError):  # another user's
            os.fchmod(file.fileno(), OWNER_FILE)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _make_private(folder: Path) -> None:
    """Lets only the owner into the folder, unless the folder also holds other things, like
    a home.
    """
    shared = {*Path.cwd().parents, Path.cwd(), *Path.home().parents, Path.home()}
    found, where = folder.stat(), folder.resolve()
    mine = found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX
    if mine and where not in {one.resolve() for one in shared}:
        folder.chmod(OWNER_FOLDER)
