"""How much slower this machine is now than one for which a bound in seconds was set: other tests
run on it too. A bound may grow with it, and never shrinks.
"""

import time
from collections.abc import Callable
from statistics import median

TIMES = 11


def slowness(once: Callable[[], object], usual: float) -> float:
    """Returns 1 where doing something `once` takes at most the `usual` seconds."""
    taken = list[float]()
    for _ in range(TIMES):
        began = time.monotonic()
        once()
        taken.append(time.monotonic() - began)
    return max(1.0, median(taken) / usual)
