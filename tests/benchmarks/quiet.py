"""Whether the machine does anything else: milliseconds count only where it does not."""

import os
import time
from pathlib import Path

MOST_BUSY = 0.1  # of all processors, before anything is started
LOOK_SECONDS = 2.0


def busy() -> float:
    """Returns the share of all processors that others use now."""
    before = _times()
    time.sleep(LOOK_SECONDS)
    after = _times()
    spent = [b - a for a, b in zip(before, after, strict=True)]
    idle = spent[3] + spent[4]  # idle, and waiting for a disk
    return 1 - idle / max(sum(spent), 1)


def noise(share: float) -> str:
    """Returns what to print of a share that others used, with the load of the machine."""
    load = " ".join(f"{one:.2f}" for one in os.getloadavg())
    words = f"others used {share:.0%} of {os.cpu_count()} processors; load {load}"
    return f"the machine was {'' if share <= MOST_BUSY else 'NOT '}quiet: {words}"


def _times() -> list[int]:
    """Returns user, nice, system, idle, iowait, irq, softirq and steal, in ticks."""
    return [*map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])]
