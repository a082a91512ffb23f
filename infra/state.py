"""Whose state a tool of the operator's works on: the deployment's that the environment names, else the local run's."""

import os
import sys
from pathlib import Path

from shared import bootstrap
from shared.bootstrap import Baton
from shared.errors import BadRequest

SQLITE = "sqlite:///"


def opened() -> Baton:
    """Returns Baton on its state, of which the user is told which it is. Raises BadRequest where there is none, and
    Misconfigured."""
    if home := os.environ.get("BATON_HOME"):
        os.environ.setdefault("BATON_STORE", f"{SQLITE}{Path(home) / 'baton.sqlite'}")
    baton = bootstrap.baton()
    store = baton.settings.baton_store
    if store.startswith(SQLITE) and not Path(store.removeprefix(SQLITE)).is_file():
        raise BadRequest("no-state", f"There is no state at {store}. Name it with BATON_HOME or BATON_STORE.")
    project = baton.settings.google_cloud_project if store == "firestore" else None
    print(f"reading {' of '.join(filter(None, [store, project]))}", file=sys.stderr)
    return baton
