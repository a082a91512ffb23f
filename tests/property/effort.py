"""How hard the property tests look: the same few examples in every default run, ten times more and
new ones in a hunt (HYPOTHESIS_PROFILE=hunt), which also makes what it finds as small as it gets.
"""

import os

from hypothesis import HealthCheck, Phase, settings

HUNTS = os.environ.get("HYPOTHESIS_PROFILE") == "hunt"
PHASES = (Phase.explicit, Phase.generate, *([Phase.shrink] if HUNTS else []))


def effort(examples: int, steps: int = 50) -> settings:
    return settings(
        max_examples=examples * 10 if HUNTS else examples,
        stateful_step_count=steps,
        phases=PHASES,
        deadline=None,
        derandomize=not HUNTS,
        database=None,
        print_blob=HUNTS,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.filter_too_much,
        ],
    )
