"""Whether this run may take hours: `make soak` looks harder than the gate, at the same tests."""

import os

SOAKS = os.environ.get("HYPOTHESIS_PROFILE") == "hunt"
