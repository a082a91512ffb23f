"""How hard the property tests look: a quarter of `examples` and the same ones in every run of the
gate, twenty times as many and new ones in `make soak`, which also makes what it finds as small as
it gets.
"""

from hypothesis import HealthCheck, Phase, settings

from tests.soak import SOAKS

PART = 4  # of the examples that the gate tries
PHASES = (Phase.explicit, Phase.generate, *([Phase.shrink] if SOAKS else []))


def effort(examples: int, steps: int = 50) -> settings:
    return settings(
        max_examples=examples * 20 if SOAKS else examples // PART,
        stateful_step_count=steps,
        phases=PHASES,
        deadline=None,
        derandomize=not SOAKS,
        database=None,
        print_blob=SOAKS,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.filter_too_much,
        ],
    )
