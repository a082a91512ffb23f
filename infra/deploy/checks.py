"""The checks before anything is deployed: those that every function makes at its start."""

import contextlib
import io
from collections.abc import Mapping

from shared.bootstrap.platforms import capabilities, platforms
from shared.bootstrap.policy import policy
from shared.errors import Misconfigured
from shared.settings.model import read_settings
from shared.settings.secrets import strong, weak_bearers, weak_keys

DEPLOYED = {"K_SERVICE": "deploy", "BATON_STORE": "firestore", "BATON_QUEUE": "pubsub"}


def faults(given: Mapping[str, str]) -> list[str]:
    """Returns what is wrong with these settings and secrets, by name and never with a value."""
    lower = {name.lower(): value.strip() for name, value in given.items()}
    found = strong(lower, development=False)[1] + weak_keys(lower, development=False)[1]
    found += weak_bearers(lower)
    found += [
        f"{name} is empty but for white space" for name, value in given.items() if not value.strip()
    ]
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # the log lines say the same
            settings = read_settings({**given, **DEPLOYED})
            policy(settings, capabilities(platforms(settings)))
    except Misconfigured as error:
        found += error.faults.split("; ")
    return found
