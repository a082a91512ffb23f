"""What the process has imported from which tests/forked.py forks: what is beneath Baton's programs,
none of the programs.
"""

# ruff: noqa: F401  # it is the import that counts

import infra.deploy.deploy
import infra.doctor.doctor
import infra.export.export
import infra.local.app
import infra.local.hold
import infra.local.protocol
import shared.reports.recount
import shared.stores.firestore.store
import shared.transports.pubsub
