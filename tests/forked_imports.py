"""What the process has imported from which tests/forked.py forks: what is beneath Baton's programs,
none of the programs.
"""

# ruff: noqa: F401  # it is the import that counts

import gc

import functions_framework._cli
import functions_framework._http.gunicorn
import uvicorn_worker  # type: ignore[import-untyped]  # it has no types

import infra.deploy.deploy
import infra.doctor.doctor
import infra.export.export
import infra.local.app
import infra.local.hold
import infra.local.protocol
import shared.reports.recount
import shared.stores.firestore.store
import shared.transports.pubsub

# As in tests/conftest.py: what is forked looks seldom for cycles, and not among what is imported.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 50)
