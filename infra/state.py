"""Opens the state for an operator's tool: of the deployment that the environment names, or else of
the local run.
"""

import contextlib
import io
import os
import sys
from pathlib import Path

from shared.bootstrap import root as bootstrap
from shared.bootstrap.root import Baton
from shared.errors import BadRequest, Misconfigured
from shared.stores.sqlite.file import UnusableFile
from shared.stores.sqlite.store import SCHEMA, open_database

SQLITE = "sqlite:///"


def opened() -> Baton:
    """Returns Baton on its state, and prints which state that is. Raises BadRequest where there is
    none, or where it or the settings cannot be used.
    """
    if home := os.environ.get("BATON_HOME"):
        os.environ.setdefault("BATON_STORE", f"{SQLITE}{Path(home) / 'baton.sqlite'}")
    baton = _built()
    store = baton.settings.baton_store
    if store.startswith(SQLITE):
        _check_file(store)
    project = baton.settings.google_cloud_project if store == "firestore" else None
    print(f"reading {' of '.join(filter(None, [store, project]))}", file=sys.stderr)
    return baton


def _built() -> Baton:
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # the log line holds the text of the error
            baton = bootstrap.baton()
            baton.ports  # noqa: B018  # built now, so that what is missing is said now
    except Misconfigured as error:
        raise BadRequest("settings", f"The settings are wrong: {error.faults}.") from error
    return baton


def _check_file(store: str) -> None:
    path = store.removeprefix(SQLITE)
    if not os.path.lexists(path):
        raise BadRequest(
            "no-state", f"There is no state at {store}. Name it with BATON_HOME or BATON_STORE."
        )
    try:
        open_database(path, SCHEMA).close()
    except UnusableFile as error:
        raise BadRequest("no-state", f"{error}.") from error
